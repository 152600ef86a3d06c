// The decoder and its loss, forward and, where wanted, backward.
#pragma once

#include "linalg/dropout_mask.h"
#include "linalg/vector_math.h"
#include "linalg/weight_gradient.h"
#include "loss/loss.h"

namespace charnn::CHARNN_ISA {

/// Packs the weights and makes the input ready.
inline void prepare(const CrossEntropy& c, const Worker& worker) {
  const CrossEntropyShape& shape = c.shape;
  const CrossEntropyScratch& scratch = c.scratch;
  Range panels = worker.slice(shape.vocabulary_panels());
  for (size_t p = panels.begin; p < panels.end; ++p) {
    int width = panel_width(p, shape.vocabulary);
    transpose_to_panel(scratch.weight.at(p, 0), c.weight + p * kVectorWidth * shape.hidden,
                       shape.hidden, width);
    // What is no character at all is never likely.
    for (int i = 0; i < kVectorWidth; ++i)
      scratch.bias[p * kVectorWidth + i] =
          i < width ? c.bias[p * kVectorWidth + i] : -__builtin_inff();
  }
  Range units = worker.slice(shape.hidden_panels());
  if (shape.wants_gradient)
    for (size_t p = units.begin; p < units.end; ++p) {
      Panels panel = {scratch.weight_by_unit.at(p, 0), 0};
      int width = panel_width(p, shape.hidden);
      for (size_t token = 0; token < shape.vocabulary; ++token)
        store(panel.at(0, token),
              load_columns(c.weight + token * shape.hidden + p * kVectorWidth, width));
    }
  Range rows = worker.slice(shape.rows);
  if (c.input) to_panels(scratch.input, c.input, shape.hidden, rows);
  if (shape.has_mask) {
    fill_mask(scratch.mask, c.mask, shape.hidden, worker.slice(shape.lanes));
    worker.barrier();
    Panels from = c.input ? scratch.input : c.input_panels;
    apply_mask(scratch.input, from, scratch.mask, shape.lanes, {0, shape.hidden_panels()}, rows);
  }
  worker.barrier();
}

/// The first of the largest logits of a row, or 0 where none is a number; `most` is how large they
/// are.
inline int32_t likeliest(Panels logits, size_t row, size_t vocabulary, float most) {
  const size_t panels = panel_count(vocabulary);
  for (size_t p = 0; p < panels; ++p) {
    const unsigned equal = equal_bits(load(logits.at(p, row)), broadcast(most));
    if (!equal) continue;
    const size_t token = p * kVectorWidth + static_cast<size_t>(__builtin_ctz(equal));
    // What is no character is as likely as the least that a number can be.
    return token < vocabulary ? static_cast<int32_t>(token) : 0;
  }
  return 0;
}

/// How many characters have a larger logit than the target, or the same one and come before it.
inline int32_t rank(Panels logits, size_t row, size_t panels, size_t target, float target_logit) {
  const Vec own = broadcast(target_logit);
  int count = 0;
  for (size_t p = 0; p < panels; ++p) {
    const Vec logit = load(logits.at(p, row));
    const unsigned equal = equal_bits(logit, own);
    const unsigned at_most = equal_bits(max(logit, own), own);
    const size_t before =
        target < p * kVectorWidth ? 0 : clamp_range(p * kVectorWidth, kVectorWidth, target).size();
    count += kVectorWidth - __builtin_popcount(at_most);
    count += __builtin_popcount(equal & ((1u << before) - 1));
  }
  return count;
}

/// Turns a row of products into its loss and prediction, and into the gradient by the logits.
///
/// @param place of the row among all rows
inline void score_row(const CrossEntropy& c, size_t row, size_t place) {
  const size_t panels = c.shape.vocabulary_panels();
  const Panels logits = c.scratch.logits;
  Vec highest = broadcast(-__builtin_inff());
  for (size_t p = 0; p < panels; ++p) {
    Vec logit = load(logits.at(p, row)) + load(c.scratch.bias + p * kVectorWidth);
    store(logits.at(p, row), logit);
    highest = max(highest, logit);
  }
  const float most = reduce_max(highest);
  const int32_t target = c.targets[place];
  const float target_logit =
      target < 0 ? 0.0f : logits.at(target / kVectorWidth, row)[target % kVectorWidth];
  c.predictions[place] = likeliest(logits, row, c.shape.vocabulary, most);
  if (c.ranks) c.ranks[place] = target < 0 ? 0 : rank(logits, row, panels, target, target_logit);

  Vec sums = zero();
  for (size_t p = 0; p < panels; ++p) {
    Vec e = exp(load(logits.at(p, row)) - broadcast(most));
    // The exponential has a lowest value; what is no character has none.
    if (p == panels - 1) e = keep_first(e, panel_width(p, c.shape.vocabulary));
    store(logits.at(p, row), e);
    sums = sums + e;
  }
  const float total = reduce_sum(sums);
  c.losses[place] = target < 0 ? 0.0f : (most - target_logit) + log(total);
  if (!c.shape.wants_gradient) return;
  // loss = log(sum of e^logit) - logit of the target, averaged over the rows with a target
  const float part = 1.0f / static_cast<float>(c.scored);
  const Vec scale = broadcast(target < 0 ? 0.0f : part / total);
  for (size_t p = 0; p < panels; ++p) store(logits.at(p, row), load(logits.at(p, row)) * scale);
  if (target >= 0) logits.at(target / kVectorWidth, row)[target % kVectorWidth] -= part;
}

/// Rows of logits whose product a worker makes at once: they stay in the first-level cache.
constexpr size_t kScoredAtOnce = 32;

inline void cross_entropy(const CrossEntropy& c, const Worker& worker) {
  const CrossEntropyShape& shape = c.shape;
  const CrossEntropyScratch& scratch = c.scratch;
  const Range vocabulary_panels = {0, shape.vocabulary_panels()};
  const Range unit_panels = {0, shape.hidden_panels()};
  prepare(c, worker);
  const Panels input = c.input || shape.has_mask ? scratch.input : c.input_panels;

  for (size_t first = 0; first < shape.rows; first += scratch.rows_at_once) {
    const size_t count = clamp_range(first, scratch.rows_at_once, shape.rows).size();
    worker.parallel_for(count, kScoredAtOnce, [&](Range rows) {
      multiply<ByRow>(
          rows.size(), shape.hidden, input.at(0, first + rows.begin), input.stride,
          vocabulary_panels, [&](size_t p) { return scratch.weight.at(p, 0); },
          [&](size_t p) { return scratch.logits.at(p, rows.begin); }, kVectorWidth, false);
      for (size_t row = rows.begin; row < rows.end; ++row) score_row(c, row, first + row);
      if (!shape.wants_gradient) return;
      multiply<ByRow>(
          rows.size(), shape.vocabulary, scratch.logits.at(0, rows.begin), scratch.logits.stride,
          unit_panels, [&](size_t p) { return scratch.weight_by_unit.at(p, 0); },
          [&](size_t p) { return scratch.gradient_input.at(p, first + rows.begin); }, kVectorWidth,
          false);
      if (shape.has_mask)
        apply_mask(scratch.gradient_input, scratch.gradient_input, scratch.mask, shape.lanes,
                   unit_panels, {first + rows.begin, first + rows.end});
    });
    // The next rows' logits will be where these are.
    worker.barrier();
    if (!shape.wants_gradient) continue;
    constexpr size_t only_block[] = {0};
    const Panels block_input = {input.at(0, first), input.stride};
    add_weight_gradient({scratch.logits, block_input, count, shape.hidden, shape.vocabulary, 1,
                         only_block, c.gradient_weight, scratch.bias_sums, first > 0},
                        worker);
    worker.barrier();
  }
  if (!shape.wants_gradient || worker.index > 0) return;
  for (size_t token = 0; token < shape.vocabulary; ++token)
    c.gradient_bias[token] = scratch.bias_sums[token];
}

}  // namespace charnn::CHARNN_ISA
