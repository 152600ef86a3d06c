// Vec: sixteen floats, whatever the instruction set, so that one kernel source has one order of
// operations. A file for each instruction set says how it is held: in one register of AVX-512, two
// of AVX2, four of SSE or NEON. With fused multiply-add all of them give the same bits.
#pragma once

#include <cstdint>

#include "linalg/panels.h"

#if defined(CHARNN_ISA_AVX512)
#include "simd/avx512.h"
#elif defined(CHARNN_ISA_AVX2)
#include "simd/avx2.h"
#elif defined(CHARNN_ISA_NEON)
#include "simd/neon.h"
#elif defined(CHARNN_ISA_SSE2)
#include "simd/sse2.h"
#else
#error "Which instruction set?"
#endif

namespace charnn::CHARNN_ISA {

CHARNN_INLINE Vec operator+(Vec a, Vec b) { return add(a, b); }
CHARNN_INLINE Vec operator-(Vec a, Vec b) { return subtract(a, b); }
CHARNN_INLINE Vec operator*(Vec a, Vec b) { return multiply(a, b); }
CHARNN_INLINE Vec operator/(Vec a, Vec b) { return divide(a, b); }

/// The first `count` (0 to 16) floats at `p`, zeros after them.
CHARNN_INLINE Vec load_first(const float* p, int count) {
  alignas(64) float lanes[kLanes] = {};
  for (int i = 0; i < count; ++i) lanes[i] = p[i];
  return load(lanes);
}

/// Writes the first `count` (0 to 16) floats of `v` to `p`.
CHARNN_INLINE void store_first(float* p, Vec v, int count) {
  alignas(64) float lanes[kLanes];
  store(lanes, v);
  for (int i = 0; i < count; ++i) p[i] = lanes[i];
}

/// The first `count` lanes of `v`, zeros after them.
CHARNN_INLINE Vec zero_beyond(Vec v, int count) {
  if (count == kLanes) return v;
  alignas(64) float lanes[kLanes];
  store(lanes, v);
  return load_first(lanes, count);
}

/// The sum of all sixteen, always in this order: halves onto each other until one is left.
CHARNN_INLINE float sum(Vec v) {
  alignas(64) float lanes[kLanes];
  store(lanes, v);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

CHARNN_INLINE float largest(Vec v) {
  alignas(64) float lanes[kLanes];
  store(lanes, v);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}

}  // namespace charnn::CHARNN_ISA
