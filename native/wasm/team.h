// The workers that run kernels in the module.
#pragma once

#include "kernels.h"

namespace charnn {

namespace wasm {
extern const Kernels kKernels;
}

/// Not 0 where a kernel whose results can be thrown away is to end early.
extern std::atomic<bool> is_stopping;

/// Runs a kernel.
template <class Work>
void run(const Work& work) {
  work(Worker::serial());
}

/// Runs a kernel whose results are of no use once it is to stop.
template <class Work>
void run_unless_stopped(const Work& work) {
  work(Worker::serial(&is_stopping));
}

}  // namespace charnn
