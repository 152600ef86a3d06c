// The same layer backward over time.
#pragma once

#include "linalg/weight_gradient.h"
#include "rnn/input.h"
#include "rnn/partition.h"

namespace charnn::CHARNN_ISA {

/// By the gates of the units in `unit_panels` at step t, for some lanes: the slots are overwritten.
template <class CellMath>
void step_backward(const Sequence& s, Panels d_output, size_t t, Range lanes, Range unit_panels) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const SequenceScratch& scratch = s.scratch;
  const size_t units = s.shape.hidden_panels();
  const size_t before = t * s.shape.batch;
  const size_t after = before + s.shape.batch;
  for (size_t p = unit_panels.begin; p < unit_panels.end; ++p)
    for (size_t lane = lanes.begin; lane < lanes.end; ++lane) {
      const size_t row = before + lane;
      Vec slots[traits.slots];
      for (size_t slot = 0; slot < traits.slots; ++slot)
        slots[slot] = load(scratch.slots.at(slot * units + p, row));
      float* d_hidden = scratch.gradient_hidden.at(p, lane);
      Vec dh = load(d_hidden) + load(d_output.at(p, row));
      Vec dc = zero(), c_before = zero(), c_after = zero();
      if constexpr (traits.has_cell_state) {
        dc = load(scratch.gradient_cell.at(p, lane));
        c_before = load(scratch.cells.at(p, row));
        c_after = load(scratch.cells.at(p, after + lane));
      }
      CellMath::backward(slots, load(scratch.hiddens.at(p, row)), dh, c_before, c_after, dc);
      for (size_t slot = 0; slot < traits.slots; ++slot)
        store(scratch.slots.at(slot * units + p, row), slots[slot]);
      store(d_hidden, dh);
      if constexpr (traits.has_cell_state) store(scratch.gradient_cell.at(p, lane), dc);
    }
}

/// By tokens: equal ones with equal masks are added up first, then turned into the gradients of the
/// weights and of the embedding.
template <class CellMath>
void token_gradients(const SequenceGradient& g, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const size_t first_slot_panel = (traits.slots - traits.gates) * units;
  const size_t distinct = *scratch.counts;
  Range panels = worker.slice(shape.gate_panels());
  for (size_t p = panels.begin; p < panels.end; ++p) {
    fill(scratch.table.at(p, 0), 0.0f, distinct * kVectorWidth);
    const float* from = scratch.slots.at(first_slot_panel + p, 0);
    for (size_t row = 0; row < shape.rows(); ++row) {
      float* sum = scratch.table.at(p, scratch.places[row]);
      store(sum, load(sum) + load(from + row * kVectorWidth));
    }
  }
  if (!shape.has_embedding) {
    for (size_t p = panels.begin; p < panels.end; ++p) {
      size_t first =
          CellMath::gate_of_input_slot[p / units] * shape.hidden + p % units * kVectorWidth;
      for (int i = 0; i < panel_width(p % units, shape.hidden); ++i) {
        float* row = g.weight_ih + (first + i) * shape.input;
        fill(row, 0.0f, shape.input);
        for (size_t d = 0; d < distinct; ++d) {
          const MaskedToken at = masked_token(s, d);
          row[at.token] += scratch.table.at(p, d)[i] * one_hot_factor(s, at);
        }
      }
    }
    return;
  }
  worker.barrier();
  add_weight_gradient({scratch.table, scratch.embedding, distinct, shape.input, shape.hidden,
                       traits.gates, CellMath::gate_of_input_slot, g.weight_ih, nullptr, false},
                      worker);
  Range inputs = worker.slice(shape.input_panels());
  multiply(scratch.table, scratch.weight_ih_by_gate, scratch.gradient_embedding,
           shape.gate_panels() * kVectorWidth, {0, distinct}, inputs, false);
  for (size_t p = inputs.begin; p < inputs.end; ++p) {
    const int width = panel_width(p, shape.input);
    float* column = g.embedding + p * kVectorWidth;
    for (size_t token = 0; token < shape.vocabulary; ++token)
      store_columns(column + token * shape.input, zero(), width);
    for (size_t d = 0; d < distinct; ++d) {
      const MaskedToken at = masked_token(s, d);
      float* to = column + at.token * shape.input;
      Vec gradient = load(scratch.gradient_embedding.at(p, d));
      if (shape.input_masks > 0) gradient = gradient * load(scratch.input_mask.at(p, at.mask));
      store_columns(to, load_columns(to, width) + gradient, width);
    }
  }
}

/// From the order of slots into that of gates.
inline void unpack_bias(float* to, const float* sums, size_t hidden, const size_t* gate_of_slot,
                        size_t gates) {
  for (size_t slot = 0; slot < gates; ++slot)
    for (size_t j = 0; j < hidden; ++j)
      to[gate_of_slot[slot] * hidden + j] = sums[slot * panel_count(hidden) * kVectorWidth + j];
}

