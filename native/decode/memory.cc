#include "decode/decode.h"
#include "linalg/arena.h"

namespace charnn {

StreamsMemory layout_memory(const StreamsShape& shape, float* base, size_t* floats) {
  Arena memory(base);
  StreamsMemory parts = {};
  const size_t hidden = shape.hidden_panels();
  const size_t gates = shape.gate_panels();
  const size_t vocabulary = panel_count(shape.vocabulary);
  for (size_t l = 0; l < shape.layers; ++l) {
    StreamsMemory::Layer& layer = parts.layers[l];
    layer.weight_hh = memory.panels(gates, shape.hidden);
    size_t input = l > 0 ? shape.hidden : shape.embedding;
    if (input > 0) layer.weight_ih = memory.panels(gates, input);
    layer.bias_ih = memory.floats(gates * kVectorWidth);
    layer.bias_hh = memory.floats(gates * kVectorWidth);
    for (Panels& state : layer.hidden) state = memory.panels(hidden, shape.streams);
    if (traits_of(shape.cell).has_cell_state) layer.cell = memory.panels(hidden, shape.streams);
    layer.recurrent = memory.panels(gates, shape.streams);
  }
  if (has_table(shape)) {
    parts.table = memory.panels(gates, shape.vocabulary);
    if (shape.embedding > 0)
      parts.embedding = memory.panels(panel_count(shape.embedding), shape.vocabulary);
  } else {
    parts.vectors = memory.floats(shape.vocabulary * shape.embedding);
    parts.input = memory.panels(panel_count(shape.embedding), shape.streams);
  }
  parts.input_gates = memory.panels(gates, shape.streams);
  parts.decoder = memory.panels(vocabulary, shape.hidden);
  parts.bias = memory.floats(vocabulary * kVectorWidth);
  parts.logits = memory.panels(vocabulary, shape.streams);
  *floats = memory.used();
  return parts;
}

}  // namespace charnn
