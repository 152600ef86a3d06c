// The input's part of the gates' pre-activations, W_ih x: by a look-up for tokens, by a matrix
// product for vectors.
#pragma once

#include "linalg/dropout_mask.h"
#include "linalg/matmul.h"
#include "rnn/cell.h"

namespace charnn::CHARNN_ISA {

/// Finds the pairs of a mask row and a token that occur: `used_pairs`, `pair_of_row`, `used_count`.
///
/// @param tokens [time, batch]
inline void find_pairs(const SequenceShape& shape, const int32_t* tokens,
                       const SequenceScratch& scratch) {
  for (size_t pair = 0; pair < shape.pairs(); ++pair) scratch.index_of_pair[pair] = -1;
  const size_t mask_rows = shape.pairs() / shape.vocabulary;
  int32_t count = 0;
  size_t batch_row = 0;
  for (size_t row = 0; row < shape.rows(); ++row) {
    const size_t pair = batch_row % mask_rows * shape.vocabulary + tokens[row];
    if (++batch_row == shape.batch) batch_row = 0;
    int32_t& index = scratch.index_of_pair[pair];
    if (index < 0) {
      scratch.used_pairs[count] = static_cast<int32_t>(pair);
      index = count++;
    }
    scratch.pair_of_row[row] = index;
  }
  *scratch.used_count = count;
}

struct MaskedToken {
  size_t token, mask_row;
};

CHARNN_INLINE MaskedToken masked_token(const Sequence& s, size_t index) {
  const size_t pair = s.scratch.used_pairs[index];
  return {pair % s.shape.vocabulary, pair / s.shape.vocabulary};
}

/// The one number of a masked one-hot vector that is not zero.
CHARNN_INLINE float one_hot_factor(const Sequence& s, MaskedToken at) {
  if (!s.shape.has_input_mask()) return 1.0f;
  return s.scratch.input_mask.at(at.token / kVectorWidth, at.mask_row)[at.token % kVectorWidth];
}

/// pair_gates = pair_vectors W_ih^T, for tokens with an embedding.
inline void multiply_pairs(const Sequence& s, Range panels, const Worker& worker) {
  const SequenceShape& shape = s.shape;
  const size_t count = *s.scratch.used_count;
  const Range inputs = worker.slice(shape.input_panels());
  for (size_t p = inputs.begin; p < inputs.end; ++p)
    for (size_t i = 0; i < count; ++i) {
      const MaskedToken at = masked_token(s, i);
      const float* row = s.input.embedding + at.token * shape.input + p * kVectorWidth;
      Vec vector = load_columns(row, panel_width(p, shape.input));
      if (shape.has_input_mask()) vector = vector * load(s.scratch.input_mask.at(p, at.mask_row));
      store(s.scratch.pair_vectors.at(p, i), vector);
    }
  worker.barrier();
  multiply({{0, count},
            shape.input,
            s.scratch.pair_vectors,
            s.scratch.weight_ih,
            s.scratch.pair_gates,
            panels,
            Write::kSet});
}

/// Makes `pair_gates`: W_ih x of each pair that occurs, so that a step only looks it up. Needs
/// `used_pairs` and, where there are any, `weight_ih` and `input_mask`. Others may still be at work
/// when it returns.
template <class CellMath>
void make_pair_gates(const Sequence& s, const Worker& worker) {
  const SequenceShape& shape = s.shape;
  const Range panels = worker.slice(shape.gate_panels());
  if (shape.has_embedding()) return multiply_pairs(s, panels, worker);
  const size_t count = *s.scratch.used_count;
  const Blocks gates = input_gates<CellMath>(shape.hidden);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = gates.first_row(p);
    const int width = gates.height(p);
    for (int i = 0; i < kVectorWidth; ++i) {
      const float* weights = s.weights.ih + (first + i) * shape.input;
      for (size_t pair = 0; pair < count; ++pair) {
        const MaskedToken at = masked_token(s, pair);
        s.scratch.pair_gates.at(p, pair)[i] =
            i < width ? weights[at.token] * one_hot_factor(s, at) : 0.0f;
      }
    }
  }
}

/// The slots of the gates of the input [time * batch, gates]: W_ih x in forward, then what forward
/// saves, then the gradients.
template <class CellMath>
Panels input_slots(const Sequence& s) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Panels slots = s.scratch.slots;
  return {slots.at((traits.slots - traits.gates) * s.shape.hidden_panels(), 0), slots.stride};
}

/// The layer's input vectors in panels [time * batch, input], before their mask.
inline Panels input_in_panels(const Sequence& s) {
  return s.input.vectors ? s.scratch.input : s.input.panels;
}

/// The vectors that the input weights multiply [time * batch, input].
inline Panels masked_input(const Sequence& s) {
  return s.shape.has_input_mask() ? s.scratch.input : input_in_panels(s);
}

}  // namespace charnn::CHARNN_ISA
