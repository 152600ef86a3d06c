#include "rnn/rnn.h"

#include <algorithm>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {
namespace {

SequenceShape sequence_shape(const Arguments& arguments, size_t threads) {
  SequenceShape shape;
  shape.cell = cell_of(arguments);
  shape.time = arguments.size("time", 1, kLargest);
  shape.batch = arguments.size("batch", 1, kLargest);
  shape.input = arguments.size("input", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 0, kLargest);
  const bool has_embedding = arguments.flag("hasEmbedding");
  shape.input_kind = shape.vocabulary == 0 ? InputKind::kVectors
                     : has_embedding       ? InputKind::kEmbedding
                                           : InputKind::kOneHot;
  shape.input_mask_rows = arguments.size("inputMasks", 0, kLargest);
  shape.has_state_mask = arguments.flag("hasStateMask");
  shape.has_weight_mask = arguments.flag("hasWeightMask");
  shape.threads = threads;
  if (!shape.has_tokens() && has_embedding) throw BadArgument("Vectors have no embedding.");
  if (!shape.has_tokens() && shape.has_input_mask() && shape.input_mask_rows != shape.batch)
    throw BadArgument("inputMasks must be 0 or the batch for vectors.");
  if (shape.input_kind == InputKind::kOneHot && shape.vocabulary != shape.input)
    throw BadArgument("One-hot, the input size must be that of the vocabulary.");
  const size_t states = product({shape.time + 1, shape.batch});
  product({states, shape.slot_panels(), kVectorWidth});
  product({states, shape.input_panels(), kVectorWidth});
  product({shape.input_mask_rows, shape.input_panels(), kVectorWidth});
  if (shape.pairs() > kLargest - 1) throw BadArgument("There are too many masks.");
  product({shape.gate_panels(), kVectorWidth, shape.hidden_panels(), kVectorWidth});
  product({shape.gate_panels(), kVectorWidth, shape.input_panels(), kVectorWidth});
  product({shape.threads, shape.batch, 4 * kVectorWidth});
  return shape;
}

Sequence sequence_of(napi_env env, const Arguments& arguments) {
  Sequence s = {};
  s.shape = sequence_shape(arguments, instance_of(env).team->size());
  size_t floats;
  layout_scratch(s.shape, nullptr, &floats);
  s.scratch = layout_scratch(s.shape, arguments.scratch("scratch", floats), &floats);
  const size_t rows = s.shape.rows();
  if (s.shape.has_tokens()) {
    s.input.tokens = arguments.integers("tokens", rows);
    if (s.shape.has_embedding())
      s.input.embedding =
          arguments.floats("embedding", product({s.shape.vocabulary, s.shape.input}));
  } else {
    s.input.vectors = arguments.floats_or_null("vectors", product({rows, s.shape.input}));
    if (!s.input.vectors)
      s.input.panels = arguments.panels("inputPanels", s.shape.input_panels(), rows);
  }
  if (s.shape.has_input_mask())
    s.input.mask =
        mask_of(arguments, "inputMask", product({s.shape.input_mask_rows, s.shape.input}));
  const size_t gates = s.shape.gate_rows();
  s.weights.ih = arguments.floats("weightIh", product({gates, s.shape.input}));
  s.weights.hh = arguments.floats("weightHh", product({gates, s.shape.hidden}));
  s.weights.bias_ih = arguments.floats("biasIh", gates);
  s.weights.bias_hh = arguments.floats("biasHh", gates);
  if (s.shape.has_weight_mask)
    s.weight_mask = mask_of(arguments, "weightMask", product({gates, s.shape.hidden}));
  const size_t units = product({s.shape.batch, s.shape.hidden});
  if (s.shape.has_state_mask) s.state_mask = mask_of(arguments, "stateMask", units);
  s.before.hidden = arguments.floats("hiddenBefore", units);
  if (traits_of(s.shape.cell).has_cell_state) s.before.cell = arguments.floats("cellBefore", units);
  return s;
}

/// What the arrays hold, once nothing can change it any more.
void check_contents(const Sequence& s) {
  if (s.shape.has_tokens())
    check_tokens("tokens", s.input.tokens, s.shape.rows(), 0, s.shape.vocabulary);
}

/// What forward left is trusted only as far as it can be checked.
void check_contents(const SequenceGradient& g) {
  const SequenceShape& shape = g.forward.shape;
  check_contents(g.forward);
  if (!shape.has_tokens()) return;
  const SequenceScratch& scratch = g.forward.scratch;
  const size_t pairs = std::min(shape.rows(), shape.pairs());
  const int32_t count = *scratch.used_count;
  if (count < 1 || static_cast<size_t>(count) > pairs)
    throw BadArgument("The scratch memory does not hold what forward leaves.");
  check_tokens("pair_of_row", scratch.pair_of_row, shape.rows(), 0, count);
  check_tokens("used_pairs", scratch.used_pairs, count, 0, shape.pairs());
}

}  // namespace

napi_value sequence_scratch(napi_env env, const Arguments& arguments) {
  size_t floats;
  layout_scratch(sequence_shape(arguments, instance_of(env).team->size()), nullptr, &floats);
  return make_number(env, static_cast<double>(floats));
}

napi_value forward_sequence(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  Sequence s = sequence_of(env, arguments);
  const size_t units = s.shape.batch * s.shape.hidden;
  s.after.hidden = arguments.floats("hiddenAfter", units);
  if (traits_of(s.shape.cell).has_cell_state) s.after.cell = arguments.floats("cellAfter", units);
  arguments.hold_arrays();
  check_contents(s);
  auto kernel = instance.kernels->forward_sequence[index_of(s.shape.cell)];
  run_unless_stopped(instance, [&](const Worker& worker) { kernel(s, worker); });
  return scratch_offset(env, s.scratch.hiddens.at(0, s.shape.batch), arguments);
}

napi_value backward_sequence(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  SequenceGradient g = {};
  g.forward = sequence_of(env, arguments);
  const SequenceShape& shape = g.forward.shape;
  g.output = arguments.floats_or_null("gradientOutput", product({shape.rows(), shape.hidden}));
  if (!g.output)
    g.output_panels = arguments.panels("gradientOutputPanels", shape.hidden_panels(), shape.rows());
  const size_t gates = shape.gate_rows();
  g.weight_ih = arguments.floats("gradientWeightIh", gates * shape.input);
  g.weight_hh = arguments.floats("gradientWeightHh", gates * shape.hidden);
  g.bias_ih = arguments.floats("gradientBiasIh", gates);
  g.bias_hh = arguments.floats("gradientBiasHh", gates);
  if (shape.has_embedding())
    g.embedding = arguments.floats("gradientEmbedding", shape.vocabulary * shape.input);
  const size_t units = shape.batch * shape.hidden;
  g.before.hidden = arguments.floats("gradientHidden", units);
  if (traits_of(shape.cell).has_cell_state)
    g.before.cell = arguments.floats("gradientCellState", units);
  arguments.hold_arrays();
  check_contents(g);
  auto kernel = instance.kernels->backward_sequence[index_of(shape.cell)];
  run_unless_stopped(instance, [&](const Worker& worker) { kernel(g, worker); });
  return shape.has_tokens() ? make_number(env, 0)
                            : scratch_offset(env, g.forward.scratch.gradient_input.data, arguments);
}

}  // namespace charnn
