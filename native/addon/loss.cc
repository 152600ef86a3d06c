#include "loss/loss.h"

#include <algorithm>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {
namespace {

CrossEntropyShape cross_entropy_shape(const Arguments& arguments) {
  CrossEntropyShape shape;
  shape.rows = arguments.size("rows", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 1, kLargest);
  shape.batch = arguments.size("batch", 1, kLargest);
  shape.has_mask = arguments.flag("hasMask");
  shape.wants_gradient = arguments.flag("wantsGradient");
  product({shape.rows, shape.hidden_panels(), kVectorWidth});
  product({shape.batch, shape.hidden_panels(), kVectorWidth});
  product({shape.vocabulary, shape.hidden_panels(), kVectorWidth});
  return shape;
}

}  // namespace

napi_value cross_entropy_scratch(napi_env env, const Arguments& arguments) {
  size_t floats;
  layout_scratch(cross_entropy_shape(arguments), nullptr, &floats);
  return make_number(env, static_cast<double>(floats));
}

napi_value cross_entropy(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  CrossEntropy c = {};
  c.shape = cross_entropy_shape(arguments);
  const size_t rows = c.shape.rows;
  const size_t inputs = product({rows, c.shape.hidden});
  size_t floats;
  layout_scratch(c.shape, nullptr, &floats);
  c.scratch = layout_scratch(c.shape, arguments.scratch("scratch", floats), &floats);
  c.input = arguments.floats_or_null("vectors", inputs);
  if (!c.input) c.input_panels = arguments.panels("inputPanels", c.shape.hidden_panels(), rows);
  if (c.shape.has_mask)
    c.mask = mask_of(arguments, "mask", product({c.shape.batch, c.shape.hidden}));
  const size_t weights = product({c.shape.vocabulary, c.shape.hidden});
  c.weight = arguments.floats("weight", weights);
  c.bias = arguments.floats("bias", c.shape.vocabulary);
  c.targets = arguments.integers("targets", rows);
  c.losses = arguments.floats("losses", rows);
  c.predictions = arguments.integers("predictions", rows);
  if (!c.shape.wants_gradient) {
    c.ranks = arguments.integers("ranks", rows);
    c.logits = arguments.floats_or_null("logits", product({rows, c.shape.vocabulary}));
  } else {
    c.gradient_weight = arguments.floats("gradientWeight", weights);
    c.gradient_bias = arguments.floats("gradientBias", c.shape.vocabulary);
  }
  arguments.hold_arrays();
  check_tokens("targets", c.targets, rows, INT32_MIN, c.shape.vocabulary);
  c.scored = std::count_if(c.targets, c.targets + rows, [](int32_t target) { return target >= 0; });
  run_unless_stopped(instance,
                     [&](const Worker& worker) { instance.kernels->cross_entropy(c, worker); });
  return c.shape.wants_gradient ? scratch_offset(env, c.scratch.gradient_input.data, arguments)
                                : make_number(env, 0);
}

}  // namespace charnn
