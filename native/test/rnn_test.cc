// Layers forward and backward over sequences.
#include <algorithm>
#include <cmath>

#include "test/kernel_cases.h"
#include "test/philox.h"
#include "test/stopping.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

constexpr double kTolerance = 1e-5;

enum class Input { one_hot, embedded, rows, panels };
struct Kind {
  const char* name;
  Input input;
  Masked masked;
};

constexpr Kind kKinds[] = {
    {"one-hot", Input::one_hot, Masked::no},
    {"embedded", Input::embedded, Masked::no},
    {"one-hot masked", Input::one_hot, Masked::given},
    {"embedded masked", Input::embedded, Masked::given},
    {"embedded dropped out", Input::embedded, Masked::made},
    {"rows", Input::rows, Masked::no},
    {"rows masked", Input::rows, Masked::given},
    {"rows dropped out", Input::rows, Masked::made},
    {"panels", Input::panels, Masked::no},
    {"panels masked", Input::panels, Masked::given},
    {"panels dropped out", Input::panels, Masked::made},
};
constexpr size_t kKindCount = sizeof kKinds / sizeof *kKinds;

struct Sizes {
  Cell cell;
  size_t hidden, batch, time;
};

struct Case {
  Kind kind;
  Masked recurrence;
  SequenceShape shape = {};
  Integers tokens;
  Floats embedding, vectors, input_mask, state_mask, weight_mask;
  Floats weight_ih, weight_hh, bias_ih, bias_hh, hidden, cell_state, d_output;
  Dropout dropout = {}, state_dropout = {}, weight_dropout = {};

  bool has_cell_state() const { return traits_of(shape.cell).has_cell_state; }

  /// What number `i` of all vectors is multiplied by.
  double input_factor(size_t i) const {
    if (!shape.has_input_mask()) return 1;
    const size_t batch_row = i / shape.input % shape.batch;
    return input_mask[batch_row % shape.input_mask_rows * shape.input + i % shape.input];
  }

  std::string title() const {
    constexpr const char* cells[] = {"GRU", "LSTM", "RNN"};
    return std::string(cells[static_cast<size_t>(shape.cell)]) + " " +
           std::to_string(shape.hidden) + ", batch " + std::to_string(shape.batch) + ", time " +
           std::to_string(shape.time) + ", input " + std::to_string(shape.input) + ", vocabulary " +
           std::to_string(shape.vocabulary) + ", " + kind.name +
           (recurrence == Masked::no      ? ""
            : recurrence == Masked::given ? ", recurrence masked"
                                          : ", recurrence dropped out");
  }
};

/// @param recurrence how state and weights are masked
SequenceShape draw_shape(Draw& draw, const Kind& kind, Masked recurrence, const Sizes& sizes) {
  constexpr size_t vocabularies[] = {2, 16, 65, 300}, inputs[] = {1, 5, 16, 40};
  SequenceShape shape = {};
  shape.cell = sizes.cell;
  shape.time = sizes.time;
  shape.batch = sizes.batch;
  shape.hidden = sizes.hidden;
  shape.has_state_mask = shape.has_weight_mask = recurrence != Masked::no;
  shape.input_kind = kind.input == Input::one_hot    ? InputKind::kOneHot
                     : kind.input == Input::embedded ? InputKind::kEmbedding
                                                     : InputKind::kVectors;
  if (shape.has_tokens()) shape.vocabulary = vocabularies[draw.below(4)];
  shape.input = kind.input == Input::one_hot ? shape.vocabulary : inputs[draw.below(4)];
  // Of three mask rows some batch rows share one.
  if (kind.masked != Masked::no)
    shape.input_mask_rows = shape.has_tokens() ? std::min<size_t>(shape.batch, 3) : shape.batch;
  return shape;
}

