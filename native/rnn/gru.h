// The gated recurrent unit (Cho et al., "Learning Phrase Representations using RNN
// Encoder-Decoder", 2014) in the variant of PyTorch, cuDNN and Keras, which resets after the
// recurrent product:
//
//     ax = W_ih x + b_ih      ah = W_hh h + b_hh      gates in PyTorch's order r, z, n
//     r  = sigmoid(ax_r + ah_r)
//     z  = sigmoid(ax_z + ah_z)
//     n  = tanh(ax_n + r * ah_n)
//     h' = n + z * (h - n)
#pragma once

#include "linalg/vector_math.h"
#include "rnn/rnn.h"

namespace charnn::CHARNN_ISA {

/// Sixteen units of one lane at one step.
struct Gru {
  static constexpr Cell cell = Cell::gru;
  // Slots: ah_n, r, z, n; then the gradients by ah_n, by both sums, and by ax_n.
  static constexpr size_t gate_of_hidden_slot[] = {2, 0, 1};
  static constexpr size_t gate_of_input_slot[] = {0, 1, 2};

  /// @param ah n, r, z
  /// @param ax r, z, n
  template <class V>
  static CHARNN_INLINE V forward(const V* ah, const V* ax, V h, V&, V* slots) {
    V r = sigmoid(ax[0] + ah[1]);
    V z = sigmoid(ax[1] + ah[2]);
    V n = tanh(fma(r, ah[0], ax[2]));
    slots[0] = ah[0];
    slots[1] = r;
    slots[2] = z;
    slots[3] = n;
    return fma(z, h - n, n);
  }

  /// @param slots what forward left, overwritten by the gradients
  /// @param h the state before the step
  /// @param dh by the state after the step; overwritten by the part that reaches h not by the gates
  static CHARNN_INLINE void backward(Vec* slots, Vec h, Vec& dh, Vec, Vec, Vec&) {
    Vec one = broadcast(1.0f);
    Vec ah_n = slots[0], r = slots[1], z = slots[2], n = slots[3];
    // h' = n + z * (h - n)
    Vec d_z = dh * (h - n);
    Vec d_n = dh * (one - z);
    dh = dh * z;
    // n = tanh(ax_n + r * ah_n)
    Vec d_ax_n = d_n * fnma(n, n, one);
    slots[3] = d_ax_n;
    slots[0] = d_ax_n * r;
    // r, z = sigmoid(ax + ah)
    slots[1] = d_ax_n * ah_n * (r * (one - r));
    slots[2] = d_z * (z * (one - z));
  }
};

}  // namespace charnn::CHARNN_ISA
