// The kernels as functions of a Node-API addon: each takes one object, checks all it holds, and
// runs the kernel on its arrays in place.
#include <node_api.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "arguments.h"
#include "isa.h"
#include "kernels.h"
#include "team.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace charnn {
namespace {

/// Changes whenever the functions or what they take do, so that an addon from another version is
/// noticed; `src/backends/native/addon.ts` has the same number.
constexpr int kInterface = 1;

constexpr size_t kMostThreads = 1024;
constexpr napi_type_tag kStreamsTag = {0x636861726e6e5f73, 0x747265616d730001};
/// No size is larger, and no array longer than this: sums of such numbers are far from overflowing.
constexpr size_t kLargest = size_t{1} << 31;
constexpr size_t kLongest = size_t{1} << 40;

/// What one instance of the addon keeps: there is one for each of Node's threads that loads it.
struct Instance {
  std::vector<const Kernels*> usable = usable_kernels();
  const Kernels* kernels = usable.front();
  std::unique_ptr<Team> team = std::make_unique<Team>(1);
  std::vector<double> block_sums;
};

Instance& instance_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

napi_value make_number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value make_text(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

Cell cell_of(const Arguments& arguments) {
  const std::string name = arguments.text("cell");
  if (name == "gru") return Cell::gru;
  if (name == "lstm") return Cell::lstm;
  if (name == "rnn") return Cell::rnn;
  throw BadArgument("cell must be gru, lstm or rnn.");
}

size_t index_of(Cell cell) { return static_cast<size_t>(cell); }

/// How many numbers an array of these lengths has.
size_t product(std::initializer_list<size_t> lengths) {
  size_t result = 1;
  for (size_t length : lengths) {
    if (length > 0 && result > kLongest / length)
      throw BadArgument("The shape is larger than any array.");
    result *= length;
  }
  return result;
}

void check_tokens(const char* name, const int32_t* tokens, size_t count, int64_t least,
                  size_t vocabulary) {
  for (size_t i = 0; i < count; ++i)
    if (tokens[i] < least || (tokens[i] >= 0 && static_cast<size_t>(tokens[i]) >= vocabulary))
      throw BadArgument(std::string(name) + " must be below " + std::to_string(vocabulary) +
                        ", not " + std::to_string(tokens[i]) + ".");
}

Dropout dropout_of(const Arguments& arguments) {
  Dropout dropout;
  dropout.rate = arguments.number("rate");
  if (!(dropout.rate > 0 && dropout.rate < 1))
    throw BadArgument("rate must be above 0 and below 1.");
  dropout.key[0] = static_cast<uint32_t>(arguments.size("key0", 0, 0xffffffff));
  dropout.key[1] = static_cast<uint32_t>(arguments.size("key1", 0, 0xffffffff));
  return dropout;
}

SequenceShape sequence_shape(const Arguments& arguments, size_t members) {
  SequenceShape shape;
  shape.cell = cell_of(arguments);
  shape.time = arguments.size("time", 1, kLargest);
  shape.batch = arguments.size("batch", 1, kLargest);
  shape.input = arguments.size("input", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 0, kLargest);
  shape.has_embedding = arguments.flag("hasEmbedding");
  shape.has_mask = arguments.flag("hasMask");
  shape.members = members;
  if (shape.vocabulary == 0 && shape.has_embedding) throw BadArgument("Vectors have no embedding.");
  if (shape.vocabulary > 0 && shape.has_mask) throw BadArgument("Tokens have no mask.");
  if (shape.vocabulary > 0 && !shape.has_embedding && shape.vocabulary != shape.input)
    throw BadArgument("One-hot, the input size must be that of the vocabulary.");
  const size_t states = product({shape.time + 1, shape.batch});
  product({states, shape.slot_panels(), kLanes});
  product({states, shape.input_panels(), kLanes});
  product({shape.gate_panels(), kLanes, shape.hidden_panels(), kLanes});
  product({shape.gate_panels(), kLanes, shape.input_panels(), kLanes});
  product({shape.members, shape.batch, 4 * kLanes});
  return shape;
}

napi_value sequence_scratch(napi_env env, const Arguments& arguments) {
  size_t floats;
  divide_scratch(sequence_shape(arguments, instance_of(env).team->size()), nullptr, &floats);
  return make_number(env, static_cast<double>(floats));
}

/// @param dropout where what the mask is made from is kept
Sequence sequence_of(napi_env env, const Arguments& arguments, Dropout* dropout) {
  Sequence s = {};
  s.shape = sequence_shape(arguments, instance_of(env).team->size());
  size_t floats;
  divide_scratch(s.shape, nullptr, &floats);
  s.scratch = divide_scratch(s.shape, arguments.scratch("scratch", floats), &floats);
  const size_t rows = s.shape.rows();
  if (s.shape.vocabulary > 0) {
    s.input.tokens = arguments.integers("tokens", rows);
    if (s.shape.has_embedding)
      s.input.embedding =
          arguments.floats("embedding", product({s.shape.vocabulary, s.shape.input}));
  } else {
    s.input.vectors = arguments.floats_or_null("vectors", product({rows, s.shape.input}));
    if (!s.input.vectors)
      s.input.panels = arguments.panels("inputPanels", s.shape.input_panels(), rows);
  }
  if (s.shape.has_mask) {
    s.input.mask = arguments.floats_or_null("mask", product({rows, s.shape.input}));
    if (!s.input.mask) {
      *dropout = dropout_of(arguments.object("dropout"));
      s.input.dropout = dropout;
    }
  }
  const size_t gates = s.shape.gate_rows();
  s.weights.ih = arguments.floats("weightIh", product({gates, s.shape.input}));
  s.weights.hh = arguments.floats("weightHh", product({gates, s.shape.hidden}));
  s.weights.bias_ih = arguments.floats("biasIh", gates);
  s.weights.bias_hh = arguments.floats("biasHh", gates);
  const size_t units = product({s.shape.batch, s.shape.hidden});
  s.before.hidden = arguments.floats("hiddenBefore", units);
  if (facts_of(s.shape.cell).has_cell_state) s.before.cell = arguments.floats("cellBefore", units);
  return s;
}

/// What the arrays hold, once nothing can change it any more.
void check_contents(const Sequence& s) {
  if (s.shape.vocabulary > 0)
    check_tokens("tokens", s.input.tokens, s.shape.rows(), 0, s.shape.vocabulary);
}

/// What forward left is trusted no further than it can be seen to be right.
void check_contents(const SequenceGradient& g) {
  const SequenceShape& shape = g.forward.shape;
  check_contents(g.forward);
  if (shape.vocabulary == 0) return;
  const SequenceScratch& scratch = g.forward.scratch;
  const size_t distinct = std::min(shape.rows(), shape.vocabulary);
  const int32_t count = *scratch.counts;
  if (count < 1 || static_cast<size_t>(count) > distinct)
    throw BadArgument("The scratch memory does not hold what forward leaves.");
  check_tokens("places", scratch.places, shape.rows(), 0, count);
  check_tokens("distinct", scratch.distinct, count, 0, shape.vocabulary);
}

/// Where panels begin in the scratch memory, in floats.
napi_value place_of(napi_env env, Panels panels, const Arguments& arguments) {
  return make_number(env, static_cast<double>(panels.data - arguments.scratch("scratch", 0)));
}

/// @returns where in the scratch memory the outputs begin
napi_value forward_sequence(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  Dropout dropout;
  Sequence s = sequence_of(env, arguments, &dropout);
  const size_t units = s.shape.batch * s.shape.hidden;
  s.after.hidden = arguments.floats("hiddenAfter", units);
  if (facts_of(s.shape.cell).has_cell_state) s.after.cell = arguments.floats("cellAfter", units);
  arguments.hold_arrays();
  check_contents(s);
  auto kernel = instance.kernels->forward_sequence[index_of(s.shape.cell)];
  instance.team->run([&](const Member& member) { kernel(s, member); });
  return place_of(env, {s.scratch.hiddens.at(0, s.shape.batch), 0}, arguments);
}

/// @returns where in the scratch memory the gradient by the input begins, if it is vectors
napi_value backward_sequence(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  Dropout dropout;
  SequenceGradient g = {};
  g.forward = sequence_of(env, arguments, &dropout);
  const SequenceShape& shape = g.forward.shape;
  g.output = arguments.floats_or_null("gradientOutput", product({shape.rows(), shape.hidden}));
  if (!g.output)
    g.output_panels = arguments.panels("gradientOutputPanels", shape.hidden_panels(), shape.rows());
  const size_t gates = shape.gate_rows();
  g.weight_ih = arguments.floats("gradientWeightIh", gates * shape.input);
  g.weight_hh = arguments.floats("gradientWeightHh", gates * shape.hidden);
  g.bias_ih = arguments.floats("gradientBiasIh", gates);
  g.bias_hh = arguments.floats("gradientBiasHh", gates);
  if (shape.has_embedding)
    g.embedding = arguments.floats("gradientEmbedding", shape.vocabulary * shape.input);
  const size_t units = shape.batch * shape.hidden;
  g.before.hidden = arguments.floats("gradientHidden", units);
  if (facts_of(shape.cell).has_cell_state)
    g.before.cell = arguments.floats("gradientCellState", units);
  arguments.hold_arrays();
  check_contents(g);
  auto kernel = instance.kernels->backward_sequence[index_of(shape.cell)];
  instance.team->run([&](const Member& member) { kernel(g, member); });
  return shape.vocabulary > 0 ? make_number(env, 0)
                              : place_of(env, g.forward.scratch.gradient_input, arguments);
}

CrossEntropyShape cross_entropy_shape(const Arguments& arguments) {
  CrossEntropyShape shape;
  shape.rows = arguments.size("rows", 1, kLargest);
  shape.hidden = arguments.size("hidden", 1, kLargest);
  shape.vocabulary = arguments.size("vocabulary", 1, kLargest);
  shape.has_mask = arguments.flag("hasMask");
  shape.wants_gradient = arguments.flag("wantsGradient");
  product({shape.rows, shape.hidden_panels(), kLanes});
  product({shape.vocabulary, shape.hidden_panels(), kLanes});
  return shape;
}

napi_value cross_entropy_scratch(napi_env env, const Arguments& arguments) {
  size_t floats;
  divide_scratch(cross_entropy_shape(arguments), nullptr, &floats);
  return make_number(env, static_cast<double>(floats));
}

/// @returns where in the scratch memory the gradient by the input begins, if it is wanted
napi_value cross_entropy(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  CrossEntropy c = {};
  Dropout dropout;
  c.shape = cross_entropy_shape(arguments);
  const size_t rows = c.shape.rows;
  const size_t inputs = product({rows, c.shape.hidden});
  size_t floats;
  divide_scratch(c.shape, nullptr, &floats);
  c.scratch = divide_scratch(c.shape, arguments.scratch("scratch", floats), &floats);
  c.input = arguments.floats_or_null("vectors", inputs);
  if (!c.input) c.input_panels = arguments.panels("inputPanels", c.shape.hidden_panels(), rows);
  if (c.shape.has_mask) {
    c.mask = arguments.floats_or_null("mask", inputs);
    if (!c.mask) {
      dropout = dropout_of(arguments.object("dropout"));
      c.dropout = &dropout;
    }
  }
  const size_t weights = product({c.shape.vocabulary, c.shape.hidden});
  c.weight = arguments.floats("weight", weights);
  c.bias = arguments.floats("bias", c.shape.vocabulary);
  c.targets = arguments.integers("targets", rows);
  c.losses = arguments.floats("losses", rows);
  c.predictions = arguments.integers("predictions", rows);
  if (c.shape.wants_gradient) {
    c.gradient_weight = arguments.floats("gradientWeight", weights);
    c.gradient_bias = arguments.floats("gradientBias", c.shape.vocabulary);
  }
  arguments.hold_arrays();
  check_tokens("targets", c.targets, rows, INT32_MIN, c.shape.vocabulary);
  c.scored = std::count_if(c.targets, c.targets + rows, [](int32_t target) { return target >= 0; });
  instance.team->run([&](const Member& member) { instance.kernels->cross_entropy(c, member); });
  return c.shape.wants_gradient ? place_of(env, c.scratch.gradient_input, arguments)
                                : make_number(env, 0);
}

Step step_of(Instance& instance, const Arguments& arguments) {
  Step step = {};
  step.count = arguments.size("count", 1, kLargest);
  step.parameters = arguments.floats("parameters", step.count);
  step.gradients = arguments.floats("gradients", step.count);
  step.learning_rate = arguments.number("learningRate");
  step.clip_norm = arguments.number("clipNorm");
  step.weight_decay = arguments.number("weightDecay");
  instance.block_sums.resize(norm_blocks(step.count));
  step.block_sums = instance.block_sums.data();
  return step;
}

/// @returns the norm of the gradients before clipping
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
  step.correction = arguments.number("correction");
  arguments.hold_arrays();
  instance.team->run([&](const Member& member) { instance.kernels->adam_step(step, member); });
  return make_number(env, step.common.norm);
}

napi_value sgd_step(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  SgdStep step = {};
  step.common = step_of(instance, arguments);
  step.moment = arguments.floats("moment", step.common.count);
  step.momentum = arguments.number("momentum");
  arguments.hold_arrays();
  instance.team->run([&](const Member& member) { instance.kernels->sgd_step(step, member); });
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
  instance.team->run([&](const Member& member) { instance.kernels->rms_prop_step(step, member); });
  return make_number(env, step.common.norm);
}

napi_value write_mask(napi_env env, const Arguments& arguments) {
  const size_t count = arguments.size("count", 0, kLargest);
  float* mask = arguments.floats("mask", count);
  const Dropout dropout = dropout_of(arguments);
  Instance& instance = instance_of(env);
  arguments.hold_arrays();
  instance.team->run([&](const Member& member) {
    instance.kernels->write_mask(mask, member.share_of(count), dropout);
  });
  return nullptr;
}

/// Streams with the memory they live in.
struct OwnStreams {
  Streams streams;
  float* memory;  // null once they are closed
  size_t bytes;
  bool alone;
};

void free_memory(napi_env env, OwnStreams& own) {
  if (own.memory == nullptr) return;
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

/// @param info streams
napi_value close_streams(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  if (OwnStreams* own = open_streams_in(env, value)) free_memory(env, *own);
  return nullptr;
}

/// Weights beyond which it pays to share a step of a single stream among threads.
constexpr size_t kWeightsForTeam = 180'000;

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
  product({shape.streams, shape.gate_panels(), kLanes});
  product({shape.streams, panels_of(shape.vocabulary), kLanes});
  product({shape.vocabulary, shape.gate_panels(), kLanes});
  product({shape.vocabulary, panels_of(shape.embedding), kLanes});
  product({shape.layers, shape.gate_panels(), kLanes, shape.hidden_panels(), kLanes});
  product({shape.gate_panels(), kLanes, panels_of(shape.embedding), kLanes});
  product({panels_of(shape.vocabulary), kLanes, shape.hidden_panels(), kLanes});
  const size_t gates = facts_of(shape.cell).gates * shape.hidden;
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
  divide_memory(shape, nullptr, &floats);
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
  own->streams.memory = divide_memory(shape, memory, &floats);
  own->streams.turn = 0;
  own->memory = memory;
  own->bytes = bytes;
  own->alone = count * shape.streams < kWeightsForTeam;
  auto kernel = instance.kernels->pack_streams[index_of(shape.cell)];
  instance.team->run([&](const Member& member) { kernel(own->streams, weights, member); });

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

/// Called for every character: takes its arguments one by one, which is faster than an object.
///
/// @param info streams, tokens and logits
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
  Instance& instance = instance_of(env);
  auto kernel = instance.kernels->step_streams[index_of(shape.cell)];
  if (own->alone) kernel(streams, Member::alone());
  else instance.team->run([&](const Member& member) { kernel(streams, member); });
  streams.turn = 1 - streams.turn;
  return nullptr;
}

napi_value set_threads(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  const size_t count = arguments.size("threads", 1, kMostThreads);
  if (count != instance.team->size()) instance.team = std::make_unique<Team>(count);
  return nullptr;
}

napi_value set_instruction_set(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  const std::string name = arguments.text("name");
  for (const Kernels* kernels : instance.usable)
    if (name == kernels->isa) {
      instance.kernels = kernels;
      return nullptr;
    }
  throw BadArgument("This processor, or this build, does not have " + name + ".");
}

/// Advises the system to back an array by large pages, and tells how many floats to leave out at
/// its beginning so that the rest begins at a multiple of 64 bytes.
napi_value align(napi_env env, const Arguments& arguments) {
  const size_t count = arguments.size("count", kLanes, kLargest);
  float* data = arguments.floats("array", count);
#if defined(__linux__)
  constexpr uintptr_t page = uintptr_t{1} << 21;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data + count) / page * page;
  // Where it is refused, small pages do.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
  const uintptr_t past = reinterpret_cast<uintptr_t>(data) % 64;
  return make_number(env, past == 0 ? 0 : (64 - past) / sizeof(float));
}