void draw_input(Draw& draw, Case& c) {
  const SequenceShape& shape = c.shape;
  if (shape.has_tokens()) c.tokens = draw.integers(shape.rows(), shape.vocabulary);
  else c.vectors = draw.floats(shape.rows() * shape.input, 1);
  if (shape.has_embedding()) c.embedding = draw.floats(shape.vocabulary * shape.input, 1);
}

void draw_masks(Draw& draw, Case& c) {
  const SequenceShape& shape = c.shape;
  for (Dropout* each : {&c.dropout, &c.state_dropout, &c.weight_dropout})
    *each = {0.3, {static_cast<uint32_t>(draw.bits()), static_cast<uint32_t>(draw.bits())}};
  c.input_mask = mask_of(c.dropout, shape.input_mask_rows * shape.input);
  if (shape.has_state_mask) c.state_mask = mask_of(c.state_dropout, shape.batch * shape.hidden);
  if (shape.has_weight_mask)
    c.weight_mask = mask_of(c.weight_dropout, shape.gate_rows() * shape.hidden);
}

void draw_weights(Draw& draw, Case& c) {
  const size_t hidden = c.shape.hidden, gates = c.shape.gate_rows();
  const float small = 1 / std::sqrt(static_cast<float>(hidden));
  c.weight_ih = draw.floats(gates * c.shape.input, small);
  c.weight_hh = draw.floats(gates * hidden, small);
  c.bias_ih = draw.floats(gates, small);
  c.bias_hh = draw.floats(gates, small);
}

void draw_states(Draw& draw, Case& c) {
  const size_t units = c.shape.batch * c.shape.hidden, rows = c.shape.rows();
  c.hidden = draw.floats(units, 1);
  if (c.has_cell_state()) c.cell_state = draw.floats(units, 1);
  // Of a mean over all rows, as a loss is.
  c.d_output = draw.floats(rows * c.shape.hidden, 1 / static_cast<float>(rows));
}

Case draw_case(Draw& draw, const Kind& kind, Masked recurrence, const Sizes& sizes) {
  Case c = {};
  c.kind = kind;
  c.recurrence = recurrence;
  c.shape = draw_shape(draw, kind, recurrence, sizes);
  draw_input(draw, c);
  draw_masks(draw, c);
  draw_weights(draw, c);
  draw_states(draw, c);
  return c;
}

/// A layer of the definition, with its masks given as numbers or as what makes them, and with its
/// input in rows or in panels.
Case case_of(const KernelCase& defined, Masked masked, Input vectors) {
  const auto masked_if = [&](const char* name) { return defined.has(name) ? masked : Masked::no; };
  Case c = {};
  SequenceShape& shape = c.shape;
  shape.cell = defined.cell();
  shape.time = defined.size("time");
  shape.batch = defined.size("batch");
  shape.hidden = defined.size("hidden size");
  shape.input = defined.size("input size");
  c.kind.name = defined.title.c_str();
  c.kind.masked = masked_if("input mask");
  c.recurrence = masked_if("state mask");
  shape.has_state_mask = shape.has_weight_mask = c.recurrence != Masked::no;
  if (defined.has("tokens")) {
    c.kind.input = defined.has("embedding") ? Input::embedded : Input::one_hot;
    shape.input_kind = defined.has("embedding") ? InputKind::kEmbedding : InputKind::kOneHot;
    shape.vocabulary = defined.size("vocabulary");
    c.tokens = defined.integers.at("tokens");
  } else {
    c.kind.input = vectors;
    shape.input_kind = InputKind::kVectors;
    c.vectors = defined.array("vectors");
  }
  c.embedding = defined.array("embedding");
  c.input_mask = defined.array("input mask");
  shape.input_mask_rows = c.input_mask.size() / shape.input;
  c.state_mask = defined.array("state mask");
  c.weight_mask = defined.array("weight mask");
  c.dropout = defined.dropout("input dropout");
  c.state_dropout = defined.dropout("state dropout");
  c.weight_dropout = defined.dropout("weight dropout");
  c.weight_ih = defined.array("weight_ih");
  c.weight_hh = defined.array("weight_hh");
  c.bias_ih = defined.array("bias_ih");
  c.bias_hh = defined.array("bias_hh");
  c.hidden = defined.array("hidden");
  c.cell_state = defined.array("cell");
  c.d_output = defined.array("gradient output");
  return c;
}

