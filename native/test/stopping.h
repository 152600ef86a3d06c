// Stops kernels as a signal does: at any moment, from another thread.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "parallel/team.h"

namespace charnn::test {

/// When a kernel is stopped.
struct Stopping {
  /// Microseconds after it begins; 0: it is not wanted from the beginning on.
  int after;
};

/// Runs a kernel that is stopped.
template <class Work>
void run_stopping(Team& team, const Stopping& stopping, const Work& work) {
  std::atomic<bool> stop{stopping.after == 0};
  std::thread other;
  if (stopping.after > 0)
    other = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(stopping.after));
      stop = true;
    });
  team.run(work, &stop);
  if (other.joinable()) other.join();
}

}  // namespace charnn::test
