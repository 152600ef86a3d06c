// One layer forward over time.
#pragma once

#include "rnn/input.h"
#include "rnn/partition.h"

namespace charnn::CHARNN_ISA {

/// Makes the rows of the recurrent weights' mask that belong to the panels in `panels`.
template <class CellMath>
void make_weight_mask(const Sequence& s, Range panels) {
  if (!s.shape.has_weight_mask || s.weight_mask.values) return;
  const size_t hidden = s.shape.hidden;
  const size_t units = panel_count(hidden);
  MaskElements elements(s.weight_mask.dropout);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t gate = CellMath::gate_of_hidden_slot[p / units];
    const size_t first = (gate * hidden + p % units * kVectorWidth) * hidden;
    elements.write(s.scratch.weight_mask + first, first, panel_width(p % units, hidden) * hidden);
  }
}

/// Packs the weights and makes all of the input's part that does not wait for the state.
template <class CellMath>
void prepare_forward(const Sequence& s, const Worker& worker) {
  constexpr size_t gates = traits_of(CellMath::cell).gates;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  Range panels = worker.slice(shape.gate_panels());
  make_weight_mask<CellMath>(s, panels);
  pack_weights(scratch.weight_hh, s.weights.hh, shape.hidden, shape.hidden,
               CellMath::gate_of_hidden_slot, panels, recurrent_mask(s));
  bool looks_up = shape.vocabulary > 0;
  if (!looks_up || shape.has_embedding)
    pack_weights(scratch.weight_ih, s.weights.ih, shape.input, shape.hidden,
                 CellMath::gate_of_input_slot, panels);
  const Range lanes = worker.slice(shape.batch);
  if (shape.input_masks > 0)
    fill_mask(scratch.input_mask, s.input.mask, shape.input, worker.slice(shape.input_masks));
  if (shape.has_state_mask) fill_mask(scratch.state_mask, s.state_mask, shape.hidden, lanes);
  if (s.input.vectors)
    to_panels(scratch.input, s.input.vectors, shape.input, worker.slice(shape.rows()));
  if (worker.index == 0) {
    pack_bias(scratch.bias_ih, s.weights.bias_ih, shape.hidden, CellMath::gate_of_input_slot,
              gates);
    pack_bias(scratch.bias_hh, s.weights.bias_hh, shape.hidden, CellMath::gate_of_hidden_slot,
              gates);
    to_panels(scratch.hiddens, s.before.hidden, shape.hidden, {0, shape.batch});
    if (traits_of(CellMath::cell).has_cell_state)
      to_panels(scratch.cells, s.before.cell, shape.hidden, {0, shape.batch});
    if (looks_up) find_distinct(shape, s.input.tokens, scratch);
  }
  worker.barrier();
  if (looks_up) make_table<CellMath>(s, worker);
  else if (shape.input_masks > 0)
    apply_mask(scratch.input, input_in_panels(s), scratch.input_mask, shape.batch,
               worker.slice(shape.input_panels()), {0, shape.rows()});
  if (shape.has_state_mask)
    apply_mask(scratch.seen, scratch.hiddens, scratch.state_mask, shape.batch,
               worker.slice(shape.hidden_panels()), {0, shape.batch});
  worker.barrier();
}

/// What the gates of one panel of units are made of at a step.
template <class CellMath>
struct StepGates {
  static constexpr size_t gates = traits_of(CellMath::cell).gates;
  const float* products[gates];  // W_hh h of each lane
  Vec bias_hh[gates];
  Vec bias_ih[gates];
};

/// The state after the step of panel `p` of the units, for `n` lanes from `lane` on.
///
/// @param before the first row of the step
/// @param first_lane of those whose products `step` has, among which `lane` is counted
template <class CellMath, int n>
CHARNN_INLINE void activate(const Sequence& s, const StepGates<CellMath>& step, size_t p,
                            size_t before, size_t first_lane, size_t lane) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  constexpr size_t gates = traits.gates;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = s.shape.hidden_panels();
  const size_t row = before + first_lane + lane;
  const size_t after = row + s.shape.batch;
  auto load_rows = [](const float* from) {
    return unroll<n>([&](int i) { return load(from + i * kVectorWidth); });
  };
  auto store_rows = [](float* to, const Unrolled<n>& values) {
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) store(to + i * kVectorWidth, values.vec[i]);
  };
  Unrolled<n> ah[gates], ax[gates], slots[traits.slots];
#pragma GCC unroll 8
  for (size_t g = 0; g < gates; ++g) {
    ah[g] =
        load_rows(step.products[g] + lane * kVectorWidth) + Splat<Unrolled<n>>::of(step.bias_hh[g]);
    const size_t panel = g * units + p;
    ax[g] = (s.shape.vocabulary > 0
                 ? unroll<n>([&](int i) {
                     return load(scratch.table.at(panel, scratch.places[row + i]));
                   })
                 : load_rows(scratch.slots.at(panel + (traits.slots - gates) * units, row))) +
            Splat<Unrolled<n>>::of(step.bias_ih[g]);
  }
  Unrolled<n> cell = {};
  if constexpr (traits.has_cell_state) cell = load_rows(scratch.cells.at(p, row));
  Unrolled<n> hidden = CellMath::template forward<Unrolled<n>>(
      ah, ax, load_rows(scratch.hiddens.at(p, row)), cell, slots);
