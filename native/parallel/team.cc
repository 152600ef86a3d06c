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

/// How often a waiting thread looks before it lets others run, and before it goes to sleep: some
/// microseconds, and about a millisecond, in which the next kernel mostly comes.
constexpr size_t kTurnsAwake = 500;
constexpr size_t kTurnsBeforeSleep = 4000;

inline void pause_briefly() {
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
    // Where the system does not tell, each counts.
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

Team::Team(size_t count) : shares_(new Shares[count]) {
  try {
    for (size_t index = 1; index < count; ++index)
      workers_.emplace_back([this, index] { serve(index); });
  } catch (...) {
    // The system starts no more: a thread that is not joined would end the process.
    end();
    throw;
  }
}

Team::~Team() {
  finish();
  end();
}

void Team::end() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  new_job_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Team::begin(Function function, const void* context, const std::atomic<bool>* stop) {
  finish();
  function_ = function;
  context_ = context;
  stop_ = stop;
  if (workers_.empty()) return;
  unfinished_ = workers_.size();
  ++job_;
  if (sleepers_ > 0) {
    // Whoever is about to sleep holds the lock until it can be woken.
    { std::lock_guard<std::mutex> lock(mutex_); }
    new_job_.notify_all();
  }
}

void Team::finish() {
  if (function_ == nullptr) return;
  function_(context_, member(0));
  for (size_t turns = 0; unfinished_ > 0; ++turns) relax(turns);
  function_ = nullptr;
}

void Team::serve(size_t index) {
  size_t done = 0;
  while (true) {
    for (size_t turns = 0; job_ == done && !ends_ && turns < kTurnsBeforeSleep; ++turns)
      relax(turns);
    if (job_ == done) {
      std::unique_lock<std::mutex> lock(mutex_);
      ++sleepers_;
      new_job_.wait(lock, [&] { return job_ != done || ends_; });
      --sleepers_;
    }
    if (ends_) return;
    done = job_;
    function_(context_, member(index));
    --unfinished_;
  }
}

Member Team::member(size_t index) {
  auto meet = [](void* team) { static_cast<Team*>(team)->meet(); };
  return {index, size(), meet, this, shares_.get(), stop_};
}

void Team::meet() {
  size_t meeting = meetings_;
  if (arrived_.fetch_add(1) + 1 == size()) {
    arrived_ = 0;
    ++meetings_;
    return;
  }
  for (size_t turns = 0; meetings_ == meeting; ++turns) relax(turns);
}

void Team::relax(size_t turns) {
  if (turns < kTurnsAwake) pause_briefly();
  else std::this_thread::yield();
}

}  // namespace charnn
