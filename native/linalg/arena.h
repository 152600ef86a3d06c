// Divides scratch memory into its parts.
#pragma once

#include <cstdint>

#include "linalg/panels.h"

namespace charnn {

/// Hands out one part after another, each from a multiple of 64 bytes on. Without memory to divide
/// it only counts.
class Divider {
 public:
  explicit Divider(float* base) : base_(base) {}

  float* floats(size_t count) {
    float* part = base_ ? base_ + used_ : nullptr;
    used_ += panels_of(count) * kLanes;
    return part;
  }
  int32_t* integers(size_t count) { return reinterpret_cast<int32_t*>(floats(count)); }
  Panels panels(size_t panels, size_t rows) {
    size_t stride = rows * kLanes;
    return {floats(panels * stride), stride};
  }
  size_t used() const { return used_; }

 private:
  float* base_;
  size_t used_ = 0;
};

}  // namespace charnn
