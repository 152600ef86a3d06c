// The simple recurrent network (Elman, "Finding Structure in Time", 1990), as PyTorch's RNN:
//
//     h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
#pragma once

#include "linalg/vector_math.h"
#include "rnn/cell.h"

namespace charnn::CHARNN_ISA {

/// Plain version: rnn in test/reference/cells.ts.
///
/// Slot: h' after forward; the gradient with respect to the sum after backward.
struct TanhRnn {
  static constexpr Cell cell = Cell::rnn;
  static constexpr size_t gate_of_hidden_slot[] = {0};
  static constexpr size_t gate_of_input_slot[] = {0};

  /// @param state before the step; overwritten by that after it
  template <class V>
  static CHARNN_INLINE void forward(const V* ah, const V* ax, CellState<V>& state, V* slots) {
    slots[0] = state.hidden = tanh(ax[0] + ah[0]);
  }

  /// @param slots those of forward; overwritten by gradients
  static CHARNN_INLINE void backward(Vec* slots, const StepStates&, StateGradient& gradient) {
    slots[0] = gradient.hidden * fnma(slots[0], slots[0], broadcast(1.0f));
    gradient.hidden = zero();
  }
};

}  // namespace charnn::CHARNN_ISA
