#include "loss/loss.h"

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {
namespace {

CrossEntropyShape cross_entropy_shape(Call& call) {
  CrossEntropyShape shape;
  shape.rows = call.size();
  shape.hidden = call.size();
  shape.vocabulary = call.size();
  shape.batch = call.size();
  shape.has_mask = call.flag();
  shape.wants_gradient = call.flag();
  return shape;
}

}  // namespace

/// @returns floats; the largest size where no memory holds them
CHARNN_EXPORT(crossEntropyScratch) double cross_entropy_scratch() {
  Call call;
  size_t floats;
  layout_scratch(cross_entropy_shape(call), nullptr, &floats);
  return static_cast<double>(floats);
}

/// @returns where the gradient with respect to the input begins; null where it is not wanted
CHARNN_EXPORT(crossEntropy) float* cross_entropy() {
  Call call;
  CrossEntropy c = {};
  c.shape = cross_entropy_shape(call);
  size_t floats;
  c.scratch = layout_scratch(c.shape, call.floats(), &floats);
  c.input = call.floats();
  c.input_panels = call.panels();
  c.mask = call.mask();
  c.weight = call.floats();
  c.bias = call.floats();
  c.targets = call.integers();
  c.losses = call.floats();
  c.predictions = call.integers();
  c.ranks = call.integers();
  c.logits = call.floats();
  c.gradient_weight = call.floats();
  c.gradient_bias = call.floats();
  for (size_t row = 0; row < c.shape.rows; ++row) c.scored += c.targets[row] >= 0;
  run_unless_stopped([&](const Worker& worker) { wasm::kKernels.cross_entropy(c, worker); });
  return c.scratch.gradient_input.data;
}

}  // namespace charnn
