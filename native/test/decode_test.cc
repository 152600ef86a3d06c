// The whole model, one step at a time.
#include <cmath>

#include "test/arrays.h"
#include "test/tests.h"
#include "test/textbook.h"

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

  Case(Draw& draw, const DecodeShape& shape) : shape(shape) {
    const size_t gates = traits_of(shape.cell).gates * shape.hidden;
    const float small = 1 / std::sqrt(static_cast<float>(shape.hidden));
    if (shape.has_embedding()) embedding = draw.floats(shape.vocabulary * shape.embedding, 1);
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
           std::to_string(shape.sequences) + " streams, vocabulary " +
           std::to_string(shape.vocabulary) + ", embedding " + std::to_string(shape.embedding);
  }
};

Expected expected_of(const Case& c) {
  const DecodeShape& shape = c.shape;
  const size_t rows = kSteps * shape.sequences, units = shape.sequences * shape.hidden;
  Doubles x;
  for (size_t l = 0; l < shape.layers; ++l) {
    const size_t input = c.shape.input(l);
    TextbookLayer layer = {shape.cell,
                           kSteps,
                           shape.sequences,
                           input,
                           shape.hidden,
                           x,
                           c.layers[l].ih.doubles(),
                           c.layers[l].hh.doubles(),
                           c.layers[l].bias_ih.doubles(),
                           c.layers[l].bias_hh.doubles(),
                           Doubles(units),
                           Doubles(traits_of(shape.cell).has_cell_state ? units : 0),
                           Doubles(units, 1)};
    if (l == 0) {
      layer.x.assign(rows * layer.input, 0);
      for (size_t row = 0; row < rows; ++row) {
        const size_t token = c.tokens[row / shape.sequences][row % shape.sequences];
        for (size_t k = 0; k < layer.input; ++k)
          layer.x[row * layer.input + k] = shape.has_embedding()
                                               ? double{c.embedding[token * layer.input + k]}
                                               : double(k == token);
      }
    }
    x = forward(layer).output;
  }
  Doubles logits;
  for (size_t row = 0; row < rows; ++row)
    for (size_t v = 0; v < shape.vocabulary; ++v) {
      double logit = c.decoder_bias[v];
      for (size_t k = 0; k < shape.hidden; ++k)
        logit += x[row * shape.hidden + k] * c.decoder[v * shape.hidden + k];
      logits.push_back(logit);
    }
  return {{"logits", logits}};
}

Results run(const Case& c, const Kernels& kernels, Team& team) {
  const DecodeShape& shape = c.shape;
  const size_t index = static_cast<size_t>(shape.cell);
  size_t floats;
  layout_memory(shape, nullptr, &floats);
  Scratch memory(floats);
  Decode streams = {};
  streams.shape = shape;
  streams.memory = layout_memory(shape, memory.data(), &floats);
  DecodeWeights weights = {};
  weights.embedding = c.embedding.data();
  for (size_t l = 0; l < shape.layers; ++l) {
    const LayerWeights& layer = c.layers[l];
    weights.layers[l] = {layer.ih.data(), layer.hh.data(), layer.bias_ih.data(),
                         layer.bias_hh.data()};
  }
  weights.decoder = c.decoder.data();
  weights.decoder_bias = c.decoder_bias.data();
  team.run([&](const Worker& worker) { kernels.decode_pack[index](streams, weights, worker); });
  std::vector<float> all;
  for (size_t step = 0; step < kSteps; ++step) {
    Floats logits(shape.sequences * shape.vocabulary, std::nanf(""));
    streams.tokens = c.tokens[step].data();
    streams.logits = logits.data();
    team.run([&](const Worker& worker) { kernels.decode_prepare(streams, worker); });
    team.run([&](const Worker& worker) { kernels.decode_step[index](streams, worker); });
    streams.before = 1 - streams.before;
    all.insert(all.end(), logits.data(), logits.data() + logits.size());
  }
  return {{"logits", all}};
}

Targets::Run running(const Case& c) {
  return [&](const Kernels& kernels, Team& team) { return run(c, kernels, team); };
}

void check(Targets& targets, const Case& c) {
  targets.check(c.title(), expected_of(c), kTolerance, running(c));
}

void test_cell(Targets& targets, const char* name, Cell cell) {
  Report& report = targets.report();
  if (!report.begins(name)) return;
  constexpr size_t vocabularies[] = {2, 65, 300}, embeddings[] = {0, 5, 40};
  Draw draw(8);
  size_t number = 0;
  for (size_t layers : {1, 3})
    for (size_t streams : {1, 3, 17})
      for (size_t hidden : {1, 7, 100, 129, 300})
        for (size_t i = 0; i < 2; ++i, ++number) {
          if (!report.takes(number)) continue;
          const DecodeShape shape = shape_of(cell, layers, streams, hidden,
                                             vocabularies[draw.below(3)], embeddings[number % 3]);
          check(targets, Case(draw, shape));
        }
  // A table of what the input weights make of each character would be too large.
  const size_t vocabulary = cell == Cell::rnn ? 60000 : 23000;
  if (report.every == 1)
    for (size_t streams : {1, 5}) {
      const Case c(draw, shape_of(cell, 1, streams, 129, vocabulary, 5));
      report.check(!c.shape.has_token_table(), "the table is small");
      check(targets, c);
    }
  report.ends();
}

}  // namespace

void test_streams(Targets& targets) {
  test_cell(targets, "GRU streams", Cell::gru);
  test_cell(targets, "LSTM streams", Cell::lstm);
  test_cell(targets, "tanh RNN streams", Cell::rnn);
}

void fuzz_streams(Targets& targets, Draw& draw) {
  const auto cell = static_cast<Cell>(draw.choose(3));
  const size_t layers = 1 + draw.choose(3), streams = 1 + draw.choose(20);
  const size_t hidden = 1 + draw.choose(150), vocabulary = 1 + draw.choose(200);
  const Case c(draw, shape_of(cell, layers, streams, hidden, vocabulary, draw.choose(50)));
  if (draw.is_wild()) targets.check_same_bits(c.title(), running(c));
  else check(targets, c);
}

}  // namespace charnn::test
