// The same layer backward over time. d_x is the gradient of the loss with respect to x.
#pragma once

#include "linalg/weight_gradient.h"
#include "rnn/cell.h"
#include "rnn/input.h"
#include "rnn/partition.h"

namespace charnn::CHARNN_ISA {

/// The cell's equations back, at step t, for some panels of the units and some batch rows:
/// overwrites their slots by gradients.
///
/// @param d_output [time * batch, hidden]
template <class CellMath>
void step_backward(const Sequence& s, Panels d_output, size_t t, Range batch_rows,
                   Range unit_panels) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const SequenceScratch& scratch = s.scratch;
  const size_t units = s.shape.hidden_panels();
  const size_t before = t * s.shape.batch;
  const size_t after = before + s.shape.batch;
  for (size_t p = unit_panels.begin; p < unit_panels.end; ++p)
    for (size_t b = batch_rows.begin; b < batch_rows.end; ++b) {
      const size_t row = before + b;
      Vec slots[traits.slots];
      for (size_t slot = 0; slot < traits.slots; ++slot)
        slots[slot] = load(scratch.slots.at(slot * units + p, row));
      float* d_hidden = scratch.gradient_hidden.at(p, b);
      StateGradient gradient = {load(d_hidden) + load(d_output.at(p, row)), zero()};
      StepStates states = {load(scratch.hiddens.at(p, row)), zero(), zero()};
      if constexpr (traits.has_cell_state) {
        gradient.cell = load(scratch.gradient_cell.at(p, b));
        states.cell_before = load(scratch.cells.at(p, row));
        states.cell_after = load(scratch.cells.at(p, after + b));
      }
      CellMath::backward(slots, states, gradient);
      for (size_t slot = 0; slot < traits.slots; ++slot)
        store(scratch.slots.at(slot * units + p, row), slots[slot]);
      store(d_hidden, gradient.hidden);
      if constexpr (traits.has_cell_state) store(scratch.gradient_cell.at(p, b), gradient.cell);
    }
}

/// d_weight_ih of one-hot tokens: the gradient of each pair's gates goes to the column of its
/// token.
///
/// @param panels of the gates, whose `pair_gates` hold the gradients
template <class CellMath>
void one_hot_gradients(const SequenceGradient& g, Range panels) {
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const Blocks gates = input_gates<CellMath>(shape.hidden);
  const size_t count = *s.scratch.used_count;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    for (int i = 0; i < gates.height(p); ++i) {
      float* row = g.weight_ih + (gates.first_row(p) + i) * shape.input;
      fill(row, 0.0f, shape.input);
      for (size_t pair = 0; pair < count; ++pair) {
        const MaskedToken at = masked_token(s, pair);
        row[at.token] += s.scratch.pair_gates.at(p, pair)[i] * one_hot_factor(s, at);
      }
    }
  }
}

/// d_embedding, from the gradients of the pairs' gates.
inline void embedding_gradient(const SequenceGradient& g, const Worker& worker) {
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t count = *scratch.used_count;
  const Range inputs = worker.slice(shape.input_panels());
  multiply({{0, count},
            shape.gate_panels() * kVectorWidth,
            scratch.pair_gates,
            scratch.weight_ih_by_gate,
            scratch.gradient_pair_vectors,
            inputs,
            Write::kSet});
  for (size_t p = inputs.begin; p < inputs.end; ++p) {
    const int width = panel_width(p, shape.input);
    float* column = g.embedding + p * kVectorWidth;
    for (size_t token = 0; token < shape.vocabulary; ++token)
      store_columns(column + token * shape.input, zero(), width);
    for (size_t pair = 0; pair < count; ++pair) {
      const MaskedToken at = masked_token(s, pair);
      float* to = column + at.token * shape.input;
      Vec gradient = load(scratch.gradient_pair_vectors.at(p, pair));
      if (shape.has_input_mask()) gradient = gradient * load(scratch.input_mask.at(p, at.mask_row));
      store_columns(to, load_columns(to, width) + gradient, width);
    }
  }
}

