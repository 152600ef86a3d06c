// Optimizer steps.
#include <cmath>

#include "test/arrays.h"
#include "test/kernel_cases.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

constexpr double kTolerance = 2e-6;

/// What every step works on.
struct Case {
  double clip_norm, clip_value, weight_decay, sparse_weight_decay, sparse_average_decay;
  size_t sparse;
  Floats parameters, gradients, first, second, average;
  /// Whether the step gets `nonzero`, which marks the zero gradients.
  bool has_nonzero = true;
  static constexpr double learning_rate = 0.01, average_decay = 0.9;

  size_t count() const { return parameters.size(); }
};

Case draw_case(Draw& draw, size_t count, double clip_norm, double clip_value, double weight_decay,
               size_t sparse = 0) {
  Case c = {clip_norm,
            clip_value,
            weight_decay,
            sparse % 2 > 0 ? 0 : 3 * weight_decay,
            sparse % 2 > 0 ? 1 : 0.7,
            sparse,
            draw.floats(count, 2),
            draw.floats(count, 1),
            draw.floats(count, 0.5f),
            draw.floats(count, 1),
            draw.floats(count, 2)};
  for (size_t i = 0; i < count; ++i) c.second[i] *= c.second[i];
  return c;
}

/// A step of the definition.
Case case_of(const KernelCase& defined) {
  // There 0 says that nothing is clipped.
  const auto limit = [&](const char* name) {
    return defined.number(name) > 0 ? defined.number(name) : HUGE_VAL;
  };
  return {limit("clip norm"),
          limit("clip value"),
          defined.number("weight decay"),
          defined.number("sparse weight decay"),
          defined.number("sparse average decay"),
          static_cast<size_t>(defined.number("sparse")),
          defined.array("parameters"),
          defined.array("gradients"),
          defined.array("first moment"),
          defined.array("second moment"),
          defined.array("average")};
}

/// Of each group of sparse gradients whether any of them is not zero.
std::vector<uint8_t> nonzero_groups(const Case& c) {
  std::vector<uint8_t> groups(c.sparse / kSparseGroup);
  for (size_t i = 0; i < groups.size() * kSparseGroup; ++i)
    if (c.gradients[i] != 0) groups[i / kSparseGroup] = 1;
  return groups;
}

/// A case's arrays, to be changed, and the step over them.
struct Work {
  Floats parameters, gradients, first, second, average;
  std::vector<uint8_t> nonzero;
  std::vector<double> block_sums;
  Step step;

  explicit Work(const Case& c)
      : parameters(c.parameters),
        gradients(c.gradients),
        first(c.first),
        second(c.second),
        average(c.average),
        nonzero(nonzero_groups(c)),
        block_sums(norm_blocks(c.count()), std::nan("")),
        step{c.count(),
             c.sparse,
             c.has_nonzero ? nonzero.data() : nullptr,
             parameters.data(),
             gradients.data(),
             c.learning_rate,
             c.clip_norm,
             c.clip_value,
             c.weight_decay,
             c.sparse_weight_decay,
             average.data(),
             c.average_decay,
             c.sparse_average_decay,
             block_sums.data(),
             std::nan("")} {}

  Results results() const {
    return {{"parameters after", parameters.numbers()}, {"gradients after", gradients.numbers()},
            {"first moment after", first.numbers()},    {"second moment after", second.numbers()},
            {"average after", average.numbers()},       {"norm", {static_cast<float>(step.norm)}}};
  }
};

Targets::Run adam_or_nadam(const Case& c, bool is_nadam) {
  return [&c, is_nadam](const Kernels& kernels, Team& team) {
    Work work(c);
    const double beta1 = 0.9, beta2 = 0.99, steps = 3;
    const double unbiased = c.learning_rate / (1 - std::pow(beta1, steps));
    const double ahead = c.learning_rate * beta1 / (1 - std::pow(beta1, steps + 1));
    AdamStep step = {work.step,
                     work.first.data(),
                     work.second.data(),
                     beta1,
                     beta2,
                     1e-8,
                     is_nadam ? ahead : unbiased,
                     is_nadam ? (1 - beta1) * unbiased : 0,
                     std::sqrt(1 - std::pow(beta2, steps))};
    team.run([&](const Worker& worker) { kernels.adam_step(step, worker); });
    work.step = step.common;
    return work.results();
  };
}

Targets::Run adam(const Case& c) { return adam_or_nadam(c, false); }
Targets::Run nadam(const Case& c) { return adam_or_nadam(c, true); }

