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

/// How the outputs of a weight matrix W [count * size, columns] stand in panels: as blocks of
/// features ("gates"), each padded to whole panels, and perhaps in another order. Slot i of the
/// panels holds block block_of_slot[i] of W's rows.
struct Blocks {
  size_t size, count;
  const size_t* block_of_slot;  // [count]

  /// A matrix that is one block.
  static Blocks one(size_t size) {
    static constexpr size_t first[] = {0};
    return {size, 1, first};
  }
  size_t panels_each() const { return panel_count(size); }
  size_t panels() const { return count * panels_each(); }
  size_t padded_size() const { return panels_each() * kVectorWidth; }
  /// The row of W that belongs to the first column of panel `p`.
  size_t first_row(size_t p) const {
    return block_of_slot[p / panels_each()] * size + p % panels_each() * kVectorWidth;
  }
  /// How many rows of W belong to panel `p`.
  int height(size_t p) const { return panel_width(p % panels_each(), size); }
};

/// to[columns, blocks] = the transpose of weights[blocks, columns]: a product with it makes the
/// outputs. Only the panels in `panels`.
///
/// @param mask [blocks, columns] multiplies the weights; null: nothing does
inline void pack_weights(Panels to, const float* weights, size_t columns, const Blocks& blocks,
                         Range panels, const float* mask = nullptr) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = blocks.first_row(p) * columns;
    if (mask)
      transpose_to_panel(to.at(p, 0), weights + first, mask + first, columns, blocks.height(p));
    else transpose_to_panel(to.at(p, 0), weights + first, columns, blocks.height(p));
  }
}

/// to[blocks, columns] = weights[blocks, columns], each block's rows padded: a product of the
/// outputs' gradients with it makes the gradient of what the weights multiply. Only the panels in
/// `panels`.
///
/// @param mask [blocks, columns] multiplies the weights; null: nothing does
inline void pack_weights_by_output(Panels to, const float* weights, size_t columns,
                                   const Blocks& blocks, Range panels,
                                   const float* mask = nullptr) {
  const size_t padded = blocks.padded_size();
  for (size_t p = panels.begin; p < panels.end; ++p) {
    int width = panel_width(p, columns);
    for (size_t slot = 0; slot < blocks.count; ++slot) {
      const size_t first = blocks.block_of_slot[slot] * blocks.size * columns + p * kVectorWidth;
      float* rows = to.at(p, slot * padded);
      for (size_t j = 0; j < blocks.size; ++j) {
        Vec row = load_columns(weights + first + j * columns, width);
        if (mask) row = row * load_columns(mask + first + j * columns, width);
        store(rows + j * kVectorWidth, row);
      }
      fill(rows + blocks.size * kVectorWidth, 0.0f, (padded - blocks.size) * kVectorWidth);
    }
  }
}

/// to = bias[blocks], in the order of the slots, each padded.
inline void pack_bias(float* to, const float* bias, const Blocks& blocks) {
  const size_t padded = blocks.padded_size();
  for (size_t slot = 0; slot < blocks.count; ++slot)
    for (size_t j = 0; j < padded; ++j)
      to[slot * padded + j] =
          j < blocks.size ? bias[blocks.block_of_slot[slot] * blocks.size + j] : 0.0f;
}

/// The way back: to[blocks] = packed.
inline void unpack_bias(float* to, const float* packed, const Blocks& blocks) {
  for (size_t slot = 0; slot < blocks.count; ++slot)
    for (size_t j = 0; j < blocks.size; ++j)
      to[blocks.block_of_slot[slot] * blocks.size + j] = packed[slot * blocks.padded_size() + j];
}

/// Sets some rows of some panels to zero.
inline void clear_rows(Panels matrix, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p)
    fill(matrix.at(p, rows.begin), 0.0f, rows.size() * kVectorWidth);
}

}  // namespace charnn::CHARNN_ISA
