// Between matrices row by row, as JavaScript holds them, and panels.
#pragma once

#include "linalg/panels.h"
#include "parallel/parallel.h"
#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

/// `columns` numbers of a row, zeros after them: 16 for whole panels, fewer at the edge of a
/// matrix, where nothing beyond its end may be touched.
CHARNN_INLINE Vec load_columns(const float* p, int columns) {
  return columns == kVectorWidth ? load(p) : load_first(p, columns);
}

CHARNN_INLINE void store_columns(float* p, Vec v, int columns) {
  if (columns == kVectorWidth) store(p, v);
  else store_first(p, v, columns);
}

/// to[rows, columns] = from[rows, columns], for the rows in `rows`; to's columns beyond become
/// zero.
inline void to_panels(Panels to, const float* from, size_t columns, Range rows) {
  for (size_t p = 0; p < panel_count(columns); ++p) {
    int width = panel_width(p, columns);
    for (size_t row = rows.begin; row < rows.end; ++row)
      store(to.at(p, row), load_columns(from + row * columns + p * kVectorWidth, width));
  }
}

/// to[rows, columns] = from[rows, columns], for the rows in `rows`.
inline void to_rows(float* to, Panels from, size_t columns, Range rows) {
  for (size_t p = 0; p < panel_count(columns); ++p) {
    int width = panel_width(p, columns);
    for (size_t row = rows.begin; row < rows.end; ++row)
      store_columns(to + row * columns + p * kVectorWidth, load(from.at(p, row)), width);
  }
}

/// panel[columns, 16] = the transpose of from[count, columns], zeros where `count` is below 16. A
/// weight matrix has an output's weights in a row; a product wants them in a column.
inline void transpose_to_panel(float* panel, const float* from, size_t columns, int count) {
  for (int i = 0; i < kVectorWidth; ++i)
    for (size_t k = 0; k < columns; ++k)
      panel[k * kVectorWidth + i] = i < count ? from[i * columns + k] : 0.0f;
}

/// The same of from * mask, element by element; both are [count, columns].
inline void transpose_to_panel(float* panel, const float* from, const float* mask, size_t columns,
                               int count) {
  for (int i = 0; i < kVectorWidth; ++i)
    for (size_t k = 0; k < columns; ++k)
      panel[k * kVectorWidth + i] =
          i < count ? from[i * columns + k] * mask[i * columns + k] : 0.0f;
}

inline void fill(float* p, float value, size_t count) {
  for (size_t i = 0; i < count; ++i) p[i] = value;
}

/// Sets some rows of some panels to zero.
inline void clear_rows(Panels matrix, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p)
    fill(matrix.at(p, rows.begin), 0.0f, rows.size() * kVectorWidth);
}

}  // namespace charnn::CHARNN_ISA
