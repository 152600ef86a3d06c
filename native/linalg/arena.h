// Scratch memory, laid out.
#pragma once

#include <cstdint>

#include "linalg/panels.h"

namespace charnn {

/// Hands out parts of a block of memory one after another, each at a multiple of 64 bytes from its
/// beginning. Without memory it only counts: the same function first says how much is needed, then
/// lays it out.
class Arena {
 public:
  /// @param base at a multiple of 64 bytes, or null
  explicit Arena(float* base) : base_(base) {}

  float* floats(uint64_t count) {
    float* part = base_ ? base_ + used_ : nullptr;
    used_ += (count + kVectorWidth - 1) / kVectorWidth * kVectorWidth;
    return part;
  }
  int32_t* integers(size_t count) { return reinterpret_cast<int32_t*>(floats(count)); }
  Panels panels(size_t panels, size_t rows) {
    const size_t stride = rows * kVectorWidth;
    return {floats(uint64_t{panels} * stride), stride};
  }
  /// Floats handed out so far; the largest size where there are more than any memory holds.
  size_t used() const { return used_ < SIZE_MAX ? static_cast<size_t>(used_) : SIZE_MAX; }

 private:
  float* base_;
  /// Counted in 64 bits, so that what a processor of 32 bits can't hold is noticed.
  uint64_t used_ = 0;
};

}  // namespace charnn
