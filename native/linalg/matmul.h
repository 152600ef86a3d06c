// The matrix product of panels, in tiles whose sums stay in registers.
//
// Every element of a product is a sum in one fixed order, whatever the instruction set, the tile
// and the thread that makes it: products are added up one after the other in blocks of kBlock, and
// the blocks one after the other.
#pragma once

#include "linalg/pack.h"
#include "linalg/panels.h"
#include "parallel/parallel.h"
#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

/// Products that are added up before their sum is added to the result. A block of a tile's panels
/// fits into the first-level cache.
constexpr size_t kBlock = 128;

template <int n>
struct Count {
  static constexpr int value = n;
};

/// The left factor of a product. Its element (i, k) is at k / 16 * stride + k % 16 * k_step + i *
/// row_step.
struct ByRow {  // panels: i counts rows, k columns
  static constexpr size_t row_step = kVectorWidth, k_step = 1;
};
struct ByColumn {  // the transpose of panels: i counts columns, within one panel, and k rows
  static constexpr size_t row_step = 1, k_step = kVectorWidth;
};

/// `Rows` rows of `PanelCount` panels of c: overwritten by, or added to it, the product over
/// `depth`.
template <class Left, int Rows, int PanelCount>
inline void multiply_tile(size_t depth, const float* a, size_t a_stride, const float* const* b,
                          float* const* c, size_t c_step, bool adds) {
  Vec sums[Rows][PanelCount];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int p = 0; p < PanelCount; ++p) sums[i][p] = zero();

  const float* right[PanelCount];
#pragma GCC unroll 8
  for (int p = 0; p < PanelCount; ++p) right[p] = b[p];

  // What is added to is needed at the end, and is on its way row by row until then.
  int fetched = adds ? 0 : Rows;
  size_t k = 0;
  for (const float* chunk = a; k < depth; chunk += a_stride) {
    if (fetched < Rows) {
      for (int p = 0; p < PanelCount; ++p) __builtin_prefetch(c[p] + fetched * c_step, 1);
      ++fetched;
    }
    size_t end = depth - k < kVectorWidth ? depth : k + kVectorWidth;
    const float* left = chunk;
    for (; k < end; ++k, left += Left::k_step) {
      Vec row[PanelCount];
#pragma GCC unroll 8
      for (int p = 0; p < PanelCount; ++p) row[p] = load(right[p] + k * kVectorWidth);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        Vec factor = broadcast(left[i * Left::row_step]);
#pragma GCC unroll 8
        for (int p = 0; p < PanelCount; ++p) sums[i][p] = fma(factor, row[p], sums[i][p]);
      }
    }
  }

#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
    for (int p = 0; p < PanelCount; ++p) {
      float* place = c[p] + i * c_step;
      store(place, adds ? load(place) + sums[i][p] : sums[i][p]);
    }
}

template <class Left, int PanelCount, int Rows = kTileRows[PanelCount]>
inline void multiply_rows(size_t rows, size_t depth, const float* a, size_t a_stride,
                          const float* const* b, float* const* c, size_t c_step, bool adds) {
  if (rows == Rows) {
    multiply_tile<Left, Rows, PanelCount>(depth, a, a_stride, b, c, c_step, adds);
  } else if constexpr (Rows > 1) {
    multiply_rows<Left, PanelCount, Rows - 1>(rows, depth, a, a_stride, b, c, c_step, adds);
  }
}

