// The simple recurrent network (Elman, "Finding Structure in Time", 1990), as PyTorch's RNN:
//
//     h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
#pragma once

#include "linalg/vector_math.h"
#include "rnn/rnn.h"

namespace charnn::CHARNN_ISA {

/// Sixteen units of one lane at one step.
struct TanhRnn {
  static constexpr Cell cell = Cell::rnn;
  // Slot: h', then the gradient by the sum.
  static constexpr size_t gate_of_hidden_slot[] = {0};
  static constexpr size_t gate_of_input_slot[] = {0};

  template <class V>
  static CHARNN_INLINE V forward(const V* ah, const V* ax, V, V&, V* slots) {
    slots[0] = tanh(ax[0] + ah[0]);
    return slots[0];
  }

  /// @param slots what forward left, overwritten by the gradient
  /// @param dh by the state after the step; overwritten by the part that reaches h not by the gate
  static CHARNN_INLINE void backward(Vec* slots, Vec, Vec& dh, Vec, Vec, Vec&) {
    slots[0] = dh * fnma(slots[0], slots[0], broadcast(1.0f));
    dh = zero();
  }
};

}  // namespace charnn::CHARNN_ISA
