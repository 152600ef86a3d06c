// Sixteen floats in two registers of AVX2, with fused multiply-add.
#pragma once

#include <immintrin.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  __m256 low, high;
};

CHARNN_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
CHARNN_INLINE void store(float* p, Vec v) {
  _mm256_storeu_ps(p, v.low);
  _mm256_storeu_ps(p + 8, v.high);
}
CHARNN_INLINE Vec broadcast(float x) {
  __m256 both = _mm256_set1_ps(x);
  return {both, both};
}
CHARNN_INLINE Vec zero() { return broadcast(0); }
CHARNN_INLINE Vec add(Vec a, Vec b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
CHARNN_INLINE Vec subtract(Vec a, Vec b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
CHARNN_INLINE Vec multiply(Vec a, Vec b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
CHARNN_INLINE Vec divide(Vec a, Vec b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
CHARNN_INLINE Vec root(Vec a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
/// a * b + c, rounded once.
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
/// c - a * b, rounded once.
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
/// The smaller of each two; b where either is not a number.
CHARNN_INLINE Vec smaller(Vec a, Vec b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
CHARNN_INLINE Vec larger(Vec a, Vec b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
/// To the nearest whole number, to the even one of two.
CHARNN_INLINE Vec rounded(Vec a) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.low, nearest), _mm256_round_ps(a.high, nearest)};
}
CHARNN_INLINE __m256 times_power_of_two(__m256 a, __m256 n) {
  __m256i bits = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), bits));
}
/// a * 2^n for whole numbers n from -126 to 127.
CHARNN_INLINE Vec times_power_of_two(Vec a, Vec n) {
  return {times_power_of_two(a.low, n.low), times_power_of_two(a.high, n.high)};
}
/// 1 / a to within an eighth, for a from 1e-37 to 1e37: the exponent is negated, as is, almost, the
/// logarithm of the mantissa.
CHARNN_INLINE Vec first_reciprocal(Vec a) {
  const __m256i constant = _mm256_set1_epi32(0x7ef311c7);
  return {_mm256_castsi256_ps(_mm256_sub_epi32(constant, _mm256_castps_si256(a.low))),
          _mm256_castsi256_ps(_mm256_sub_epi32(constant, _mm256_castps_si256(a.high)))};
}
/// Bit i is set where lane i of a equals that of b.
CHARNN_INLINE unsigned equal_lanes(Vec a, Vec b) {
  unsigned low = _mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ));
  unsigned high = _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ));
  return low | high << 8;
}

/// Words of 64 bits, as many as a register holds.
using Words = __m256i;
constexpr int kWordsInRegister = 4;

CHARNN_INLINE Words load(const uint64_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CHARNN_INLINE void store(uint64_t* p, Words v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm256_set1_epi64x(static_cast<int64_t>(x)); }
/// The products of the lower halves.
CHARNN_INLINE Words multiply_lower(Words a, Words b) { return _mm256_mul_epu32(a, b); }
CHARNN_INLINE Words upper(Words a) { return _mm256_srli_epi64(a, 32); }
CHARNN_INLINE Words exclusive_or(Words a, Words b) { return _mm256_xor_si256(a, b); }

/// How many rows a tile of the matrix product has, by its number of panels, so that its sums stay
/// in the 16 registers with a row of the panel and one factor.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 6};
/// How many panels a product of a single row takes at once.
constexpr int kRowPanels = 4;
/// How many rows' gates are made at once: their vectors are to stay in registers.
constexpr int kRowsTogether = 1;

}  // namespace charnn::CHARNN_ISA
