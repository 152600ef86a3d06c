// The whole model, one step at a time.
#include <cmath>

#include "decode/state.h"
#include "test/arrays.h"
#include "test/kernel_cases.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

constexpr double kTolerance = 1e-5;
constexpr size_t kSteps = 3;

/// @param embedding 0: one-hot
DecodeShape shape_of(Cell cell, size_t layers, size_t sequences, size_t hidden, size_t vocabulary,
                     size_t embedding) {
  const InputKind kind = embedding > 0 ? InputKind::kEmbedding : InputKind::kOneHot;
  return {cell, kind, layers, sequences, hidden, vocabulary, embedding};
}

struct LayerWeights {
  Floats ih, hh, bias_ih, bias_hh;
};

struct Case {
  DecodeShape shape;
  Floats embedding, decoder, decoder_bias;
  std::vector<LayerWeights> layers;
  std::vector<Integers> tokens;  // of each step

  Case() = default;
  Case(Draw& draw, const DecodeShape& shape) : shape(shape) {
    const size_t gates = traits_of(shape.cell).gates * shape.hidden;
    const float small = 1 / std::sqrt(static_cast<float>(shape.hidden));
    if (!shape.is_one_hot()) embedding = draw.floats(shape.vocabulary * shape.embedding, 1);
    for (size_t l = 0; l < shape.layers; ++l)
      layers.push_back({draw.floats(gates * shape.input(l), small),
                        draw.floats(gates * shape.hidden, small), draw.floats(gates, small),
                        draw.floats(gates, small)});
    decoder = draw.floats(shape.vocabulary * shape.hidden, small);
    decoder_bias = draw.floats(shape.vocabulary, 1);
    for (size_t step = 0; step < kSteps; ++step)
      tokens.push_back(draw.integers(shape.sequences, shape.vocabulary));
  }

  std::string title() const {
    return std::to_string(shape.layers) + " layers of " + std::to_string(shape.hidden) + ", " +
           std::to_string(shape.sequences) + " sequences, vocabulary " +
           std::to_string(shape.vocabulary) +
           (shape.reads_vectors() ? ", vectors of " : ", embedding ") +
           std::to_string(shape.embedding);
  }
};

/// A model of the definition.
Case case_of(const KernelCase& defined) {
  const bool has_embedding = defined.has("encoder.weight");
  Case c = {};
  c.shape = shape_of(defined.cell(), defined.size("layers"), defined.size("batch"),
                     defined.size("hidden size"), defined.size("vocabulary"),
                     has_embedding ? defined.size("embedding size") : 0);
  c.embedding = defined.array("encoder.weight");
  for (size_t l = 0; l < c.shape.layers; ++l) {
    const auto weight = [&](const char* name) {
      return defined.array("rnn." + (name + ("_l" + std::to_string(l))));
    };
    c.layers.push_back(
        {weight("weight_ih"), weight("weight_hh"), weight("bias_ih"), weight("bias_hh")});
  }
  c.decoder = defined.array("decoder.weight");
  c.decoder_bias = defined.array("decoder.bias");
  const Integers& tokens = defined.integers.at("tokens");
  for (size_t step = 0; step < defined.size("steps"); ++step) {
    Integers& of_step = c.tokens.emplace_back(c.shape.sequences);
    for (size_t n = 0; n < c.shape.sequences; ++n)
      of_step[n] = tokens[step * c.shape.sequences + n];
  }
  return c;
}

size_t floats_of(const DecodeShape& shape) {
  size_t floats;
  layout_memory(shape, nullptr, &floats);
  return floats;
}

/// A model with the states of its sequences.
struct Opened {
  const Kernels& kernels;
  Team& team;
  Scratch memory;
  Decode session = {};
  Floats embedding;  // the vectors of tokens, where the session reads vectors

  Opened(const Case& c, const Kernels& kernels, Team& team);

