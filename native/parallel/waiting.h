// How a thread waits for others: awake at first, since what it waits for mostly comes at once, and
// then asleep. That leaves its core to the thread it waits for, which another process may have
// pushed off its own core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if !defined(__wasm__)
#include <condition_variable>
#include <mutex>
#include <thread>
#endif

namespace charnn {

#if defined(__wasm__)

/// Throws in JavaScript that a thread of the team has failed, and so does not return.
extern "C" __attribute__((import_module("charnn"), import_name("throwFailure"))) void
charnn_throw_failure();

/// How often a thread looks before it sleeps.
constexpr size_t kLooksBeforeSleep = 4000;

/// WebAssembly has no instruction by which a thread pauses, and none that yields its processor.
inline void pause_before_look(size_t) {
  // Each square root waits for the one before. Volatile: nothing of it is left out.
  volatile double number = 2;
  double root = number;
  for (int i = 0; i < 4; ++i) root = __builtin_sqrt(root);
  number = root;
}

/// Threads that sleep until something has changed.
class Sleepers {
 public:
  /// Returns when `is_done` says so; whoever makes it true calls `wake` after that.
  template <class Predicate>
  void sleep_until(Predicate is_done) {
    ++count_;
    while (true) {
      const int32_t seen = changes_;
      if (is_done()) break;
      __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int32_t*>(&changes_), seen, -1);
    }
    --count_;
  }

  void wake() {
    if (count_ == 0) return;
    ++changes_;
    __builtin_wasm_memory_atomic_notify(reinterpret_cast<int32_t*>(&changes_), ~0u);
  }

 private:
  std::atomic<int32_t> count_{0};
  std::atomic<int32_t> changes_{0};
};

#else

/// How often a thread looks before it yields the processor at each look, which takes about a
/// microsecond.
constexpr size_t kLooksBeforeYield = 500;
/// How often it looks before it sleeps, a millisecond or two in all: waking up takes long.
constexpr size_t kLooksBeforeSleep = 4000;

/// @param looks how often the thread has looked already
inline void pause_before_look(size_t looks) {
  if (looks > kLooksBeforeYield) return std::this_thread::yield();
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Threads that sleep until something has changed.
class Sleepers {
 public:
  /// Returns when `is_done` says so; whoever makes it true calls `wake` after that.
  template <class Predicate>
  void sleep_until(Predicate is_done) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++count_;
    changed_.wait(lock, is_done);
    --count_;
  }

  void wake() {
    if (count_ == 0) return;
    // A thread holds the lock from its last look until it can be woken: after this it either has
    // seen the change or hears the notification.
    { std::lock_guard<std::mutex> lock(mutex_); }
    changed_.notify_all();
  }

 private:
  std::atomic<size_t> count_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

#endif

}  // namespace charnn
