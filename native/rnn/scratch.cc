#include "linalg/arena.h"
#include "rnn/rnn.h"

namespace charnn {

SequenceScratch layout_scratch(const SequenceShape& shape, float* base, size_t* floats) {
  Arena memory(base);
  SequenceScratch scratch = {};
  const size_t rows = shape.rows();
  const size_t states = rows + shape.batch;
  const size_t hidden = shape.hidden_panels();
  const size_t input = shape.input_panels();
  const size_t gates = shape.gate_panels();
  const size_t gate_rows = gates * kVectorWidth;

  scratch.hiddens = memory.panels(hidden, states);
  if (shape.has_state_mask) {
    scratch.masked_hiddens = memory.panels(hidden, states);
    scratch.state_mask = memory.panels(hidden, shape.batch);
    scratch.gradient_masked = memory.panels(hidden, shape.batch);
  }
  if (traits_of(shape.cell).has_cell_state) {
    scratch.cells = memory.panels(hidden, states);
    scratch.gradient_cell = memory.panels(hidden, shape.batch);
  }
  scratch.slots = memory.panels(shape.slot_panels(), rows);
  if (shape.has_input_mask()) scratch.input_mask = memory.panels(input, shape.input_mask_rows);
  if (shape.has_tokens()) {
    const size_t pairs = rows < shape.pairs() ? rows : shape.pairs();
    scratch.used_pairs = memory.integers(rows);
    scratch.pair_of_row = memory.integers(rows);
    scratch.used_count = memory.integers(1);
    scratch.index_of_pair = memory.integers(shape.pairs());
    scratch.pair_gates = memory.panels(gates, pairs);
    if (shape.has_embedding()) {
      scratch.pair_vectors = memory.panels(input, pairs);
      scratch.gradient_pair_vectors = memory.panels(input, pairs);
    }
  } else {
    scratch.input = memory.panels(input, rows);
    scratch.gradient_input = memory.panels(input, rows);
  }
  if (shape.has_weight_mask) scratch.weight_mask = memory.floats(shape.gate_rows() * shape.hidden);
  scratch.weight_hh = memory.panels(gates, shape.hidden);
  scratch.weight_hh_by_gate = memory.panels(hidden, gate_rows);
  if (shape.input_kind != InputKind::kOneHot) {
    scratch.weight_ih = memory.panels(gates, shape.input);
    scratch.weight_ih_by_gate = memory.panels(input, gate_rows);
  }
  // Units are taken one panel at a time, with up to four gates, or up to three panels of one gate.
  scratch.step_products_size = 4 * shape.batch * kVectorWidth;
  scratch.step_products = {memory.floats(shape.threads * scratch.step_products_size),
                           shape.batch * kVectorWidth};
  scratch.bias_ih = memory.floats(gate_rows);
  scratch.bias_hh = memory.floats(gate_rows);
  scratch.bias_sums = memory.floats(shape.slot_panels() * kVectorWidth);
  scratch.gradient_output = memory.panels(hidden, rows);
  scratch.gradient_hidden = memory.panels(hidden, shape.batch);
  *floats = memory.used();
  return scratch;
}

}  // namespace charnn
