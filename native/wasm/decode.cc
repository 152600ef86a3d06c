// Decode sessions: a model and the states of some sequences, in memory that JavaScript has given.
#include "decode/session.h"
#include "wasm/call.h"
#include "wasm/team.h"

/// Tells the time, from any starting point.
extern "C" __attribute__((import_module("charnn"), import_name("secondsNow"))) double
charnn_seconds_now();

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
  const bool reads_vectors = call.flag();
  shape.input_kind = reads_vectors         ? InputKind::kVectors
                     : shape.embedding > 0 ? InputKind::kEmbedding
                                           : InputKind::kOneHot;
  return shape;
}

struct Session : DecodeSession {
  /// How many it was opened with.
  size_t threads;
};

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
CHARNN_EXPORT(sizeOfDecodeSession) size_t size_of_decode_session() { return sizeof(Session); }

/// Packs the weights and sets all states to zero.
///
/// @param session memory of its size
CHARNN_EXPORT(openDecodeSession) void open_decode_session(Session* session) {
  Call call;
  *session = {};
  Decode& decode = session->decode;
  decode.shape = decode_shape(call);
  const DecodeShape& shape = decode.shape;
  decode.sequences = shape.sequences;
  size_t floats;
  decode.memory = layout_memory(shape, call.floats(), &floats);
  decode.tokens = call.integers();
  decode.vectors = call.floats();
  decode.logits = call.floats();
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
  session->kernels = &wasm::kKernels;
  auto kernel = wasm::kKernels.decode_pack[static_cast<size_t>(shape.cell)];
  run([&](const Worker& worker) { kernel(decode, weights, worker); });
  session->threads = wanted_threads;
  if (wanted_threads > 1 && is_worth_team(shape, shape.sequences))
    session->team = &team_of(wanted_threads);
  session->begin_to_prepare();
}

/// @returns whether its steps are worth several threads, where it was opened with several
CHARNN_EXPORT(usesTeam) bool uses_team(const Session* session) { return session->team != nullptr; }

/// Reads the tokens, or vectors, of the first sequences and overwrites the logits, where the
/// session was opened with their memory.
CHARNN_EXPORT(stepDecodeSession) void step_decode_session(Session* session, size_t sequences) {
  if (session->team != nullptr) team_of(session->threads);
  session->step(sequences, charnn_seconds_now);
  session->begin_to_prepare();
}

/// @param state [layers, states, hidden], overwritten
CHARNN_EXPORT(readDecodeState)
void read_decode_state(const Session* session, size_t sequence, float* state) {
  read_state(session->decode, sequence, state);
}

/// @param state [layers, states, hidden]
CHARNN_EXPORT(writeDecodeState)
void write_decode_state(Session* session, size_t sequence, const float* state) {
  session->forget_prepared();
  write_state(session->decode, sequence, state);
}

/// Leaves its memory alone from now on.
CHARNN_EXPORT(closeDecodeSession) void close_decode_session(Session* session) {
  if (session->team != nullptr) session->team->finish();
}

}  // namespace charnn