#pragma GCC unroll 8
  for (size_t slot = 0; slot < traits.slots; ++slot)
    store_rows(scratch.slots.at(slot * units + p, row), slots[slot]);
  store_rows(scratch.hiddens.at(p, after), hidden);
  if (s.shape.has_state_mask)
    store_rows(scratch.seen.at(p, after),
               hidden * load_rows(scratch.state_mask.at(p, first_lane + lane)));
  if constexpr (traits.has_cell_state) store_rows(scratch.cells.at(p, after), cell);
}

/// One step of the units in `unit_panels`, for some lanes.
///
/// @param step_gates where the gates of the step are made
template <class CellMath>
void step_forward(const Sequence& s, size_t t, Range lanes, Range unit_panels, Panels step_gates) {
  constexpr size_t gates = traits_of(CellMath::cell).gates;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const size_t before = t * shape.batch;
  const size_t first = unit_panels.begin, count = unit_panels.size();
  // ah = W_hh h
  multiply<ByRow>(
      lanes.size(), shape.hidden, seen_states(s).at(0, before + lanes.begin), seen_states(s).stride,
      {0, gates * count},
      [&](size_t i) { return scratch.weight_hh.at(i / count * units + first + i % count, 0); },
      [&](size_t i) { return step_gates.at(i, 0); }, kVectorWidth, false);

  for (size_t p = first; p < unit_panels.end; ++p) {
    StepGates<CellMath> gates_of_unit = {};
    for (size_t g = 0; g < gates; ++g) {
      gates_of_unit.products[g] = step_gates.at(g * count + p - first, 0);
      gates_of_unit.bias_hh[g] = load(scratch.bias_hh + (g * units + p) * kVectorWidth);
      gates_of_unit.bias_ih[g] = load(scratch.bias_ih + (g * units + p) * kVectorWidth);
    }
    size_t lane = 0;
    for (; lane + kUnrolledRows <= lanes.size(); lane += kUnrolledRows)
      activate<CellMath, kUnrolledRows>(s, gates_of_unit, p, before, lanes.begin, lane);
    for (; lane < lanes.size(); ++lane)
      activate<CellMath, 1>(s, gates_of_unit, p, before, lanes.begin, lane);
  }
}

/// The input's part of some steps' gates, W_ih x, made where the gradients by it will be.
template <class CellMath>
void multiply_input(const Sequence& s, Range steps, const Part& part) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const SequenceShape& shape = s.shape;
  const size_t units = shape.hidden_panels();
  const Panels to = input_slots<CellMath>(s);
  for (size_t gate = 0; gate < traits.gates; ++gate)
    part.crew.parallel_for(units, kTilePanels, [&](Range group) {
      for (size_t t = steps.begin; t < steps.end; ++t)
        multiply(masked_input(s), s.scratch.weight_ih, to, shape.input,
                 {t * shape.batch + part.lanes.begin, t * shape.batch + part.lanes.end},
                 {gate * units + group.begin, gate * units + group.end}, false);
    });
  part.crew.barrier();
}

template <class CellMath>
void forward_sequence(const Sequence& s, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  // As many units at once as have gates enough to fill a tile.
  constexpr size_t units_at_once = traits.gates == 1 ? kTilePanels : 1;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  prepare_forward<CellMath>(s, worker);

  const Part part = part_of(shape, worker);
  const Panels step_gates = {scratch.step_gates.data + worker.index * scratch.step_gates_each,
                             scratch.step_gates.stride};
  const size_t steps_at_once = part.steps_at_once(kRowsAtOnce);
  for (size_t t = 0; t < shape.time; ++t) {
    // The input's part of some steps right before them: many rows at once, yet still in the cache
    // when they are needed.
    if (shape.vocabulary == 0 && t % steps_at_once == 0)
      multiply_input<CellMath>(s, clamp_range(t, steps_at_once, shape.time), part);
    part.crew.parallel_for(shape.hidden_panels(), units_at_once, [&](Range unit_panels) {
      step_forward<CellMath>(s, t, part.lanes, unit_panels, step_gates);
    });
    part.crew.barrier();
  }
  worker.barrier();
  if (worker.index > 0) return;
  size_t end = shape.time * shape.batch;
  Panels last_hidden = {scratch.hiddens.at(0, end), scratch.hiddens.stride};
  to_rows(s.after.hidden, last_hidden, shape.hidden, {0, shape.batch});
  if (!traits.has_cell_state) return;
  Panels last_cell = {scratch.cells.at(0, end), scratch.cells.stride};
  to_rows(s.after.cell, last_cell, shape.hidden, {0, shape.batch});
}

}  // namespace charnn::CHARNN_ISA
