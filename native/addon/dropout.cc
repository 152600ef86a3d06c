#include "linalg/dropout.h"

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {

napi_value write_mask(napi_env env, const Arguments& arguments) {
  const size_t count = arguments.size("count", 0, kLargest);
  float* mask = arguments.floats("mask", count);
  const Dropout dropout = dropout_of(arguments);
  Instance& instance = instance_of(env);
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) {
    instance.kernels->write_mask(mask, worker.slice(count), dropout);
  });
  return nullptr;
}

}  // namespace charnn