/// Forward and backward, `times` times with the same memory. Where it is stopped, that is once more
/// before: forward is stopped and run as a whole, and backward is stopped.
Results run(const Case& c, const Kernels& kernels, Team& team, int times,
            const Stopping* stopping = nullptr) {
  const float nothing = std::nanf("");
  Sequence s = {};
  s.shape = c.shape;
  s.shape.threads = team.size();
  const SequenceShape& shape = s.shape;
  const size_t rows = shape.rows(), units = shape.batch * shape.hidden;
  size_t floats;
  layout_scratch(shape, nullptr, &floats);
  Scratch scratch(floats);
  s.scratch = layout_scratch(shape, scratch.data(), &floats);
  if (c.shape.has_tokens()) s.input.tokens = c.tokens.data();
  s.input.embedding = c.embedding.data();
  // Separate memory, so that a reach beyond either shows.
  std::vector<OwnPanels> panels;
  if (c.kind.input == Input::rows) s.input.vectors = c.vectors.data();
  if (c.kind.input == Input::panels) {
    panels.emplace_back(c.vectors, rows, shape.input);
    s.input.panels = panels.back().panels();
  }
  s.input.mask = mask_argument(c.kind.masked, c.input_mask, c.dropout);
  s.state_mask = mask_argument(c.recurrence, c.state_mask, c.state_dropout);
  s.weights = {c.weight_ih.data(), c.weight_hh.data(), c.bias_ih.data(), c.bias_hh.data()};
  s.weight_mask = mask_argument(c.recurrence, c.weight_mask, c.weight_dropout);
  Floats before_hidden = c.hidden, before_cell = c.cell_state;
  s.before = {before_hidden.data(), before_cell.data()};
  const size_t cell_units = c.has_cell_state() ? units : 0;
  Floats hidden(units, nothing), cell(cell_units, nothing);
  s.after = {hidden.data(), cell.data()};

  SequenceGradient g = {};
  g.forward = s;
  OwnPanels d_output_panels(c.d_output, rows, shape.hidden);
  // In turn, so that each way of the input meets both.
  if (shape.time % 2 > 0) g.output = c.d_output.data();
  else g.output_panels = d_output_panels.panels();
  Floats d_weight_ih(c.weight_ih.size(), nothing), d_weight_hh(c.weight_hh.size(), nothing),
      d_bias_ih(c.bias_ih.size(), nothing), d_bias_hh(c.bias_hh.size(), nothing),
      d_embedding(c.embedding.size(), nothing), d_hidden(units, nothing),
      d_cell(cell_units, nothing);
  g.weight_ih = d_weight_ih.data();
  g.weight_hh = d_weight_hh.data();
  g.bias_ih = d_bias_ih.data();
  g.bias_hh = d_bias_hh.data();
  if (shape.has_embedding()) g.embedding = d_embedding.data();
  g.before = {d_hidden.data(), d_cell.data()};

  const size_t index = static_cast<size_t>(shape.cell);
  std::vector<float> output;
  if (stopping != nullptr) {
    const auto forward = [&](const Worker& worker) { kernels.forward_sequence[index](s, worker); };
    run_stopping(team, *stopping, forward);
    team.run(forward);
    run_stopping(team, *stopping,
                 [&](const Worker& worker) { kernels.backward_sequence[index](g, worker); });
  }
  for (int i = 0; i < times; ++i) {
    team.run([&](const Worker& worker) { kernels.forward_sequence[index](s, worker); });
    output = matrix_of(s.scratch.hiddens.from_row(shape.batch), rows, shape.hidden);
    team.run([&](const Worker& worker) { kernels.backward_sequence[index](g, worker); });
  }
  Results results = {{"output", output},
                     {"hidden after", hidden.numbers()},
                     {"cell after", cell.numbers()},
                     {"gradient hidden", d_hidden.numbers()},
                     {"gradient cell", d_cell.numbers()},
                     {"gradient weight_ih", d_weight_ih.numbers()},
                     {"gradient weight_hh", d_weight_hh.numbers()},
                     {"gradient bias_ih", d_bias_ih.numbers()},
                     {"gradient bias_hh", d_bias_hh.numbers()}};
  if (shape.has_embedding()) results.push_back({"gradient embedding", d_embedding.numbers()});
  if (!c.shape.has_tokens())
    results.push_back({"gradient vectors", matrix_of(s.scratch.gradient_input, rows, shape.input)});
  return results;
}

