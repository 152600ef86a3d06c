// The decoder and its loss.
#include <algorithm>
#include <cmath>

#include "test/kernel_cases.h"
#include "test/philox.h"
#include "test/stopping.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

constexpr double kTolerance = 1e-5;

struct Case {
  CrossEntropyShape shape;
  Masked masked;
  bool in_panels;
  Floats input, mask, weight, bias;
  Integers targets;
  Dropout dropout;
  size_t scored = 0;

  Case() = default;
  Case(Draw& draw, size_t rows, size_t hidden, size_t vocabulary, Masked masked, bool in_panels,
       bool wants_gradient)
      : shape{rows,
              hidden,
              vocabulary,
              rows % 3 == 0 ? rows / 3 : rows,
              masked != Masked::no,
              wants_gradient},
        masked(masked),
        in_panels(in_panels),
        input(draw.floats(rows * hidden, 1)),
        weight(draw.floats(vocabulary * hidden, 4.0f / std::sqrt(static_cast<float>(hidden)))),
        bias(draw.floats(vocabulary, 3)),
        targets(draw.integers(rows, vocabulary)),
        dropout{0.4, {static_cast<uint32_t>(draw.bits()), static_cast<uint32_t>(draw.bits())}} {
    if (shape.has_mask) mask = mask_of(dropout, shape.batch * hidden);
    for (size_t row = 1; row < rows; row += 3) targets[row] = -1;
    count_targets();
  }

  void count_targets() {
    scored = 0;
    for (size_t row = 0; row < shape.rows; ++row) scored += targets[row] >= 0;
  }

  std::string title() const {
    return std::to_string(shape.rows) + " rows, hidden " + std::to_string(shape.hidden) +
           ", vocabulary " + std::to_string(shape.vocabulary) + (in_panels ? ", panels" : "") +
           (masked == Masked::no      ? ""
            : masked == Masked::given ? ", masked"
                                      : ", dropped out") +
           (shape.wants_gradient ? ", with gradients" : "");
  }
};

/// A decoder of the definition.
Case case_of(const KernelCase& defined, Masked masked, bool in_panels, bool wants_gradient) {
  Case c = {};
  c.masked = defined.has("mask") ? masked : Masked::no;
  c.in_panels = in_panels;
  c.shape = {defined.size("rows"),  defined.size("hidden size"), defined.size("vocabulary"),
             defined.size("batch"), defined.has("mask"),         wants_gradient};
  c.input = defined.array("input");
  c.mask = defined.array("mask");
  c.dropout = defined.dropout("dropout");
  c.weight = defined.array("weight");
  c.bias = defined.array("bias");
  c.targets = defined.integers.at("targets");
  c.count_targets();
  return c;
}

/// Once; before that with the same memory, where it is stopped.
Results run(const Case& c, const Kernels& kernels, Team& team, const Stopping* stopping = nullptr) {
  const CrossEntropyShape& shape = c.shape;
  const float nothing = std::nanf("");
  size_t floats;
  layout_scratch(shape, nullptr, &floats);
  Scratch scratch(floats);
  OwnPanels panels(c.input, shape.rows, shape.hidden);
  Floats losses(shape.rows, nothing), d_weight(c.weight.size(), nothing),
      d_bias(c.bias.size(), nothing), logits(shape.rows * shape.vocabulary, nothing);
  Integers predictions(shape.rows, -7), ranks(shape.rows, -7);
  CrossEntropy work = {};
  work.shape = shape;
  work.scratch = layout_scratch(shape, scratch.data(), &floats);
  if (c.in_panels) work.input_panels = panels.panels();
  else work.input = c.input.data();
  work.mask = mask_argument(c.masked, c.mask, c.dropout);
  work.weight = c.weight.data();
  work.bias = c.bias.data();
  work.targets = c.targets.data();
  work.scored = c.scored;
  work.losses = losses.data();
  work.predictions = predictions.data();
  if (!shape.wants_gradient) {
    work.ranks = ranks.data();
    work.logits = logits.data();
  } else {
    work.gradient_weight = d_weight.data();
    work.gradient_bias = d_bias.data();
  }
  const auto kernel = [&](const Worker& worker) { kernels.cross_entropy(work, worker); };
  if (stopping != nullptr) run_stopping(team, *stopping, kernel);
  team.run(kernel);
  Results results = {{"losses", losses.numbers()},
                     {"predictions", {predictions.data(), predictions.data() + shape.rows}}};
  if (!shape.wants_gradient) {
    results.push_back({"ranks", {ranks.data(), ranks.data() + shape.rows}});
    results.push_back({"logits", logits.numbers()});
    return results;
  }
  results.push_back(
      {"gradient input", matrix_of(work.scratch.gradient_input, shape.rows, shape.hidden)});
  results.push_back({"gradient weight", d_weight.numbers()});
  results.push_back({"gradient bias", d_bias.numbers()});
  return results;
}

