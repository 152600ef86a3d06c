// Sixteen floats in one register of AVX-512.
#pragma once

#include <immintrin.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  __m512 all;
};

/// All lanes: with a mask the compiler's headers have no values that are not set, of which it
/// warns.
constexpr __mmask16 kAll = 0xffff;
constexpr __mmask8 kAllWords = 0xff;

CHARNN_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
CHARNN_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v.all); }
CHARNN_INLINE Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
CHARNN_INLINE Vec zero() { return {_mm512_setzero_ps()}; }
CHARNN_INLINE Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.all, b.all)}; }
CHARNN_INLINE Vec subtract(Vec a, Vec b) { return {_mm512_sub_ps(a.all, b.all)}; }
CHARNN_INLINE Vec multiply(Vec a, Vec b) { return {_mm512_mul_ps(a.all, b.all)}; }
CHARNN_INLINE Vec divide(Vec a, Vec b) { return {_mm512_div_ps(a.all, b.all)}; }
CHARNN_INLINE Vec root(Vec a) { return {_mm512_maskz_sqrt_ps(kAll, a.all)}; }
/// a * b + c, rounded once.
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.all, b.all, c.all)}; }
/// c - a * b, rounded once.
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.all, b.all, c.all)}; }
/// The smaller of each two; b where either is not a number.
CHARNN_INLINE Vec smaller(Vec a, Vec b) { return {_mm512_maskz_min_ps(kAll, a.all, b.all)}; }
CHARNN_INLINE Vec larger(Vec a, Vec b) { return {_mm512_maskz_max_ps(kAll, a.all, b.all)}; }
/// To the nearest whole number, to the even one of two.
CHARNN_INLINE Vec rounded(Vec a) {
  return {_mm512_maskz_roundscale_ps(kAll, a.all, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
/// a * 2^n for whole numbers n from -126 to 127.
CHARNN_INLINE Vec times_power_of_two(Vec a, Vec n) {
  __m512i bits = _mm512_maskz_slli_epi32(kAll, _mm512_maskz_cvtps_epi32(kAll, n.all), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a.all), bits))};
}
/// 1 / a to within an eighth, for a from 1e-37 to 1e37: the exponent is negated, as is, almost, the
/// logarithm of the mantissa.
CHARNN_INLINE Vec first_reciprocal(Vec a) {
  return {_mm512_castsi512_ps(
      _mm512_sub_epi32(_mm512_set1_epi32(0x7ef311c7), _mm512_castps_si512(a.all)))};
}
/// Bit i is set where lane i of a equals that of b.
CHARNN_INLINE unsigned equal_lanes(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(a.all, b.all, _CMP_EQ_OQ);
}

/// Words of 64 bits, as many as a register holds.
using Words = __m512i;
constexpr int kWordsInRegister = 8;

CHARNN_INLINE Words load(const uint64_t* p) { return _mm512_loadu_si512(p); }
CHARNN_INLINE void store(uint64_t* p, Words v) { _mm512_storeu_si512(p, v); }
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm512_set1_epi64(static_cast<int64_t>(x)); }
/// The products of the lower halves.
CHARNN_INLINE Words multiply_lower(Words a, Words b) {
  return _mm512_maskz_mul_epu32(kAllWords, a, b);
}
CHARNN_INLINE Words upper(Words a) { return _mm512_maskz_srli_epi64(kAllWords, a, 32); }
CHARNN_INLINE Words exclusive_or(Words a, Words b) { return _mm512_xor_si512(a, b); }

/// How many rows a tile of the matrix product has, by its number of panels, so that its sums stay
/// in the 32 registers with a row of each panel and one factor.
constexpr int kTilePanels = 3;
constexpr int kTileRows[kTilePanels + 1] = {0, 12, 12, 8};
/// How many panels a product of a single row takes at once.
constexpr int kRowPanels = 4;
/// How many rows' gates are made at once: their vectors are to stay in registers.
constexpr int kRowsTogether = 4;

}  // namespace charnn::CHARNN_ISA