/// c (+)= a b for `rows` rows and the panels that `b` and `c` point to.
template <class Left, int PanelCount>
inline void multiply_panels(size_t rows, size_t depth, const float* a, size_t a_stride,
                            const float* const* b, float* const* c, size_t c_step, bool adds) {
  constexpr size_t most = kTileRows[PanelCount];
  size_t groups = (rows + most - 1) / most;
  for (size_t k = 0; k < depth; k += kBlock) {
    size_t block = depth - k < kBlock ? depth - k : kBlock;
    const float* b_block[PanelCount];
    for (int p = 0; p < PanelCount; ++p) b_block[p] = b[p] + k * kVectorWidth;
    for (size_t g = 0; g < groups; ++g) {
      size_t begin = rows * g / groups, end = rows * (g + 1) / groups;
      float* c_rows[PanelCount];
      for (int p = 0; p < PanelCount; ++p) c_rows[p] = c[p] + begin * c_step;
      multiply_rows<Left, PanelCount>(end - begin, block,
                                      a + k / kVectorWidth * a_stride + begin * Left::row_step,
                                      a_stride, b_block, c_rows, c_step, adds || k > 0);
    }
  }
}

/// As many rows as are worked on at once, so that they stay in the second-level cache.
constexpr size_t kRowsAtOnce = 256;

/// c = a b for one row. Its speed is that of reading b: many panels at once keep enough on its way.
template <class Right, class Result>
inline void multiply_row(size_t depth, const float* a, size_t a_stride, Range panels, Right b_panel,
                         Result c_panel) {
  const float* b[kRowPanels];
  float* c[kRowPanels];
  size_t p = panels.begin;
  auto multiply_next = [&](auto count) {
    constexpr int n = decltype(count)::value;
    for (; p + n <= panels.end; p += n) {
      for (int i = 0; i < n; ++i) b[i] = b_panel(p + i), c[i] = c_panel(p + i);
      for (size_t k = 0; k < depth; k += kBlock) {
        size_t block = depth - k < kBlock ? depth - k : kBlock;
        multiply_tile<ByRow, 1, n>(block, a + k / kVectorWidth * a_stride, a_stride, b, c,
                                   kVectorWidth, k > 0);
        for (int i = 0; i < n; ++i) b[i] += block * kVectorWidth;
      }
    }
  };
  multiply_next(Count<kRowPanels>());
  multiply_next(Count<kRowPanels / 2>());
  multiply_next(Count<1>());
}

/// c (+)= a b for panels in any number, given by functions from a panel's index to its start.
template <class Left, class Right, class Result>
inline void multiply(size_t rows, size_t depth, const float* a, size_t a_stride, Range panels,
                     Right b_panel, Result c_panel, size_t c_step, bool adds) {
  // In groups as even as can be: 4 panels are two twos, not three and one.
  size_t groups = (panels.size() + kTilePanels - 1) / kTilePanels;
  for (size_t g = 0; g < groups; ++g) {
    Range group = slice_of(panels.size(), g, groups);
    const float* b[kTilePanels];
    float* c[kTilePanels];
    for (size_t p = 0; p < group.size(); ++p) {
      b[p] = b_panel(panels.begin + group.begin + p);
      c[p] = c_panel(panels.begin + group.begin + p);
    }
    if (group.size() == 1) {
      multiply_panels<Left, 1>(rows, depth, a, a_stride, b, c, c_step, adds);
    } else if constexpr (kTilePanels > 1) {
      if (group.size() == 2) multiply_panels<Left, 2>(rows, depth, a, a_stride, b, c, c_step, adds);
      else multiply_panels<Left, 3>(rows, depth, a, a_stride, b, c, c_step, adds);
    }
  }
}

/// Rows `rows` of the panels in `panels` of c (+)= a b, with `depth` columns of a.
inline void multiply(Panels a, Panels b, Panels c, size_t depth, Range rows, Range panels,
                     bool adds) {
  for (size_t begin = rows.begin; begin < rows.end; begin += kRowsAtOnce) {
    size_t count = rows.end - begin < kRowsAtOnce ? rows.end - begin : kRowsAtOnce;
    multiply<ByRow>(
        count, depth, a.at(0, begin), a.stride, panels, [&](size_t p) { return b.at(p, 0); },
        [&](size_t p) { return c.at(p, begin); }, kVectorWidth, adds);
  }
}

}  // namespace charnn::CHARNN_ISA
