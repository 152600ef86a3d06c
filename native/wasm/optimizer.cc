#include "optimizer/optimizer.h"

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {
namespace {

/// JavaScript says 0 where nothing is clipped.
double limit_of(double value) { return value > 0 ? value : __builtin_huge_val(); }

Step step_of(Call& call) {
  Step step = {};
  step.count = call.size();
  step.sparse = call.size();
  step.nonzero = call.bytes();
  step.parameters = call.floats();
  step.gradients = call.floats();
  step.learning_rate = call.number();
  step.clip_norm = limit_of(call.number());
  step.clip_value = limit_of(call.number());
  step.weight_decay = call.number();
  step.sparse_weight_decay = call.number();
  step.average = call.floats();
  step.average_decay = call.number();
  step.sparse_average_decay = call.number();
  step.block_sums = reinterpret_cast<double*>(call.size());
  return step;
}

}  // namespace

/// @returns the length of a step's block_sums, in doubles
CHARNN_EXPORT(blockSums) size_t block_sums(size_t count) { return norm_blocks(count); }

// All optimizer steps return the norm of the gradients before clipping.

CHARNN_EXPORT(adamStep) double adam_step() {
  Call call;
  AdamStep step = {};
  step.common = step_of(call);
  step.first_moment = call.floats();
  step.second_moment = call.floats();
  step.beta1 = call.number();
  step.beta2 = call.number();
  step.epsilon = call.number();
  step.step_size = call.number();
  step.gradient_size = call.number();
  step.correction = call.number();
  run([&](const Worker& worker) { wasm::kKernels.adam_step(step, worker); });
  return step.common.norm;
}

CHARNN_EXPORT(sgdStep) double sgd_step() {
  Call call;
  SgdStep step = {};
  step.common = step_of(call);
  step.moment = call.floats();
  step.momentum = call.number();
  run([&](const Worker& worker) { wasm::kKernels.sgd_step(step, worker); });
  return step.common.norm;
}

CHARNN_EXPORT(rmsPropStep) double rms_prop_step() {
  Call call;
  RmsPropStep step = {};
  step.common = step_of(call);
  step.moment = call.floats();
  step.decay = call.number();
  step.epsilon = call.number();
  run([&](const Worker& worker) { wasm::kKernels.rms_prop_step(step, worker); });
  return step.common.norm;
}

}  // namespace charnn
