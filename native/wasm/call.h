// What JavaScript calls the module with: numbers in a block of memory, one after another, addresses
// among them. Whoever wrote them has checked them: src/backends/wasm/wasm-kernels.ts, which writes
// each call in the order in which it is read here.
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/panels.h"

#define CHARNN_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace charnn {

/// Room for the longest call: a decode session of kMaxLayers layers.
constexpr int kMaxCallNumbers = 512;
extern double call_numbers[kMaxCallNumbers];

/// Reads the numbers of a call from the first to the last.
class Call {
 public:
  double number() { return *next_++; }
  size_t size() { return static_cast<size_t>(number()); }
  bool flag() { return number() != 0; }
  /// An array; null where there is none.
  float* floats() { return reinterpret_cast<float*>(size()); }
  int32_t* integers() { return reinterpret_cast<int32_t*>(size()); }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(size()); }
  Panels panels() {
    float* data = floats();
    return {data, size()};
  }
  Mask mask() {
    Mask mask;
    mask.values = floats();
    mask.dropout.rate = number();
    mask.dropout.key[0] = static_cast<uint32_t>(number());
    mask.dropout.key[1] = static_cast<uint32_t>(number());
    mask.source = mask.values              ? Mask::Source::kValues
                  : mask.dropout.rate != 0 ? Mask::Source::kDropout
                                           : Mask::Source::kNone;
    return mask;
  }

 private:
  const double* next_ = call_numbers;
};

}  // namespace charnn
