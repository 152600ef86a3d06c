// One layer forward over time.
#pragma once

#include "rnn/cell.h"
#include "rnn/input.h"
#include "rnn/partition.h"
#include "simd/unrolled.h"

namespace charnn::CHARNN_ISA {

/// Makes the rows of the recurrent weights' mask that belong to the panels in `panels` of
/// weight_hh.
template <class CellMath>
void make_weight_mask(const Sequence& s, Range panels) {
  if (!s.shape.has_weight_mask || s.weight_mask.source == Mask::Source::kValues) return;
  const size_t hidden = s.shape.hidden;
  const Blocks gates = hidden_gates<CellMath>(hidden);
  MaskElements elements(s.weight_mask.dropout);
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = gates.first_row(p) * hidden;
    elements.write(s.scratch.weight_mask + first, first, gates.height(p) * hidden);
  }
}

/// Packs weights, masks, input and state, and does what does not depend on the steps before: for
/// tokens all of W_ih x, for vectors their mask.
template <class CellMath>
void prepare_forward(const Sequence& s, const Worker& worker) {
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Blocks of_hidden = hidden_gates<CellMath>(shape.hidden),
               of_input = input_gates<CellMath>(shape.hidden);
  const Range panels = worker.slice(shape.gate_panels());
  make_weight_mask<CellMath>(s, panels);
  pack_weights(scratch.weight_hh, s.weights.hh, shape.hidden, of_hidden, panels,
               s.recurrent_mask());
  if (shape.input_kind != InputKind::kOneHot)
    pack_weights(scratch.weight_ih, s.weights.ih, shape.input, of_input, panels);
  const Range batch_rows = worker.slice(shape.batch);
  if (shape.has_input_mask())
    fill_mask(scratch.input_mask, s.input.mask, shape.input, worker.slice(shape.input_mask_rows));
  if (shape.has_state_mask) fill_mask(scratch.state_mask, s.state_mask, shape.hidden, batch_rows);
  if (s.input.vectors)
    to_panels(scratch.input, s.input.vectors, shape.input, worker.slice(shape.rows()));
  if (worker.index == 0) {
    pack_bias(scratch.bias_ih, s.weights.bias_ih, of_input);
    pack_bias(scratch.bias_hh, s.weights.bias_hh, of_hidden);
    to_panels(scratch.hiddens, s.before.hidden, shape.hidden, {0, shape.batch});
    if (traits_of(CellMath::cell).has_cell_state)
      to_panels(scratch.cells, s.before.cell, shape.hidden, {0, shape.batch});
    if (shape.has_tokens()) find_pairs(shape, s.input.tokens, scratch);
  }
  worker.barrier();
  if (shape.has_tokens()) make_pair_gates<CellMath>(s, worker);
  else if (shape.has_input_mask())
    apply_mask(scratch.input, input_in_panels(s), scratch.input_mask, shape.batch,
               worker.slice(shape.input_panels()), {0, shape.rows()});
  if (shape.has_state_mask)
    apply_mask(scratch.masked_hiddens, scratch.hiddens, scratch.state_mask, shape.batch,
               worker.slice(shape.hidden_panels()), {0, shape.batch});
  worker.barrier();
}

/// What the gates of one panel of units at a step are sums of, besides W_ih x.
template <class CellMath>
struct StepGates {
  static constexpr size_t gates = traits_of(CellMath::cell).gates;
  const float* products[gates];  // W_hh h of each batch row, [batch rows, 16]
  Vec bias_hh[gates];
  Vec bias_ih[gates];
};

/// The cell's equations for panel `p` of the units, for `n` batch rows at once.
///
/// @param before the first row of the step in the scratch memory
/// @param first_row, row of the batch: the first one that `step` has products of, and how far from
/// it to begin
template <class CellMath, int n>
CHARNN_INLINE void activate(const Sequence& s, const StepGates<CellMath>& step, size_t p,
                            size_t before, size_t first_row, size_t row) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  constexpr size_t gates = traits.gates;
  const SequenceScratch& scratch = s.scratch;
  const size_t units = s.shape.hidden_panels();
  const size_t from = before + first_row + row;
  const size_t after = from + s.shape.batch;
  auto load_rows = [](const float* p) CHARNN_INLINE_LAMBDA {
    return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return load(p + i * kVectorWidth); });
  };
  auto store_rows = [](float* p, const Unrolled<n>& values) CHARNN_INLINE_LAMBDA {
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) store(p + i * kVectorWidth, values.vec[i]);
  };
  Unrolled<n> ah[gates], ax[gates], slots[traits.slots];
#pragma GCC unroll 8
  for (size_t g = 0; g < gates; ++g) {
    ah[g] =
        load_rows(step.products[g] + row * kVectorWidth) + Splat<Unrolled<n>>::of(step.bias_hh[g]);
    const size_t panel = g * units + p;
    ax[g] = (s.shape.has_tokens()
                 ? unroll<n>([&](int i) CHARNN_INLINE_LAMBDA {
                     return load(scratch.pair_gates.at(panel, scratch.pair_of_row[from + i]));
                   })
                 : load_rows(scratch.slots.at(panel + (traits.slots - gates) * units, from))) +
            Splat<Unrolled<n>>::of(step.bias_ih[g]);
  }
  CellState<Unrolled<n>> state = {load_rows(scratch.hiddens.at(p, from)), {}};
  if constexpr (traits.has_cell_state) state.cell = load_rows(scratch.cells.at(p, from));
  CellMath::template forward<Unrolled<n>>(ah, ax, state, slots);
