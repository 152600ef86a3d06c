// The whole model, one step of several streams.
#pragma once

#include "decode/decode.h"
#include "rnn/input.h"

namespace charnn::CHARNN_ISA {

/// Puts the weights where the steps read them, and sets the state to zero.
template <class CellMath>
void pack_streams(const Streams& s, const StreamsWeights& all, const Worker& worker) {
  constexpr size_t gates = traits_of(CellMath::cell).gates;
  const StreamsShape& shape = s.shape;
  const size_t hidden = shape.hidden;
  const size_t units = shape.hidden_panels();
  const Range gate_panels = worker.slice(shape.gate_panels());
  const Range all_streams = {0, shape.streams};
  for (size_t l = 0; l < shape.layers; ++l) {
    const StreamsMemory::Layer& layer = s.memory.layers[l];
    const SequenceWeights& weights = all.layers[l];
    const size_t input = l > 0 ? hidden : shape.embedding;
    pack_weights(layer.weight_hh, weights.hh, hidden, hidden, CellMath::gate_of_hidden_slot,
                 gate_panels);
    if (input > 0)
      pack_weights(layer.weight_ih, weights.ih, input, hidden, CellMath::gate_of_input_slot,
                   gate_panels);
    if (worker.index > 0) continue;
    pack_bias(layer.bias_ih, weights.bias_ih, hidden, CellMath::gate_of_input_slot, gates);
    pack_bias(layer.bias_hh, weights.bias_hh, hidden, CellMath::gate_of_hidden_slot, gates);
    for (Panels state : layer.hidden) clear_rows(state, {0, units}, all_streams);
    if (traits_of(CellMath::cell).has_cell_state) clear_rows(layer.cell, {0, units}, all_streams);
  }
  const Range vocabulary_panels = worker.slice(panel_count(shape.vocabulary));
  for (size_t p = vocabulary_panels.begin; p < vocabulary_panels.end; ++p) {
    int width = panel_width(p, shape.vocabulary);
    transpose_to_panel(s.memory.decoder.at(p, 0), all.decoder + p * kVectorWidth * hidden, hidden,
                       width);
    store(s.memory.bias + p * kVectorWidth, load_first(all.decoder_bias + p * kVectorWidth, width));
  }
  if (!has_table(shape)) {
    Range rows = worker.slice(shape.vocabulary);
    for (size_t i = rows.begin * shape.embedding; i < rows.end * shape.embedding; ++i)
      s.memory.vectors[i] = all.embedding[i];
    return;
  }
  if (shape.embedding > 0) {
    to_panels(s.memory.embedding, all.embedding, shape.embedding, worker.slice(shape.vocabulary));
    worker.barrier();
    multiply(s.memory.embedding, s.memory.layers[0].weight_ih, s.memory.table, shape.embedding,
             {0, shape.vocabulary}, gate_panels, false);
  } else {
    pack_weights(s.memory.table, all.layers[0].ih, shape.vocabulary, hidden,
                 CellMath::gate_of_input_slot, gate_panels);
  }
}

/// Streams whose logits a worker makes at once.
constexpr size_t kStreamsAtOnce = 12;

/// Some panels of to = a weights for all streams.
CHARNN_INLINE void multiply_streams(const Streams& s, Panels a, size_t depth, Panels weights,
                                    Panels to, Range panels) {
  if (s.shape.streams > 1) {
    multiply(a, weights, to, depth, {0, s.shape.streams}, panels, false);
    return;
  }
  multiply_row(
      depth, a.data, a.stride, panels, [&](size_t p) { return weights.at(p, 0); },
      [&](size_t p) { return to.at(p, 0); });
}

/// What of a step does not depend on its characters, which is most of it.
inline void prepare_step(const Streams& s, const Worker& worker) {
  const size_t at_once = s.shape.streams == 1 ? kRowPanels : kTilePanels;
  for (size_t l = 0; l < s.shape.layers; ++l) {
    const StreamsMemory::Layer& layer = s.memory.layers[l];
    worker.parallel_for(s.shape.gate_panels(), at_once, [&](Range panels) {
      multiply_streams(s, layer.hidden[s.turn], s.shape.hidden, layer.weight_hh, layer.recurrent,
                       panels);
    });
  }
}

/// The rest of a step.
template <class CellMath>
void step_streams(const Streams& s, const Worker& worker) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  constexpr size_t gates = traits.gates;
  const StreamsShape& shape = s.shape;
  const StreamsMemory& memory = s.memory;
  const size_t units = shape.hidden_panels();
  if (!has_table(shape)) {
    if (worker.index == 0)
      for (size_t p = 0; p < panel_count(shape.embedding); ++p)
        for (size_t k = 0; k < shape.streams; ++k) {
          const float* row = memory.vectors + s.tokens[k] * shape.embedding + p * kVectorWidth;
          store(memory.input.at(p, k), load_columns(row, panel_width(p, shape.embedding)));
        }
    worker.barrier();
  }

