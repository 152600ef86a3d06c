// Masks of dropout.
#pragma once

#include <cstdint>

namespace charnn {

/// Element i is 0 where word i of the Philox stream `key` is below rate * 2^32, and 1 / (1 - rate)
/// elsewhere.
struct Dropout {
  double rate;  // above 0, below 1
  uint32_t key[2];
};

/// Numbers that multiply others.
struct Mask {
  const float* values;  // or, where null:
  Dropout dropout;      // what they are made from
};

}  // namespace charnn
