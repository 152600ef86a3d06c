// Between matrices in rows, as tensors are, and panels.
#pragma once

#include "linalg/panels.h"
#include "parallel/parallel.h"
#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

/// Columns of the matrix in panel `panel`: sixteen, or fewer in the last one.
CHARNN_INLINE int columns_in(size_t panel, size_t columns) {
  size_t left = columns - panel * kLanes;
  return left < kLanes ? static_cast<int>(left) : kLanes;
}

/// One row of a panel of `columns` columns of a matrix in rows.
CHARNN_INLINE Vec load_columns(const float* p, int columns) {
  return columns == kLanes ? load(p) : load_first(p, columns);
}

CHARNN_INLINE void store_columns(float* p, Vec v, int columns) {
  if (columns == kLanes) store(p, v);
  else store_first(p, v, columns);
}

/// `to[row] = from[row]` for the rows in `rows`.
inline void to_panels(Panels to, const float* from, size_t columns, Range rows) {
  for (size_t p = 0; p < panels_of(columns); ++p) {
    int width = columns_in(p, columns);
    for (size_t row = rows.begin; row < rows.end; ++row)
      store(to.at(p, row), load_columns(from + row * columns + p * kLanes, width));
  }
}

/// `to[row] = from[row]` for the rows in `rows`.
inline void to_rows(float* to, Panels from, size_t columns, Range rows) {
  for (size_t p = 0; p < panels_of(columns); ++p) {
    int width = columns_in(p, columns);
    for (size_t row = rows.begin; row < rows.end; ++row)
      store_columns(to + row * columns + p * kLanes, load(from.at(p, row)), width);
  }
}

/// Overwrites a panel with `depth` rows by the transpose of `count` (up to sixteen) rows of
/// `columns` numbers each: a weight matrix's rows are features of what it makes.
inline void transpose_to_panel(float* panel, const float* from, size_t columns, int count) {
  for (int i = 0; i < kLanes; ++i)
    for (size_t k = 0; k < columns; ++k)
      panel[k * kLanes + i] = i < count ? from[i * columns + k] : 0.0f;
}

/// The same, each number multiplied by that of `mask` in its place.
inline void transpose_to_panel(float* panel, const float* from, const float* mask, size_t columns,
                               int count) {
  for (int i = 0; i < kLanes; ++i)
    for (size_t k = 0; k < columns; ++k)
      panel[k * kLanes + i] = i < count ? from[i * columns + k] * mask[i * columns + k] : 0.0f;
}

inline void fill(float* p, float value, size_t count) {
  for (size_t i = 0; i < count; ++i) p[i] = value;
}

/// Rows `rows` of every panel become zero.
inline void clear_rows(Panels matrix, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p)
    fill(matrix.at(p, rows.begin), 0.0f, rows.size() * kLanes);
}

}  // namespace charnn::CHARNN_ISA