/// d_weight_ih and d_embedding of tokens: the gates' gradients of equal pairs are added up first,
/// so that the rest is as little work as there are pairs.
template <class CellMath>
void token_gradients(const SequenceGradient& g, const Worker& worker) {
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t count = *scratch.used_count;
  const Panels slots = input_slots<CellMath>(s);
  const Range panels = worker.slice(shape.gate_panels());
  for (size_t p = panels.begin; p < panels.end; ++p) {
    fill(scratch.pair_gates.at(p, 0), 0.0f, count * kVectorWidth);
    const float* from = slots.at(p, 0);
    for (size_t row = 0; row < shape.rows(); ++row) {
      float* sum = scratch.pair_gates.at(p, scratch.pair_of_row[row]);
      store(sum, load(sum) + load(from + row * kVectorWidth));
    }
  }
  if (!shape.has_embedding()) return one_hot_gradients<CellMath>(g, panels);
  worker.barrier();
  weight_gradient({scratch.pair_gates, scratch.pair_vectors, count, shape.input,
                   input_gates<CellMath>(shape.hidden), g.weight_ih, nullptr, Write::kSet},
                  worker);
  embedding_gradient(g, worker);
}

/// Packs the weights and d_output, and clears what is summed up on the way back.
template <class CellMath>
void prepare_backward(const SequenceGradient& g, Panels d_output, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Range units = worker.slice(shape.hidden_panels());
  pack_weights_by_output(scratch.weight_hh_by_gate, s.weights.hh, shape.hidden,
                         hidden_gates<CellMath>(shape.hidden), units, s.recurrent_mask());
  if (shape.input_kind != InputKind::kOneHot)
    pack_weights_by_output(scratch.weight_ih_by_gate, s.weights.ih, shape.input,
                           input_gates<CellMath>(shape.hidden), worker.slice(shape.input_panels()));
  clear_rows(scratch.gradient_hidden, units, {0, shape.batch});
  if (traits.has_cell_state) clear_rows(scratch.gradient_cell, units, {0, shape.batch});
  if (g.output) to_panels(d_output, g.output, shape.hidden, worker.slice(shape.rows()));
  worker.barrier();
}

/// gradient_input of some steps.
template <class CellMath>
void input_gradient(const Sequence& s, Range steps, const Part& part) {
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Panels slots = input_slots<CellMath>(s);
  part.worker.parallel_for(shape.input_panels(), kTilePanels, [&](Range panels) {
    for (size_t t = steps.begin; t < steps.end; ++t) {
      const size_t first = t * shape.batch;
      const Range rows = {first + part.batch_rows.begin, first + part.batch_rows.end};
      multiply({rows, shape.gate_panels() * kVectorWidth, slots, scratch.weight_ih_by_gate,
                scratch.gradient_input, panels, Write::kSet});
      if (shape.has_input_mask())
        apply_mask(scratch.gradient_input, scratch.gradient_input, scratch.input_mask, shape.batch,
                   panels, rows);
    }
  });
}

/// to += from * mask, element by element, for some batch rows of some panels.
inline void add_masked(Panels to, Panels from, Panels mask, Range panels, Range batch_rows) {
  for (size_t p = panels.begin; p < panels.end; ++p)
    for (size_t b = batch_rows.begin; b < batch_rows.end; ++b)
      store(to.at(p, b), fma(load(from.at(p, b)), load(mask.at(p, b)), load(to.at(p, b))));
}

/// From the last step to the first: overwrites the slots by gradients, and makes gradient_hidden,
/// gradient_cell and gradient_input.
template <class CellMath>
void back_through_time(const Sequence& s, Panels d_output, const Part& part) {
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const size_t steps_at_once = part.steps_of(kCachedRows);
  const Range batch_rows = part.batch_rows;
  // d_h = slots W_hh is added to the part of d_h that step_backward leaves; with a mask it is made
  // separately first.
  const Panels to = shape.has_state_mask ? scratch.gradient_masked : scratch.gradient_hidden;
  const Write write = shape.has_state_mask ? Write::kSet : Write::kAdd;
  part.worker.parallel_for(units, 1, [&](Range unit_panels) {
    step_backward<CellMath>(s, d_output, shape.time - 1, batch_rows, unit_panels);
  });
  part.worker.barrier();
  for (size_t t = shape.time; t-- > 0;) {
    part.worker.parallel_for(units, kTilePanels, [&](Range unit_panels) {
      // ah = W_hh (mask h)
      multiply<AsIs>(
          {batch_rows.size(), shape.gate_panels() * kVectorWidth,
           scratch.slots.at(0, t * shape.batch + batch_rows.begin), scratch.slots.stride,
           unit_panels, kVectorWidth, write},
          [&](size_t p) { return scratch.weight_hh_by_gate.at(p, 0); },
          [&](size_t p) { return to.at(p, batch_rows.begin); });
      if (shape.has_state_mask)
        add_masked(scratch.gradient_hidden, to, scratch.state_mask, unit_panels, batch_rows);
      // The units' d_h is whole now, and nobody else needs it: the step before need not wait for a
      // barrier.
      if (t > 0) step_backward<CellMath>(s, d_output, t - 1, batch_rows, unit_panels);
    });
    part.worker.barrier();
    if (!shape.has_tokens() && t % steps_at_once == 0)
      input_gradient<CellMath>(s, clamp_range(t, steps_at_once, shape.time), part);
  }
}

