// The threads that run kernels in the module: the thread of JavaScript, and Node's worker threads.
// Each has its own instance of the module, and all share one memory.
#pragma once

#include "kernels.h"
#include "parallel/team.h"

namespace charnn {

namespace wasm {
extern const Kernels kKernels;
}

constexpr size_t kMaxThreads = 1024;

/// Not 0 where a kernel whose results can be thrown away is to end early.
extern std::atomic<bool> is_stopping;

/// How many threads JavaScript wants kernels to use.
extern size_t wanted_threads;

/// The team, with this many threads or those that have started by now. Kernels do not wait for one
/// that is still to come: it may never.
Team& team_of(size_t threads);

/// Runs a kernel.
template <class Work>
void run(const Work& work) {
  team_of(wanted_threads).run(work);
}

/// Runs a kernel whose results are of no use once it is to stop.
template <class Work>
void run_unless_stopped(const Work& work) {
  team_of(wanted_threads).run(work, &is_stopping);
}

}  // namespace charnn
