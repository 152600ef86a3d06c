#include "parallel/team.h"

#include <set>
#include <string>

#if defined(__linux__)
#include <sched.h>

#include <fstream>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace charnn {
namespace {

/// How often a waiting thread spins before it starts to yield the processor, which takes some
/// microseconds, and before it goes to sleep, about a millisecond.
constexpr size_t kSpinsBeforeYield = 500;
constexpr size_t kSpinsBeforeSleep = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

size_t physical_cores() {
  size_t threads = std::thread::hardware_concurrency();
  if (threads == 0) threads = 1;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return threads;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    // Where the system does not say which threads share a core, each counts as one.
    if (!std::getline(file, siblings)) siblings = "cpu " + std::to_string(cpu);
    cores.insert(siblings);
  }
  return cores.empty() ? threads : cores.size();
#elif defined(__APPLE__)
  int cores = 0;
  size_t size = sizeof cores;
  return sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0) == 0 && cores > 0 ? cores
                                                                                     : threads;
#else
  return threads;
#endif
}

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
  wake_up_.notify_all();
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
  if (sleepers_ > 0) {
    // A thread holds the lock from its last look at `job_` until it can be woken: after this it
    // either has seen the job or hears the notification.
    { std::lock_guard<std::mutex> lock(mutex_); }
    wake_up_.notify_all();
  }
}

void Team::finish() {
  if (function_ == nullptr) return;
  function_(context_, worker(0));
  for (size_t spins = 0; unfinished_ > 0; ++spins) backoff(spins);
  function_ = nullptr;
}

void Team::run_thread(size_t index) {
  size_t done = 0;
  while (true) {
    for (size_t spins = 0; job_ == done && !ends_ && spins < kSpinsBeforeSleep; ++spins)
      backoff(spins);
    if (job_ == done) {
      std::unique_lock<std::mutex> lock(mutex_);
      ++sleepers_;
      wake_up_.wait(lock, [&] { return job_ != done || ends_; });
      --sleepers_;
    }
    if (ends_) return;
    done = job_;
    function_(context_, worker(index));
    --unfinished_;
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
    return;
  }
  for (size_t spins = 0; barriers_passed_ == before; ++spins) backoff(spins);
}

void Team::backoff(size_t spins) {
  if (spins < kSpinsBeforeYield) pause();
  else std::this_thread::yield();
}

}  // namespace charnn
