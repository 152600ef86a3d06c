// The matrix product of panels, in tiles whose sums stay in registers.
//
// Every element of a product is a sum in one fixed order for every instruction set, tile
// and thread: products are added one after the other in blocks of kBlock, and then the blocks
// one after the other. Vectors run over the columns of the result, never along a sum.
#pragma once

#include "linalg/pack.h"
#include "linalg/panels.h"
#include "parallel/parallel.h"
#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

/// Whether a result takes the place of what is there, or is added to it.
enum class Write { kSet, kAdd };

/// Terms of a sum that are added up in registers before they are added to the result. A block of a
/// tile's panels fits into the first-level cache.
constexpr size_t kBlock = 128;

/// A number that a lambda's argument carries in its type.
template <int n>
struct Count {
  static constexpr int value = n;
};

// How the left factor lies in memory: element (i, k) is at k / 16 * stride + k % 16 * k_step + i *
// row_step.
/// Panels: i counts their rows, k their columns.
struct AsIs {
  static constexpr size_t row_step = kVectorWidth, k_step = 1;
};
/// The transpose of one panel: i counts its columns, k its rows. The stride is 16 rows, 16 * 16.
struct Transposed {
  static constexpr size_t row_step = 1, k_step = kVectorWidth;
};

/// One tile's part of a product.
template <int panel_count>
struct Tile {
  size_t depth;
  const float* a;  // element (0, 0)
  size_t a_stride;
  const float* b[panel_count];  // row 0 of each panel, [depth, 16]
  float* c[panel_count];        // row 0 of each panel
  size_t c_row_step;            // floats from a row of c to the next
  Write write;
};

/// c[rows, 16] = or += a[rows, depth] b[depth, 16] for each panel: rows * panel_count sums in
/// registers. Not inlined: where the compiler sees how far apart the panels are, it works out their
/// addresses in the inner loop, for which there are no registers left.
template <class Left, int rows, int panel_count>
__attribute__((noinline)) void multiply_tile(const Tile<panel_count>& tile) {
  // Copied first: the compiler can't know that stores to c leave the tile alone.
  const size_t depth = tile.depth, a_stride = tile.a_stride, c_row_step = tile.c_row_step;
  const bool adds = tile.write == Write::kAdd;
  const float* b[panel_count];
  float* c[panel_count];
#pragma GCC unroll 8
  for (int p = 0; p < panel_count; ++p) b[p] = tile.b[p], c[p] = tile.c[p];

  Vec sums[rows][panel_count];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 8
    for (int p = 0; p < panel_count; ++p) sums[i][p] = zero();

  // What is added to is needed only at the end: until then it is fetched into the cache, row by
  // row.
  int fetched = adds ? 0 : rows;
  size_t k = 0;
  for (const float* chunk = tile.a; k < depth; chunk += a_stride) {
    if (fetched < rows) {
      for (int p = 0; p < panel_count; ++p) __builtin_prefetch(c[p] + fetched * c_row_step, 1);
      ++fetched;
    }
    size_t end = depth - k < kVectorWidth ? depth : k + kVectorWidth;
    const float* left = chunk;
    for (; k < end; ++k, left += Left::k_step) {
      Vec row[panel_count];
#pragma GCC unroll 8
      for (int p = 0; p < panel_count; ++p) row[p] = load(b[p] + k * kVectorWidth);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        Vec factor = broadcast(left[i * Left::row_step]);
#pragma GCC unroll 8
        for (int p = 0; p < panel_count; ++p) sums[i][p] = fma(factor, row[p], sums[i][p]);
      }
    }
  }

#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 8
    for (int p = 0; p < panel_count; ++p) {
      float* to = c[p] + i * c_row_step;
      store(to, adds ? load(to) + sums[i][p] : sums[i][p]);
    }
}

/// A tile of a number of rows that is known only now.
template <class Left, int panel_count, int max_rows = kTileRows[panel_count]>
inline void multiply_rows(size_t rows, const Tile<panel_count>& tile) {
  if (rows == max_rows) {
    multiply_tile<Left, max_rows, panel_count>(tile);
  } else if constexpr (max_rows > 1) {
    multiply_rows<Left, panel_count, max_rows - 1>(rows, tile);
  }
}

