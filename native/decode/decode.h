// The whole model one step at a time, for several sequences side by side: the arguments of the
// kernels in decode/step.h, and the memory in which weights and states stay between them. Whoever
// fills these in has checked sizes, pointers and tokens.
#pragma once

#include <cstdint>

#include "linalg/panels.h"
#include "rnn/rnn.h"

namespace charnn {

constexpr size_t kMaxLayers = 64;

struct DecodeShape {
  Cell cell;
  InputKind input_kind;  // of the lowest layer
  size_t layers;
  size_t sequences;  // decoded side by side, at most
  size_t hidden, vocabulary;
  size_t embedding;  // numbers of a vector, with kEmbedding and kVectors

  CHARNN_INLINE bool has_embedding() const { return input_kind == InputKind::kEmbedding; }
  CHARNN_INLINE bool is_one_hot() const { return input_kind == InputKind::kOneHot; }
  CHARNN_INLINE bool reads_vectors() const { return input_kind == InputKind::kVectors; }
  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t gate_panels() const { return traits_of(cell).gates * hidden_panels(); }
  CHARNN_INLINE size_t embedding_panels() const { return panel_count(embedding); }
  CHARNN_INLINE size_t vocabulary_panels() const { return panel_count(vocabulary); }
  /// Numbers that a layer's input weights multiply.
  CHARNN_INLINE size_t input(size_t layer) const {
    return layer > 0 ? hidden : is_one_hot() ? vocabulary : embedding;
  }
  /// Whether the lowest layer's W_ih x is looked up in a table of all tokens: always for one-hot
  /// input, whose table is W_ih itself, and with an embedding where the table stays small; never
  /// for vectors.
  CHARNN_INLINE bool has_token_table() const {
    constexpr size_t max_table = size_t{1} << 23;
    if (reads_vectors()) return false;
    return is_one_hot() || vocabulary * gate_panels() * kVectorWidth <= max_table;
  }
};

/// Weights as the steps read them, and states. Shapes are [rows, panels]: H, G, E and V are the
/// panels of the hidden state, of all gates, of the embedding and of the vocabulary; N is
/// sequences.
struct DecodeMemory {
  struct Layer {
    Panels weight_hh;  // [hidden, G]
    Panels weight_ih;  // [input(layer), G], where it is not looked up
    float* bias_ih;    // [16 G]
    float* bias_hh;    // [16 G]
    Panels hidden[2];  // [N, H]: the states before and after a step, in turn
    Panels cell;       // [N, H]: of an LSTM, overwritten by a step
    Panels recurrent;  // [N, G]: W_hh h of the next step
  };
  Layer layers[kMaxLayers];
  // With a table of tokens:
  Panels token_gates;  // [vocabulary, G]: W_ih x of each token
  Panels embedding;    // [vocabulary, E]: what it is made from
  // Without one:
  float* vectors;        // [vocabulary, embedding] row by row, with kEmbedding
  Panels input_vectors;  // [N, E]: those that a step reads

  Panels input_gates;   // [N, G]: W_ih x of a step, of whichever layer is at work
  Panels decoder;       // [hidden, V]
  float* decoder_bias;  // [16 V]
  Panels logits;        // [N, V]
};

/// Lays out the memory from `base` on.
///
/// @param base at a multiple of 64 bytes; null to learn how much is needed
/// @param floats becomes the number of floats needed
DecodeMemory layout_memory(const DecodeShape& shape, float* base, size_t* floats);

/// A model's weights, in the shapes of PyTorch.
struct DecodeWeights {
  const float* embedding;              // [vocabulary, embedding], with kEmbedding
  SequenceWeights layers[kMaxLayers];  // the first shape.layers of them, each of input(layer)
  const float* decoder;                // [vocabulary, hidden]
  const float* decoder_bias;           // [vocabulary]
};

/// The arguments of a step.
struct Decode {
  DecodeShape shape;
  DecodeMemory memory;
  size_t sequences;  // of this step: the first of shape.sequences; the states of others are lost
  int before;        // which of a layer's two hidden states is that before the next step: 0 or 1
  const int32_t* tokens;  // [sequences]: the step's input, each from 0 to vocabulary - 1
  const float* vectors;   // [sequences, embedding] row by row: the same with kVectors
  float* logits;          // [sequences, vocabulary] row by row; overwritten
};

}  // namespace charnn
