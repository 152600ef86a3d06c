// Long short-term memory (Hochreiter and Schmidhuber, 1997) with forget gates (Gers et al., 2000),
// in PyTorch's variant and gate order:
//
//     a  = W_ih x + b_ih + W_hh h + b_hh
//     i  = sigmoid(a_i)      f = sigmoid(a_f)      g = tanh(a_g)      o = sigmoid(a_o)
//     c' = f * c + i * g
//     h' = o * tanh(c')
#pragma once

#include "linalg/vector_math.h"
#include "rnn/rnn.h"

namespace charnn::CHARNN_ISA {

/// Sixteen units of one lane at one step.
struct Lstm {
  static constexpr Cell cell = Cell::lstm;
  // Slots: i, f, g, o; then the gradients by their sums.
  static constexpr size_t gate_of_hidden_slot[] = {0, 1, 2, 3};
  static constexpr size_t gate_of_input_slot[] = {0, 1, 2, 3};

  /// @param c the cell state, overwritten by the one after the step
  template <class V>
  static CHARNN_INLINE V forward(const V* ah, const V* ax, V, V& c, V* slots) {
    V i = sigmoid(ax[0] + ah[0]);
    V f = sigmoid(ax[1] + ah[1]);
    V g = tanh(ax[2] + ah[2]);
    V o = sigmoid(ax[3] + ah[3]);
    c = fma(f, c, i * g);
    slots[0] = i;
    slots[1] = f;
    slots[2] = g;
    slots[3] = o;
    return o * tanh(c);
  }

  /// @param slots what forward left, overwritten by the gradients
  /// @param dh by the state after the step; overwritten by the part that reaches h not by the gates
  /// @param c_before, c_after the cell state before and after the step
  /// @param dc by the cell state after the step; overwritten by that by the one before
  static CHARNN_INLINE void backward(Vec* slots, Vec, Vec& dh, Vec c_before, Vec c_after, Vec& dc) {
    Vec one = broadcast(1.0f);
    Vec i = slots[0], f = slots[1], g = slots[2], o = slots[3];
    // h' = o * tanh(c')
    Vec tanh_c = tanh(c_after);
    Vec d_o = dh * tanh_c;
    Vec d_c = fma(dh * o, fnma(tanh_c, tanh_c, one), dc);
    dh = zero();
    // c' = f * c + i * g
    dc = d_c * f;
    // i, f, o = sigmoid(a), g = tanh(a)
    slots[0] = d_c * g * (i * (one - i));
    slots[1] = d_c * c_before * (f * (one - f));
    slots[2] = d_c * i * fnma(g, g, one);
    slots[3] = d_o * (o * (one - o));
  }
};

}  // namespace charnn::CHARNN_ISA
