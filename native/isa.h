// Which instruction set's kernels run.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace charnn {

/// The kernels of this build that this processor can run, the fastest first. There is always one.
std::vector<const Kernels*> usable_kernels();

}  // namespace charnn
