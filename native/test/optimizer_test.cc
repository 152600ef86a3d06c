// Optimizer steps.
#include <cmath>

#include "test/arrays.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

constexpr double kTolerance = 2e-6;

/// What every step works on, and what it should come to before the update.
struct Case {
  size_t count;
  double clip_norm, clip_value, weight_decay;
  bool is_wild;
  Floats parameters, gradients, first, second, average;
  std::vector<double> clipped, decayed;
  double norm = 0;
  static constexpr double learning_rate = 0.01, average_decay = 0.9;

  Case(Draw& draw, size_t count, double clip_norm, double clip_value, double weight_decay)
      : count(count),
        clip_norm(clip_norm),
        clip_value(clip_value),
        weight_decay(weight_decay),
        is_wild(draw.is_wild()),
        parameters(draw.floats(count, 2)),
        gradients(draw.floats(count, 1)),
        first(draw.floats(count, 0.5f)),
        second(draw.floats(count, 1)),
        average(draw.floats(count, 2)) {
    for (size_t i = 0; i < count; ++i) second[i] *= second[i];
    double squares = 0;
    for (size_t i = 0; i < count; ++i) squares += double{gradients[i]} * gradients[i];
    norm = std::sqrt(squares);
    const double clip = clip_norm / (norm + 1e-6);
    for (size_t i = 0; i < count; ++i) {
      const double scaled = gradients[i] * std::fmin(clip, 1);
      clipped.push_back(std::fmax(std::fmin(scaled, clip_value), -clip_value));
      decayed.push_back(parameters[i] * (1 - learning_rate * weight_decay));
    }
  }

  std::string title(const char* name) const {
    return std::string(name) + " of " + std::to_string(count) + " numbers, norm at most " +
           std::to_string(clip_norm) + ", each at most " + std::to_string(clip_value) + ", decay " +
           std::to_string(weight_decay);
  }
};

/// The results of a step that makes these parameters and moments.
Expected expected_of(const Case& c, const std::vector<double>& parameters,
                     const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<double> average = c.average.doubles();
  for (size_t i = 0; i < c.count; ++i)
    average[i] = c.average_decay * average[i] + (1 - c.average_decay) * parameters[i];
  return {{"parameters", parameters}, {"gradients", c.clipped}, {"first", first},
          {"second", second},         {"average", average},     {"norm", {c.norm}}};
}

/// A case's arrays, to be changed, and the step over them.
struct Work {
  Floats parameters, gradients, first, second, average;
  std::vector<double> block_sums;
  Step step;

  explicit Work(const Case& c)
      : parameters(c.parameters),
        gradients(c.gradients),
        first(c.first),
        second(c.second),
        average(c.average),
        block_sums(norm_blocks(c.count), std::nan("")),
        step{c.count,         parameters.data(), gradients.data(), c.learning_rate,
             c.clip_norm,     c.clip_value,      c.weight_decay,   average.data(),
             c.average_decay, block_sums.data(), std::nan("")} {}

  Results results() const {
    return {{"parameters", parameters.numbers()}, {"gradients", gradients.numbers()},
            {"first", first.numbers()},           {"second", second.numbers()},
            {"average", average.numbers()},       {"norm", {static_cast<float>(step.norm)}}};
  }
};

/// Where numbers are wild there is nothing to expect.
void check_step(Targets& targets, const Case& c, const char* name, const Expected& expected,
                const Targets::Run& run) {
  if (c.is_wild) targets.check_same_bits(c.title(name), run);
  else targets.check(c.title(name), expected, kTolerance, run);
}

void check_adam(Targets& targets, const Case& c) {
  const double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8;
  const double first_correction = 1 - std::pow(beta1, 3),
               second_correction = 1 - std::pow(beta2, 3);
  std::vector<double> parameters = c.decayed, first = c.first.doubles(),
                      second = c.second.doubles();
  for (size_t i = 0; i < c.count; ++i) {
    first[i] = beta1 * first[i] + (1 - beta1) * c.clipped[i];
    second[i] = beta2 * second[i] + (1 - beta2) * c.clipped[i] * c.clipped[i];
    parameters[i] -= c.learning_rate * (first[i] / first_correction) /
                     (std::sqrt(second[i] / second_correction) + epsilon);
  }
  const Expected expected = expected_of(c, parameters, first, second);
  check_step(targets, c, "Adam", expected, [&](const Kernels& kernels, Team& team) {
    Work work(c);
    AdamStep step = {work.step,
                     work.first.data(),
                     work.second.data(),
                     beta1,
                     beta2,
                     epsilon,
                     c.learning_rate / first_correction,
                     std::sqrt(second_correction)};
    team.run([&](const Worker& worker) { kernels.adam_step(step, worker); });
    work.step = step.common;
    return work.results();
  });
}

