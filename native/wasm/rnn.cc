#include "rnn/rnn.h"

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {
namespace {

SequenceShape sequence_shape(Call& call) {
  SequenceShape shape;
  shape.cell = static_cast<Cell>(call.size());
  shape.time = call.size();
  shape.batch = call.size();
  shape.input = call.size();
  shape.hidden = call.size();
  shape.vocabulary = call.size();
  const bool has_embedding = call.flag();
  shape.input_kind = shape.vocabulary == 0 ? InputKind::kVectors
                     : has_embedding       ? InputKind::kEmbedding
                                           : InputKind::kOneHot;
  shape.input_mask_rows = call.size();
  shape.has_state_mask = call.flag();
  shape.has_weight_mask = call.flag();
  shape.threads = wanted_threads;
  return shape;
}

SequenceWeights weights_of(Call& call) {
  SequenceWeights weights;
  weights.ih = call.floats();
  weights.hh = call.floats();
  weights.bias_ih = call.floats();
  weights.bias_hh = call.floats();
  return weights;
}

SequenceState state_of(Call& call) {
  float* hidden = call.floats();
  return {hidden, call.floats()};
}

Sequence sequence_of(Call& call) {
  Sequence s = {};
  s.shape = sequence_shape(call);
  size_t floats;
  s.scratch = layout_scratch(s.shape, call.floats(), &floats);
  s.input.tokens = call.integers();
  s.input.embedding = call.floats();
  s.input.vectors = call.floats();
  s.input.panels = call.panels();
  s.input.mask = call.mask();
  s.weights = weights_of(call);
  s.weight_mask = call.mask();
  s.state_mask = call.mask();
  s.before = state_of(call);
  return s;
}

}  // namespace

/// @returns floats; the largest size where no memory holds them
CHARNN_EXPORT(sequenceScratch) double sequence_scratch() {
  Call call;
  size_t floats;
  layout_scratch(sequence_shape(call), nullptr, &floats);
  return static_cast<double>(floats);
}

/// @returns where the outputs begin
CHARNN_EXPORT(forwardSequence) float* forward_sequence() {
  Call call;
  Sequence s = sequence_of(call);
  s.after = state_of(call);
  auto kernel = wasm::kKernels.forward_sequence[static_cast<size_t>(s.shape.cell)];
  run_unless_stopped([&](const Worker& worker) { kernel(s, worker); });
  return s.scratch.hiddens.at(0, s.shape.batch);
}

/// @returns where the gradient with respect to the input begins; null for tokens
CHARNN_EXPORT(backwardSequence) float* backward_sequence() {
  Call call;
  SequenceGradient g = {};
  g.forward = sequence_of(call);
  g.output = call.floats();
  g.output_panels = call.panels();
  g.weight_ih = call.floats();
  g.weight_hh = call.floats();
  g.bias_ih = call.floats();
  g.bias_hh = call.floats();
  g.embedding = call.floats();
  g.before = state_of(call);
  auto kernel = wasm::kKernels.backward_sequence[static_cast<size_t>(g.forward.shape.cell)];
  run_unless_stopped([&](const Worker& worker) { kernel(g, worker); });
  return g.forward.scratch.gradient_input.data;
}

}  // namespace charnn
