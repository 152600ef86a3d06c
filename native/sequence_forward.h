// One layer forward over time.
#pragma once

#include "sequence_grid.h"
#include "sequence_input.h"

namespace charnn::CHARNN_ISA {

/// Packs the weights and makes all of the input's part that does not wait for the state.
template <class CellMath>
void prepare_forward(const Sequence& s, const Member& member) {
  constexpr size_t gates = facts_of(CellMath::cell).gates;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  Range panels = share(shape.gate_panels(), member.index, member.count);
  pack_weights(scratch.weight_hh, s.weights.hh, shape.hidden, shape.hidden,
               CellMath::gate_of_hidden_slot, panels);
  bool looks_up = shape.vocabulary > 0;
  if (!looks_up || shape.has_embedding)
    pack_weights(scratch.weight_ih, s.weights.ih, shape.input, shape.hidden,
                 CellMath::gate_of_input_slot, panels);
  if (member.index == 0) {
    pack_bias(scratch.bias_ih, s.weights.bias_ih, shape.hidden, CellMath::gate_of_input_slot, gates);
    pack_bias(scratch.bias_hh, s.weights.bias_hh, shape.hidden, CellMath::gate_of_hidden_slot,
              gates);
    to_panels(scratch.hiddens, s.before.hidden, shape.hidden, {0, shape.batch});
    if (facts_of(CellMath::cell).has_cell_state)
      to_panels(scratch.cells, s.before.cell, shape.hidden, {0, shape.batch});
    if (looks_up) find_distinct(shape, s.input.tokens, scratch);
  }
  if (!looks_up) mask_input(s, member);
  member.meet();
  if (looks_up) {
    make_table<CellMath>(s, member);
    member.meet();
  }
}

/// One step of the units in `unit_panels`, for some lanes.
template <class CellMath>
void step_forward(const Sequence& s, size_t t, Range lanes, Range unit_panels, Panels step_gates) {
  constexpr CellFacts facts = facts_of(CellMath::cell);
  constexpr size_t gates = facts.gates;
  // As many units at once as have gates enough to fill a tile.
  constexpr size_t at_once = gates == 1 ? kTilePanels : 1;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  const size_t before = t * shape.batch;
  const size_t after = before + shape.batch;
  for (size_t first = unit_panels.begin; first < unit_panels.end; first += at_once) {
    size_t last = first + at_once < unit_panels.end ? first + at_once : unit_panels.end;
    size_t count = last - first;
    // ah = W_hh h
    multiply<ByRow>(
        lanes.size(), shape.hidden, scratch.hiddens.at(0, before + lanes.begin),
        scratch.hiddens.stride, {0, gates * count},
        [&](size_t i) { return scratch.weight_hh.at(i / count * units + first + i % count, 0); },
        [&](size_t i) { return step_gates.at(i, 0); }, kLanes, false);

    for (size_t p = first; p < last; ++p) {
      Vec bias_hh[gates], bias_ih[gates];
      for (size_t g = 0; g < gates; ++g) {
        bias_hh[g] = load(scratch.bias_hh + (g * units + p) * kLanes);
        bias_ih[g] = load(scratch.bias_ih + (g * units + p) * kLanes);
      }
      for (size_t lane = lanes.begin; lane < lanes.end; ++lane) {
        size_t row = before + lane;
        Vec ah[gates], ax[gates], slots[facts.slots];
        for (size_t g = 0; g < gates; ++g) {
          ah[g] = load(step_gates.at(g * count + p - first, lane - lanes.begin)) + bias_hh[g];
          size_t panel = g * units + p;
          const float* input_gate =
              shape.vocabulary > 0
                  ? scratch.table.at(panel, scratch.places[row])
                  : scratch.slots.at(panel + (facts.slots - gates) * units, row);
          ax[g] = load(input_gate) + bias_ih[g];
        }
        Vec cell = facts.has_cell_state ? load(scratch.cells.at(p, row)) : zero();
        Vec hidden = CellMath::forward(ah, ax, load(scratch.hiddens.at(p, row)), cell, slots);
        for (size_t slot = 0; slot < facts.slots; ++slot)
          store(scratch.slots.at(slot * units + p, row), slots[slot]);
        store(scratch.hiddens.at(p, after + lane), hidden);
        if (facts.has_cell_state) store(scratch.cells.at(p, after + lane), cell);
      }
    }
  }
}

template <class CellMath>
void forward_sequence(const Sequence& s, const Member& member) {
  constexpr CellFacts facts = facts_of(CellMath::cell);
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = shape.hidden_panels();
  prepare_forward<CellMath>(s, member);

  Part part = part_of(shape, member);
  Panels step_gates = {scratch.step_gates.data + member.index * scratch.step_gates_each,
                       scratch.step_gates.stride};
  // The input's part of some steps' gates, W_ih x, is made where those of the input will be, right
  // before these steps: many rows at once, yet still in the cache when they are needed.
  Panels input_slots = {scratch.slots.at((facts.slots - facts.gates) * units, 0),
                        scratch.slots.stride};
  size_t steps_at_once = kRowsAtOnce / (part.lanes.size() + 1) + 1;
  for (size_t first = 0; first < shape.time; first += steps_at_once) {
    size_t last = first + steps_at_once < shape.time ? first + steps_at_once : shape.time;
    if (shape.vocabulary == 0) {
      for (size_t gate = 0; gate < facts.gates; ++gate)
        for (size_t p = part.unit_panels.begin; p < part.unit_panels.end; p += kTilePanels) {
          size_t end = p + kTilePanels < part.unit_panels.end ? p + kTilePanels
                                                              : part.unit_panels.end;
          for (size_t t = first; t < last; ++t)
            multiply(masked_input(s), scratch.weight_ih, input_slots, shape.input,
                     {t * shape.batch + part.lanes.begin, t * shape.batch + part.lanes.end},
                     {gate * units + p, gate * units + end}, false);
        }
    }
    for (size_t t = first; t < last; ++t) {
      step_forward<CellMath>(s, t, part.lanes, part.unit_panels, step_gates);
      if (part.meets_each_step) member.meet();
    }
  }
  if (!part.meets_each_step) member.meet();
  if (member.index > 0) return;
  size_t end = shape.time * shape.batch;
  Panels last_hidden = {scratch.hiddens.at(0, end), scratch.hiddens.stride};
  to_rows(s.after.hidden, last_hidden, shape.hidden, {0, shape.batch});
  if (!facts.has_cell_state) return;
  Panels last_cell = {scratch.cells.at(0, end), scratch.cells.stride};
  to_rows(s.after.cell, last_cell, shape.hidden, {0, shape.batch});
}

}  // namespace charnn::CHARNN_ISA
