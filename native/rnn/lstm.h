// Long short-term memory (Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, section 4)
// with forget gates (Gers, Schmidhuber and Cummins, "Learning to Forget", 2000, section 3), without
// peepholes, as PyTorch's LSTM:
//
//     a  = W_ih x + b_ih + W_hh h + b_hh      gates in PyTorch's order i, f, g, o
//     i  = sigmoid(a_i)      f = sigmoid(a_f)      g = tanh(a_g)      o = sigmoid(a_o)
//     c' = f * c + i * g
//     h' = o * tanh(c')
#pragma once

#include "linalg/vector_math.h"
#include "rnn/cell.h"

namespace charnn::CHARNN_ISA {

/// Plain version: lstm in test/reference/cells.ts.
///
/// Slots, in order: i, f, g, o after forward; dL/d(a_i), dL/d(a_f), dL/d(a_g), dL/d(a_o) after
/// backward.
struct Lstm {
  static constexpr Cell cell = Cell::lstm;
  static constexpr size_t gate_of_hidden_slot[] = {0, 1, 2, 3};
  static constexpr size_t gate_of_input_slot[] = {0, 1, 2, 3};

  /// @param ah, ax in the order i, f, g, o
  /// @param state before the step; overwritten by that after it
  template <class V>
  static CHARNN_INLINE void forward(const V* ah, const V* ax, CellState<V>& state, V* slots) {
    V i = sigmoid(ax[0] + ah[0]);
    V f = sigmoid(ax[1] + ah[1]);
    V g = tanh(ax[2] + ah[2]);
    V o = sigmoid(ax[3] + ah[3]);
    state.cell = fma(f, state.cell, i * g);
    slots[0] = i;
    slots[1] = f;
    slots[2] = g;
    slots[3] = o;
    state.hidden = o * tanh(state.cell);
  }

  /// @param slots those of forward; overwritten by gradients
  static CHARNN_INLINE void backward(Vec* slots, const StepStates& states,
                                     StateGradient& gradient) {
    Vec one = broadcast(1.0f);
    Vec i = slots[0], f = slots[1], g = slots[2], o = slots[3];
    Vec dh = gradient.hidden;
    // h' = o * tanh(c')
    Vec tanh_c = tanh(states.cell_after);
    Vec d_o = dh * tanh_c;
    Vec d_c = fma(dh * o, fnma(tanh_c, tanh_c, one), gradient.cell);
    gradient.hidden = zero();
    // c' = f * c + i * g
    gradient.cell = d_c * f;
    // i, f, o = sigmoid(a), g = tanh(a)
    slots[0] = d_c * g * (i * (one - i));
    slots[1] = d_c * states.cell_before * (f * (one - f));
    slots[2] = d_c * i * fnma(g, g, one);
    slots[3] = d_o * (o * (one - o));
  }
};

}  // namespace charnn::CHARNN_ISA
