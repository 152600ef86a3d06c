// The start of the addon, and the functions that set it up.
#include <node_api.h>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"
#include "mpi/library.h"
#include "parallel/physical_cores.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace charnn {
namespace {

/// Changes whenever the functions or what they take do, so that an addon from another version is
/// noticed; `src/backends/native/addon.ts` has the same number.
constexpr int kInterface = 12;

constexpr size_t kMaxThreads = 1024;

napi_value set_threads(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  const size_t count = arguments.size("threads", 1, kMaxThreads);
  if (count != instance.team->size()) instance.team = std::make_shared<ThreadTeam>(count);
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
  const size_t count = arguments.size("count", kVectorWidth, kLargest);
  float* data = arguments.floats("array", count);
#if defined(__linux__)
  constexpr uintptr_t page = uintptr_t{1} << 21;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data + count) / page * page;
  // Where it is refused, small pages will do.
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
  } catch (const MpiUnavailable& error) {
    napi_throw_error(env, "CHARNN_MPI_UNAVAILABLE", error.what());
  } catch (const Stopped& error) {
    napi_throw_error(env, "CHARNN_STOPPED", error.what());
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
  define(env, exports, "packGradients", call<pack_gradients>);
  define(env, exports, "addRecords", call<add_records>);
  define(env, exports, "unpackGradients", call<unpack_gradients>);
  define(env, exports, "sumRows", call<sum_rows>);
  define(env, exports, "spreadRows", call<spread_rows>);
  define(env, exports, "lockFile", call<lock_file>);
  define(env, exports, "guardSignals", call<guard_signals>);
  define(env, exports, "releaseSignals", call<release_signals>);
  define(env, exports, "resumeKernels", call<resume_kernels>);
  define(env, exports, "leaveSignals", call<leave_signals>);
  define(env, exports, "openMpi", call<open_mpi>);
  define(env, exports, "exchangeBytes", call<exchange_bytes>);
  define(env, exports, "gatherBytes", call<gather_bytes>);
  define(env, exports, "broadcastBytes", call<broadcast_bytes>);
  define(env, exports, "abortMpi", call<abort_mpi>);
  define(env, exports, "closeMpi", call<close_mpi>);
  define(env, exports, "openDecodeSession", call<open_decode_session>);
  define(env, exports, "stepDecodeSession", step_decode_session);
  define(env, exports, "readDecodeState", read_decode_state);
  define(env, exports, "writeDecodeState", write_decode_state);
  define(env, exports, "closeDecodeSession", close_decode_session);
  return exports;
}

}  // namespace
}  // namespace charnn

NAPI_MODULE_INIT() { return charnn::start(env, exports); }
