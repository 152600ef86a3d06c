// How matrices are held between and inside the kernels.
#pragma once

#include <cstddef>

#include "inline.h"
#include "simd/width.h"

namespace charnn {

/// Panels that hold `columns` columns.
CHARNN_INLINE constexpr size_t panel_count(size_t columns) {
  return (columns + kVectorWidth - 1) / kVectorWidth;
}

/// Columns of a matrix of `columns` columns that panel `panel` holds: 16, or fewer in the last one.
CHARNN_INLINE int panel_width(size_t panel, size_t columns) {
  const size_t left = columns - panel * kVectorWidth;
  return left < kVectorWidth ? static_cast<int>(left) : kVectorWidth;
}

/// A matrix in panels of 16 columns: panel p holds columns 16 p to 16 p + 15 of all rows, row after
/// row. A matrix [3, 20], with the addresses of its elements in floats:
///
///              panel 0               panel 1
///     row 0    0  1  2 ... 15        stride      + 0 ... + 3   0 ... 0
///     row 1   16 17 18 ... 31        stride + 16 + 0 ... + 3   0 ... 0
///     row 2   32 33 34 ... 47        stride + 32 + 0 ... + 3   0 ... 0
///
/// So 16 columns of a row are one vector, and those of the next row follow: a matrix product reads
/// each of its operands from the first address to the last. Columns beyond the matrix's own are
/// zero; kernels keep them so, and may read them.
struct Panels {
  float* data = nullptr;
  size_t stride = 0;  // floats from one panel to the next: 16 * rows, or more

  CHARNN_INLINE float* at(size_t panel, size_t row) const {
    return data + panel * stride + row * kVectorWidth;
  }

  /// The same matrix without its first rows.
  CHARNN_INLINE Panels from_row(size_t row) const { return {at(0, row), stride}; }
};

}  // namespace charnn
