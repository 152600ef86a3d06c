// One recurrent layer over a sequence: the arguments of its kernels, forward_sequence
// (rnn/forward.h) and backward_sequence (rnn/backward.h), and the scratch memory that they share.
// Whoever fills these in has checked sizes, pointers and tokens.
#pragma once

#include <cstdint>
#include <iterator>

#include "linalg/dropout.h"
#include "linalg/panels.h"

namespace charnn {

enum class Cell { gru, lstm, rnn };

struct CellTraits {
  const char* name;
  size_t gates;
  /// Numbers for each unit that forward saves for backward, which overwrites them by the gradients
  /// with respect to the gates' pre-activations. The first `gates` slots become those of W_hh h +
  /// b_hh, the last `gates` those of W_ih x + b_ih. Where a gate adds the two its gradients are the
  /// same and share a slot; only a GRU's n multiplies one of them first, so a GRU has one slot more
  /// than gates.
  size_t slots;
  bool has_cell_state;
};

/// In the order of `Cell`, which is that of `CELL_NAMES` in `src/config/cells.ts`.
constexpr CellTraits kCellTraits[] = {
    {"gru", 3, 4, false},
    {"lstm", 4, 4, true},
    {"rnn", 1, 1, false},
};
constexpr size_t kCellCount = std::size(kCellTraits);

CHARNN_INLINE constexpr CellTraits traits_of(Cell cell) {
  return kCellTraits[static_cast<size_t>(cell)];
}

enum class InputKind {
  kVectors,   // of the layer below
  kOneHot,    // tokens: row t of the input weights is looked up
  kEmbedding  // tokens: their vectors are looked up in an embedding
};

struct SequenceShape {
  Cell cell;
  InputKind input_kind;
  size_t time, batch;
  size_t input;  // numbers of an input vector; one-hot, the size of the vocabulary
  size_t hidden;
  size_t vocabulary;  // with tokens
  /// Rows of the input's mask; 0 where it has none. For vectors it is `batch`; tokens of batch row
  /// b are multiplied by row b % input_mask_rows, so that few pairs of a mask row and a token
  /// occur.
  size_t input_mask_rows;
  bool has_state_mask, has_weight_mask;
  size_t threads;  // of the team

  CHARNN_INLINE bool has_tokens() const { return input_kind != InputKind::kVectors; }
  CHARNN_INLINE bool has_embedding() const { return input_kind == InputKind::kEmbedding; }
  CHARNN_INLINE bool has_input_mask() const { return input_mask_rows > 0; }
  CHARNN_INLINE size_t rows() const { return time * batch; }
  /// Pairs of a mask row and a token that there can be.
  CHARNN_INLINE size_t pairs() const {
    return vocabulary * (has_input_mask() ? input_mask_rows : 1);
  }
  CHARNN_INLINE size_t gate_rows() const { return traits_of(cell).gates * hidden; }
  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t input_panels() const { return panel_count(input); }
  CHARNN_INLINE size_t gate_panels() const { return traits_of(cell).gates * hidden_panels(); }
  CHARNN_INLINE size_t slot_panels() const { return traits_of(cell).slots * hidden_panels(); }
};

/// A layer's scratch memory. Shapes are [rows, panels]: H, I, G and S are the panels of the hidden
/// state, of the input, of all gates and of all slots; T and B are time and batch. Gates are in the
/// order of their slots. What the shape does not need is null.
struct SequenceScratch {
  // Written by forward, read by backward.
  Panels hiddens;         // [(T + 1) B, H]: the states, the initial one first
  Panels masked_hiddens;  // [(T + 1) B, H]: the same times state_mask
  Panels cells;           // [(T + 1) B, H]: the cell states, likewise, of an LSTM
  Panels slots;           // [T B, S]: see CellTraits; backward overwrites them
  Panels input;           // [T B, I]: vectors, masked, or where they don't come in panels
  Panels input_mask;      // [input_mask_rows, I]
  Panels state_mask;      // [B, H]
  float* weight_mask;     // [gates, hidden] row by row, where it is made here
  // Tokens are looked up by pairs of a mask row and a token, each one number: mask row * vocabulary
  // + token.
  int32_t* used_pairs;     // [T B]: the pairs that occur, in the order in which they first do
  int32_t* pair_of_row;    // [T B]: the index in used_pairs of each row's pair
  int32_t* used_count;     // [1]: how many pairs occur
  int32_t* index_of_pair;  // [pairs()]: the index of each pair in used_pairs, or -1
  Panels pair_vectors;     // [used_count, I]: the pairs' embedding vectors, masked

