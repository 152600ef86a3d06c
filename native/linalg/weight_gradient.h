// Gradients of weights and biases: sums over all rows of input times output gradient.
#pragma once

#include "linalg/matmul.h"

namespace charnn::CHARNN_ISA {

/// The gradient of a weight matrix W [outputs, inputs] in y = W x: dL/dW is the sum over rows of
/// dL/dy x^T.
///
///   in    d_output       dL/dy [rows, blocks] in panels
///         input          x [rows, inputs] in panels
///   out   weights        dL/dW [blocks, inputs], set or added to
///         column_sums    [blocks, padded as in d_output], set or added to: the sums of d_output's
///         columns, which
///                        are the gradient of a bias; or null
///   No two of them overlap. The same bits for every team size.
struct WeightGradient {
  Panels d_output;
  Panels input;
  size_t rows, inputs;
  Blocks blocks;
  float* weights;
  float* column_sums;
  Write write;

  /// Where the rows of W begin whose gradient panel `p` of d_output makes.
  float* rows_of(size_t p) const { return weights + blocks.first_row(p) * inputs; }
};

/// sums[16] = or += the sums of a panel's columns over at most kBlock rows.
inline void sum_block(float* sums, const float* panel, size_t rows, Write write) {
  // Four sums of every fourth row: an addition need not wait for the one before it.
  Vec part[4] = {zero(), zero(), zero(), zero()};
  size_t row = 0;
  for (; row + 4 <= rows; row += 4)
    for (int i = 0; i < 4; ++i) part[i] = part[i] + load(panel + (row + i) * kVectorWidth);
  for (; row < rows; ++row) part[0] = part[0] + load(panel + row * kVectorWidth);
  Vec total = (part[0] + part[1]) + (part[2] + part[3]);
  store(sums, write == Write::kAdd ? load(sums) + total : total);
}

/// sums[16] = or += the sums of a panel's columns over `rows` rows, block after block.
inline void sum_columns(float* sums, const float* panel, size_t rows, Write write) {
  for (size_t first = 0; first < rows; first += kBlock)
    sum_block(sums, panel + first * kVectorWidth, clamp_range(first, kBlock, rows).size(),
              first > 0 ? Write::kAdd : write);
}

/// Rows that are worked on at once: whole blocks, of which a tile's panels fill a first-level cache
/// of 32 KiB.
constexpr size_t kGradientRows = 512 / kTilePanels / kBlock * kBlock;

/// The last panel of W's columns where it is narrower than the others: through a separate tile,
/// since a store of 16 columns would reach into the next row.
///
/// @param first, depth the rows of d_output and input
inline void add_narrow_panel(const WeightGradient& g, Range outputs, size_t panel, size_t first,
                             size_t depth, Write write) {
  const int width = panel_width(panel, g.inputs);
  for (size_t p = outputs.begin; p < outputs.end; ++p) {
    const int height = g.blocks.height(p);
    float* to = g.rows_of(p) + panel * kVectorWidth;
    alignas(64) float tile[kVectorWidth * kVectorWidth];
    for (int i = 0; write == Write::kAdd && i < height; ++i)
      store(tile + i * kVectorWidth, load_first(to + i * g.inputs, width));
    multiply<Transposed>(
        {static_cast<size_t>(height),
         depth,
         g.d_output.at(p, first),
         kVectorWidth * kVectorWidth,
         {panel, panel + 1},
         kVectorWidth,
         write},
        [&](size_t q) { return g.input.at(q, first); }, [&](size_t) { return tile; });
    for (int i = 0; i < height; ++i)
      store_first(to + i * g.inputs, load(tile + i * kVectorWidth), width);
  }
}

/// A part of the gradient, over all rows.
///
/// @param outputs, inputs the panels of d_output and of input that it is made from
inline void add_part(const WeightGradient& g, Range outputs, Range inputs) {
  const bool ends_narrow = inputs.end == panel_count(g.inputs) && g.inputs % kVectorWidth > 0;
  const Range wide = {inputs.begin, inputs.end - (ends_narrow ? 1 : 0)};
  const bool sums = g.column_sums && inputs.begin == 0;

  for (size_t first = 0; first < g.rows; first += kGradientRows) {
    const size_t depth = clamp_range(first, kGradientRows, g.rows).size();
    const Write write = first > 0 ? Write::kAdd : g.write;
    for (size_t p = outputs.begin; sums && p < outputs.end; ++p)
      sum_columns(g.column_sums + p * kVectorWidth, g.d_output.at(p, first), depth, write);
    // A few panels of the input stay in the first-level cache while the outputs pass by.
    for (size_t q = wide.begin; q < wide.end; q += kTilePanels) {
      const Range group = clamp_range(q, kTilePanels, wide.end);
      for (size_t p = outputs.begin; p < outputs.end; ++p) {
        float* to = g.rows_of(p);
        multiply<Transposed>(
            {static_cast<size_t>(g.blocks.height(p)), depth, g.d_output.at(p, first),
             kVectorWidth * kVectorWidth, group, g.inputs, write},
            [&](size_t panel) { return g.input.at(panel, first); },
            [&](size_t panel) { return to + panel * kVectorWidth; });
      }
    }
    if (ends_narrow) add_narrow_panel(g, outputs, inputs.end - 1, first, depth, write);
  }
}

/// Numbers of the gradient that are worked on at once: they stay in the second-level cache while
/// all rows pass by.
constexpr size_t kCachedWeights = 128 * 1024;

/// Makes the gradient. All workers call it; others may still be at work when it returns.
inline void weight_gradient(const WeightGradient& g, const Worker& worker) {
  const size_t outputs = g.blocks.panels();
  const size_t inputs = panel_count(g.inputs);
  constexpr size_t max_tiles = kCachedWeights / (kVectorWidth * kVectorWidth);
  // The side with more panels is divided among the workers: a few panels can't be divided evenly.
  if (outputs >= 4 * worker.count || outputs >= inputs)
    worker.parallel_for(outputs, inputs < max_tiles ? max_tiles / inputs : 1, [&](Range some) {
      add_part(g, some, {0, inputs});
    });
  else
    worker.parallel_for(inputs, outputs < max_tiles ? max_tiles / outputs : 1, [&](Range some) {
      add_part(g, {0, outputs}, some);
    });
}

}  // namespace charnn::CHARNN_ISA
