// The decoder and its loss.
#include <algorithm>
#include <cmath>

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

struct Textbook {
  std::vector<double> logits, losses, d_input, d_weight, d_bias;
};

Textbook textbook(const Case& c) {
  const auto [rows, hidden, vocabulary, batch, has_mask, wants_gradient] = c.shape;
  Textbook result;
  result.losses.resize(rows);
  result.d_input.resize(rows * hidden);
  result.d_weight.resize(vocabulary * hidden);
  result.d_bias.resize(vocabulary);
  for (size_t row = 0; row < rows; ++row) {
    std::vector<double> x(hidden), logits = c.bias.doubles();
    for (size_t k = 0; k < hidden; ++k)
      x[k] = double{c.input[row * hidden + k]} * (has_mask ? c.mask[row % batch * hidden + k] : 1);
    for (size_t v = 0; v < vocabulary; ++v)
      for (size_t k = 0; k < hidden; ++k) logits[v] += x[k] * c.weight[v * hidden + k];
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
    if (c.targets[row] < 0) continue;
    const size_t target = c.targets[row];
    double sum = 0;
    const double most = *std::max_element(logits.begin(), logits.end());
    for (double logit : logits) sum += std::exp(logit - most);
    result.losses[row] = std::log(sum) + most - logits[target];
    for (size_t v = 0; v < vocabulary; ++v) {
      const double d = (std::exp(logits[v] - most) / sum - (v == target)) / c.scored;
      result.d_bias[v] += d;
      for (size_t k = 0; k < hidden; ++k) {
        result.d_weight[v * hidden + k] += d * x[k];
        result.d_input[row * hidden + k] +=
            d * c.weight[v * hidden + k] * (has_mask ? c.mask[row % batch * hidden + k] : 1);
      }
    }
  }
  return result;
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
      d_bias(c.bias.size(), nothing);
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
    return results;
  }
  results.push_back(
      {"gradient input", matrix_of(work.scratch.gradient_input, shape.rows, shape.hidden)});
  results.push_back({"gradient weight", d_weight.numbers()});
  results.push_back({"gradient bias", d_bias.numbers()});
  return results;
}

/// The rank of each target; where rounding can't tell some from it, the one that was given.
std::vector<double> ranks_of(const Case& c, const Textbook& right, const Results& given) {
  std::vector<double> ranks(c.shape.rows);
  for (size_t row = 0; row < c.shape.rows; ++row) {
    if (c.targets[row] < 0) continue;
    const double* logits = &right.logits[row * c.shape.vocabulary];
    const double own = logits[c.targets[row]];
    double likelier = 0, as_likely = -1;
    for (size_t v = 0; v < c.shape.vocabulary; ++v) {
      likelier += logits[v] > own + 1e-5;
      as_likely += std::abs(logits[v] - own) <= 1e-5;
    }
    ranks[row] = std::clamp<double>(given[2].numbers[row], likelier, likelier + as_likely);
  }
  return ranks;
}

Targets::Run running(const Case& c) {
  return [&](const Kernels& kernels, Team& team) { return run(c, kernels, team); };
}

void check(Targets& targets, const Case& c) {
  const Textbook right = textbook(c);
  // The likeliest: of those that are as good as equal, the one that the kernel takes.
  const Results first = run(c, *targets.kernels().front(), targets.team(1));
  std::vector<double> predictions;
  for (size_t row = 0; row < c.shape.rows; ++row) {
    const double* logits = &right.logits[row * c.shape.vocabulary];
    const double* best = std::max_element(logits, logits + c.shape.vocabulary);
    const size_t taken = static_cast<size_t>(first[1].numbers[row]);
    const bool equals = taken < c.shape.vocabulary && logits[taken] > *best - 1e-5;
    predictions.push_back(static_cast<double>(equals ? taken : best - logits));
  }
  Expected expected = {{"losses", right.losses}, {"predictions", predictions}};
  if (!c.shape.wants_gradient) {
    expected.push_back({"ranks", ranks_of(c, right, first)});
  } else {
    expected.push_back({"gradient input", right.d_input});
    expected.push_back({"gradient weight", right.d_weight});
    expected.push_back({"gradient bias", right.d_bias});
  }
  targets.check(c.title(), expected, kTolerance, running(c));
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
  Case unscored(draw, 20, 7, 33, Masked::no, false, true);
  unscored.targets = Integers(20, -1);
  unscored.count_targets();
  check(targets, unscored);

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
  check(targets, equal);

  // Logits that are not numbers, or the least that a number can be.
  for (size_t vocabulary : {1, 17, 32})
    for (float logit : {std::nanf(""), -INFINITY, INFINITY}) {
      Case wild(draw, 3, 2, vocabulary, Masked::no, false, true);
      wild.bias = Floats(wild.bias.size(), logit);
      check_predictions(targets, wild);
    }

  // Logits of which single precision can't hold the exponentials.
  Case far(draw, 33, 16, 50, Masked::no, true, true);
  for (size_t v = 0; v < 50; ++v) far.bias[v] *= 100;
  check(targets, far);
  report.ends();
}

}  // namespace

void test_cross_entropy(Targets& targets) {
  Report& report = targets.report();
  if (report.begins("cross-entropy")) {
    Draw draw(4);
    size_t number = 0;
    for (size_t rows : {1, 3, 33, 561})
      for (size_t hidden : {1, 7, 100, 129})
        for (size_t vocabulary : {2, 16, 17, 65, 300}) {
          ++number;
          if (!report.takes(number)) continue;
          const auto masked = static_cast<Masked>(number % 3);
          check(targets, Case(draw, rows, hidden, vocabulary, masked, number % 2 > 0, true));
          check(targets, Case(draw, rows, hidden, vocabulary, masked, number % 2 == 0, false));
        }
    // So many characters that not all rows' logits are kept at once.
    check(targets, Case(draw, 257, 3, 16400, Masked::made, false, true));
    report.ends();
  }
  test_edges(targets);
  test_stopping(targets);
}

void fuzz_cross_entropy(Targets& targets, Draw& draw) {
  const size_t rows = 1 + draw.choose(70), hidden = 1 + draw.choose(150);
  const size_t vocabulary = 1 + draw.choose(200);
  const auto masked = static_cast<Masked>(draw.choose(3));
  const bool in_panels = draw.choose(2) > 0, wants_gradient = draw.choose(2) > 0;
  const Case c(draw, rows, hidden, vocabulary, masked, in_panels, wants_gradient);
  check_predictions(targets, c);
  if (draw.is_wild()) targets.check_same_bits(c.title(), running(c));
  else check(targets, c);
}

}  // namespace charnn::test