/// One team runs twice with the same scratch memory, whose old contents must not matter.
Targets::Run running(const Case& c) {
  return [&](const Kernels& kernels, Team& team) {
    return run(c, kernels, team, team.size() == 2 ? 2 : 1);
  };
}

bool has_nan(const Results& results, const char* name) {
  for (const auto& result : results)
    if (result.name == name)
      for (float number : result.numbers)
        if (std::isnan(number)) return true;
  return false;
}

/// A layer that was stopped at any moment is as good as new. One that is not wanted at all leaves
/// its gradients as they were.
void test_stopping(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("sequences that are stopped")) return;
  Draw draw(7);
  size_t number = 0;
  for (size_t k = 0; k < kCellCount; k++)
    for (const Kind& kind : kKinds) {
      const auto cell = static_cast<Cell>(k);
      // By turns each worker has its own batch rows, or its own units.
      const bool by_units = number % 2 > 0;
      const Sizes sizes = {cell, by_units ? size_t{300} : size_t{40}, by_units ? size_t{3} : 17,
                           20};
      const Case c = draw_case(draw, kind, static_cast<Masked>(number % 3), sizes);
      if (!report.takes(number++)) continue;
      for (const Kernels* kernels : targets.kernels())
        for (size_t size = 1; size <= 4; ++size) {
          Team& team = targets.team(size);
          const std::string title =
              c.title() + ", " + kernels->isa + ", " + std::to_string(size) + " threads";
          const Results expected = run(c, *kernels, team, 1);
          for (int after : {0, 1, 100, 400}) {
            const Stopping stopping = {after};
            const Results results = run(c, *kernels, team, 1, &stopping);
            bool same = true;
            for (size_t i = 0; i < expected.size(); ++i)
              same = same && results[i].numbers == expected[i].numbers;
            report.check(same, title + ": other results when it was stopped before");
          }
          const Stopping at_once = {0};
          report.check(has_nan(run(c, *kernels, team, 0, &at_once), "gradient weight_hh"),
                       title + ": it goes on");
        }
    }
  report.ends();
}

}  // namespace

void test_sequences(Targets& targets) { test_stopping(targets); }

void check_sequence(Targets& targets, const KernelCase& defined, size_t number) {
  const bool by_turns = number % 2 > 0;
  const Case c = case_of(defined, by_turns ? Masked::given : Masked::made,
                         by_turns ? Input::panels : Input::rows);
  targets.check(defined.title, defined.expected({"output", "hidden after", "cell after"}),
                kTolerance, running(c));
}

void fuzz_sequence(Targets& targets, Draw& draw) {
  const auto cell = static_cast<Cell>(draw.choose(kCellCount));
  const Kind& kind = kKinds[draw.choose(kKindCount)];
  const auto recurrence = static_cast<Masked>(draw.choose(3));
  const size_t hidden = 1 + draw.choose(150), batch = 1 + draw.choose(20);
  const Case c = draw_case(draw, kind, recurrence, {cell, hidden, batch, 1 + draw.choose(6)});
  targets.check_same_bits(c.title(), running(c), draw.is_wild());
}

}  // namespace charnn::test
