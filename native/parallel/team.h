// Threads that run kernels together.
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

/// Cores of this machine that this process may run on; threads of one core count once.
size_t physical_cores();

/// The calling thread and others that wait for work: for a moment wide awake, then asleep.
class Team {
 public:
  /// Throws std::system_error where the system does not start so many threads.
  explicit Team(size_t count);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  size_t size() const { return workers_.size() + 1; }

  /// Calls `work(member)` in every thread of the team and returns when all of them have.
  ///
  /// @param stop ends it early when it becomes true: what it has made is of no use then
  template <class Work>
  void run(const Work& work, const std::atomic<bool>* stop = nullptr) {
    begin(work, stop);
    finish();
  }

  /// Lets the other threads begin `work(member)`, which must stay where it is until it is finished,
  /// and returns at once. What was begun before is finished first.
  template <class Work>
  void begin(const Work& work, const std::atomic<bool>* stop = nullptr) {
    begin([](const void* context,
             const Member& member) { (*static_cast<const Work*>(context))(member); },
          &work, stop);
  }

  /// Takes part in what was begun, if it is not finished, and returns when all have done it.
  void finish();

 private:
  using Function = void (*)(const void* context, const Member& member);

  void begin(Function function, const void* context, const std::atomic<bool>* stop);
  void serve(size_t index);
  Member member(size_t index);
  void meet();
  void end();
  static void relax(size_t turns);

  std::vector<std::thread> workers_;

  /// Of the job that has begun; null when it is finished.
  Function function_ = nullptr;
  const void* context_ = nullptr;
  const std::atomic<bool>* stop_ = nullptr;
  std::atomic<size_t> job_{0};
  std::atomic<size_t> unfinished_{0};
  std::atomic<size_t> sleepers_{0};
  std::atomic<bool> ends_{false};
  std::mutex mutex_;
  std::condition_variable new_job_;

  /// Of each member.
  std::unique_ptr<Shares[]> shares_;

  std::atomic<size_t> arrived_{0};
  std::atomic<size_t> meetings_{0};
};

}  // namespace charnn
