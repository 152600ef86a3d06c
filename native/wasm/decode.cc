// Decode sessions: a model and the states of some sequences, in memory that JavaScript has given.
#include "decode/decode.h"

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {
namespace {

DecodeShape decode_shape(Call& call) {
  DecodeShape shape = {};
  shape.cell = static_cast<Cell>(call.size());
  shape.layers = call.size();
  shape.sequences = call.size();
  shape.hidden = call.size();
  shape.vocabulary = call.size();
  shape.embedding = call.size();
  shape.input_kind = shape.embedding > 0 ? InputKind::kEmbedding : InputKind::kOneHot;
  return shape;
}

}  // namespace

/// @returns floats of the memory in which weights and states stay; the largest size where no memory
/// holds them
CHARNN_EXPORT(decodeMemory) double decode_memory() {
  Call call;
  size_t floats;
  layout_memory(decode_shape(call), nullptr, &floats);
  return static_cast<double>(floats);
}

/// @returns bytes of a session itself
CHARNN_EXPORT(sizeOfDecodeSession) size_t size_of_decode_session() { return sizeof(Decode); }

/// Packs the weights and sets all states to zero.
///
/// @param session memory of its size
CHARNN_EXPORT(openDecodeSession) void open_decode_session(Decode* session) {
  Call call;
  *session = {};
  session->shape = decode_shape(call);
  const DecodeShape& shape = session->shape;
  size_t floats;
  session->memory = layout_memory(shape, call.floats(), &floats);
  session->tokens = call.integers();
  session->logits = call.floats();
  // Too large for a stack.
  static DecodeWeights weights;
  weights.embedding = call.floats();
  weights.decoder = call.floats();
  weights.decoder_bias = call.floats();
  for (size_t l = 0; l < shape.layers; ++l) {
    SequenceWeights& layer = weights.layers[l];
    layer.ih = call.floats();
    layer.hh = call.floats();
    layer.bias_ih = call.floats();
    layer.bias_hh = call.floats();
  }
  auto kernel = wasm::kKernels.decode_pack[static_cast<size_t>(shape.cell)];
  run([&](const Worker& worker) { kernel(*session, weights, worker); });
}

/// Reads the tokens and overwrites the logits that the session was opened with.
CHARNN_EXPORT(stepDecodeSession) void step_decode_session(Decode* session) {
  auto step = wasm::kKernels.decode_step[static_cast<size_t>(session->shape.cell)];
  run([&](const Worker& worker) { wasm::kKernels.decode_prepare(*session, worker); });
  run([&](const Worker& worker) { step(*session, worker); });
  session->before = 1 - session->before;
}

}  // namespace charnn
