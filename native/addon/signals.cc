// Ends the process at a repeated signal, while JavaScript waits for a long call too.
//
// Node hands a signal on when its event loop turns, which takes as long as the longest call. A
// handler of the operating system's runs at once. It sits before Node's, lets the first signals
// through to it, and ends the process at the next one, or when the time that it may take is over.
// Kernels stop when a signal is let through, so that JavaScript hears of it soon.
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "addon/functions.h"
#include "addon/instance.h"

namespace charnn {

std::atomic<bool> is_stopping{false};
static_assert(sizeof is_stopping == 1 && std::atomic<bool>::is_always_lock_free,
              "JavaScript reads it as a byte");

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
constexpr size_t kCount = sizeof kSignals / sizeof *kSignals;
constexpr size_t kMostLetThrough = 100;
constexpr size_t kMostMilliseconds = 60'000;

/// Clears the line that the cursor is in, where a progress bar may stand, and shows the cursor.
constexpr char kRestore[] = "\r\x1b[K\x1b[?25h";

// All that the handler reads. It may run at any time, on any thread.
std::atomic<int> left_to_let_through;
std::atomic<bool> restores_terminal;
/// How long the process may take to end after the first signal; 0: as long as it likes.
std::atomic<size_t> most_milliseconds;
struct sigaction handlers_before[kCount];
/// The last signal, by its index, 0 for none from 1 up, and whether it came from the system.
std::atomic<int> last_signal;
std::atomic<bool> last_was_from_system;
std::atomic<int64_t> last_milliseconds;
// Only changed by the thread of JavaScript.
bool is_guarding = false;
bool is_guarded[kCount];
struct sigaction alarm_before;

int64_t milliseconds_now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{1000} * time.tv_sec + time.tv_nsec / 1'000'000;
}

bool is_from_system(const siginfo_t* info) {
#if defined(SI_KERNEL)
  return info != nullptr && info->si_code == SI_KERNEL;
#else
  return false;
#endif
}

/// Whether a signal repeats one from elsewhere: a key or the end of a terminal makes the system
/// send it to all programs there, and the shell or npm, which get it too, then send it on to
/// theirs.
bool is_echo(int index, const siginfo_t* info) {
  const bool from_system = is_from_system(info);
  const int64_t now = milliseconds_now();
  const int before = last_signal.exchange(index + 1);
  const bool was_from_system = last_was_from_system.exchange(from_system);
  const int64_t then = last_milliseconds.exchange(now);
  return before == index + 1 && was_from_system != from_system && now - then < 1000;
}

[[noreturn]] void end_process(int number) {
  pollfd output = {STDERR_FILENO, POLLOUT, 0};
  // A terminal that takes nothing must not keep the process.
  if (restores_terminal && poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0) {
    const ssize_t written = write(STDERR_FILENO, kRestore, sizeof kRestore - 1);
    static_cast<void>(written);
  }
  _exit(128 + number);
}

void set_alarm(size_t milliseconds) {
  itimerval time = {};
  time.it_value.tv_sec = static_cast<time_t>(milliseconds / 1000);
  time.it_value.tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000);
  setitimer(ITIMER_REAL, &time, nullptr);
}

/// The time is over that the process may take.
void on_alarm(int) {
  const int index = last_signal - 1;
  if (index >= 0) end_process(kSignals[index]);
}

void on_signal(int number, siginfo_t* info, void* context) {
  const int error = errno;
  size_t index = 0;
  while (index + 1 < kCount && kSignals[index] != number) ++index;
  if (!is_echo(static_cast<int>(index), info)) {
    if (left_to_let_through.fetch_sub(1) <= 0) end_process(number);
    is_stopping = true;
    if (const size_t milliseconds = most_milliseconds) set_alarm(milliseconds);
    const struct sigaction& before = handlers_before[index];
    if ((before.sa_flags & SA_SIGINFO) != 0) before.sa_sigaction(number, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
      before.sa_handler(number);
  }
  errno = error;
}

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_signal;
}

void release() {
  for (size_t k = 0; k < kCount; ++k) {
    struct sigaction now;
    // Where another handler has taken its place meanwhile, that one stays.
    if (is_guarded[k] && sigaction(kSignals[k], nullptr, &now) == 0 && is_ours(now))
      sigaction(kSignals[k], &handlers_before[k], nullptr);
    is_guarded[k] = false;
  }
  set_alarm(0);
  sigaction(SIGALRM, &alarm_before, nullptr);
  is_guarding = false;
}

}  // namespace

napi_value guard_signals(napi_env env, const Arguments& arguments) {
  const size_t let_through = arguments.size("letThrough", 0, kMostLetThrough);
  const bool hang_up = arguments.flag("hangUp");
  const bool restore = arguments.flag("restoreTerminal");
  const size_t milliseconds = arguments.size("mostMilliseconds", 0, kMostMilliseconds);
  if (is_guarding) release();
  left_to_let_through = static_cast<int>(let_through);
  restores_terminal = restore;
  most_milliseconds = milliseconds;
  last_signal = 0;
  is_stopping = false;
  is_guarding = true;
  struct sigaction at_alarm = {};
  at_alarm.sa_handler = on_alarm;
  at_alarm.sa_flags = SA_RESTART;
  sigfillset(&at_alarm.sa_mask);
  sigaction(SIGALRM, &at_alarm, &alarm_before);
  for (size_t k = 0; k < kCount; ++k) {
    if (kSignals[k] == SIGHUP && !hang_up) continue;
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    is_guarded[k] = sigaction(kSignals[k], nullptr, &handlers_before[k]) == 0 &&
                    sigaction(kSignals[k], &action, nullptr) == 0;
  }
  napi_value memory, flag;
  if (napi_create_external_arraybuffer(env, &is_stopping, sizeof is_stopping, nullptr, nullptr,
                                       &memory) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, sizeof is_stopping, memory, 0, &flag) !=
          napi_ok)
    return nullptr;
  return flag;
}

napi_value release_signals(napi_env, const Arguments&) {
  if (is_guarding) release();
  is_stopping = false;
  return nullptr;
}

napi_value resume_kernels(napi_env, const Arguments&) {
  is_stopping = false;
  return nullptr;
}

}  // namespace charnn
