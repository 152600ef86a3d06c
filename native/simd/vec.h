// Vec: sixteen floats, on every instruction set, so that the kernels have one source and one order
// of operations. The file of an instruction set holds them in its registers: one of AVX-512, two of
// AVX2, four of SSE2, NEON or WebAssembly. All but SSE2 and WebAssembly have fused multiply-add,
// and these give the same bits; so do the two without.
//
// Each of these files defines, lane by lane:
//
//   load(p)  store(p, v)    sixteen floats, at any address
//   broadcast(x)  zero()    the same number in all lanes
//   add  sub  mul  div      also as operators
//   sqrt(a)
//   fma(a, b, c)            a * b + c, rounded once (without fused multiply-add: twice)
//   fnma(a, b, c)           c - a * b, rounded once (without fused multiply-add: twice)
//   min(a, b)  max(a, b)    b where either is NaN
//   abs(a)
//   round(a)                to the nearest whole number, ties to even (SSE2: of numbers that fit an
//   int) ldexp(a, n)             a * 2^n for whole numbers n from -126 to 127: adds n to the
//   exponent's bits rcp_estimate(a)         1 / a to within an eighth, for a from 1e-37 to 1e37. A
//   float's bits, read as an
//                           integer, grow about like its logarithm; subtracting them from a
//                           constant negates the logarithm.
//   equal_bits(a, b)        bit i is set where lane i of a equals that of b
//   load_bytes(p)           sixteen signed bytes, as floats
//   store_bytes(p, a)       the nearest whole numbers, ties to even, as signed bytes; for numbers
//                           from -128 to 127
//
// and the same for Words, unsigned integers of 64 bits, `kWordsPerRegister` at once:
//
//   load  store  broadcast
//   mul_low(a, b)           the lower halves' product, all 64 bits of it
//   high(a)                 the upper half, shifted down
//   bit_xor(a, b)
//
// and how much of a product fits its registers (see linalg/matmul.h):
//
//   kTilePanels             the most panels of a tile
//   kTileRows[panels]       the rows of a tile of this many panels
//   kRowPanels              panels at once in a product of a single row
//   kUnrolledRows           batch rows whose gates are worked on at once (see simd/unrolled.h)
#pragma once

#include <cstdint>

#include "inline.h"
#include "simd/width.h"

#if defined(CHARNN_ISA_AVX512)
#include "simd/avx512.h"
#elif defined(CHARNN_ISA_AVX2)
#include "simd/avx2.h"
#elif defined(CHARNN_ISA_NEON)
#include "simd/neon.h"
#elif defined(CHARNN_ISA_SSE2)
#include "simd/sse2.h"
#elif defined(CHARNN_ISA_WASM)
#include "simd/wasm.h"
#else
#error "Which instruction set?"
#endif

namespace charnn::CHARNN_ISA {

CHARNN_INLINE Vec operator+(Vec a, Vec b) { return add(a, b); }
CHARNN_INLINE Vec operator-(Vec a, Vec b) { return sub(a, b); }
CHARNN_INLINE Vec operator*(Vec a, Vec b) { return mul(a, b); }
CHARNN_INLINE Vec operator/(Vec a, Vec b) { return div(a, b); }

/// The first `count` (0 to 16) floats at `p`, zeros after them.
CHARNN_INLINE Vec load_first(const float* p, int count) {
  alignas(64) float lanes[kVectorWidth] = {};
  for (int i = 0; i < count; ++i) lanes[i] = p[i];
  return load(lanes);
}

/// Writes the first `count` (0 to 16) floats of `v` to `p`.
CHARNN_INLINE void store_first(float* p, Vec v, int count) {
  alignas(64) float lanes[kVectorWidth];
  store(lanes, v);
  for (int i = 0; i < count; ++i) p[i] = lanes[i];
}

/// The first `count` lanes of `v`, zeros after them.
CHARNN_INLINE Vec keep_first(Vec v, int count) {
  if (count == kVectorWidth) return v;
  alignas(64) float lanes[kVectorWidth];
  store(lanes, v);
  return load_first(lanes, count);
}

/// The sum of all lanes, always in this order: the upper half onto the lower one until one lane is
/// left.
CHARNN_INLINE float reduce_sum(Vec v) {
  alignas(64) float lanes[kVectorWidth];
  store(lanes, v);
  for (int half = kVectorWidth / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

/// The largest lane; a NaN may be passed over.
CHARNN_INLINE float reduce_max(Vec v) {
  alignas(64) float lanes[kVectorWidth];
  store(lanes, v);
  for (int half = kVectorWidth / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}

}  // namespace charnn::CHARNN_ISA
