// How matrices are held between and inside the kernels.
#pragma once

#include <cstddef>

/// For all that is used by the kernels of several instruction sets: each has to compile it for
/// itself.
#define CHARNN_INLINE inline __attribute__((always_inline))

namespace charnn {

/// Numbers in a vector, and columns in a panel.
constexpr int kLanes = 16;

CHARNN_INLINE constexpr size_t panels_of(size_t columns) { return (columns + kLanes - 1) / kLanes; }

/// A matrix held as panels of sixteen columns: panel p has columns 16 p to 16 p + 15 of all rows,
/// row after row. So sixteen columns of one row are one vector, and the same columns of the rows
/// that follow lie right behind it, as each operand of a matrix product wants them. Columns beyond
/// the matrix's own are zero.
struct Panels {
  float* data = nullptr;
  /// Floats from one panel to the next.
  size_t stride = 0;

  CHARNN_INLINE float* at(size_t panel, size_t row) const {
    return data + panel * stride + row * kLanes;
  }
};

}  // namespace charnn
