// Decoder, softmax and cross-entropy, forward and, where it is wanted, backward.
#pragma once

#include "linalg/dropout_mask.h"
#include "linalg/pack.h"
#include "linalg/vector_math.h"
#include "linalg/weight_gradient.h"
#include "loss/loss.h"

namespace charnn::CHARNN_ISA {

/// Packs the weights, and the input with its mask.
inline void prepare(const CrossEntropy& c, const Worker& worker) {
  const CrossEntropyShape& shape = c.shape;
  const CrossEntropyScratch& scratch = c.scratch;
  const Range panels = worker.slice(shape.vocabulary_panels());
  pack_weights(scratch.weight, c.weight, shape.hidden, Blocks::one(shape.vocabulary), panels);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t width = panel_width(p, shape.vocabulary);
    // The columns beyond the vocabulary get the logit -infinity: they are never the largest.
    for (size_t i = 0; i < kVectorWidth; ++i)
      scratch.bias[p * kVectorWidth + i] =
          i < width ? c.bias[p * kVectorWidth + i] : -__builtin_inff();
  }
  if (shape.wants_gradient)
    to_panels(scratch.weight_by_token, c.weight, shape.hidden, worker.slice(shape.vocabulary));
  const Range rows = worker.slice(shape.rows);
  if (c.input) to_panels(scratch.input, c.input, shape.hidden, rows);
  if (shape.has_mask) {
    fill_mask(scratch.mask, c.mask, shape.hidden, worker.slice(shape.batch));
    worker.barrier();
    const Panels from = c.input ? scratch.input : c.input_panels;
    apply_mask(scratch.input, from, scratch.mask, shape.batch, {0, shape.hidden_panels()}, rows);
  }
  worker.barrier();
}

/// The first token with the largest logit of a row; 0 where all logits are NaN or -infinity.
///
/// @param max the largest logit
inline int32_t likeliest(Panels logits, size_t row, size_t vocabulary, float max) {
  const size_t panels = panel_count(vocabulary);
  for (size_t p = 0; p < panels; ++p) {
    const unsigned equal = equal_bits(load(logits.at(p, row)), broadcast(max));
    if (!equal) continue;
    const size_t token = p * kVectorWidth + static_cast<size_t>(__builtin_ctz(equal));
    // A column beyond the vocabulary has -infinity too.
    return token < vocabulary ? static_cast<int32_t>(token) : 0;
  }
  return 0;
}

/// How many tokens have a larger logit than the target, or the same one and come before it.
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

/// Turns a row of products W x into logits, and these into loss, prediction, rank and dL/d(logits).
///
///     loss = log(sum of e^logit) - logit of the target        L is the mean over the rows with a
///     target dL/d(logit_v) = (softmax_v - (1 if v is the target)) / scored
///
/// @param row of scratch.logits
/// @param position the row among all rows
inline void score_row(const CrossEntropy& c, size_t row, size_t position) {
  const size_t panels = c.shape.vocabulary_panels();
  const Panels logits = c.scratch.logits;
  Vec highest = broadcast(-__builtin_inff());
  for (size_t p = 0; p < panels; ++p) {
    Vec logit = load(logits.at(p, row)) + load(c.scratch.bias + p * kVectorWidth);
    store(logits.at(p, row), logit);
    highest = max(highest, logit);
  }
  if (c.logits) {
    float* own = c.logits + position * c.shape.vocabulary;
    to_rows(own, logits.from_row(row), c.shape.vocabulary, {0, 1});
  }
  const float most = reduce_max(highest);
  const int32_t target = c.targets[position];
  const float target_logit =
      target < 0 ? 0.0f : logits.at(target / kVectorWidth, row)[target % kVectorWidth];
  c.predictions[position] = likeliest(logits, row, c.shape.vocabulary, most);
  if (c.ranks) c.ranks[position] = target < 0 ? 0 : rank(logits, row, panels, target, target_logit);

  // The largest logit is subtracted, so that no exponential overflows.
  Vec sums = zero();
  for (size_t p = 0; p < panels; ++p) {
    Vec e = exp(load(logits.at(p, row)) - broadcast(most));
    // exp(-infinity) is e^-87 here, not 0.
    if (p == panels - 1) e = keep_first(e, panel_width(p, c.shape.vocabulary));
    store(logits.at(p, row), e);
    sums = sums + e;
  }
  const float total = reduce_sum(sums);
  c.losses[position] = target < 0 ? 0.0f : (most - target_logit) + log(total);
  if (!c.shape.wants_gradient) return;
  const float part = 1.0f / static_cast<float>(c.scored);
  const Vec scale = broadcast(target < 0 ? 0.0f : part / total);
  for (size_t p = 0; p < panels; ++p) store(logits.at(p, row), load(logits.at(p, row)) * scale);
  if (target >= 0) logits.at(target / kVectorWidth, row)[target % kVectorWidth] -= part;
}