  /// @returns logits [tokens.size(), vocabulary]
  Floats step(const Integers& tokens) {
    const DecodeShape& shape = session.shape;
    Floats logits(tokens.size() * shape.vocabulary, std::nanf(""));
    session.tokens = tokens.data();
    Floats vectors(tokens.size() * shape.embedding);
    if (shape.reads_vectors())
      for (size_t n = 0; n < tokens.size(); ++n)
        for (size_t i = 0; i < shape.embedding; ++i)
          vectors[n * shape.embedding + i] = embedding[tokens[n] * shape.embedding + i];
    session.vectors = vectors.data();
    session.logits = logits.data();
    session.sequences = tokens.size();
    team.run([&](const Worker& worker) { kernels.decode_prepare(session, worker); });
    team.run([&](const Worker& worker) {
      kernels.decode_step[static_cast<size_t>(shape.cell)](session, worker);
    });
    session.before = 1 - session.before;
    return logits;
  }
};

Opened::Opened(const Case& c, const Kernels& kernels, Team& team)
    : kernels(kernels), team(team), memory(floats_of(c.shape)) {
  const DecodeShape& shape = c.shape;
  const size_t index = static_cast<size_t>(shape.cell);
  size_t floats;
  session.shape = shape;
  session.sequences = shape.sequences;
  session.memory = layout_memory(shape, memory.data(), &floats);
  DecodeWeights weights = {};
  weights.embedding = c.embedding.data();
  embedding = c.embedding;
  for (size_t l = 0; l < shape.layers; ++l) {
    const LayerWeights& layer = c.layers[l];
    weights.layers[l] = {layer.ih.data(), layer.hh.data(), layer.bias_ih.data(),
                         layer.bias_hh.data()};
  }
  weights.decoder = c.decoder.data();
  weights.decoder_bias = c.decoder_bias.data();
  team.run([&](const Worker& worker) { kernels.decode_pack[index](session, weights, worker); });
}

Results run(const Case& c, const Kernels& kernels, Team& team) {
  Opened model(c, kernels, team);
  std::vector<float> all;
  for (const Integers& tokens : c.tokens) {
    const Floats logits = model.step(tokens);
    all.insert(all.end(), logits.data(), logits.data() + logits.size());
  }
  return {{"logits", all}};
}

Targets::Run running(const Case& c) {
  return [&](const Kernels& kernels, Team& team) { return run(c, kernels, team); };
}

/// The first `count` rows of a matrix of `columns` columns.
Floats first_rows(const Floats& matrix, size_t count, size_t columns) {
  Floats result(count * columns);
  for (size_t i = 0; i < result.size(); ++i) result[i] = matrix[i];
  return result;
}

/// A vocabulary too large for a table of tokens, of which only the first tokens occur: these have
/// the same logits in a model that has no other tokens, and so a table.
void check_without_table(Targets& targets, Draw& draw, const DecodeShape& shape) {
  constexpr size_t used = 20;
  Case large(draw, shape);
  for (Integers& tokens : large.tokens) tokens = draw.integers(shape.sequences, used);
  Case small = large;
  small.shape.vocabulary = used;
  small.embedding = first_rows(large.embedding, used, shape.embedding);
  small.decoder = first_rows(large.decoder, used, shape.hidden);
  small.decoder_bias = first_rows(large.decoder_bias, used, 1);
  targets.report().check(!large.shape.has_token_table(), "the table is small");
  targets.report().check(small.shape.has_token_table(), "the table is large");
  for (const Kernels* kernels : targets.kernels()) {
    const std::vector<float> of_all = run(large, *kernels, targets.team(2))[0].numbers;
    const std::vector<float> of_used = run(small, *kernels, targets.team(2))[0].numbers;
    bool same = true;
    for (size_t i = 0; i < of_used.size(); ++i)
      same = same && of_used[i] == of_all[i / used * shape.vocabulary + i % used];
    targets.report().check(
        same, large.title() + " on " + kernels->isa + ": other logits than with a table");
  }
  targets.check_same_bits(large.title(), running(large), false);
}

