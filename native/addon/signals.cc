// What JavaScript calls of the signal guard, and the byte by which a signal stops kernels.
#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/signal_guard.h"

namespace charnn {

std::atomic<bool> is_stopping{false};
static_assert(sizeof is_stopping == 1 && std::atomic<bool>::is_always_lock_free,
              "JavaScript reads it as a byte");

namespace {

constexpr size_t kMostLetThrough = 100;
constexpr size_t kMostMilliseconds = 60'000;

}  // namespace

napi_value guard_signals(napi_env env, const Arguments& arguments) {
  SignalGuard settings;
  settings.let_through = arguments.size("letThrough", 0, kMostLetThrough);
  settings.hang_up = arguments.flag("hangUp");
  if (arguments.flag("restoreTerminal"))
    settings.last_words =
        arguments.flag("clearTaskbar") ? kRestoreTerminalAndTaskbar : kRestoreTerminal;
  settings.most_milliseconds = arguments.size("mostMilliseconds", 0, kMostMilliseconds);
  is_stopping = false;
  start_signal_guard(settings);
  napi_value memory, flag;
  if (napi_create_external_arraybuffer(env, &is_stopping, sizeof is_stopping, nullptr, nullptr,
                                       &memory) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, sizeof is_stopping, memory, 0, &flag) !=
          napi_ok)
    return nullptr;
  return flag;
}

napi_value release_signals(napi_env, const Arguments&) {
  release_signal_guard();
  is_stopping = false;
  return nullptr;
}

napi_value resume_kernels(napi_env, const Arguments&) {
  is_stopping = false;
  return nullptr;
}

napi_value leave_signals(napi_env, const Arguments&) {
  leave_signals_to_other_threads();
  return nullptr;
}

}  // namespace charnn
