// The decoder: logits, softmax and cross-entropy, and their gradients.
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/panels.h"

namespace charnn {

struct CrossEntropyShape {
  size_t rows, hidden, vocabulary;
  /// Rows of a step, and of the mask.
  size_t lanes;
  bool has_mask;
  bool wants_gradient;

  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t vocabulary_panels() const { return panel_count(vocabulary); }
};

/// Scratch memory; H and V are the panels of the hidden state and of the vocabulary.
struct CrossEntropyScratch {
  Panels input;           // H, rows: masked, or where it does not come as panels
  Panels mask;            // H, lanes
  Panels weight;          // V, hidden
  Panels weight_by_unit;  // H, vocabulary
  Panels logits;          // V, rows_at_once: or their gradients
  size_t rows_at_once;
  float* bias;            // [16 V]: far below zero beyond the vocabulary
  float* bias_sums;       // [16 V]
  Panels gradient_input;  // H, rows
};

CrossEntropyScratch layout_scratch(const CrossEntropyShape& shape, float* base, size_t* floats);

struct CrossEntropy {
  CrossEntropyShape shape;
  CrossEntropyScratch scratch;
  const float* input;      // [rows, hidden], or, where null:
  Panels input_panels;     // the same
  Mask mask;               // [lanes, hidden]: multiplies the rows of every step
  const float* weight;     // [vocabulary, hidden]
  const float* bias;       // [vocabulary]
  const int32_t* targets;  // [rows], below the vocabulary; below 0: not scored
  size_t scored;           // rows with a target

  // All overwritten.
  float* losses;         // [rows], nats; 0 where there is no target
  int32_t* predictions;  // [rows]
  // [rows], or null: how many are likelier than the target, or as likely and before it.
  int32_t* ranks;
  float* gradient_weight;
  float* gradient_bias;
};

}  // namespace charnn
