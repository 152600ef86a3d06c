// One recurrent layer over a sequence: what the kernels are given, and the memory they work in.
// Sizes and pointers are checked by whoever fills these in.
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/panels.h"

namespace charnn {

enum class Cell { gru, lstm, rnn };

struct CellTraits {
  size_t gates;
  /// Numbers for each unit that forward leaves for backward, which overwrites them by the gradients
  /// of the gates. Those of the gates of the hidden state come first, those of the input last;
  /// where the two are not the same, there are more slots than gates.
  size_t slots;
  bool has_cell_state;
};

CHARNN_INLINE constexpr CellTraits traits_of(Cell cell) {
  return cell == Cell::gru    ? CellTraits{3, 4, false}
         : cell == Cell::lstm ? CellTraits{4, 4, true}
                              : CellTraits{1, 1, false};
}

struct SequenceShape {
  Cell cell;
  size_t time, batch;
  /// The size of a vector; one-hot, that of the vocabulary.
  size_t input;
  size_t hidden;
  /// The tokens that there are; 0: the input is vectors.
  size_t vocabulary;
  bool has_embedding;
  /// Rows of the input's mask, 0: it has none. Of vectors that is the batch; tokens of lane b have
  /// row b % input_masks.
  size_t input_masks;
  bool has_state_mask, has_weight_mask;
  /// Of the team.
  size_t members;

  CHARNN_INLINE size_t rows() const { return time * batch; }
  /// Pairs of a mask and a token.
  CHARNN_INLINE size_t pairs() const { return vocabulary * (input_masks > 0 ? input_masks : 1); }
  CHARNN_INLINE size_t gate_rows() const { return traits_of(cell).gates * hidden; }
  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t input_panels() const { return panel_count(input); }
  CHARNN_INLINE size_t gate_panels() const { return traits_of(cell).gates * hidden_panels(); }
  CHARNN_INLINE size_t slot_panels() const { return traits_of(cell).slots * hidden_panels(); }
};

/// A layer's scratch memory. Comments give panels and rows; H, I and G are the panels of the hidden
/// state, of the input and of all gates. Gates are in the order of their slots.
struct SequenceScratch {
  // What forward leaves for backward.
  Panels hiddens;      // H, (time + 1) * batch: the states, the initial one first
  Panels seen;         // the same, masked: what the recurrent weights see of them
  Panels cells;        // H, (time + 1) * batch, for an LSTM
  Panels slots;        // slots * H, time * batch
  Panels input;        // I, time * batch: vectors, masked
  Panels input_mask;   // I, input_masks
  Panels state_mask;   // H, batch
  float* weight_mask;  // [gates, hidden]
  Panels embedding;    // I, distinct pairs: the tokens' vectors, masked
  // A pair of a mask and a token is one number, the mask's times the vocabulary plus the token.
  int32_t* distinct;  // [rows]: the pairs that occur, in the order in which they first do
  int32_t* places;    // [rows]: the place of each row's pair among them
  int32_t* counts;    // [1]: how many they are
  int32_t* place_of;  // [pairs]

  // What both use for themselves.
  Panels weight_hh;          // G, hidden
  Panels weight_ih;          // G, input
  Panels weight_hh_by_gate;  // H, 16 G
  Panels weight_ih_by_gate;  // I, 16 G
  Panels table;              // G, distinct pairs: the input's part of the gates, or its gradient
  Panels step_gates;         // 3 or 4, batch: for each worker
  size_t step_gates_each;    // floats of a worker's
  float* bias_ih;            // [16 G]
  float* bias_hh;            // [16 G]
  float* bias_sums;          // [16 * slots * H]

  Panels gradient_output;     // H, time * batch
  Panels gradient_hidden;     // H, batch
  Panels gradient_seen;       // H, batch
  Panels gradient_cell;       // H, batch
  Panels gradient_input;      // I, time * batch
  Panels gradient_embedding;  // I, distinct pairs
};

/// Divides the memory from `base` on, which begins at a multiple of 64 bytes.
///
/// @param floats becomes the number of floats that it takes
SequenceScratch layout_scratch(const SequenceShape& shape, float* base, size_t* floats);

/// What a layer reads: either tokens or vectors.
struct SequenceInput {
  const int32_t* tokens;   // [time, batch], each below the vocabulary
  const float* embedding;  // [vocabulary, input]
  const float* vectors;    // [time, batch, input], or, where null:
  Panels panels;           // the same
  Mask mask;               // [input_masks, input]: multiplies the vectors, also those of tokens
};

struct SequenceWeights {
  const float* ih;       // [gates, input]
  const float* hh;       // [gates, hidden]
  const float* bias_ih;  // [gates]
  const float* bias_hh;  // [gates]
};

struct SequenceState {
  float* hidden;  // [batch, hidden]
  float* cell;    // [batch, hidden], for an LSTM
};

struct Sequence {
  SequenceShape shape;
  SequenceScratch scratch;
  SequenceInput input;
  SequenceWeights weights;
  SequenceState before;
  Mask state_mask;      // [batch, hidden]: multiplies what the recurrent weights see of the state
  Mask weight_mask;     // [gates, hidden]: multiplies weights.hh
  SequenceState after;  // overwritten
};

/// Back through time, after the forward pass with the same scratch memory.
struct SequenceGradient {
  Sequence forward;
  const float* output;   // [time, batch, hidden], or, where null:
  Panels output_panels;  // the same

  // All overwritten.
  SequenceState before;
  float* weight_ih;
  float* weight_hh;
  float* bias_ih;
  float* bias_hh;
  float* embedding;
};

}  // namespace charnn