/// Packs the weights and clears what is summed up on the way back.
template <class CellMath>
void prepare_backward(const SequenceGradient& g, Panels d_output, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const Sequence& s = g.forward;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Range units = worker.slice(shape.hidden_panels());
  pack_weights_by_gate(scratch.weight_hh_by_gate, s.weights.hh, shape.hidden, shape.hidden,
                       CellMath::gate_of_hidden_slot, traits.gates, units, recurrent_mask(s));
  if (shape.vocabulary == 0 || shape.has_embedding)
    pack_weights_by_gate(scratch.weight_ih_by_gate, s.weights.ih, shape.input, shape.hidden,
                         CellMath::gate_of_input_slot, traits.gates,
                         worker.slice(shape.input_panels()));
  clear_rows(scratch.gradient_hidden, units, {0, shape.batch});
  if (traits.has_cell_state) clear_rows(scratch.gradient_cell, units, {0, shape.batch});
  if (g.output) to_panels(d_output, g.output, shape.hidden, worker.slice(shape.rows()));
  worker.barrier();
}

/// What reaches the input of some steps.
template <class CellMath>
void gradient_of_input(const Sequence& s, Range steps, const Part& part) {
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Panels slots = input_slots<CellMath>(s);
  part.crew.parallel_for(shape.input_panels(), kTilePanels, [&](Range panels) {
    for (size_t t = steps.begin; t < steps.end; ++t) {
      const Range rows = {t * shape.batch + part.lanes.begin, t * shape.batch + part.lanes.end};
      multiply(slots, scratch.weight_ih_by_gate, scratch.gradient_input,
               shape.gate_panels() * kVectorWidth, rows, panels, false);
      if (shape.input_masks > 0)
        apply_mask(scratch.gradient_input, scratch.gradient_input, scratch.input_mask, shape.batch,
                   panels, rows);
    }
  });
}

/// to += from * mask, element by element, for some lanes of some panels.
inline void add_masked(Panels to, Panels from, Panels mask, Range panels, Range lanes) {
  for (size_t p = panels.begin; p < panels.end; ++p)
    for (size_t lane = lanes.begin; lane < lanes.end; ++lane)
      store(to.at(p, lane),
            fma(load(from.at(p, lane)), load(mask.at(p, lane)), load(to.at(p, lane))));
}

/// Back through all steps: the slots are overwritten by the gradients of the gates.
template <class CellMath>
void back_through_time(const Sequence& s, Panels d_output, const Part& part) {
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const size_t steps_at_once = part.steps_at_once(kRowsAtOnce);
  const Panels seen = shape.has_state_mask ? scratch.gradient_seen : scratch.gradient_hidden;
  part.crew.parallel_for(units, 1, [&](Range unit_panels) {
    step_backward<CellMath>(s, d_output, shape.time - 1, part.lanes, unit_panels);
  });
  part.crew.barrier();
  for (size_t t = shape.time; t-- > 0;) {
    part.crew.parallel_for(units, kTilePanels, [&](Range unit_panels) {
      // ah = W_hh (mask h)
      multiply<ByRow>(
          part.lanes.size(), shape.gate_panels() * kVectorWidth,
          scratch.slots.at(0, t * shape.batch + part.lanes.begin), scratch.slots.stride,
          unit_panels, [&](size_t p) { return scratch.weight_hh_by_gate.at(p, 0); },
          [&](size_t p) { return seen.at(p, part.lanes.begin); }, kVectorWidth,
          !shape.has_state_mask);
      if (shape.has_state_mask)
        add_masked(scratch.gradient_hidden, seen, scratch.state_mask, unit_panels, part.lanes);
      if (t > 0) step_backward<CellMath>(s, d_output, t - 1, part.lanes, unit_panels);
    });
    part.crew.barrier();
    if (shape.vocabulary == 0 && t % steps_at_once == 0)
      gradient_of_input<CellMath>(s, clamp_range(t, steps_at_once, shape.time), part);
  }
}

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
  add_weight_gradient(
      {scratch.slots, seen_states(s), shape.rows(), shape.hidden, shape.hidden, traits.gates,
       CellMath::gate_of_hidden_slot, g.weight_hh, scratch.bias_sums, false},
      worker);
  if (shape.vocabulary == 0)
    add_weight_gradient(
        {input_slots<CellMath>(s), masked_input(s), shape.rows(), shape.input, shape.hidden,
         traits.gates, CellMath::gate_of_input_slot, g.weight_ih, nullptr, false},
        worker);
  else token_gradients<CellMath>(g, worker);
  // Slots that the hidden state has no part in are yet to be summed.
  Range rest = worker.slice(shape.slot_panels() - shape.gate_panels());
  for (size_t i = rest.begin; i < rest.end; ++i) {
    size_t p = shape.gate_panels() + i;
    sum_columns(scratch.bias_sums + p * kVectorWidth, scratch.slots.at(p, 0), shape.rows(), false);
  }
  worker.barrier();
  if (const float* mask = recurrent_mask(s)) {
    const Range weights = worker.slice(shape.gate_rows() * shape.hidden);
    for (size_t i = weights.begin; i < weights.end; ++i) g.weight_hh[i] *= mask[i];
  }
  if (worker.index > 0) return;
  unpack_bias(g.bias_hh, scratch.bias_sums, shape.hidden, CellMath::gate_of_hidden_slot,
              traits.gates);
  unpack_bias(g.bias_ih, scratch.bias_sums + (traits.slots - traits.gates) * units * kVectorWidth,
              shape.hidden, CellMath::gate_of_input_slot, traits.gates);
  to_rows(g.before.hidden, scratch.gradient_hidden, shape.hidden, {0, shape.batch});
  if (traits.has_cell_state)
    to_rows(g.before.cell, scratch.gradient_cell, shape.hidden, {0, shape.batch});
}

}  // namespace charnn::CHARNN_ISA