/// One recurrent layer, backward through time, after forward_sequence with the same arguments,
/// scratch memory and team size. T, B, I, H are time, batch, input and hidden; G is gates * H in
/// PyTorch's order.
///
///   in    g.forward         input, weights, masks as in forward; the states are read from the
///   scratch memory
///         g.output          dL/d(outputs) [T, B, H]
///   out   g.before          dL/d(hidden, cell before) [B, H]                    all overwritten
///         g.weight_ih [G, I]  g.weight_hh [G, H]  g.bias_ih, g.bias_hh [G]
///         g.embedding       [vocabulary, I]
///         scratch.gradient_input   dL/d(vectors) [T, B, I], for vectors
///   kept  nothing: the slots are overwritten, so it runs once after each forward
///
/// No two of them overlap. NaN in d_output or in what forward kept makes the weights' gradients
/// NaN; nothing branches on a number. Called by all workers of the team; the same bits for every
/// team size. Stopped early, gradients and scratch memory hold garbage. Plain version: central
/// differences of recurrentLayer in test/reference/cells.ts.
template <class CellMath>
void backward_sequence(const SequenceGradient& g, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const Panels d_output = g.output ? scratch.gradient_output : g.output_panels;
  prepare_backward<CellMath>(g, d_output, worker);
  back_through_time<CellMath>(s, d_output, part_of(shape, worker));
  worker.barrier();

  // The weights are the same at every step: their gradients are one product over all of them.
  const Blocks of_hidden = hidden_gates<CellMath>(shape.hidden),
               of_input = input_gates<CellMath>(shape.hidden);
  weight_gradient({scratch.slots, s.masked_hiddens(), shape.rows(), shape.hidden, of_hidden,
                   g.weight_hh, scratch.bias_sums, Write::kSet},
                  worker);
  if (shape.has_tokens()) token_gradients<CellMath>(g, worker);
  else
    weight_gradient({input_slots<CellMath>(s), masked_input(s), shape.rows(), shape.input, of_input,
                     g.weight_ih, nullptr, Write::kSet},
                    worker);
  // bias_sums has the sums of the first slots, which are those of the hidden state. The rest:
  Range rest = worker.slice(shape.slot_panels() - shape.gate_panels());
  for (size_t i = rest.begin; i < rest.end; ++i) {
    size_t p = shape.gate_panels() + i;
    sum_columns(scratch.bias_sums + p * kVectorWidth, scratch.slots.at(p, 0), shape.rows(),
                Write::kSet);
  }
  worker.barrier();
  if (const float* mask = s.recurrent_mask()) {
    const Range weights = worker.slice(shape.gate_rows() * shape.hidden);
    for (size_t i = weights.begin; i < weights.end; ++i) g.weight_hh[i] *= mask[i];
  }
  if (worker.index > 0) return;
  unpack_bias(g.bias_hh, scratch.bias_sums, of_hidden);
  unpack_bias(g.bias_ih, scratch.bias_sums + (traits.slots - traits.gates) * units * kVectorWidth,
              of_input);
  to_rows(g.before.hidden, scratch.gradient_hidden, shape.hidden, {0, shape.batch});
  if (traits.has_cell_state)
    to_rows(g.before.cell, scratch.gradient_cell, shape.hidden, {0, shape.batch});
}

}  // namespace charnn::CHARNN_ISA