/// A session that reads the embedding vectors of tokens gives the logits of one that reads these.
void check_vectors(Targets& targets, const Case& of_tokens) {
  Case of_vectors = of_tokens;
  of_vectors.shape.input_kind = InputKind::kVectors;
  for (const Kernels* kernels : targets.kernels()) {
    const std::vector<float> expected = run(of_tokens, *kernels, targets.team(2))[0].numbers;
    const std::vector<float> actual = run(of_vectors, *kernels, targets.team(2))[0].numbers;
    targets.report().check(actual == expected,
                           of_vectors.title() + " on " + kernels->isa + ": other logits");
  }
  targets.check_same_bits(of_vectors.title(), running(of_vectors), false);
}

/// The logits of a step after another do not depend on where a sequence's state is, nor on how many
/// others are stepped.
void check_moved_states(Targets& targets, const Case& c, Team& team) {
  const DecodeShape& shape = c.shape;
  const size_t count = shape.sequences;
  for (const Kernels* kernels : targets.kernels()) {
    Opened one(c, *kernels, team), other(c, *kernels, team);
    one.step(c.tokens[0]);
    Floats state(state_size(shape));
    Integers reversed(count);
    for (size_t n = 0; n < count; ++n) {
      read_state(one.session, n, state.data());
      write_state(other.session, count - 1 - n, state.data());
      reversed[count - 1 - n] = c.tokens[1][n];
    }
    const Floats expected = one.step(c.tokens[1]);
    Integers first(count - 1);
    for (size_t n = 0; n < first.size(); ++n) first[n] = reversed[n];
    const Floats logits = other.step(first);
    bool same = true;
    for (size_t n = 0; n < first.size(); ++n)
      for (size_t v = 0; v < shape.vocabulary; ++v)
        same = same &&
               logits[n * shape.vocabulary + v] == expected[(count - 1 - n) * shape.vocabulary + v];
    targets.report().check(
        same, c.title() + " on " + kernels->isa + ": other logits where the states were moved");
  }
}

}  // namespace

void test_decoding(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("decoding without a table of tokens")) return;
  Draw draw(8);
  if (report.every == 1)
    for (size_t k = 0; k < kCellCount; k++)
      for (size_t sequences : {1, 5}) {
        const auto cell = static_cast<Cell>(k);
        const size_t vocabulary = traits_of(cell).gates < 3 ? 60000 : 23000;
        check_without_table(targets, draw, shape_of(cell, 1, sequences, 129, vocabulary, 5));
      }
  report.ends();
  if (!report.begins("decoding of vectors")) return;
  for (size_t k = 0; k < kCellCount; k++)
    for (size_t sequences : {1, 2, 13})
      check_vectors(targets, Case(draw, shape_of(static_cast<Cell>(k), 2, sequences, 37, 19, 21)));
  report.ends();
  if (!report.begins("decoding with states that were moved")) return;
  for (size_t k = 0; k < kCellCount; k++)
    for (size_t sequences : {2, 5, 13})
      for (size_t threads : {1, 2}) {
        const DecodeShape shape = shape_of(static_cast<Cell>(k), 2, sequences, 37, 19, 5);
        check_moved_states(targets, Case(draw, shape), targets.team(threads));
      }
  report.ends();
}

void check_decoding(Targets& targets, const KernelCase& defined, size_t) {
  targets.check(defined.title, defined.expected({"logits"}), kTolerance, running(case_of(defined)));
}

void fuzz_decode(Targets& targets, Draw& draw) {
  const auto cell = static_cast<Cell>(draw.choose(kCellCount));
  const size_t layers = 1 + draw.choose(3), sequences = 1 + draw.choose(20);
  const size_t hidden = 1 + draw.choose(150), vocabulary = 1 + draw.choose(200);
  DecodeShape shape = shape_of(cell, layers, sequences, hidden, vocabulary, draw.choose(50));
  if (shape.has_embedding() && draw.choose(2) == 0) shape.input_kind = InputKind::kVectors;
  const Case c(draw, shape);
  targets.check_same_bits(c.title(), running(c), draw.is_wild());
}

}  // namespace charnn::test
