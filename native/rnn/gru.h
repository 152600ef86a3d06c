// The gated recurrent unit (Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder
// for Statistical Machine Translation", 2014, section 2.3) in the variant of PyTorch, cuDNN and
// Keras, which resets after the recurrent product:
//
//     ax = W_ih x + b_ih      ah = W_hh h + b_hh      gates in PyTorch's order r, z, n
//     r  = sigmoid(ax_r + ah_r)
//     z  = sigmoid(ax_z + ah_z)
//     n  = tanh(ax_n + r * ah_n)
//     h' = n + z * (h - n)
#pragma once

#include "linalg/vector_math.h"
#include "rnn/cell.h"

namespace charnn::CHARNN_ISA {

/// Plain version: gru in test/reference/cells.ts.
///
/// Slots, in order: ah_n, r, z, n after forward; dL/d(ah_n), dL/d(ax_r), dL/d(ax_z), dL/d(ax_n)
/// after backward. Since ax_r and ah_r are added, dL/d(ah_r) is dL/d(ax_r), and likewise for z. So
/// the first three slots are the gradients with respect to ah in the order n, r, z, and the last
/// three those with respect to ax in the order r, z, n: both are whole panels side by side, and
/// each weight gradient is one matrix product without a copy. That is why ah comes in another order
/// than ax.
struct Gru {
  static constexpr Cell cell = Cell::gru;
  static constexpr size_t gate_of_hidden_slot[] = {2, 0, 1};
  static constexpr size_t gate_of_input_slot[] = {0, 1, 2};

  /// @param ah in the order n, r, z
  /// @param ax in the order r, z, n
  /// @param state before the step; overwritten by that after it
  template <class V>
  static CHARNN_INLINE void forward(const V* ah, const V* ax, CellState<V>& state, V* slots) {
    V r = sigmoid(ax[0] + ah[1]);
    V z = sigmoid(ax[1] + ah[2]);
    V n = tanh(fma(r, ah[0], ax[2]));
    slots[0] = ah[0];
    slots[1] = r;
    slots[2] = z;
    slots[3] = n;
    state.hidden = fma(z, state.hidden - n, n);
  }

  /// @param slots those of forward; overwritten by gradients
  static CHARNN_INLINE void backward(Vec* slots, const StepStates& states,
                                     StateGradient& gradient) {
    Vec one = broadcast(1.0f);
    Vec ah_n = slots[0], r = slots[1], z = slots[2], n = slots[3];
    Vec h = states.hidden_before, dh = gradient.hidden;
    // h' = n + z * (h - n)
    Vec d_z = dh * (h - n);
    Vec d_n = dh * (one - z);
    gradient.hidden = dh * z;
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