  for (size_t l = 0; l < shape.layers; ++l) {
    const StreamsMemory::Layer& layer = memory.layers[l];
    const Panels before = layer.hidden[s.turn];
    const Panels after = layer.hidden[1 - s.turn];
    const bool looks_up = l == 0 && has_table(shape);
    auto step_units = [&](Range mine) {
      if (!looks_up) {
        Panels below = l > 0 ? memory.layers[l - 1].hidden[1 - s.turn] : memory.input;
        for (size_t g = 0; g < gates; ++g)
          multiply_streams(s, below, l > 0 ? shape.hidden : shape.embedding, layer.weight_ih,
                           memory.input_gates, {g * units + mine.begin, g * units + mine.end});
      }
      for (size_t p = mine.begin; p < mine.end; ++p)
        for (size_t k = 0; k < shape.streams; ++k) {
          Vec ah[gates], ax[gates], slots[traits.slots];
          for (size_t g = 0; g < gates; ++g) {
            const size_t panel = g * units + p;
            const float* input_gate =
                looks_up ? memory.table.at(panel, s.tokens[k]) : memory.input_gates.at(panel, k);
            ax[g] = load(input_gate) + load(layer.bias_ih + panel * kVectorWidth);
            ah[g] = load(layer.recurrent.at(panel, k)) + load(layer.bias_hh + panel * kVectorWidth);
          }
          Vec cell = zero();
          if constexpr (traits.has_cell_state) cell = load(layer.cell.at(p, k));
          store(after.at(p, k), CellMath::forward(ah, ax, load(before.at(p, k)), cell, slots));
          if constexpr (traits.has_cell_state) store(layer.cell.at(p, k), cell);
        }
    };
    // Of a single stream each worker keeps to its own units: reading their weights is all that
    // takes time, and they stay in its cache.
    if (shape.streams == 1) step_units(worker.slice(units));
    else worker.parallel_for(units, kTilePanels, step_units);
    worker.barrier();
  }

  const Panels top = memory.layers[shape.layers - 1].hidden[1 - s.turn];
  const Range vocabulary = {0, panel_count(shape.vocabulary)};
  auto write_logits = [&](Range rows, Range columns) {
    for (size_t p = columns.begin; p < columns.end; ++p)
      for (size_t k = rows.begin; k < rows.end; ++k)
        store_columns(s.logits + k * shape.vocabulary + p * kVectorWidth,
                      load(memory.logits.at(p, k)) + load(memory.bias + p * kVectorWidth),
                      panel_width(p, shape.vocabulary));
  };
  if (shape.streams == 1) {
    const Range columns = worker.slice(vocabulary.end);
    multiply_row(
        shape.hidden, top.data, top.stride, columns,
        [&](size_t p) { return memory.decoder.at(p, 0); },
        [&](size_t p) { return memory.logits.at(p, 0); });
    write_logits({0, 1}, columns);
    return;
  }
  worker.parallel_for(shape.streams, kStreamsAtOnce, [&](Range rows) {
    multiply(top, memory.decoder, memory.logits, shape.hidden, rows, vocabulary, false);
    write_logits(rows, vocabulary);
  });
}

}  // namespace charnn::CHARNN_ISA
