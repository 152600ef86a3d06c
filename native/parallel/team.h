// The threads that run kernels together.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "parallel/parallel.h"

namespace charnn {

/// A fork-join pool: the calling thread, which is worker 0, and threads that wait for work. Who
/// waits spins first, since what it waits for mostly comes at once, and then sleeps: that leaves
/// its core to the thread it waits for, which another process may have pushed off its own core.
///
/// A team belongs to one thread: only that thread calls its functions.
class Team {
 public:
  /// @param count workers, the calling thread among them
  /// @throws std::system_error where the system does not start that many threads
  explicit Team(size_t count);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  size_t size() const { return threads_.size() + 1; }

  /// Calls `work(worker)` in every thread of the team and returns when all calls have.
  ///
  /// @param stop when it becomes true the work ends early, and its results are not valid
  template <class Work>
  void run(const Work& work, const std::atomic<bool>* stop = nullptr) {
    begin(work, stop);
    finish();
  }

  /// Starts `work(worker)` in the other threads and returns at once. `work` must stay where it is
  /// until `finish` has returned. Work that was begun earlier is finished first.
  template <class Work>
  void begin(const Work& work, const std::atomic<bool>* stop = nullptr) {
    begin([](const void* context,
             const Worker& worker) { (*static_cast<const Work*>(context))(worker); },
          &work, stop);
  }

  /// Does the calling thread's part of the work that was begun, if any, and returns when all of it
  /// is done.
  void finish();

 private:
  using Function = void (*)(const void* context, const Worker& worker);

  void begin(Function function, const void* context, const std::atomic<bool>* stop);
  void run_thread(size_t index);
  Worker worker(size_t index);
  void barrier();
  void end_threads();
  /// Returns when `is_done` says so, which whoever makes it true follows by `wake_sleepers`.
  template <class Predicate>
  void wait(size_t spins, Predicate is_done);
  void wake_sleepers();

  std::vector<std::thread> threads_;

  /// The job that has begun; null when it is finished.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  const std::atomic<bool>* stop_ = nullptr;
  std::atomic<size_t> job_{0};         // how many have begun
  std::atomic<size_t> unfinished_{0};  // threads that have not done the job yet
  std::atomic<size_t> sleepers_{0};
  std::atomic<bool> ends_{false};
  std::mutex mutex_;
  std::condition_variable changed_;

  std::unique_ptr<LoopState[]> loop_states_;  // [size()]

  std::atomic<size_t> at_barrier_{0};       // workers that have reached the current one
  std::atomic<size_t> barriers_passed_{0};  // the sense that waiting workers watch
};

}  // namespace charnn