  // Valid only while a kernel runs.
  Panels weight_hh;          // [hidden, G]
  Panels weight_ih;          // [input, G]
  Panels weight_hh_by_gate;  // [16 G, H]
  Panels weight_ih_by_gate;  // [16 G, I]
  Panels pair_gates;     // [used_count, G]: forward, W_ih x of each pair; backward, its gradient
  Panels step_products;  // [B, gates]: W_hh h of one panel of units, for each thread
  size_t step_products_size;     // floats of a thread's step_products
  float* bias_ih;                // [16 G]
  float* bias_hh;                // [16 G]
  float* bias_sums;              // [16 S]
  Panels gradient_output;        // [T B, H]
  Panels gradient_hidden;        // [B, H]
  Panels gradient_masked;        // [B, H]: with respect to masked_hiddens
  Panels gradient_cell;          // [B, H]
  Panels gradient_pair_vectors;  // [used_count, I]

  // Written by backward, for the layer below.
  Panels gradient_input;  // [T B, I], for vectors
};

/// Lays out the scratch memory from `base` on.
///
/// @param base at a multiple of 64 bytes; null to learn how much is needed
/// @param floats becomes the number of floats needed
SequenceScratch layout_scratch(const SequenceShape& shape, float* base, size_t* floats);

/// Tokens, or vectors in one of two layouts; the other pointers are null.
struct SequenceInput {
  const int32_t* tokens;   // [time, batch], each from 0 to vocabulary - 1
  const float* embedding;  // [vocabulary, input]
  const float* vectors;    // [time, batch, input] row by row
  Panels panels;           // [time * batch, input]
  Mask mask;               // [input_mask_rows, input]: multiplies the vectors, also those of tokens
};

struct SequenceWeights {
  const float* ih;       // [gates * hidden, input], gates in PyTorch's order
  const float* hh;       // [gates * hidden, hidden]
  const float* bias_ih;  // [gates * hidden]
  const float* bias_hh;  // [gates * hidden]
};

struct SequenceState {
  float* hidden;  // [batch, hidden]
  float* cell;    // [batch, hidden], of an LSTM
};

/// The arguments of forward_sequence.
struct Sequence {
  SequenceShape shape;
  SequenceScratch scratch;
  SequenceInput input;
  SequenceWeights weights;
  SequenceState before;
  Mask state_mask;      // [batch, hidden]: multiplies the state that the recurrent weights see
  Mask weight_mask;     // [gates * hidden, hidden]: multiplies weights.hh
  SequenceState after;  // forward only

  /// The states as the recurrent weights see them, [(time + 1) * batch, hidden].
  CHARNN_INLINE Panels masked_hiddens() const {
    return shape.has_state_mask ? scratch.masked_hiddens : scratch.hiddens;
  }
  /// The factors of weights.hh [gates * hidden, hidden]; null where there are none.
  CHARNN_INLINE const float* recurrent_mask() const {
    if (!shape.has_weight_mask) return nullptr;
    return weight_mask.source == Mask::Source::kValues ? weight_mask.values : scratch.weight_mask;
  }
};

/// The arguments of backward_sequence.
struct SequenceGradient {
  Sequence forward;      // what forward_sequence was called with
  const float* output;   // dL/d(outputs) [time, batch, hidden] row by row; null:
  Panels output_panels;  // the same [time * batch, hidden] in panels

  // Gradients with respect to the arguments of the same name; overwritten.
  SequenceState before;  // [batch, hidden]
  float* weight_ih;      // [gates * hidden, input]
  float* weight_hh;      // [gates * hidden, hidden]
  float* bias_ih;        // [gates * hidden]
  float* bias_hh;        // [gates * hidden]
  float* embedding;      // [vocabulary, input], with an embedding
};

}  // namespace charnn
