// Optimizer steps over flat arrays.
#pragma once

#include <cstddef>

#include "linalg/panels.h"

namespace charnn {

/// Numbers whose squares are added up before their sum is added to the total: fixed, so that the
/// norm does not depend on the number of threads.
constexpr size_t kNormBlock = 4096;

CHARNN_INLINE constexpr size_t norm_blocks(size_t count) {
  return (count + kNormBlock - 1) / kNormBlock;
}

/// What every optimizer step works on.
struct Step {
  size_t count;
  float* parameters;
  float* gradients;  // scaled in place where they are clipped
  double learning_rate;
  double clip_norm;     // 0: none
  double clip_value;    // of each gradient, after clip_norm; 0: none
  double weight_decay;  // decoupled
  float* average;       // [count]: of the parameters over the steps, or null
  double average_kept;  // the share of the average that stays at each step
  double* block_sums;   // [norm_blocks(count)]: scratch memory
  /// Becomes the gradients' norm before clipping. Where that is not finite in single precision,
  /// nothing else changes.
  double norm;
};

struct AdamStep {
  Step common;
  float* first_moment;
  float* second_moment;
  double beta1, beta2, epsilon;
  double step_size;   // learning_rate / (1 - beta1^t)
  double correction;  // sqrt(1 - beta2^t)
};

struct SgdStep {
  Step common;
  float* moment;
  double momentum;
};

struct RmsPropStep {
  Step common;
  float* moment;
  double decay, epsilon;
};

}  // namespace charnn