Targets::Run sgd(const Case& c) {
  return [&](const Kernels& kernels, Team& team) {
    Work work(c);
    SgdStep step = {work.step, work.first.data(), 0.8};
    team.run([&](const Worker& worker) { kernels.sgd_step(step, worker); });
    work.step = step.common;
    return work.results();
  };
}

Targets::Run rms_prop(const Case& c) {
  return [&](const Kernels& kernels, Team& team) {
    Work work(c);
    RmsPropStep step = {work.step, work.second.data(), 0.95, 1e-4};
    team.run([&](const Worker& worker) { kernels.rms_prop_step(step, worker); });
    work.step = step.common;
    return work.results();
  };
}

/// Gradients whose norm is no number in single precision change nothing.
void test_not_finite(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("optimizers, gradients that are not finite")) return;
  Draw draw(3);
  for (float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF, 3e38f})
    for (const Kernels* kernels : targets.kernels())
      for (size_t members : {1, 3}) {
        Case c = draw_case(draw, 9000, 1, 0.5, 0.1);
        c.gradients[8999] = c.gradients[5000] = bad;
        Work adam(c), sgd(c), rms_prop(c);
        AdamStep adam_step = {
            adam.step, adam.first.data(), adam.second.data(), 0.9, 0.99, 1e-8, 0.01, 0.001, 0.1};
        SgdStep sgd_step = {sgd.step, sgd.first.data(), 0.8};
        RmsPropStep rms_prop_step = {rms_prop.step, rms_prop.second.data(), 0.95, 1e-4};
        targets.team(members).run([&](const Worker& worker) {
          kernels->adam_step(adam_step, worker);
          kernels->sgd_step(sgd_step, worker);
          kernels->rms_prop_step(rms_prop_step, worker);
        });
        const Results before = Work(c).results();
        for (const Work* work : {&adam, &sgd, &rms_prop}) {
          const Results after = work->results();
          for (size_t r = 0; r + 1 < before.size(); ++r)
            report.check(std::memcmp(after[r].numbers.data(), before[r].numbers.data(),
                                     c.count() * sizeof(float)) == 0,
                         std::string(kernels->isa) + ", " + std::to_string(bad) + ": " +
                             before[r].name + " changed");
        }
        for (double norm : {adam_step.common.norm, sgd_step.common.norm, rms_prop_step.common.norm})
          report.check(
              !(norm <= std::numeric_limits<float>::max()),
              std::string(kernels->isa) + ", " + std::to_string(bad) + ": the norm is finite");
      }
  report.ends();
}

}  // namespace

void test_optimizers(Targets& targets) { test_not_finite(targets); }

void check_optimizer(Targets& targets, const KernelCase& defined, size_t) {
  Case c = case_of(defined);
  const Targets::Run run = defined.kernel == "adam"    ? adam(c)
                           : defined.kernel == "nadam" ? nadam(c)
                           : defined.kernel == "sgd"   ? sgd(c)
                                                       : rms_prop(c);
  for (bool has_nonzero : {true, false}) {
    c.has_nonzero = has_nonzero;
    targets.check(defined.kernel + ", " + defined.title,
                  defined.expected({"parameters after", "gradients after", "first moment after",
                                    "second moment after", "average after", "norm"}),
                  kTolerance, run);
  }
}

void fuzz_optimizer(Targets& targets, Draw& draw) {
  constexpr size_t counts[] = {1, 15, 16, 17, 4095, 4096, 4097};
  constexpr double norms[] = {HUGE_VAL, 0.5, 1}, values[] = {HUGE_VAL, 0.01, 0.02};
  constexpr Targets::Run (*steps[])(const Case&) = {adam, nadam, sgd, rms_prop};
  const auto step = steps[draw.choose(4)];
  const size_t count = draw.choose(4) > 0 ? 1 + draw.choose(200) : counts[draw.choose(7)];
  const double clip_norm = norms[draw.choose(3)], clip_value = values[draw.choose(3)];
  const size_t sparse = draw.choose(2) > 0 ? draw.choose(count + 1) : 0;
  Case c = draw_case(draw, count, clip_norm, clip_value, 0.1 * draw.choose(3), sparse);
  for (size_t i = 0; i < sparse; ++i)
    if (i % 40 < 25) c.gradients[i] = i % 2 > 0 ? 0.0f : -0.0f;
  c.has_nonzero = draw.choose(2) > 0;
  targets.check_same_bits(std::to_string(count) + " parameters", step(c), draw.is_wild());
}

}  // namespace charnn::test
