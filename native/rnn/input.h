// What the input makes of the gates, W_ih x, and back: by a look-up for tokens, by a matrix product
// for vectors.
#pragma once

#include "linalg/dropout_mask.h"
#include "linalg/matmul.h"
#include "linalg/pack.h"
#include "rnn/rnn.h"

namespace charnn::CHARNN_ISA {

/// Puts the rows of a weight matrix that belong to the panels in `panels`, gate by gate in the
/// order of `gate_of_slot`, into panels: a product with them makes the gates.
///
/// @param mask multiplies them where it is not null
inline void pack_weights(Panels to, const float* weights, size_t columns, size_t hidden,
                         const size_t* gate_of_slot, Range panels, const float* mask = nullptr) {
  size_t units = panel_count(hidden);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = (gate_of_slot[p / units] * hidden + p % units * kVectorWidth) * columns;
    const int count = panel_width(p % units, hidden);
    if (mask) transpose_to_panel(to.at(p, 0), weights + first, mask + first, columns, count);
    else transpose_to_panel(to.at(p, 0), weights + first, columns, count);
  }
}

/// Puts the columns of a weight matrix in `panels` into panels, the rows in the order of
/// `gate_of_slot` and each gate's filled up with zeros to whole panels: a product of the gates'
/// gradients with them makes the gradient of what the weights were multiplied with.
///
/// @param mask multiplies them where it is not null
inline void pack_weights_by_gate(Panels to, const float* weights, size_t columns, size_t hidden,
                                 const size_t* gate_of_slot, size_t gates, Range panels,
                                 const float* mask = nullptr) {
  size_t padded = panel_count(hidden) * kVectorWidth;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    int width = panel_width(p, columns);
    for (size_t slot = 0; slot < gates; ++slot) {
      const size_t first = gate_of_slot[slot] * hidden * columns + p * kVectorWidth;
      float* rows = to.at(p, slot * padded);
      for (size_t j = 0; j < hidden; ++j) {
        Vec row = load_columns(weights + first + j * columns, width);
        if (mask) row = row * load_columns(mask + first + j * columns, width);
        store(rows + j * kVectorWidth, row);
      }
      fill(rows + hidden * kVectorWidth, 0.0f, (padded - hidden) * kVectorWidth);
    }
  }
}

/// Puts a bias into the order of `gate_of_slot`, each gate's filled up to whole panels.
inline void pack_bias(float* to, const float* bias, size_t hidden, const size_t* gate_of_slot,
                      size_t gates) {
  size_t padded = panel_count(hidden) * kVectorWidth;
  for (size_t slot = 0; slot < gates; ++slot)
    for (size_t j = 0; j < padded; ++j)
      to[slot * padded + j] = j < hidden ? bias[gate_of_slot[slot] * hidden + j] : 0.0f;
}

/// Finds the pairs of a mask and a token that occur.
inline void find_distinct(const SequenceShape& shape, const int32_t* tokens,
                          const SequenceScratch& scratch) {
  for (size_t pair = 0; pair < shape.pairs(); ++pair) scratch.place_of[pair] = -1;
  const size_t masks = shape.pairs() / shape.vocabulary;
  int32_t count = 0;
  size_t lane = 0;
  for (size_t row = 0; row < shape.rows(); ++row) {
    const size_t pair = lane % masks * shape.vocabulary + tokens[row];
    if (++lane == shape.batch) lane = 0;
    int32_t& place = scratch.place_of[pair];
    if (place < 0) {
      scratch.distinct[count] = static_cast<int32_t>(pair);
      place = count++;
    }
    scratch.places[row] = place;
  }
  *scratch.counts = count;
}

/// A token that occurs, and the row of the mask it occurs with.
struct MaskedToken {
  size_t token, mask;
};

CHARNN_INLINE MaskedToken masked_token(const Sequence& s, size_t distinct) {
  const size_t pair = s.scratch.distinct[distinct];
  return {pair % s.shape.vocabulary, pair / s.shape.vocabulary};
}

/// What a token is multiplied by where it goes in one-hot.
CHARNN_INLINE float one_hot_factor(const Sequence& s, MaskedToken at) {
  if (s.shape.input_masks == 0) return 1.0f;
  return s.scratch.input_mask.at(at.token / kVectorWidth, at.mask)[at.token % kVectorWidth];
}

/// Makes `scratch.table`: what the input weights make of each pair that occurs. `scratch.distinct`
/// and, where there are any, `scratch.weight_ih` and `scratch.input_mask` must be ready.
template <class CellMath>
void make_table(const Sequence& s, const Worker& worker) {
  const SequenceShape& shape = s.shape;
  size_t count = *s.scratch.counts;
  Range panels = worker.slice(shape.gate_panels());
  if (shape.has_embedding) {
    Range inputs = worker.slice(shape.input_panels());
    for (size_t p = inputs.begin; p < inputs.end; ++p)
      for (size_t d = 0; d < count; ++d) {
        const MaskedToken at = masked_token(s, d);
        const float* row = s.input.embedding + at.token * shape.input + p * kVectorWidth;
        Vec vector = load_columns(row, panel_width(p, shape.input));
        if (shape.input_masks > 0) vector = vector * load(s.scratch.input_mask.at(p, at.mask));
        store(s.scratch.embedding.at(p, d), vector);
      }
    worker.barrier();
    multiply(s.scratch.embedding, s.scratch.weight_ih, s.scratch.table, shape.input, {0, count},
             panels, false);
    return;
  }
  size_t units = shape.hidden_panels();
  for (size_t p = panels.begin; p < panels.end; ++p) {
    size_t first =
        CellMath::gate_of_input_slot[p / units] * shape.hidden + p % units * kVectorWidth;
    int width = panel_width(p % units, shape.hidden);
    for (int i = 0; i < kVectorWidth; ++i) {
      const float* weights = s.weights.ih + (first + i) * shape.input;
      for (size_t d = 0; d < count; ++d) {
        const MaskedToken at = masked_token(s, d);
        s.scratch.table.at(p, d)[i] = i < width ? weights[at.token] * one_hot_factor(s, at) : 0.0f;
      }
    }
  }
}

/// The slots of the gates of the input: what it makes of them, then the gradients by that.
template <class CellMath>
Panels input_slots(const Sequence& s) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Panels slots = s.scratch.slots;
  return {slots.at((traits.slots - traits.gates) * s.shape.hidden_panels(), 0), slots.stride};
}

/// The layer's input in panels, before its mask.
inline Panels input_in_panels(const Sequence& s) {
  return s.input.vectors ? s.scratch.input : s.input.panels;
}

/// The vectors that are multiplied with the input weights.
inline Panels masked_input(const Sequence& s) {
  return s.shape.input_masks > 0 ? s.scratch.input : input_in_panels(s);
}

}  // namespace charnn::CHARNN_ISA