/// Rows whose logits a worker makes at once: they stay in the first-level cache.
constexpr size_t kCachedLogits = 32;

/// The decoder y = W (mask x) + b and the cross-entropy of its softmax; with wants_gradient also
/// the gradients of the mean loss L over the rows with a target. R, H, V are rows, hidden and
/// vocabulary.
///
///   in    c.input [R, H]  c.mask [batch, H]  c.weight [V, H]  c.bias [V]  c.targets [R]
///   out   c.losses, c.predictions, c.ranks [R]  c.logits [R, V]               all overwritten
///         c.gradient_weight   dL/dW [V, H]        c.gradient_bias   dL/db [V]
///         c.scratch.gradient_input   dL/dx [R, H]
///   kept  nothing
///
/// No two of them overlap. A NaN among a row's logits makes its loss and all gradients NaN; its
/// prediction is some token all the same. Called by all workers of the team; the same bits for
/// every team size. Stopped early, what it writes is garbage. Plain version: decoder, crossEntropy
/// and meanLoss in test/reference/model.ts.
inline void cross_entropy(const CrossEntropy& c, const Worker& worker) {
  const CrossEntropyShape& shape = c.shape;
  const CrossEntropyScratch& scratch = c.scratch;
  const Range vocabulary_panels = {0, shape.vocabulary_panels()};
  const Range hidden_panels = {0, shape.hidden_panels()};
  prepare(c, worker);
  const Panels input = c.input || shape.has_mask ? scratch.input : c.input_panels;

  for (size_t first = 0; first < shape.rows; first += scratch.rows_at_once) {
    const size_t count = clamp_range(first, scratch.rows_at_once, shape.rows).size();
    worker.parallel_for(count, kCachedLogits, [&](Range rows) {
      const Range all_rows = {first + rows.begin, first + rows.end};
      const Panels logits = scratch.logits.from_row(rows.begin);
      multiply({{0, rows.size()},
                shape.hidden,
                input.from_row(all_rows.begin),
                scratch.weight,
                logits,
                vocabulary_panels,
                Write::kSet});
      for (size_t row = rows.begin; row < rows.end; ++row) score_row(c, row, first + row);
      if (!shape.wants_gradient) return;
      multiply({{0, rows.size()},
                shape.vocabulary,
                logits,
                scratch.weight_by_token,
                scratch.gradient_input.from_row(all_rows.begin),
                hidden_panels,
                Write::kSet});
      if (shape.has_mask)
        apply_mask(scratch.gradient_input, scratch.gradient_input, scratch.mask, shape.batch,
                   hidden_panels, all_rows);
    });
    // The next rows' logits take the place of these.
    worker.barrier();
    if (!shape.wants_gradient) continue;
    weight_gradient(
        {scratch.logits, input.from_row(first), count, shape.hidden, Blocks::one(shape.vocabulary),
         c.gradient_weight, scratch.bias_sums, first > 0 ? Write::kAdd : Write::kSet},
        worker);
    worker.barrier();
  }
  if (!shape.wants_gradient || worker.index > 0) return;
  for (size_t token = 0; token < shape.vocabulary; ++token)
    c.gradient_bias[token] = scratch.bias_sums[token];
}

}  // namespace charnn::CHARNN_ISA
