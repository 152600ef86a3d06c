#include "linalg/arena.h"
#include "rnn/rnn.h"

namespace charnn {
SequenceScratch layout_scratch(const SequenceShape& shape, float* base, size_t* floats) {
  Arena memory(base);
  SequenceScratch scratch = {};
  size_t rows = shape.rows();
  size_t states = rows + shape.batch;
  size_t hidden = shape.hidden_panels();
  size_t input = shape.input_panels();
  size_t gates = shape.gate_panels();
  size_t gate_rows = gates * kVectorWidth;
  bool has_vectors = shape.vocabulary == 0;
  size_t distinct = rows < shape.pairs() ? rows : shape.pairs();

  scratch.hiddens = memory.panels(hidden, states);
  if (shape.has_state_mask) {
    scratch.seen = memory.panels(hidden, states);
    scratch.state_mask = memory.panels(hidden, shape.batch);
    scratch.gradient_seen = memory.panels(hidden, shape.batch);
  }
  if (traits_of(shape.cell).has_cell_state) {
    scratch.cells = memory.panels(hidden, states);
    scratch.gradient_cell = memory.panels(hidden, shape.batch);
  }
  scratch.slots = memory.panels(shape.slot_panels(), rows);
  if (shape.input_masks > 0) scratch.input_mask = memory.panels(input, shape.input_masks);
  if (has_vectors) {
    scratch.input = memory.panels(input, rows);
    scratch.gradient_input = memory.panels(input, rows);
  } else {
    scratch.distinct = memory.integers(rows);
    scratch.places = memory.integers(rows);
    scratch.counts = memory.integers(1);
    scratch.place_of = memory.integers(shape.pairs());
    scratch.table = memory.panels(gates, distinct);
  }
  if (shape.has_embedding) {
    scratch.embedding = memory.panels(input, distinct);
    scratch.gradient_embedding = memory.panels(input, distinct);
  }
  if (shape.has_weight_mask) scratch.weight_mask = memory.floats(shape.gate_rows() * shape.hidden);
  scratch.weight_hh = memory.panels(gates, shape.hidden);
  scratch.weight_hh_by_gate = memory.panels(hidden, gate_rows);
  if (has_vectors || shape.has_embedding) {
    scratch.weight_ih = memory.panels(gates, shape.input);
    scratch.weight_ih_by_gate = memory.panels(input, gate_rows);
  }
  scratch.step_gates_each = 4 * shape.batch * kVectorWidth;
  scratch.step_gates = {memory.floats(shape.members * scratch.step_gates_each),
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