/// A tile of any depth and number of rows, cut into blocks and into tiles that fit the registers.
template <class Left, int panel_count>
inline void multiply_blocks(size_t rows, const Tile<panel_count>& whole) {
  constexpr size_t max_rows = kTileRows[panel_count];
  const size_t groups = (rows + max_rows - 1) / max_rows;
  Tile<panel_count> tile = whole;
  for (size_t k = 0; k < whole.depth; k += kBlock) {
    tile.depth = whole.depth - k < kBlock ? whole.depth - k : kBlock;
    tile.write = k > 0 ? Write::kAdd : whole.write;
    for (int p = 0; p < panel_count; ++p) tile.b[p] = whole.b[p] + k * kVectorWidth;
    for (size_t g = 0; g < groups; ++g) {
      const Range group = slice_of(rows, g, groups);
      tile.a = whole.a + k / kVectorWidth * whole.a_stride + group.begin * Left::row_step;
      for (int p = 0; p < panel_count; ++p) tile.c[p] = whole.c[p] + group.begin * whole.c_row_step;
      multiply_rows<Left, panel_count>(group.size(), tile);
    }
  }
}

/// A product whose right factor and result are panels anywhere in memory.
struct Product {
  size_t rows, depth;
  const float* a;  // [rows, depth]: element (0, 0), in the layout of `Left`
  size_t a_stride;
  Range panels;       // of b and c
  size_t c_row_step;  // floats from a row of c to the next
  Write write;
};

/// c = or += a b.
///
/// @param b_panel, c_panel give row 0 of a panel in `panels`. c overlaps neither a nor b.
template <class Left, class BPanel, class CPanel>
inline void multiply(const Product& product, BPanel b_panel, CPanel c_panel) {
  auto multiply_group = [&](auto count, size_t first) {
    constexpr int n = decltype(count)::value;
    Tile<n> tile = {product.depth,      product.a,    product.a_stride, {}, {},
                    product.c_row_step, product.write};
    for (int p = 0; p < n; ++p) tile.b[p] = b_panel(first + p), tile.c[p] = c_panel(first + p);
    multiply_blocks<Left, n>(product.rows, tile);
  };
  // Groups as even as can be: 4 panels are two twos, not three and one.
  const size_t groups = (product.panels.size() + kTilePanels - 1) / kTilePanels;
  for (size_t g = 0; g < groups; ++g) {
    const Range group = slice_of(product.panels.size(), g, groups);
    const size_t first = product.panels.begin + group.begin;
    if (group.size() == 1) {
      multiply_group(Count<1>(), first);
    } else if constexpr (kTilePanels > 1) {
      if (group.size() == 2) multiply_group(Count<2>(), first);
      else multiply_group(Count<3>(), first);
    }
  }
}

/// Rows of a left factor that stay in the second-level cache while the panels of the right one pass
/// by.
constexpr size_t kCachedRows = 256;

/// A product of three matrices in panels.
struct PanelProduct {
  Range rows;    // of a and c
  size_t depth;  // columns of a, rows of b
  Panels a, b, c;
  Range panels;  // of b and c
  Write write;
};

/// c[rows, panels] = or += a[rows, depth] b[depth, panels]. c overlaps neither a nor b.
inline void multiply(const PanelProduct& p) {
  for (size_t begin = p.rows.begin; begin < p.rows.end; begin += kCachedRows) {
    const size_t rows = clamp_range(begin, kCachedRows, p.rows.end).size();
    multiply<AsIs>(
        {rows, p.depth, p.a.at(0, begin), p.a.stride, p.panels, kVectorWidth, p.write},
        [&](size_t panel) { return p.b.at(panel, 0); },
        [&](size_t panel) { return p.c.at(panel, begin); });
  }
}

/// c[1, panels] = a[1, depth] b[depth, panels]: row 0 of a and c. c overlaps neither a nor b.
///
/// It takes as long as reading b does, so it reads from several panels at once.
inline void multiply_row(size_t depth, Panels a, Panels b, Panels c, Range panels) {
  size_t first = panels.begin;
  auto multiply_groups = [&](auto count) {
    constexpr int n = decltype(count)::value;
    for (; first + n <= panels.end; first += n) {
      Tile<n> tile = {0, a.data, a.stride, {}, {}, kVectorWidth, Write::kSet};
      for (int p = 0; p < n; ++p) tile.b[p] = b.at(first + p, 0), tile.c[p] = c.at(first + p, 0);
      for (size_t k = 0; k < depth; k += kBlock) {
        if (k > 0) {
          tile.a += kBlock / kVectorWidth * a.stride;
          for (int p = 0; p < n; ++p) tile.b[p] += kBlock * kVectorWidth;
          tile.write = Write::kAdd;
        }
        tile.depth = clamp_range(k, kBlock, depth).size();
        multiply_tile<AsIs, 1, n>(tile);
      }
    }
  };
  multiply_groups(Count<kRowPanels>());
  multiply_groups(Count<kRowPanels / 2>());
  multiply_groups(Count<1>());
}

}  // namespace charnn::CHARNN_ISA
