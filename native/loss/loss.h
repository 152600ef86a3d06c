// The decoder and its loss: the arguments of cross_entropy (loss/cross_entropy.h), and its scratch
// memory. Whoever fills these in has checked sizes, pointers and targets.
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/panels.h"

namespace charnn {

struct CrossEntropyShape {
  size_t rows;  // time * batch
  size_t hidden, vocabulary;
  size_t batch;  // rows of a step, and of the mask
  bool has_mask;
  bool wants_gradient;

  CHARNN_INLINE size_t hidden_panels() const { return panel_count(hidden); }
  CHARNN_INLINE size_t vocabulary_panels() const { return panel_count(vocabulary); }
};

/// Scratch memory. Shapes are [rows, panels]: H and V are the panels of the hidden state and of the
/// vocabulary.
struct CrossEntropyScratch {
  // Valid only while the kernel runs.
  Panels input;            // [rows, H]: masked, or where it does not come in panels
  Panels mask;             // [batch, H]
  Panels weight;           // [hidden, V]
  Panels weight_by_token;  // [vocabulary, H]
  Panels logits;           // [rows_at_once, V]: then their exponentials, then their gradients
  size_t rows_at_once;
  float* bias;       // [16 V]: -infinity in the columns beyond the vocabulary
  float* bias_sums;  // [16 V]

  // Written for the layer below.
  Panels gradient_input;  // [rows, H]
};

/// Lays out the scratch memory from `base` on.
///
/// @param base at a multiple of 64 bytes; null to learn how much is needed
/// @param floats becomes the number of floats needed
CrossEntropyScratch layout_scratch(const CrossEntropyShape& shape, float* base, size_t* floats);

/// The arguments of cross_entropy.
struct CrossEntropy {
  CrossEntropyShape shape;
  CrossEntropyScratch scratch;
  const float* input;      // [rows, hidden] row by row; null:
  Panels input_panels;     // the same in panels
  Mask mask;               // [batch, hidden]: multiplies the input, the same at every step
  const float* weight;     // [vocabulary, hidden]
  const float* bias;       // [vocabulary]
  const int32_t* targets;  // [rows], below the vocabulary; below 0: the row has no loss
  size_t scored;           // rows with a target

  // Overwritten.
  float* losses;         // [rows], in nats; 0 for a row without a target
  int32_t* predictions;  // [rows]: the likeliest token, the first of equals
  int32_t* ranks;  // [rows]: tokens that are likelier than the target, or as likely and before it;
                   // 0 for a row without a target; or null
  float* logits;   // [rows, vocabulary] row by row; or null
  float* gradient_weight;  // [vocabulary, hidden], with wants_gradient
  float* gradient_bias;    // [vocabulary], with wants_gradient
};

}  // namespace charnn