napi_value describe(napi_env env, const Arguments&) {
  Instance& instance = instance_of(env);
  napi_value result, sets;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "interface", make_number(env, kInterface));
  napi_set_named_property(env, result, "instructionSet", make_text(env, instance.kernels->isa));
  napi_create_array(env, &sets);
  uint32_t index = 0;
  for (const Kernels* kernels : instance.usable)
    napi_set_element(env, sets, index++, make_text(env, kernels->isa));
  napi_set_named_property(env, result, "instructionSets", sets);
  napi_set_named_property(env, result, "threads", make_number(env, instance.team->size()));
  napi_set_named_property(env, result, "physicalCores", make_number(env, physical_cores()));
  return result;
}

using Function = napi_value (*)(napi_env env, const Arguments& arguments);

/// Turns what a function throws into an error of JavaScript's.
template <Function function>
napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value object;
  napi_get_cb_info(env, info, &count, &object, nullptr, nullptr);
  try {
    return function(env, Arguments(env, object));
  } catch (const BadArgument& error) {
    napi_throw_type_error(env, nullptr, error.what());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

napi_value start(napi_env env, napi_value exports) {
  napi_set_instance_data(
      env, new Instance(), [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); },
      nullptr);
  define(env, exports, "describe", call<describe>);
  define(env, exports, "setThreads", call<set_threads>);
  define(env, exports, "setInstructionSet", call<set_instruction_set>);
  define(env, exports, "align", call<align>);
  define(env, exports, "sequenceScratch", call<sequence_scratch>);
  define(env, exports, "forwardSequence", call<forward_sequence>);
  define(env, exports, "backwardSequence", call<backward_sequence>);
  define(env, exports, "crossEntropyScratch", call<cross_entropy_scratch>);
  define(env, exports, "crossEntropy", call<cross_entropy>);
  define(env, exports, "adamStep", call<adam_step>);
  define(env, exports, "sgdStep", call<sgd_step>);
  define(env, exports, "rmsPropStep", call<rms_prop_step>);
  define(env, exports, "writeMask", call<write_mask>);
  define(env, exports, "openStreams", call<open_streams>);
  define(env, exports, "stepStreams", step_streams);
  define(env, exports, "closeStreams", close_streams);
  return exports;
}

}  // namespace
}  // namespace charnn

NAPI_MODULE_INIT() { return charnn::start(env, exports); }
