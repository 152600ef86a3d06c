// Dropout masks, as the kernels are given them.
#pragma once

#include <cstdint>

namespace charnn {

/// Element i of the mask is 0 where word i of the Philox stream `key` is below rate * 2^32, and 1 /
/// (1 - rate) elsewhere. Elements count row by row. Plain version: dropoutMask in test/reference.
struct Dropout {
  double rate;  // above 0, below 1
  uint32_t key[2];
};

/// Factors that multiply a matrix element by element; the field that holds one says its shape.
struct Mask {
  enum class Source {
    kNone,     // there is no mask
    kValues,   // in `values`
    kDropout,  // made from `dropout` where it is used
  };
  Source source = Source::kNone;
  const float* values = nullptr;
  Dropout dropout = {};
};

}  // namespace charnn
