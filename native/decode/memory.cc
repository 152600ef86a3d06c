#include "decode/decode.h"
#include "linalg/arena.h"

namespace charnn {

DecodeMemory layout_memory(const DecodeShape& shape, float* base, size_t* floats) {
  Arena arena(base);
  DecodeMemory memory = {};
  const size_t hidden = shape.hidden_panels();
  const size_t gates = shape.gate_panels();
  const size_t vocabulary = shape.vocabulary_panels();
  for (size_t l = 0; l < shape.layers; ++l) {
    DecodeMemory::Layer& layer = memory.layers[l];
    layer.weight_hh = arena.panels(gates, shape.hidden);
    if (l > 0 || !shape.is_one_hot()) layer.weight_ih = arena.panels(gates, shape.input(l));
    layer.bias_ih = arena.floats(gates * kVectorWidth);
    layer.bias_hh = arena.floats(gates * kVectorWidth);
    for (Panels& state : layer.hidden) state = arena.panels(hidden, shape.sequences);
    if (traits_of(shape.cell).has_cell_state) layer.cell = arena.panels(hidden, shape.sequences);
    layer.recurrent = arena.panels(gates, shape.sequences);
  }
  if (shape.has_token_table()) {
    memory.token_gates = arena.panels(gates, shape.vocabulary);
    if (shape.has_embedding())
      memory.embedding = arena.panels(shape.embedding_panels(), shape.vocabulary);
  } else {
    if (shape.has_embedding()) memory.vectors = arena.floats(shape.vocabulary * shape.embedding);
    memory.input_vectors = arena.panels(shape.embedding_panels(), shape.sequences);
  }
  memory.input_gates = arena.panels(gates, shape.sequences);
  memory.decoder = arena.panels(vocabulary, shape.hidden);
  memory.decoder_bias = arena.floats(vocabulary * kVectorWidth);
  memory.logits = arena.panels(vocabulary, shape.sequences);
  *floats = arena.used();
  return memory;
}

}  // namespace charnn
