// Two registers of AVX2, with fused multiply-add. What each function does: simd/vec.h.
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
CHARNN_INLINE Vec sub(Vec a, Vec b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
CHARNN_INLINE Vec mul(Vec a, Vec b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
CHARNN_INLINE Vec div(Vec a, Vec b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
CHARNN_INLINE Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
CHARNN_INLINE Vec min(Vec a, Vec b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
CHARNN_INLINE Vec max(Vec a, Vec b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
CHARNN_INLINE Vec abs(Vec a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
}
CHARNN_INLINE Vec round(Vec a) {
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.low, nearest), _mm256_round_ps(a.high, nearest)};
}
CHARNN_INLINE __m256 ldexp(__m256 a, __m256 n) {
  __m256i bits = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), bits));
}
CHARNN_INLINE Vec ldexp(Vec a, Vec n) { return {ldexp(a.low, n.low), ldexp(a.high, n.high)}; }
CHARNN_INLINE Vec rcp_estimate(Vec a) {
  const __m256i constant = _mm256_set1_epi32(0x7ef311c7);
  return {_mm256_castsi256_ps(_mm256_sub_epi32(constant, _mm256_castps_si256(a.low))),
          _mm256_castsi256_ps(_mm256_sub_epi32(constant, _mm256_castps_si256(a.high)))};
}
CHARNN_INLINE unsigned equal_bits(Vec a, Vec b) {
  unsigned low = _mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ));
  unsigned high = _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ));
  return low | high << 8;
}
CHARNN_INLINE __m256 load_eight_bytes(const int8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}
CHARNN_INLINE Vec load_bytes(const int8_t* p) {
  return {load_eight_bytes(p), load_eight_bytes(p + 8)};
}
CHARNN_INLINE void store_bytes(int8_t* p, Vec a) {
  // Packs the lower halves of both, then the upper halves.
  const __m256i mixed = _mm256_packs_epi32(_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high));
  const __m256i words = _mm256_permute4x64_epi64(mixed, _MM_SHUFFLE(3, 1, 2, 0));
  const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(low, high));
}

using Words = __m256i;
constexpr int kWordsPerRegister = 4;

CHARNN_INLINE Words load(const uint64_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CHARNN_INLINE void store(uint64_t* p, Words v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm256_set1_epi64x(static_cast<int64_t>(x)); }
CHARNN_INLINE Words mul_low(Words a, Words b) { return _mm256_mul_epu32(a, b); }
CHARNN_INLINE Words high(Words a) { return _mm256_srli_epi64(a, 32); }
CHARNN_INLINE Words bit_xor(Words a, Words b) { return _mm256_xor_si256(a, b); }

// A tile of 6 rows and 1 panel keeps 12 sums in registers, with 2 for the panel and 1 for the
// factor: 15 of 16.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 6};
constexpr int kRowPanels = 4;
constexpr int kUnrolledRows = 1;

}  // namespace charnn::CHARNN_ISA
