// Sixteen floats in four registers of SSE2, which every x86-64 has. Without fused multiply-add, so
// the last bits differ from those of the other instruction sets.
#pragma once

#include <emmintrin.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  __m128 part[4];
};

template <class Operation>
CHARNN_INLINE Vec each(Operation operation) {
  return {{operation(0), operation(1), operation(2), operation(3)}};
}

CHARNN_INLINE Vec load(const float* p) {
  return each([=](int i) { return _mm_loadu_ps(p + 4 * i); });
}
CHARNN_INLINE void store(float* p, Vec v) {
  for (int i = 0; i < 4; ++i) _mm_storeu_ps(p + 4 * i, v.part[i]);
}
CHARNN_INLINE Vec broadcast(float x) {
  __m128 four = _mm_set1_ps(x);
  return {{four, four, four, four}};
}
CHARNN_INLINE Vec zero() { return broadcast(0); }
CHARNN_INLINE Vec add(Vec a, Vec b) {
  return each([=](int i) { return _mm_add_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec subtract(Vec a, Vec b) {
  return each([=](int i) { return _mm_sub_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec multiply(Vec a, Vec b) {
  return each([=](int i) { return _mm_mul_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec divide(Vec a, Vec b) {
  return each([=](int i) { return _mm_div_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec root(Vec a) {
  return each([=](int i) { return _mm_sqrt_ps(a.part[i]); });
}
/// a * b + c, rounded twice.
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) { return add(multiply(a, b), c); }
/// c - a * b, rounded twice.
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) { return subtract(c, multiply(a, b)); }
/// The smaller of each two; b where either is not a number.
CHARNN_INLINE Vec smaller(Vec a, Vec b) {
  return each([=](int i) { return _mm_min_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec larger(Vec a, Vec b) {
  return each([=](int i) { return _mm_max_ps(a.part[i], b.part[i]); });
}
/// To the nearest whole number, to the even one of two; for numbers that an int can hold.
CHARNN_INLINE Vec rounded(Vec a) {
  return each([=](int i) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(a.part[i])); });
}
/// a * 2^n for whole numbers n from -126 to 127.
CHARNN_INLINE Vec times_power_of_two(Vec a, Vec n) {
  return each([=](int i) {
    __m128i bits = _mm_slli_epi32(_mm_cvtps_epi32(n.part[i]), 23);
    return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a.part[i]), bits));
  });
}
/// 1 / a to within an eighth, for a from 1e-37 to 1e37: the exponent is negated, as is, almost, the
/// logarithm of the mantissa.
CHARNN_INLINE Vec first_reciprocal(Vec a) {
  const __m128i constant = _mm_set1_epi32(0x7ef311c7);
  return each([=](int i) {
    return _mm_castsi128_ps(_mm_sub_epi32(constant, _mm_castps_si128(a.part[i])));
  });
}
/// Bit i is set where lane i of a equals that of b.
CHARNN_INLINE unsigned equal_lanes(Vec a, Vec b) {
  unsigned lanes = 0;
  for (int i = 0; i < 4; ++i)
    lanes |= unsigned(_mm_movemask_ps(_mm_cmpeq_ps(a.part[i], b.part[i]))) << (4 * i);
  return lanes;
}

/// Words of 64 bits, as many as a register holds.
using Words = __m128i;
constexpr int kWordsInRegister = 2;

CHARNN_INLINE Words load(const uint64_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
CHARNN_INLINE void store(uint64_t* p, Words v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm_set1_epi64x(static_cast<int64_t>(x)); }
/// The products of the lower halves.
CHARNN_INLINE Words multiply_lower(Words a, Words b) { return _mm_mul_epu32(a, b); }
CHARNN_INLINE Words upper(Words a) { return _mm_srli_epi64(a, 32); }
CHARNN_INLINE Words exclusive_or(Words a, Words b) { return _mm_xor_si128(a, b); }

/// How many rows a tile of the matrix product has, by its number of panels.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 2};
/// How many panels a product of a single row takes at once.
constexpr int kRowPanels = 2;
/// How many rows' gates are made at once: their vectors are to stay in registers.
constexpr int kRowsTogether = 1;

}  // namespace charnn::CHARNN_ISA
