#include "parallel/team.h"

namespace charnn {
namespace {

/// How often a waiting thread looks before it yields the processor at each look, which takes about
/// a microsecond.
constexpr size_t kSpinsBeforeYield = 500;
/// How often it looks before it sleeps: for others in the middle of a kernel, some 0.1
/// milliseconds, and for the next kernel a millisecond, since waking up takes long.
constexpr size_t kSpinsForOthers = kSpinsBeforeYield + 200;
constexpr size_t kSpinsForWork = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Team::Team(size_t count) : loop_states_(new LoopState[count]) {
  try {
    for (size_t index = 1; index < count; ++index)
      threads_.emplace_back([this, index] { run_thread(index); });
  } catch (...) {
    // The system starts no more threads. Destroying one that is not joined would end the process.
    end_threads();
    throw;
  }
}

Team::~Team() {
  finish();
  end_threads();
}

void Team::end_threads() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::begin(Function function, const void* context, const std::atomic<bool>* stop) {
  finish();
  function_ = function;
  context_ = context;
  stop_ = stop;
  if (threads_.empty()) return;
  unfinished_ = threads_.size();
  ++job_;
  wake_sleepers();
}

void Team::finish() {
  if (function_ == nullptr) return;
  function_(context_, worker(0));
  wait(kSpinsForOthers, [&] { return unfinished_ == 0; });
  function_ = nullptr;
}

void Team::run_thread(size_t index) {
  size_t done = 0;
  while (true) {
    wait(kSpinsForWork, [&] { return job_ != done || ends_; });
    if (ends_) return;
    done = job_;
    function_(context_, worker(index));
    if (--unfinished_ == 0) wake_sleepers();
  }
}

Worker Team::worker(size_t index) {
  auto wait = [](void* team) { static_cast<Team*>(team)->barrier(); };
  return {index, size(), wait, this, loop_states_.get(), stop_};
}

void Team::barrier() {
  const size_t before = barriers_passed_;
  if (at_barrier_.fetch_add(1) + 1 == size()) {
    at_barrier_ = 0;
    ++barriers_passed_;
    wake_sleepers();
    return;
  }
  wait(kSpinsForOthers, [&] { return barriers_passed_ != before; });
}

template <class Predicate>
void Team::wait(size_t spins, Predicate is_done) {
  for (size_t i = 0; i < spins; ++i) {
    if (is_done()) return;
    if (i < kSpinsBeforeYield) pause();
    else std::this_thread::yield();
  }
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleepers_;
  changed_.wait(lock, is_done);
  --sleepers_;
}

void Team::wake_sleepers() {
  if (sleepers_ == 0) return;
  // A thread holds the lock from its last look until it can be woken: after this it either has seen
  // the change or hears the notification.
  { std::lock_guard<std::mutex> lock(mutex_); }
  changed_.notify_all();
}

}  // namespace charnn
