#include "decode/decode.h"

#include <cstdlib>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace charnn {
namespace {

constexpr napi_type_tag kStreamsTag = {0x636861726e6e5f73, 0x747265616d730001};

/// Weights beyond which it pays to share a step of a single stream among threads.
constexpr size_t kWeightsForTeam = 180'000;

/// Streams with the memory they live in, and who runs their steps.
struct OwnStreams {
  Streams streams;
  float* memory;  // null once they are closed
  size_t bytes;
  const Kernels* kernels;
  std::shared_ptr<Team> team;  // null where a step is too little work for several threads

  /// Prepares the next step, as one worker of the team.
  void operator()(const Worker& worker) const { kernels->prepare_step(streams, worker); }
};

void free_memory(napi_env env, OwnStreams& own) {
  if (own.memory == nullptr) return;
  if (own.team) own.team->finish();
  int64_t total;
  napi_adjust_external_memory(env, -static_cast<int64_t>(own.bytes), &total);
  std::free(own.memory);
  own.memory = nullptr;
}

/// The streams that an external value holds; null, with an error thrown, where it holds none.
OwnStreams* open_streams_in(napi_env env, napi_value value) {
  // Externals are made nowhere else in this addon; another's are told apart by their tag.
  bool is_ours = false;
  void* data = nullptr;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
      napi_check_object_type_tag(env, value, &kStreamsTag, &is_ours) == napi_ok && is_ours)
    napi_get_value_external(env, value, &data);
  auto* own = static_cast<OwnStreams*>(data);
  if (own != nullptr && own->memory != nullptr) return own;
  napi_throw_type_error(env, nullptr, "These are no streams, or they are closed.");
  return nullptr;
}

}  // namespace

napi_value open_streams(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  StreamsShape shape = {};
  StreamsWeights weights = {};
  shape.cell = cell_of(arguments);
  shape.layers = arguments.size("layers", 1, kMostLayers);
  shape.streams = arguments.size("streams", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 1, kLargest);
  shape.embedding = arguments.size("embedding", 0, kLargest);
  product({shape.streams, shape.gate_panels(), kVectorWidth});
  product({shape.streams, panel_count(shape.vocabulary), kVectorWidth});
  product({shape.vocabulary, shape.gate_panels(), kVectorWidth});
  product({shape.vocabulary, panel_count(shape.embedding), kVectorWidth});
  product({shape.layers, shape.gate_panels(), kVectorWidth, shape.hidden_panels(), kVectorWidth});
  product({shape.gate_panels(), kVectorWidth, panel_count(shape.embedding), kVectorWidth});
  product({panel_count(shape.vocabulary), kVectorWidth, shape.hidden_panels(), kVectorWidth});
  const size_t gates = traits_of(shape.cell).gates * shape.hidden;
  if (shape.embedding > 0)
    weights.embedding =
        arguments.floats("encoderWeight", product({shape.vocabulary, shape.embedding}));
  size_t count = 0;
  for (size_t l = 0; l < shape.layers; ++l) {
    const Arguments layer = arguments.element("weights", l, shape.layers);
    const size_t input = l > 0                 ? shape.hidden
                         : shape.embedding > 0 ? shape.embedding
                                               : shape.vocabulary;
    weights.layers[l].ih = layer.floats("weightIh", product({gates, input}));
    weights.layers[l].hh = layer.floats("weightHh", product({gates, shape.hidden}));
    weights.layers[l].bias_ih = layer.floats("biasIh", gates);
    weights.layers[l].bias_hh = layer.floats("biasHh", gates);
    count += gates * ((l > 0 ? shape.hidden : 0) + shape.hidden);
  }
  weights.decoder = arguments.floats("decoderWeight", product({shape.vocabulary, shape.hidden}));
  weights.decoder_bias = arguments.floats("decoderBias", shape.vocabulary);

  arguments.hold_arrays();
  size_t floats;
  layout_memory(shape, nullptr, &floats);
  const size_t bytes = floats * sizeof(float);
  auto* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (memory == nullptr)
    throw std::runtime_error("There is no memory for the streams: " + std::to_string(bytes) +
                             " bytes.");
#if defined(__linux__)
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  auto own = std::make_unique<OwnStreams>();
  own->streams.shape = shape;
  own->streams.memory = layout_memory(shape, memory, &floats);
  own->streams.turn = 0;
  own->memory = memory;
  own->bytes = bytes;
  own->kernels = instance.kernels;
  auto kernel = instance.kernels->pack_streams[index_of(shape.cell)];
  instance.team->run([&](const Worker& worker) { kernel(own->streams, weights, worker); });
  if (count * shape.streams >= kWeightsForTeam) {
    own->team = instance.team;
    own->team->begin(*own);
  }

  napi_value handle;
  auto forget = [](napi_env forgetting, void* data, void*) {
    auto* own = static_cast<OwnStreams*>(data);
    free_memory(forgetting, *own);
    delete own;
  };
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(bytes), &total);
  if (napi_create_external(env, own.get(), forget, nullptr, &handle) != napi_ok) {
    free_memory(env, *own);
    throw std::runtime_error("The streams can't be handed over.");
  }
  own.release();
  napi_type_tag_object(env, handle, &kStreamsTag);
  return handle;
}

// Called for every character: reading its arguments one by one is faster than from an object.
napi_value step_streams(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3];
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  OwnStreams* own = open_streams_in(env, values[0]);
  if (own == nullptr) return nullptr;
  Streams& streams = own->streams;
  const StreamsShape& shape = streams.shape;
  napi_typedarray_type type;
  size_t length;
  void* tokens;
  void* logits;
  if (napi_get_typedarray_info(env, values[1], &type, &length, &tokens, nullptr, nullptr) !=
          napi_ok ||
      type != napi_int32_array || length != shape.streams) {
    napi_throw_type_error(env, nullptr, "tokens must be an Int32Array with one of each stream.");
    return nullptr;
  }
  if (napi_get_typedarray_info(env, values[2], &type, &length, &logits, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float32_array || length != shape.streams * shape.vocabulary) {
    napi_throw_type_error(env, nullptr, "logits must be a Float32Array [streams, vocabulary].");
    return nullptr;
  }
  streams.tokens = static_cast<int32_t*>(tokens);
  streams.logits = static_cast<float*>(logits);
  for (size_t k = 0; k < shape.streams; ++k)
    if (streams.tokens[k] < 0 || static_cast<size_t>(streams.tokens[k]) >= shape.vocabulary) {
      napi_throw_type_error(env, nullptr, "tokens must be below the size of the vocabulary.");
      return nullptr;
    }
  auto step = [&, kernel = own->kernels->step_streams[index_of(shape.cell)]](const Worker& worker) {
    kernel(streams, worker);
  };
  if (own->team) {
    own->team->finish();
    own->team->run(step);
  } else {
    (*own)(Worker::serial());
    step(Worker::serial());
  }
  streams.turn = 1 - streams.turn;
  // The others go on while the caller chooses the next characters.
  if (own->team) own->team->begin(*own);
  return nullptr;
}

napi_value close_streams(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  if (OwnStreams* own = open_streams_in(env, value)) free_memory(env, *own);
  return nullptr;
}

}  // namespace charnn
