// What one instance of the addon keeps.
#pragma once

#include <node_api.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

#include "isa.h"
#include "kernels.h"
#include "mpi/mpi.h"
#include "parallel/thread_team.h"

namespace charnn {

/// There is one for each of Node's threads that loads the addon.
struct Instance {
  std::vector<const Kernels*> usable = usable_kernels();
  const Kernels* kernels = usable.front();
  /// Shared with decoding sessions, which keep the one that they were opened with.
  std::shared_ptr<ThreadTeam> team = std::make_shared<ThreadTeam>(1);
  std::vector<double> block_sums;
  /// While MPI is open; of one instance only.
  std::unique_ptr<Mpi> mpi;
};

/// Set by a guarded signal, until JavaScript has heard it.
extern std::atomic<bool> is_stopping;

/// A kernel was ended early by a signal.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("A signal has stopped the kernel.") {}
};

/// Runs a kernel whose results can be thrown away.
template <class Work>
void run_unless_stopped(const Instance& instance, const Work& work) {
  instance.team->run(work, &is_stopping);
  if (is_stopping) throw Stopped();
}

inline Instance& instance_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

}  // namespace charnn
