#include "decode/state.h"

#include <cstring>

namespace charnn {
namespace {

/// Calls `visit(numbers in the panels, where they are in the state, how many)` for all parts of a
/// state.
template <class Visit>
void for_each_part(const Decode& d, size_t sequence, const Visit& visit) {
  const DecodeShape& shape = d.shape;
  size_t offset = 0;
  const auto visit_panels = [&](Panels panels) {
    for (size_t p = 0; p < shape.hidden_panels(); ++p) {
      const size_t width = panel_width(p, shape.hidden);
      visit(panels.at(p, sequence), offset, width * sizeof(float));
      offset += width;
    }
  };
  for (size_t l = 0; l < shape.layers; ++l) {
    const DecodeMemory::Layer& layer = d.memory.layers[l];
    visit_panels(layer.hidden[d.before]);
    if (traits_of(shape.cell).has_cell_state) visit_panels(layer.cell);
  }
}

}  // namespace

size_t state_size(const DecodeShape& shape) {
  return shape.layers * (traits_of(shape.cell).has_cell_state ? 2 : 1) * shape.hidden;
}

void read_state(const Decode& d, size_t sequence, float* state) {
  for_each_part(d, sequence, [&](const float* numbers, size_t offset, size_t bytes) {
    std::memcpy(state + offset, numbers, bytes);
  });
}

void write_state(const Decode& d, size_t sequence, const float* state) {
  for_each_part(d, sequence, [&](float* numbers, size_t offset, size_t bytes) {
    std::memcpy(numbers, state + offset, bytes);
  });
}

}  // namespace charnn
