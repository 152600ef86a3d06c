// Gradients of weights and biases: sums over all rows of what went in times what came back.
#pragma once

#include "linalg/matmul.h"

namespace charnn::CHARNN_ISA {

/// The gradient of a weight matrix [outputs, inputs] in rows: d_output^T input, of which each
/// worker makes some rows or some columns. The outputs are in blocks ("gates") of `block` features,
/// which begin at a new panel each; `block_of_slot` says which rows of the matrix each block makes.
struct WeightGradient {
  Panels d_output;
  Panels input;
  size_t rows;
  size_t inputs;
  size_t block;
  size_t blocks;
  const size_t* block_of_slot;
  /// [blocks * block, inputs]
  float* weights;
  /// The sums of each column of d_output, in its panels' order; or null.
  float* column_sums;
  /// Whether to add to what `weights` and `column_sums` hold.
  bool adds;
};

/// Where the rows of panel `p` of the outputs begin.
inline float* first_row(const WeightGradient& g, size_t p) {
  const size_t panels_in_block = panel_count(g.block);
  const size_t block = g.block_of_slot[p / panels_in_block];
  return g.weights + (block * g.block + p % panels_in_block * kVectorWidth) * g.inputs;
}

/// sums (+)= the sums of a panel's columns over a block of rows.
inline void sum_block(float* sums, const float* panel, size_t rows, bool adds) {
  // Four at once, each of every fourth row, hide how long an addition takes.
  Vec part[4] = {zero(), zero(), zero(), zero()};
  size_t row = 0;
  for (; row + 4 <= rows; row += 4)
    for (int i = 0; i < 4; ++i) part[i] = part[i] + load(panel + (row + i) * kVectorWidth);
  for (; row < rows; ++row) part[0] = part[0] + load(panel + row * kVectorWidth);
  Vec total = (part[0] + part[1]) + (part[2] + part[3]);
  store(sums, adds ? load(sums) + total : total);
}

/// sums (+)= the sums of a panel's columns over some rows, block after block.
inline void sum_columns(float* sums, const float* panel, size_t rows, bool adds) {
  for (size_t first = 0; first < rows; first += kBlock)
    sum_block(sums, panel + first * kVectorWidth, clamp_range(first, kBlock, rows).size(),
              adds || first > 0);
}

/// Rows that are worked on at once, whole blocks of them: so many of a tile's panels fill a
/// first-level cache of 32 KiB.
constexpr size_t kGradientRows = 512 / kTilePanels / kBlock * kBlock;

/// Some of the gradient, over all rows.
///
/// @param outputs, inputs the panels of its rows and of its columns
inline void add_some(const WeightGradient& g, Range outputs, Range inputs) {
  const size_t panels_in_block = panel_count(g.block);
  // The last panel of the matrix may be narrower than others, and is then made beside it.
  const bool ends_narrow = inputs.end == panel_count(g.inputs) && g.inputs % kVectorWidth > 0;
  const Range wide = {inputs.begin, inputs.end - (ends_narrow ? 1 : 0)};
  const bool sums = g.column_sums && inputs.begin == 0;

  for (size_t first = 0; first < g.rows; first += kGradientRows) {
    const size_t depth = clamp_range(first, kGradientRows, g.rows).size();
    const bool adds = g.adds || first > 0;
    auto input_panel = [&](size_t panel) { return g.input.at(panel, first); };
    for (size_t p = outputs.begin; sums && p < outputs.end; ++p)
      sum_columns(g.column_sums + p * kVectorWidth, g.d_output.at(p, first), depth, adds);
    // Some panels of the input stay in the first-level cache while the outputs pass by.
    for (size_t q = wide.begin; q < wide.end; q += kTilePanels) {
      const Range group = clamp_range(q, kTilePanels, wide.end);
      for (size_t p = outputs.begin; p < outputs.end; ++p) {
        float* to = first_row(g, p);
        multiply<ByColumn>(
            panel_width(p % panels_in_block, g.block), depth, g.d_output.at(p, first),
            kVectorWidth * kVectorWidth, group, input_panel,
            [&](size_t panel) { return to + panel * kVectorWidth; }, g.inputs, adds);
      }
    }
    if (!ends_narrow) continue;
    const size_t q = inputs.end - 1;
    const int width = panel_width(q, g.inputs);
    for (size_t p = outputs.begin; p < outputs.end; ++p) {
      const int height = panel_width(p % panels_in_block, g.block);
      float* to = first_row(g, p) + q * kVectorWidth;
      alignas(64) float tile[kVectorWidth * kVectorWidth];
      for (int i = 0; adds && i < height; ++i)
        store(tile + i * kVectorWidth, load_first(to + i * g.inputs, width));
      multiply<ByColumn>(
          height, depth, g.d_output.at(p, first), kVectorWidth * kVectorWidth, {q, q + 1},
          input_panel, [&](size_t) { return tile; }, kVectorWidth, adds);
      for (int i = 0; i < height; ++i)
        store_first(to + i * g.inputs, load(tile + i * kVectorWidth), width);
    }
  }
}

/// Numbers of the gradient that are worked on at once: they stay in the second-level cache while
/// all rows pass by.
constexpr size_t kWeightsAtOnce = 128 * 1024;

/// Others may still be at work when this returns.
inline void add_weight_gradient(const WeightGradient& g, const Worker& worker) {
  const size_t outputs = g.blocks * panel_count(g.block);
  const size_t inputs = panel_count(g.inputs);
  constexpr size_t most = kWeightsAtOnce / (kVectorWidth * kVectorWidth);
  // Few outputs are not divided well.
  if (outputs >= 4 * worker.count || outputs >= inputs)
    worker.parallel_for(outputs, inputs < most ? most / inputs : 1, [&](Range some) {
      add_some(g, some, {0, inputs});
    });
  else
    worker.parallel_for(inputs, outputs < most ? most / outputs : 1, [&](Range some) {
      add_some(g, {0, outputs}, some);
    });
}

}  // namespace charnn::CHARNN_ISA
