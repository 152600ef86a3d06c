#include "optimizer/optimizer.h"

#include <cmath>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {
namespace {

/// JavaScript says 0 where nothing is clipped.
double limit_of(double value) { return value > 0 ? value : HUGE_VAL; }

Step step_of(Instance& instance, const Arguments& arguments) {
  Step step = {};
  step.count = arguments.size("count", 1, kLargest);
  step.sparse = arguments.size("sparse", 0, step.count);
  step.parameters = arguments.floats("parameters", step.count);
  step.gradients = arguments.floats("gradients", step.count);
  step.learning_rate = arguments.number("learningRate");
  step.clip_norm = limit_of(arguments.number("clipNorm"));
  step.clip_value = limit_of(arguments.number("clipValue"));
  step.weight_decay = arguments.number("weightDecay");
  step.sparse_weight_decay = arguments.number("sparseWeightDecay");
  step.nonzero = arguments.bytes_or_null("nonzero", step.sparse / kSparseGroup);
  step.average = arguments.floats_or_null("average", step.count);
  if (step.average) {
    step.average_decay = arguments.number("averageDecay");
    step.sparse_average_decay = arguments.number("sparseAverageDecay");
  }
  instance.block_sums.resize(norm_blocks(step.count));
  step.block_sums = instance.block_sums.data();
  return step;
}

}  // namespace

napi_value adam_step(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  AdamStep step = {};
  step.common = step_of(instance, arguments);
  step.first_moment = arguments.floats("firstMoment", step.common.count);
  step.second_moment = arguments.floats("secondMoment", step.common.count);
  step.beta1 = arguments.number("beta1");
  step.beta2 = arguments.number("beta2");
  step.epsilon = arguments.number("epsilon");
  step.step_size = arguments.number("stepSize");
  step.gradient_size = arguments.number("gradientSize");
  step.correction = arguments.number("correction");
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) { instance.kernels->adam_step(step, worker); });
  return make_number(env, step.common.norm);
}

napi_value sgd_step(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  SgdStep step = {};
  step.common = step_of(instance, arguments);
  step.moment = arguments.floats("moment", step.common.count);
  step.momentum = arguments.number("momentum");
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) { instance.kernels->sgd_step(step, worker); });
  return make_number(env, step.common.norm);
}

napi_value rms_prop_step(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  RmsPropStep step = {};
  step.common = step_of(instance, arguments);
  step.moment = arguments.floats("moment", step.common.count);
  step.decay = arguments.number("decay");
  step.epsilon = arguments.number("epsilon");
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) { instance.kernels->rms_prop_step(step, worker); });
  return make_number(env, step.common.norm);
}

}  // namespace charnn
