// The whole model, one step of several sequences.
//
// A step is two kernels: decode_prepare does what does not depend on the step's tokens, so it can
// run while the caller still chooses them; decode_step does the rest. Both are called by all
// workers of a team, which may have another size each time; the same bits for every team size. NaN
// in a sequence's state or in what its token looks up stays in that sequence; nothing branches on a
// number. They can't be stopped early.
#pragma once

#include "decode/decode.h"
#include "rnn/cell.h"
#include "rnn/input.h"

namespace charnn::CHARNN_ISA {

/// Begins a session: packs the weights, and sets all states to zero. V, E, H are vocabulary,
/// embedding and hidden; G is gates * H in PyTorch's order.
///
///   in    d.shape
///         all            embedding [V, E], of each layer ih [G, input] hh [G, H] biases [G],
///         decoder [V, H],
///                        decoder_bias [V]; not needed afterwards
///   out   d.memory       overwritten
template <class CellMath>
void decode_pack(const Decode& d, const DecodeWeights& all, const Worker& worker) {
  const DecodeShape& shape = d.shape;
  const DecodeMemory& memory = d.memory;
  const size_t hidden = shape.hidden;
  const Blocks of_hidden = hidden_gates<CellMath>(hidden), of_input = input_gates<CellMath>(hidden);
  const Range gate_panels = worker.slice(shape.gate_panels());
  const Range hidden_panels = {0, shape.hidden_panels()}, sequences = {0, shape.sequences};
  for (size_t l = 0; l < shape.layers; ++l) {
    const DecodeMemory::Layer& layer = memory.layers[l];
    const SequenceWeights& weights = all.layers[l];
    pack_weights(layer.weight_hh, weights.hh, hidden, of_hidden, gate_panels);
    if (l > 0 || !shape.is_one_hot())
      pack_weights(layer.weight_ih, weights.ih, shape.input(l), of_input, gate_panels);
    if (worker.index > 0) continue;
    pack_bias(layer.bias_ih, weights.bias_ih, of_input);
    pack_bias(layer.bias_hh, weights.bias_hh, of_hidden);
    for (Panels state : layer.hidden) clear_rows(state, hidden_panels, sequences);
    if (traits_of(CellMath::cell).has_cell_state) clear_rows(layer.cell, hidden_panels, sequences);
  }
  const Range tokens = worker.slice(shape.vocabulary);
  const Range vocabulary_panels = worker.slice(shape.vocabulary_panels());
  pack_weights(memory.decoder, all.decoder, hidden, Blocks::one(shape.vocabulary),
               vocabulary_panels);
  for (size_t p = vocabulary_panels.begin; p < vocabulary_panels.end; ++p)
    store(memory.decoder_bias + p * kVectorWidth,
          load_first(all.decoder_bias + p * kVectorWidth, panel_width(p, shape.vocabulary)));
  if (shape.reads_vectors()) return;
  if (!shape.has_token_table()) {
    for (size_t i = tokens.begin * shape.embedding; i < tokens.end * shape.embedding; ++i)
      memory.vectors[i] = all.embedding[i];
  } else if (shape.has_embedding()) {
    to_panels(memory.embedding, all.embedding, shape.embedding, tokens);
    worker.barrier();
    multiply({{0, shape.vocabulary},
              shape.embedding,
              memory.embedding,
              memory.layers[0].weight_ih,
              memory.token_gates,
              gate_panels,
              Write::kSet});
  } else {
    pack_weights(memory.token_gates, all.layers[0].ih, shape.vocabulary, of_input, gate_panels);
  }
}

/// c[sequences, panels] = a[sequences, depth] b[depth, panels].
CHARNN_INLINE void multiply_sequences(size_t sequences, size_t depth, Panels a, Panels b, Panels c,
                                      Range panels) {
  if (sequences == 1) return multiply_row(depth, a, b, c, panels);
  multiply({{0, sequences}, depth, a, b, c, panels, Write::kSet});
}

/// W_hh h of every layer: most of a step's work.
///
///   in    d.memory.layers[].hidden[d.before]
///   out   d.memory.layers[].recurrent        overwritten
inline void decode_prepare(const Decode& d, const Worker& worker) {
  const size_t grain = d.sequences == 1 ? kRowPanels : kTilePanels;
  for (size_t l = 0; l < d.shape.layers; ++l) {
    const DecodeMemory::Layer& layer = d.memory.layers[l];
    worker.parallel_for(d.shape.gate_panels(), grain, [&](Range panels) {
      multiply_sequences(d.sequences, d.shape.hidden, layer.hidden[d.before], layer.weight_hh,
                         layer.recurrent, panels);
    });
  }
}

/// input_vectors = the step's vectors, or the embedding vectors of its tokens.
inline void copy_input_vectors(const Decode& d) {
  const size_t embedding = d.shape.embedding;
  for (size_t n = 0; n < d.sequences; ++n) {
    const float* row = d.shape.reads_vectors() ? d.vectors + n * embedding
                                               : d.memory.vectors + d.tokens[n] * embedding;
    for (size_t p = 0; p < d.shape.embedding_panels(); ++p)
      store(d.memory.input_vectors.at(p, n),
            load_columns(row + p * kVectorWidth, panel_width(p, embedding)));
  }
}

/// Layer `l`'s step for some panels of the units.
template <class CellMath>
CHARNN_INLINE void step_units(const Decode& d, size_t l, Range unit_panels) {
  constexpr CellTraits traits = traits_of(CellMath::cell);
  constexpr size_t gates = traits.gates;
  const DecodeShape& shape = d.shape;
  const DecodeMemory& memory = d.memory;
  const DecodeMemory::Layer& layer = memory.layers[l];
  const size_t units = shape.hidden_panels();
  const Panels before = layer.hidden[d.before], after = layer.hidden[1 - d.before];
  const bool looks_up = l == 0 && shape.has_token_table();
  if (!looks_up) {
    const Panels below = l > 0 ? memory.layers[l - 1].hidden[1 - d.before] : memory.input_vectors;
    for (size_t g = 0; g < gates; ++g)
      multiply_sequences(d.sequences, shape.input(l), below, layer.weight_ih, memory.input_gates,
                         {g * units + unit_panels.begin, g * units + unit_panels.end});
  }
  for (size_t p = unit_panels.begin; p < unit_panels.end; ++p)
    for (size_t n = 0; n < d.sequences; ++n) {
      Vec ah[gates], ax[gates], slots[traits.slots];
      for (size_t g = 0; g < gates; ++g) {
        const size_t panel = g * units + p;
        const float* input_gate =
            looks_up ? memory.token_gates.at(panel, d.tokens[n]) : memory.input_gates.at(panel, n);
        ax[g] = load(input_gate) + load(layer.bias_ih + panel * kVectorWidth);
        ah[g] = load(layer.recurrent.at(panel, n)) + load(layer.bias_hh + panel * kVectorWidth);
      }
      CellState<Vec> state = {load(before.at(p, n)), zero()};
      if constexpr (traits.has_cell_state) state.cell = load(layer.cell.at(p, n));
      CellMath::forward(ah, ax, state, slots);
      store(after.at(p, n), state.hidden);
      if constexpr (traits.has_cell_state) store(layer.cell.at(p, n), state.cell);
    }
}

/// Sequences whose logits a worker makes at once.
constexpr size_t kLogitRows = 12;

/// The rest of a step, after decode_prepare with the same d.before.
///
///   in    d.tokens [sequences], or d.vectors [sequences, embedding]
///         d.memory.layers[].recurrent, .hidden[d.before], .cell
///   out   d.logits [sequences, vocabulary]                                    overwritten
///         d.memory.layers[].hidden[1 - d.before], .cell                      overwritten
///
/// The caller changes d.before to 1 - d.before afterwards. Plain version: model over one time step
/// in test/reference/model.ts.
template <class CellMath>
void decode_step(const Decode& d, const Worker& worker) {
  const DecodeShape& shape = d.shape;
  const DecodeMemory& memory = d.memory;
  const size_t units = shape.hidden_panels();
  if (!shape.has_token_table()) {
    if (worker.index == 0) copy_input_vectors(d);
    worker.barrier();
  }
  for (size_t l = 0; l < shape.layers; ++l) {
    auto step = [&](Range unit_panels) { step_units<CellMath>(d, l, unit_panels); };
    // For a single sequence each worker keeps to its own units: all the time goes into reading
    // their weights, and those stay in its cache.
    if (d.sequences == 1) step(worker.slice(units));
    else worker.parallel_for(units, kTilePanels, step);
    worker.barrier();
  }

  const Panels top = memory.layers[shape.layers - 1].hidden[1 - d.before];
  auto write_logits = [&](Range rows, Range panels) {
    for (size_t p = panels.begin; p < panels.end; ++p)
      for (size_t n = rows.begin; n < rows.end; ++n)
        store_columns(d.logits + n * shape.vocabulary + p * kVectorWidth,
                      load(memory.logits.at(p, n)) + load(memory.decoder_bias + p * kVectorWidth),
                      panel_width(p, shape.vocabulary));
  };
  if (d.sequences == 1) {
    const Range panels = worker.slice(shape.vocabulary_panels());
    multiply_row(shape.hidden, top, memory.decoder, memory.logits, panels);
    write_logits({0, 1}, panels);
    return;
  }
  const Range panels = {0, shape.vocabulary_panels()};
  worker.parallel_for(d.sequences, kLogitRows, [&](Range rows) {
    multiply({rows, shape.hidden, top, memory.decoder, memory.logits, panels, Write::kSet});
    write_logits(rows, panels);
  });
}

}  // namespace charnn::CHARNN_ISA
