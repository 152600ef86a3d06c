// The signal guard of Windows, where a key that is pressed in a console calls the handlers of the
// process in a thread of its own, the last registered first. When a console closes the
// system ends the process itself, even if a handler is still at work.
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <atomic>
#include <cstring>

#include "addon/instance.h"
#include "addon/signal_guard.h"

namespace charnn {
namespace {

/// 128 plus the numbers of the signals as which Node treats Ctrl-C and Ctrl-Break.
constexpr UINT kInterrupted = 128 + 2, kBroken = 128 + 21;
/// A console whose text is being selected takes nothing.
constexpr DWORD kMostMillisecondsToRestore = 200;

// All that the handlers read. They may run at any time.
std::atomic<int> left_to_let_through;
std::atomic<const char*> last_words;
std::atomic<DWORD> most_milliseconds;
std::atomic<UINT> exit_code{kInterrupted};
// Only changed by the thread of JavaScript.
bool is_guarding = false;

void CALLBACK end_at_once(void*, BOOLEAN) { TerminateProcess(GetCurrentProcess(), exit_code); }

/// Calls `callback` in another thread, after some time.
void call_later(WAITORTIMERCALLBACK callback, DWORD milliseconds) {
  HANDLE timer;
  CreateTimerQueueTimer(&timer, nullptr, callback, nullptr, milliseconds, 0, WT_EXECUTEONLYONCE);
}

void end_process() {
  if (const char* words = last_words) {
    call_later(end_at_once, kMostMillisecondsToRestore);
    DWORD written;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), words, static_cast<DWORD>(std::strlen(words)),
              &written, nullptr);
  }
  end_at_once(nullptr, FALSE);
}

/// The time that the process may take is over; if the guard has been released meanwhile, the
/// process goes on.
void CALLBACK on_time_over(void*, BOOLEAN) {
  if (most_milliseconds > 0) end_process();
}

/// @returns FALSE: Node's handler comes next
BOOL WINAPI on_key(DWORD event) {
  if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) return FALSE;
  exit_code = event == CTRL_C_EVENT ? kInterrupted : kBroken;
  if (left_to_let_through.fetch_sub(1) <= 0) end_process();
  is_stopping = true;
  if (const DWORD milliseconds = most_milliseconds) call_later(on_time_over, milliseconds);
  return FALSE;
}

}  // namespace

void start_signal_guard(const SignalGuard& settings) {
  release_signal_guard();
  left_to_let_through = static_cast<int>(settings.let_through);
  last_words = settings.last_words;
  most_milliseconds = static_cast<DWORD>(settings.most_milliseconds);
  is_guarding = SetConsoleCtrlHandler(on_key, TRUE) != 0;
}

void release_signal_guard() {
  if (is_guarding) SetConsoleCtrlHandler(on_key, FALSE);
  is_guarding = false;
  most_milliseconds = 0;
}

void leave_signals_to_other_threads() {}

}  // namespace charnn
#endif
