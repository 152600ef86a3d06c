// Ends the process at a repeated signal, while JavaScript waits for a long call too.
//
// Node hands a signal on when its event loop turns, which takes as long as the longest call. A
// handler of the operating system's runs at once. It sits before Node's, lets the first signals
// through to it, and ends the process at the next one, or when the time that it may take is over.
// Kernels stop when a signal is let through, so that JavaScript hears of it soon.
#pragma once

#include <cstddef>

namespace charnn {

struct SignalGuard {
  /// Signals that Node still hears of; the next one ends the process.
  size_t let_through = 0;
  /// How long the process may take to end after the first signal; 0: as long as it likes.
  size_t most_milliseconds = 0;
  /// Whether the end of the terminal counts as a signal.
  bool hang_up = false;
  /// What is written to standard error at the end, if anything: a constant of this file.
  const char* last_words = nullptr;
};

/// Clears the lines from that of the cursor on, where a progress bar may stand, and shows the
/// cursor.
constexpr char kRestoreTerminal[] = "\r\x1b[J\x1b[?25h";
/// Takes the progress out of the task bar too, in terminals that know how.
constexpr char kRestoreTerminalAndTaskbar[] = "\r\x1b[J\x1b[?25h\x1b]9;4;0;\a";

/// Starts it, in place of the one before.
void start_signal_guard(const SignalGuard& settings);
void release_signal_guard();
/// Has other threads of the process hear its signals, not the one that calls this and those that it
/// starts from then on: for libraries whose code does not stand being interrupted. Each process of
/// Node has others. On Windows nothing has to be done.
void leave_signals_to_other_threads();

}  // namespace charnn
