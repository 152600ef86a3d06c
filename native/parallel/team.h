// The threads that run kernels together.
#pragma once

#include <atomic>
#include <cstddef>

#include "parallel/parallel.h"
#include "parallel/waiting.h"

namespace charnn {

/// A fork-join pool: the calling thread, which is worker 0, and threads that wait for work. Whoever
/// owns the team starts these, each of which calls `take_part` (parallel/thread_team.h,
/// wasm/team.cc).
///
/// A team belongs to one thread: only that thread calls its other functions.
class Team {
 public:
  /// What threads do together: each calls `function(context, worker)`.
  struct Job {
    void (*function)(const void* context, const Worker& worker) = nullptr;
    const void* context = nullptr;
    const std::atomic<bool>* stop = nullptr;
#if defined(__wasm__)
    /// How large the memory was when the job was given.
    size_t pages = 0;
#endif
  };

  /// Where a thread is given its jobs. All that it waits for is in one cache line.
  struct alignas(64) Seat {
    /// How many it was given.
    std::atomic<size_t> jobs{0};
    /// The last of them.
    Job job;
  };

  /// @param seats [size], the most there may ever be
  /// @param loop_states [size]
  /// @param size workers, the calling thread among them
  Team(Seat* seats, LoopState* loop_states, size_t size)
      : size_(size), seats_(seats), loop_states_(loop_states) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  size_t size() const { return size_; }

  /// Gives the work that is begun from now on to this many threads. Others that were started wait.
  void resize(size_t size);

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
    begin({[](const void* context, const Worker& worker) {
             (*static_cast<const Work*>(context))(worker);
           },
           &work, stop});
  }

  /// Does the calling thread's part of the work that was begun, if any, and returns when all of it
  /// is done.
  void finish();

  /// Does thread `index`'s part of all work until the team ends.
  void take_part(size_t index);

  /// Has the threads return from `take_part`.
  void end();

#if defined(__wasm__)
  /// To be called where a thread's part was ended by a trap, so that it will never be done: all
  /// that wait for it, now or later, fail too. Any thread may call this.
  void fail();
#endif

 private:
  void begin(const Job& job);
  /// Has the calling thread know of all memory that the job may use.
  static void learn_memory(const Job& job);
  void do_part(const Job& job, size_t index);
  void barrier();
  /// Does not return where a thread has failed.
  void check() const;
  /// Returns when `is_done` says so; whoever makes it true calls `sleepers_.wake()` after that.
  template <class Predicate>
  void wait(Predicate is_done);

  size_t size_;
  Seat* seats_;
  LoopState* loop_states_;
  /// The job that has begun; without a function where none has.
  Job job_;

  // What threads watch at different times is in different cache lines.
  alignas(64) std::atomic<size_t> unfinished_{0};  // threads that have not done the job yet
  alignas(64) std::atomic<size_t> at_barrier_{0};  // workers that have reached the current one
  std::atomic<size_t> barriers_passed_{0};         // the sense that waiting workers watch
  alignas(64) std::atomic<bool> ends_{false};
#if defined(__wasm__)
  std::atomic<bool> has_failed_{false};
#endif
  Sleepers sleepers_;
};

}  // namespace charnn