void check_sgd(Targets& targets, const Case& c) {
  const double momentum = 0.8;
  std::vector<double> parameters = c.decayed, first = c.first.doubles();
  for (size_t i = 0; i < c.count; ++i) {
    first[i] = momentum * first[i] + c.clipped[i];
    parameters[i] -= c.learning_rate * first[i];
  }
  const Expected expected = expected_of(c, parameters, first, c.second.doubles());
  check_step(targets, c, "SGD", expected, [&](const Kernels& kernels, Team& team) {
    Work work(c);
    SgdStep step = {work.step, work.first.data(), momentum};
    team.run([&](const Worker& worker) { kernels.sgd_step(step, worker); });
    work.step = step.common;
    return work.results();
  });
}

void check_rms_prop(Targets& targets, const Case& c) {
  const double decay = 0.95, epsilon = 1e-4;
  std::vector<double> parameters = c.decayed, second = c.second.doubles();
  for (size_t i = 0; i < c.count; ++i) {
    second[i] = decay * second[i] + (1 - decay) * c.clipped[i] * c.clipped[i];
    parameters[i] -= c.learning_rate * c.clipped[i] / (std::sqrt(second[i]) + epsilon);
  }
  const Expected expected = expected_of(c, parameters, c.first.doubles(), second);
  check_step(targets, c, "RMSProp", expected, [&](const Kernels& kernels, Team& team) {
    Work work(c);
    RmsPropStep step = {work.step, work.second.data(), decay, epsilon};
    team.run([&](const Worker& worker) { kernels.rms_prop_step(step, worker); });
    work.step = step.common;
    return work.results();
  });
}

/// Gradients whose norm is no number in single precision change nothing.
void test_not_finite(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("optimizers, gradients that are not finite")) return;
  Draw draw(3);
  for (float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF, 3e38f})
    for (const Kernels* kernels : targets.kernels())
      for (size_t members : {1, 3}) {
        Case c(draw, 9000, 1, 0.5, 0.1);
        c.gradients[8999] = c.gradients[5000] = bad;
        Work adam(c), sgd(c), rms_prop(c);
        AdamStep adam_step = {
            adam.step, adam.first.data(), adam.second.data(), 0.9, 0.99, 1e-8, 0.01, 0.1};
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
                                     c.count * sizeof(float)) == 0,
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

void test_optimizers(Targets& targets) {
  Report& report = targets.report();
  const auto all = [&](const char* name, void (*check)(Targets&, const Case&)) {
    if (!report.begins(name)) return;
    Draw draw(2);
    // On each side of a vector, and of a block of the norm.
    for (size_t count : {1, 15, 16, 17, 4095, 4096, 4097, 20000})
      for (double clip_norm : {HUGE_VAL, 0.5, 1e6})
        for (double weight_decay : {0.0, 0.1})
          check(targets,
                Case(draw, count, clip_norm, weight_decay > 0 ? 0.01 : HUGE_VAL, weight_decay));
    report.ends();
  };
  all("Adam", check_adam);
  all("SGD", check_sgd);
  all("RMSProp", check_rms_prop);
  test_not_finite(targets);
}

void fuzz_optimizer(Targets& targets, Draw& draw) {
  constexpr size_t counts[] = {1, 15, 16, 17, 4095, 4096, 4097};
  const auto check = draw.choose(3) == 0   ? check_adam
                     : draw.choose(2) == 0 ? check_sgd
                                           : check_rms_prop;
  const size_t count = draw.choose(4) > 0 ? 1 + draw.choose(200) : counts[draw.choose(7)];
  constexpr double norms[] = {HUGE_VAL, 0.5, 1}, values[] = {HUGE_VAL, 0.01, 0.02};
  const double clip_norm = norms[draw.choose(3)], clip_value = values[draw.choose(3)];
  check(targets, Case(draw, count, clip_norm, clip_value, 0.1 * draw.choose(3)));
}

}  // namespace charnn::test
