// The whole model, one step at a time, for several streams of characters.
#pragma once

#include <cstdint>

#include "linalg/panels.h"
#include "rnn/rnn.h"

namespace charnn {

struct StreamsShape {
  Cell cell;
  size_t layers, streams;
  size_t hidden;
  size_t vocabulary;
  size_t embedding;  // 0: one-hot

  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t gate_panels() const { return traits_of(cell).gates * hidden_panels(); }
  CHARNN_INLINE size_t vocabulary_panels() const { return panel_count(vocabulary); }
};

constexpr size_t kMostLayers = 64;

/// The weights as the steps read them, and the streams' state. H, G, E and V are the panels of the
/// hidden state, of all gates, of the embedding and of the vocabulary.
struct StreamsMemory {
  struct Layer {
    Panels weight_hh;  // G, hidden
    Panels weight_ih;  // G, what the layer reads; none where it is looked up
    float* bias_ih;    // [16 G]
    float* bias_hh;    // [16 G]
    Panels hidden[2];  // H, streams: the state before and after a step, in turn
    Panels cell;       // H, streams, for an LSTM
    Panels recurrent;  // G, streams: what the recurrent weights make of the state before a step
  };
  Layer layers[kMostLayers];
  Panels table;        // G, vocabulary: what the input weights make of each character, or
  Panels embedding;    // E, vocabulary, from which it is made, or
  float* vectors;      // [vocabulary, embedding], where a table would be too large, and
  Panels input;        // E, streams: those of a step's characters
  Panels input_gates;  // G, streams
  Panels decoder;      // V, hidden
  float* bias;         // [16 V]
  Panels logits;       // V, streams
};

/// Whether the lowest layer's input is looked up: always without an embedding, and with one where
/// the table stays small.
CHARNN_INLINE bool has_table(const StreamsShape& shape) {
  constexpr size_t largest_table = size_t{1} << 23;
  return shape.embedding == 0 ||
         shape.vocabulary * shape.gate_panels() * kVectorWidth <= largest_table;
}

StreamsMemory layout_memory(const StreamsShape& shape, float* base, size_t* floats);

/// A model's weights, in the shapes of PyTorch.
struct StreamsWeights {
  const float* embedding;  // [vocabulary, embedding], or null
  SequenceWeights layers[kMostLayers];
  const float* decoder;       // [vocabulary, hidden]
  const float* decoder_bias;  // [vocabulary]
};

struct Streams {
  StreamsShape shape;
  StreamsMemory memory;
  /// Which of the two states is the one before the next step.
  int turn;
  const int32_t* tokens;  // [streams], each below the vocabulary
  float* logits;          // [streams, vocabulary]: overwritten
};

}  // namespace charnn