Targets::Run running(const Case& c) {
  return [&](const Kernels& kernels, Team& team) { return run(c, kernels, team); };
}

/// Predictions are always valid characters, even when the logits are not finite.
void check_predictions(Targets& targets, const Case& c) {
  for (const Kernels* kernels : targets.kernels()) {
    const Results results = run(c, *kernels, targets.team(1));
    for (float prediction : results[1].numbers)
      targets.report().check(
          prediction >= 0 && prediction < static_cast<float>(c.shape.vocabulary),
          c.title() + " on " + kernels->isa + " predicts character " + std::to_string(prediction));
  }
}

/// A decoder that was stopped at any moment is as good as new.
void test_stopping(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("cross-entropy that is stopped")) return;
  Draw draw(8);
  for (bool wants_gradient : {false, true}) {
    const Case c(draw, 561, 100, 300, Masked::given, true, wants_gradient);
    for (const Kernels* kernels : targets.kernels())
      for (size_t size = 1; size <= 4; ++size) {
        const Results expected = run(c, *kernels, targets.team(size));
        for (int after : {0, 1, 100, 400}) {
          const Stopping stopping = {after};
          const Results results = run(c, *kernels, targets.team(size), &stopping);
          bool same = true;
          for (size_t i = 0; i < expected.size(); ++i)
            same = same && results[i].numbers == expected[i].numbers;
          report.check(same, c.title() + ", " + kernels->isa + ", " + std::to_string(size) +
                                 " threads: other results when it was stopped before");
        }
      }
  }
  report.ends();
}

void test_edges(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("cross-entropy, edges")) return;
  Draw draw(7);
  // Of equal logits the first is the prediction, and the loss is that of equal chances.
  Case equal(draw, 5, 3, 70, Masked::no, false, true);
  equal.weight = Floats(equal.weight.size());
  equal.bias = Floats(equal.bias.size(), 1.5f);
  for (const Kernels* kernels : targets.kernels()) {
    const Results results = run(equal, *kernels, targets.team(1));
    for (float prediction : results[1].numbers)
      report.check(prediction == 0, std::string(kernels->isa) + ": not the first of equals");
    equal.shape.wants_gradient = false;
    const Results scored = run(equal, *kernels, targets.team(1));
    for (size_t row = 0; row < equal.shape.rows; ++row)
      report.check(scored[2].numbers[row] == std::max(equal.targets[row], 0),
                   std::string(kernels->isa) + ": a rank that is not that of equals in order");
    equal.shape.wants_gradient = true;
  }
  // Logits that are not numbers, or the least that a number can be.
  for (size_t vocabulary : {1, 17, 32})
    for (float logit : {std::nanf(""), -INFINITY, INFINITY}) {
      Case wild(draw, 3, 2, vocabulary, Masked::no, false, true);
      wild.bias = Floats(wild.bias.size(), logit);
      check_predictions(targets, wild);
    }
  report.ends();
}

}  // namespace

void test_cross_entropy(Targets& targets) {
  test_edges(targets);
  test_stopping(targets);
  Report& report = targets.report();
  if (!report.begins("cross-entropy of so many tokens that not all logits are kept at once"))
    return;
  Draw draw(4);
  targets.check_same_bits("257 rows", running(Case(draw, 257, 3, 16400, Masked::made, false, true)),
                          false);
  report.ends();
}

void check_cross_entropy(Targets& targets, const KernelCase& defined, size_t number) {
  const bool by_turns = number % 2 > 0;
  const Masked masked = by_turns ? Masked::given : Masked::made;
  Expected expected = defined.expected({"losses", "predictions"});
  targets.check(defined.title, expected, kTolerance,
                running(case_of(defined, masked, by_turns, true)));
  expected = {{"losses", defined.doubles.at("losses")},
              {"predictions", defined.doubles.at("predictions")},
              {"ranks", defined.doubles.at("ranks")},
              {"logits", defined.doubles.at("logits")}};
  targets.check(defined.title + ", without gradients", expected, kTolerance,
                running(case_of(defined, masked, !by_turns, false)));
}

void fuzz_cross_entropy(Targets& targets, Draw& draw) {
  const size_t rows = 1 + draw.choose(70), hidden = 1 + draw.choose(150);
  const size_t vocabulary = 1 + draw.choose(200);
  const auto masked = static_cast<Masked>(draw.choose(3));
  const bool in_panels = draw.choose(2) > 0, wants_gradient = draw.choose(2) > 0;
  const Case c(draw, rows, hidden, vocabulary, masked, in_panels, wants_gradient);
  check_predictions(targets, c);
  targets.check_same_bits(c.title(), running(c), draw.is_wild());
}

}  // namespace charnn::test
