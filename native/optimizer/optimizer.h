// Optimizer steps over flat arrays, and gradients in 8 bits a number: the arguments of the kernels
// in optimizer/steps.h and optimizer/gradient_record.h. Whoever fills these in has checked sizes
// and pointers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inline.h"

namespace charnn {

/// Gradients whose squares are added up before their sum is added to the total: fixed, so that the
/// norm does not depend on the number of threads.
constexpr size_t kNormBlock = 4096;

CHARNN_INLINE constexpr size_t norm_blocks(size_t count) {
  return (count + kNormBlock - 1) / kNormBlock;
}

/// Sparse parameters of which a byte says whether any has a gradient.
constexpr size_t kSparseGroup = 16;

/// What every optimizer step works on.
struct Step {
  size_t count;
  size_t sparse;           // the first ones: those whose gradient is zero only decay
  const uint8_t* nonzero;  // [sparse / kSparseGroup]: 0 where the gradients of a group are all
                           // zero; null: any may differ from it
  float* parameters;       // [count]
  float* gradients;        // [count]
  double learning_rate;
  double clip_norm;     // largest norm of all gradients together; infinity: not clipped
  double clip_value;    // largest absolute value of each gradient, after clip_norm; infinity: not
                        // clipped
  double weight_decay;  // decoupled: parameters shrink by learning_rate * weight_decay
  double sparse_weight_decay;   // that of the sparse ones
  float* average;               // [count]: a running average of the parameters, or null
  double average_decay;         // the fraction of the average that stays at each step
  double sparse_average_decay;  // that of the sparse ones; 1: their average stays as it is
  double* block_sums;           // [norm_blocks(count)]: scratch memory
  double norm;                  // becomes the gradients' norm before clipping
};

struct AdamStep {
  Step common;
  float* first_moment;   // [count]
  float* second_moment;  // [count]
  double beta1, beta2, epsilon;
  double step_size;      // of the first moment: learning_rate / (1 - beta1^t), or NAdam's
  double gradient_size;  // of the gradient: 0, or NAdam's
  double correction;     // sqrt(1 - beta2^t)
};

struct SgdStep {
  Step common;
  float* moment;  // [count]
  double momentum;
};

struct RmsPropStep {
  Step common;
  float* moment;  // [count]
  double decay, epsilon;
};

/// Numbers of a block of a record: optimizer/gradient_record.h says what is in it.
constexpr size_t kRecordBlock = 256;
constexpr size_t kRecordBlockBytes = sizeof(float) + kRecordBlock;
/// Records that can be added up at once.
constexpr size_t kMostRecords = 4096;

CHARNN_INLINE constexpr size_t record_blocks(size_t count) {
  return (count + kRecordBlock - 1) / kRecordBlock;
}

struct PackGradients {
  size_t count;
  const float* gradients;  // [count]
  float factor;            // of all gradients
  uint8_t* record;         // [record_blocks(count), kRecordBlockBytes]
};

struct AddRecords {
  size_t count;            // of records, at most kMostRecords
  size_t blocks;           // of each record
  const uint8_t* records;  // [count, blocks, kRecordBlockBytes]
  uint8_t* sum;            // [blocks, kRecordBlockBytes]
};

struct UnpackGradients {
  size_t count;
  const uint8_t* record;  // [record_blocks(count), kRecordBlockBytes]
  float* gradients;       // [count]
};

}  // namespace charnn
