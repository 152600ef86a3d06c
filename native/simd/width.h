// Apart from simd/vec.h, which only the kernels of one instruction set can include.
#pragma once

namespace charnn {

/// Lanes of a vector, and columns of a panel: the same for every instruction set.
constexpr int kVectorWidth = 16;

}  // namespace charnn
