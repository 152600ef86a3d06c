// Decode sessions, in memory that the addon owns.
#include <chrono>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"
#include "decode/session.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace charnn {
namespace {

/// Marks the externals of this addon: those of other addons are told apart by their tag.
constexpr napi_type_tag kSessionTag = {0x636861726e6e5f73, 0x747265616d730001};

[[maybe_unused]] constexpr size_t kHugePage = size_t{2} << 20;

// Sessions are opened and closed in any number. Taken from the system and given back page by page,
// their memory leaves no gaps that small objects then keep from being used again.

#if defined(_WIN32)
/// @returns null where there is none
float* take_memory(size_t bytes) {
  return static_cast<float*>(
      VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

void give_back(float* memory, size_t) { VirtualFree(memory, 0, MEM_RELEASE); }
#else
/// @returns null where there is none
float* take_memory(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<float*>(memory);
}

void give_back(float* memory, size_t bytes) { munmap(memory, bytes); }
#endif

struct Session : DecodeSession {
  float* memory;  // of decode.memory; null once the session is closed
  size_t bytes;
  /// Keeps the team.
  std::shared_ptr<ThreadTeam> threads;
};

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void close(napi_env env, Session& session) {
  if (session.memory == nullptr) return;
  if (session.team != nullptr) session.team->finish();
  int64_t total;
  napi_adjust_external_memory(env, -static_cast<int64_t>(session.bytes), &total);
  give_back(session.memory, session.bytes);
  session.memory = nullptr;
}

/// The open session that an external value holds; null, with an error thrown, where it holds none.
Session* session_in(napi_env env, napi_value value) {
  bool is_ours = false;
  void* data = nullptr;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
      napi_check_object_type_tag(env, value, &kSessionTag, &is_ours) == napi_ok && is_ours)
    napi_get_value_external(env, value, &data);
  auto* session = static_cast<Session*>(data);
  if (session != nullptr && session->memory != nullptr) return session;
  napi_throw_type_error(env, nullptr, "This is no decode session, or it is closed.");
  return nullptr;
}

DecodeShape shape_of(const Arguments& arguments) {
  DecodeShape shape = {};
  shape.cell = cell_of(arguments);
  shape.layers = arguments.size("layers", 1, kMaxLayers);
  shape.sequences = arguments.size("sequences", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 1, kLargest);
  shape.embedding = arguments.size("embedding", 0, kLargest);
  const bool reads_vectors = arguments.flag("readsVectors");
  if (reads_vectors && shape.embedding == 0) throw BadArgument("Vectors must have numbers.");
  shape.input_kind = reads_vectors         ? InputKind::kVectors
                     : shape.embedding > 0 ? InputKind::kEmbedding
                                           : InputKind::kOneHot;
  product({shape.sequences, shape.gate_panels(), kVectorWidth});
  product({shape.sequences, shape.vocabulary_panels(), kVectorWidth});
  product({shape.sequences, shape.embedding_panels(), kVectorWidth});
  product({shape.vocabulary, shape.gate_panels(), kVectorWidth});
  product({shape.vocabulary, shape.embedding_panels(), kVectorWidth});
  product({shape.layers, shape.gate_panels(), kVectorWidth, shape.hidden_panels(), kVectorWidth});
  product({shape.gate_panels(), kVectorWidth, shape.embedding_panels(), kVectorWidth});
  product({shape.vocabulary_panels(), kVectorWidth, shape.hidden_panels(), kVectorWidth});
  return shape;
}

DecodeWeights weights_of(const Arguments& arguments, const DecodeShape& shape) {
  DecodeWeights weights = {};
  const size_t gates = traits_of(shape.cell).gates * shape.hidden;
  if (shape.has_embedding())
    weights.embedding =
        arguments.floats("encoderWeight", product({shape.vocabulary, shape.embedding}));
  for (size_t l = 0; l < shape.layers; ++l) {
    const Arguments layer = arguments.element("weights", l, shape.layers);
    weights.layers[l] = {layer.floats("weightIh", product({gates, shape.input(l)})),
                         layer.floats("weightHh", product({gates, shape.hidden})),
                         layer.floats("biasIh", gates), layer.floats("biasHh", gates)};
  }
  weights.decoder = arguments.floats("decoderWeight", product({shape.vocabulary, shape.hidden}));
  weights.decoder_bias = arguments.floats("decoderBias", shape.vocabulary);
  return weights;
}

/// Throws std::runtime_error where there is no memory for it.
std::unique_ptr<Session> make_session(const Instance& instance, const DecodeShape& shape) {
  size_t floats;
  layout_memory(shape, nullptr, &floats);
  const size_t bytes = floats * sizeof(float);
  float* memory = take_memory(bytes);
  if (memory == nullptr)
    throw std::runtime_error("There is no memory for the decode session: " + std::to_string(bytes) +
                             " bytes.");
  auto session = std::make_unique<Session>();
  session->decode.shape = shape;
  session->decode.memory = layout_memory(shape, memory, &floats);
  session->decode.sequences = shape.sequences;
  session->decode.before = 0;
  session->memory = memory;
  session->bytes = bytes;
  session->kernels = instance.kernels;
  return session;
}

/// Checks what a step reads, throwing a TypeError at what is wrong.
///
/// @param sequences becomes how many there are
bool read_input(napi_env env, napi_value value, Decode& decode, size_t& sequences) {
  const DecodeShape& shape = decode.shape;
  napi_typedarray_type type;
  size_t length;
  void* data;
  const bool is_array =
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok;
  if (shape.reads_vectors()) {
    sequences = is_array ? length / shape.embedding : 0;
    if (is_array && type == napi_float32_array && length == sequences * shape.embedding &&
        sequences > 0 && sequences <= shape.sequences) {
      decode.vectors = static_cast<float*>(data);
      return true;
    }
    napi_throw_type_error(
        env, nullptr, "vectors must be a Float32Array with one of each sequence, or of the first.");
    return false;
  }
  if (!is_array || type != napi_int32_array || length < 1 || length > shape.sequences) {
    napi_throw_type_error(
        env, nullptr, "tokens must be an Int32Array with one of each sequence, or of the first.");
    return false;
  }
  sequences = length;
  decode.tokens = static_cast<int32_t*>(data);
  for (size_t n = 0; n < sequences; ++n)
    if (decode.tokens[n] < 0 || static_cast<size_t>(decode.tokens[n]) >= shape.vocabulary) {
      napi_throw_type_error(env, nullptr, "tokens must be below the size of the vocabulary.");
      return false;
    }
  return true;
}

/// Checks the arguments of a step, throwing a TypeError at what is wrong.
///
/// @param sequences becomes how many there are
bool read_step(napi_env env, const napi_value* values, Decode& decode, size_t& sequences) {
  if (!read_input(env, values[1], decode, sequences)) return false;
  napi_typedarray_type type;
  size_t length;
  void* logits;
  if (napi_get_typedarray_info(env, values[2], &type, &length, &logits, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float32_array || length != sequences * decode.shape.vocabulary) {
    napi_throw_type_error(env, nullptr, "logits must be a Float32Array [sequences, vocabulary].");
    return false;
  }
  decode.logits = static_cast<float*>(logits);
  return true;
}

/// The arguments of reading and writing a state: a session, a sequence of it, and numbers.
struct StateArguments {
  Session* session;
  size_t sequence;
  float* state;
};

/// @returns whether they are as they must be; else a TypeError is thrown
bool read_state_arguments(napi_env env, napi_callback_info info, StateArguments& arguments) {
  size_t count = 3;
  napi_value values[3];
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  arguments.session = session_in(env, values[0]);
  if (arguments.session == nullptr) return false;
  const DecodeShape& shape = arguments.session->decode.shape;
  uint32_t sequence;
  if (napi_get_value_uint32(env, values[1], &sequence) != napi_ok || sequence >= shape.sequences) {
    napi_throw_type_error(env, nullptr, "There is no such sequence in the decode session.");
    return false;
  }
  arguments.sequence = sequence;
  napi_typedarray_type type;
  size_t length;
  void* state;
  if (napi_get_typedarray_info(env, values[2], &type, &length, &state, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float32_array || length != state_size(shape)) {
    napi_throw_type_error(env, nullptr, "state must be a Float32Array [layers, states, hidden].");
    return false;
  }
  arguments.state = static_cast<float*>(state);
  return true;
}

}  // namespace

napi_value open_decode_session(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  const DecodeShape shape = shape_of(arguments);
  const DecodeWeights weights = weights_of(arguments, shape);
  arguments.hold_arrays();
  auto session = make_session(instance, shape);
  auto kernel = instance.kernels->decode_pack[index_of(shape.cell)];
  instance.team->run([&](const Worker& worker) { kernel(session->decode, weights, worker); });
  if (instance.team->size() > 1 && is_worth_team(shape, shape.sequences)) {
    session->threads = instance.team;
    session->team = session->threads.get();
  }
  session->begin_to_prepare();

  napi_value handle;
  auto forget = [](napi_env forgetting, void* data, void*) {
    auto* session = static_cast<Session*>(data);
    close(forgetting, *session);
    delete session;
  };
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(session->bytes), &total);
  if (napi_create_external(env, session.get(), forget, nullptr, &handle) != napi_ok) {
    close(env, *session);
    throw std::runtime_error("The decode session can't be handed over.");
  }
  session.release();
  napi_type_tag_object(env, handle, &kSessionTag);
  return handle;
}

// Called for every character: reading its arguments one by one is faster than from an object.
napi_value step_decode_session(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3];
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  Session* session = session_in(env, values[0]);
  size_t sequences;
  if (session == nullptr || !read_step(env, values, session->decode, sequences)) return nullptr;
  session->step(sequences, seconds_now);
  session->begin_to_prepare();
  return nullptr;
}

napi_value read_decode_state(napi_env env, napi_callback_info info) {
  StateArguments arguments;
  if (read_state_arguments(env, info, arguments))
    read_state(arguments.session->decode, arguments.sequence, arguments.state);
  return nullptr;
}

napi_value write_decode_state(napi_env env, napi_callback_info info) {
  StateArguments arguments;
  if (!read_state_arguments(env, info, arguments)) return nullptr;
  arguments.session->forget_prepared();
  write_state(arguments.session->decode, arguments.sequence, arguments.state);
  return nullptr;
}

napi_value close_decode_session(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  if (Session* session = session_in(env, value)) close(env, *session);
  return nullptr;
}

}  // namespace charnn