#pragma GCC unroll 8
  for (size_t slot = 0; slot < traits.slots; ++slot)
    store_rows(scratch.slots.at(slot * units + p, from), slots[slot]);
  store_rows(scratch.hiddens.at(p, after), state.hidden);
  if (s.shape.has_state_mask)
    store_rows(scratch.masked_hiddens.at(p, after),
               state.hidden * load_rows(scratch.state_mask.at(p, first_row + row)));
  if constexpr (traits.has_cell_state) store_rows(scratch.cells.at(p, after), state.cell);
}

/// One step of some panels of the units, for some batch rows.
///
/// @param products where W_hh h of the step is made, [batch rows, gates of the units]
template <class CellMath>
void step_forward(const Sequence& s, size_t t, Range batch_rows, Range unit_panels,
                  Panels products) {
  constexpr size_t gates = traits_of(CellMath::cell).gates;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  const Panels hiddens = s.masked_hiddens();
  const size_t units = shape.hidden_panels();
  const size_t before = t * shape.batch;
  const size_t first = unit_panels.begin, count = unit_panels.size();
  // ah = W_hh h: the gates of these units are not side by side in weight_hh, but become so in
  // `products`.
  multiply<AsIs>(
      {batch_rows.size(),
       shape.hidden,
       hiddens.at(0, before + batch_rows.begin),
       hiddens.stride,
       {0, gates * count},
       kVectorWidth,
       Write::kSet},
      [&](size_t i) { return scratch.weight_hh.at(i / count * units + first + i % count, 0); },
      [&](size_t i) { return products.at(i, 0); });

  for (size_t p = first; p < unit_panels.end; ++p) {
    StepGates<CellMath> step = {};
    for (size_t g = 0; g < gates; ++g) {
      step.products[g] = products.at(g * count + p - first, 0);
      step.bias_hh[g] = load(scratch.bias_hh + (g * units + p) * kVectorWidth);
      step.bias_ih[g] = load(scratch.bias_ih + (g * units + p) * kVectorWidth);
    }
    size_t row = 0;
    for (; row + kUnrolledRows <= batch_rows.size(); row += kUnrolledRows)
      activate<CellMath, kUnrolledRows>(s, step, p, before, batch_rows.begin, row);
    for (; row < batch_rows.size(); ++row)
      activate<CellMath, 1>(s, step, p, before, batch_rows.begin, row);
  }
}

/// W_ih x of some steps, written to the slots whose gates it belongs to.
template <class CellMath>
void multiply_input(const Sequence& s, Range steps, const Part& part) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  const SequenceShape& shape = s.shape;
  const size_t units = shape.hidden_panels();
  const Panels to = input_slots<CellMath>(s);
  for (size_t gate = 0; gate < traits.gates; ++gate)
    part.worker.parallel_for(units, kTilePanels, [&](Range group) {
      for (size_t t = steps.begin; t < steps.end; ++t) {
        const size_t first = t * shape.batch;
        multiply({{first + part.batch_rows.begin, first + part.batch_rows.end},
                  shape.input,
                  masked_input(s),
                  s.scratch.weight_ih,
                  to,
                  {gate * units + group.begin, gate * units + group.end},
                  Write::kSet});
      }
    });
  part.worker.barrier();
}

/// One recurrent layer, forward. T, B, I, H are time, batch, input and hidden; G is gates * H in
/// PyTorch's order.
///
///   in    s.input        tokens [T, B] and embedding [vocabulary, I], or vectors [T, B, I]; mask
///         s.weights      ih [G, I]  hh [G, H]  bias_ih, bias_hh [G]
///         s.before       hidden, cell [B, H]
///         s.state_mask [B, H]  s.weight_mask [G, H]
///   out   s.after        hidden, cell [B, H]                overwritten
///   kept  s.scratch      the outputs are `hiddens` from row B on; backward_sequence reads these
///   and what is
///                        listed in SequenceScratch
///
/// s.after may be s.before; no others overlap. NaN in a batch row's input or state makes that row
/// NaN from there on, NaN in the weights all rows; nothing branches on a number. Called by all
/// s.shape.threads workers of the team; the same bits for every team size. Stopped early, only the
/// scratch memory and s.after hold garbage. Plain version: recurrentLayer in
/// test/reference/cells.ts.
template <class CellMath>
void forward_sequence(const Sequence& s, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  // As many units at once as have enough gates to fill a tile.
  constexpr size_t units_at_once = traits.gates == 1 ? kTilePanels : 1;
  const SequenceShape& shape = s.shape;
  const SequenceScratch& scratch = s.scratch;
  prepare_forward<CellMath>(s, worker);

  const Part part = part_of(shape, worker);
  const Panels products = {scratch.step_products.data + worker.index * scratch.step_products_size,
                           scratch.step_products.stride};
  const size_t steps_at_once = part.steps_of(kCachedRows);
  for (size_t t = 0; t < shape.time; ++t) {
    // W_ih x of some steps right before them: enough rows for a fast product, few enough to be in
    // the cache when the steps need them.
    if (!shape.has_tokens() && t % steps_at_once == 0)
      multiply_input<CellMath>(s, clamp_range(t, steps_at_once, shape.time), part);
    part.worker.parallel_for(shape.hidden_panels(), units_at_once, [&](Range unit_panels) {
      step_forward<CellMath>(s, t, part.batch_rows, unit_panels, products);
    });
    part.worker.barrier();
  }
  worker.barrier();
  if (worker.index > 0) return;
  const size_t end = shape.time * shape.batch;
  to_rows(s.after.hidden, scratch.hiddens.from_row(end), shape.hidden, {0, shape.batch});
  if (traits.has_cell_state)
    to_rows(s.after.cell, scratch.cells.from_row(end), shape.hidden, {0, shape.batch});
}

}  // namespace charnn::CHARNN_ISA
