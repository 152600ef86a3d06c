// What one instance of the addon keeps.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

#include "../isa.h"
#include "../kernels.h"
#include "../team.h"

namespace charnn {

/// There is one for each of Node's threads that loads the addon.
struct Instance {
  std::vector<const Kernels*> usable = usable_kernels();
  const Kernels* kernels = usable.front();
  /// Shared with streams, which keep the one that they are opened with.
  std::shared_ptr<Team> team = std::make_shared<Team>(1);
  std::vector<double> block_sums;
};

inline Instance& instance_of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

}  // namespace charnn
