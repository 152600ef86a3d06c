// What the input makes of the gates, W_ih x, and back: by a look-up for tokens, by a matrix product
// for vectors.
#pragma once

#include "copy.h"
#include "dropout_mask.h"
#include "matmul.h"
#include "sequence.h"

namespace charnn::CHARNN_ISA {

/// Puts the rows of a weight matrix that belong to the panels in `panels`, gate by gate in the
/// order of `gate_of_slot`, into panels: a product with them makes the gates.
inline void pack_weights(Panels to, const float* weights, size_t columns, size_t hidden,
                         const size_t* gate_of_slot, Range panels) {
  size_t units = panels_of(hidden);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    size_t first = p % units * kLanes;
    const float* rows = weights + (gate_of_slot[p / units] * hidden + first) * columns;
    transpose_to_panel(to.at(p, 0), rows, columns, columns_in(p % units, hidden));
  }
}

/// Puts the columns of a weight matrix in `panels` into panels, the rows in the order of
/// `gate_of_slot` and each gate's filled up with zeros to whole panels: a product of the gates'
/// gradients with them makes the gradient of what the weights were multiplied with.
inline void pack_weights_by_gate(Panels to, const float* weights, size_t columns, size_t hidden,
                                 const size_t* gate_of_slot, size_t gates, Range panels) {
  size_t padded = panels_of(hidden) * kLanes;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    int width = columns_in(p, columns);
    for (size_t slot = 0; slot < gates; ++slot) {
      const float* from = weights + gate_of_slot[slot] * hidden * columns + p * kLanes;
      float* rows = to.at(p, slot * padded);
      for (size_t j = 0; j < hidden; ++j)
        store(rows + j * kLanes, load_columns(from + j * columns, width));
      fill(rows + hidden * kLanes, 0.0f, (padded - hidden) * kLanes);
    }
  }
}

/// Puts a bias into the order of `gate_of_slot`, each gate's filled up to whole panels.
inline void pack_bias(float* to, const float* bias, size_t hidden, const size_t* gate_of_slot,
                      size_t gates) {
  size_t padded = panels_of(hidden) * kLanes;
  for (size_t slot = 0; slot < gates; ++slot)
    for (size_t j = 0; j < padded; ++j)
      to[slot * padded + j] = j < hidden ? bias[gate_of_slot[slot] * hidden + j] : 0.0f;
}

/// Finds the tokens that occur.
inline void find_distinct(const SequenceShape& shape, const int32_t* tokens,
                          const SequenceScratch& scratch) {
  for (size_t token = 0; token < shape.vocabulary; ++token) scratch.place_of[token] = -1;
  int32_t count = 0;
  for (size_t row = 0; row < shape.rows(); ++row) {
    int32_t& place = scratch.place_of[tokens[row]];
    if (place < 0) {
      scratch.distinct[count] = tokens[row];
      place = count++;
    }
    scratch.places[row] = place;
  }
  *scratch.counts = count;
}

/// Makes `scratch.table`: what the input weights make of each token that occurs. `scratch.distinct`
/// and, where there is an embedding, `scratch.weight_ih` must be ready.
template <class CellMath>
void make_table(const Sequence& s, const Member& member) {
  const SequenceShape& shape = s.shape;
  size_t count = *s.scratch.counts;
  Range panels = member.share_of(shape.gate_panels());
  if (shape.has_embedding) {
    Range inputs = member.share_of(shape.input_panels());
    for (size_t p = inputs.begin; p < inputs.end; ++p)
      for (size_t d = 0; d < count; ++d) {
        const float* row = s.input.embedding + s.scratch.distinct[d] * shape.input + p * kLanes;
        store(s.scratch.embedding.at(p, d), load_columns(row, columns_in(p, shape.input)));
      }
    member.meet();
    multiply(s.scratch.embedding, s.scratch.weight_ih, s.scratch.table, shape.input, {0, count},
             panels, false);
    return;
  }
  size_t units = shape.hidden_panels();
  for (size_t p = panels.begin; p < panels.end; ++p) {
    size_t first = CellMath::gate_of_input_slot[p / units] * shape.hidden + p % units * kLanes;
    int width = columns_in(p % units, shape.hidden);
    for (int i = 0; i < kLanes; ++i) {
      const float* weights = s.weights.ih + (first + i) * shape.input;
      for (size_t d = 0; d < count; ++d)
        s.scratch.table.at(p, d)[i] = i < width ? weights[s.scratch.distinct[d]] : 0.0f;
    }
  }
}

/// The slots of the gates of the input: what it makes of them, then the gradients by that.
template <class CellMath>
Panels input_slots(const Sequence& s) {
  constexpr CellFacts facts = facts_of(CellMath::cell);
  const Panels slots = s.scratch.slots;
  return {slots.at((facts.slots - facts.gates) * s.shape.hidden_panels(), 0), slots.stride};
}

/// Whether the layer's input can be used as it comes.
inline bool comes_as_panels(const Sequence& s) {
  return s.input.vectors == nullptr && !s.shape.has_mask;
}

/// The vectors that are multiplied with the input weights.
inline Panels masked_input(const Sequence& s) {
  return comes_as_panels(s) ? s.input.panels : s.scratch.input;
}

/// Makes the mask and the masked input, where they don't come as they are needed.
inline void mask_input(const Sequence& s, const Member& member) {
  if (comes_as_panels(s)) return;
  const SequenceShape& shape = s.shape;
  Range rows = member.share_of(shape.rows());
  if (s.input.vectors) to_panels(s.scratch.input, s.input.vectors, shape.input, rows);
  if (!shape.has_mask) return;
  if (s.input.mask) to_panels(s.scratch.mask, s.input.mask, shape.input, rows);
  else fill_mask(s.scratch.mask, shape.input, rows, *s.input.dropout);
  Panels from = s.input.vectors ? s.scratch.input : s.input.panels;
  apply_mask(s.scratch.input, from, s.scratch.mask, {0, shape.input_panels()}, rows);
}

}  // namespace charnn::CHARNN_ISA
