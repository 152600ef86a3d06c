// What the kernels of a layer know about its cell. A cell is a class with
//
//   Cell cell                                     its name
//   size_t gate_of_hidden_slot[gates]             which gate the first `gates` slots belong to
//   size_t gate_of_input_slot[gates]              and which the last (see CellTraits in rnn/rnn.h)
//   forward(ah, ax, state, slots)                 one step of 16 hidden units
//   backward(slots, states, gradient)             the same step back
//
// Gates have PyTorch's order in weights and biases; `ah` and `ax` have that of their slots.
#pragma once

#include "linalg/pack.h"
#include "rnn/rnn.h"

namespace charnn::CHARNN_ISA {

/// The gates as the first slots hold them, those of W_hh h + b_hh.
template <class CellMath>
CHARNN_INLINE Blocks hidden_gates(size_t hidden) {
  return {hidden, traits_of(CellMath::cell).gates, CellMath::gate_of_hidden_slot};
}

/// The gates as the last slots hold them, those of W_ih x + b_ih.
template <class CellMath>
CHARNN_INLINE Blocks input_gates(size_t hidden) {
  return {hidden, traits_of(CellMath::cell).gates, CellMath::gate_of_input_slot};
}

/// The state of 16 hidden units: V is Vec for one batch row, Unrolled<n> for several.
template <class V>
struct CellState {
  V hidden;
  V cell;  // of an LSTM
};

/// The states on both sides of a step, as far as backward needs them.
struct StepStates {
  Vec hidden_before;
  Vec cell_before, cell_after;  // of an LSTM
};

/// Comes in as the gradient with respect to the state after a step. Goes out as the gradient with
/// respect to the cell state before it, and as the part of that with respect to the hidden state
/// before it which does not pass through the gates; the other part is a matrix product of the
/// gates' gradients.
struct StateGradient {
  Vec hidden;
  Vec cell;  // of an LSTM
};

}  // namespace charnn::CHARNN_ISA
