// The signal guard of systems with POSIX signals.
#if !defined(_WIN32)
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "addon/instance.h"
#include "addon/signal_guard.h"

namespace charnn {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
constexpr size_t kCount = sizeof kSignals / sizeof *kSignals;

// All that the handler reads. It may run at any time, on any thread.
std::atomic<int> left_to_let_through;
std::atomic<const char*> last_words;
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

bool is_from_system([[maybe_unused]] const siginfo_t* info) {
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
  // A terminal that takes nothing must not keep the process alive.
  const char* words = last_words;
  if (words != nullptr && poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0) {
    const ssize_t written = write(STDERR_FILENO, words, std::strlen(words));
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

/// The time that the process may take is over.
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

}  // namespace

void release_signal_guard() {
  if (!is_guarding) return;
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

void start_signal_guard(const SignalGuard& settings) {
  release_signal_guard();
  left_to_let_through = static_cast<int>(settings.let_through);
  last_words = settings.last_words;
  most_milliseconds = settings.most_milliseconds;
  last_signal = 0;
  is_guarding = true;
  struct sigaction at_alarm = {};
  at_alarm.sa_handler = on_alarm;
  at_alarm.sa_flags = SA_RESTART;
  sigfillset(&at_alarm.sa_mask);
  sigaction(SIGALRM, &at_alarm, &alarm_before);
  for (size_t k = 0; k < kCount; ++k) {
    if (kSignals[k] == SIGHUP && !settings.hang_up) continue;
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    is_guarded[k] = sigaction(kSignals[k], nullptr, &handlers_before[k]) == 0 &&
                    sigaction(kSignals[k], &action, nullptr) == 0;
  }
}

void leave_signals_to_other_threads() {
  sigset_t signals;
  sigfillset(&signals);
  // What a thread does itself, and what a profiler asks of it.
  for (const int own :
       {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGPROF, SIGSEGV, SIGSYS, SIGTRAP})
    sigdelset(&signals, own);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace charnn
#endif
