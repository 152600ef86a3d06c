// One register of AVX-512. What each function does: simd/vec.h.
#pragma once

#include <immintrin.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  __m512 all;
};

// All lanes. Some intrinsics without a mask start from an undefined register, of which compilers
// warn; those that zero what the mask leaves out do the same work.
constexpr __mmask16 kAllLanes = 0xffff;
constexpr __mmask8 kAllWordLanes = 0xff;

CHARNN_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
CHARNN_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v.all); }
CHARNN_INLINE Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
CHARNN_INLINE Vec zero() { return {_mm512_setzero_ps()}; }
CHARNN_INLINE Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.all, b.all)}; }
CHARNN_INLINE Vec sub(Vec a, Vec b) { return {_mm512_sub_ps(a.all, b.all)}; }
CHARNN_INLINE Vec mul(Vec a, Vec b) { return {_mm512_mul_ps(a.all, b.all)}; }
CHARNN_INLINE Vec div(Vec a, Vec b) { return {_mm512_div_ps(a.all, b.all)}; }
CHARNN_INLINE Vec sqrt(Vec a) { return {_mm512_maskz_sqrt_ps(kAllLanes, a.all)}; }
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.all, b.all, c.all)}; }
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.all, b.all, c.all)}; }
CHARNN_INLINE Vec min(Vec a, Vec b) { return {_mm512_maskz_min_ps(kAllLanes, a.all, b.all)}; }
CHARNN_INLINE Vec max(Vec a, Vec b) { return {_mm512_maskz_max_ps(kAllLanes, a.all, b.all)}; }
CHARNN_INLINE Vec abs(Vec a) {
  const __m512i all_but_sign = _mm512_set1_epi32(0x7fffffff);
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.all), all_but_sign))};
}
CHARNN_INLINE Vec round(Vec a) {
  return {
      _mm512_maskz_roundscale_ps(kAllLanes, a.all, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
CHARNN_INLINE Vec ldexp(Vec a, Vec n) {
  __m512i bits = _mm512_maskz_slli_epi32(kAllLanes, _mm512_maskz_cvtps_epi32(kAllLanes, n.all), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a.all), bits))};
}
CHARNN_INLINE Vec rcp_estimate(Vec a) {
  return {_mm512_castsi512_ps(
      _mm512_sub_epi32(_mm512_set1_epi32(0x7ef311c7), _mm512_castps_si512(a.all)))};
}
CHARNN_INLINE unsigned equal_bits(Vec a, Vec b) {
  return _mm512_cmp_ps_mask(a.all, b.all, _CMP_EQ_OQ);
}
CHARNN_INLINE Vec load_bytes(const int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m512i integers = _mm512_maskz_cvtepi8_epi32(kAllLanes, bytes);
  return {_mm512_maskz_cvtepi32_ps(kAllLanes, integers)};
}
CHARNN_INLINE void store_bytes(int8_t* p, Vec a) {
  const __m512i integers = _mm512_maskz_cvtps_epi32(kAllLanes, a.all);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_maskz_cvtepi32_epi8(kAllLanes, integers));
}

using Words = __m512i;
constexpr int kWordsPerRegister = 8;

CHARNN_INLINE Words load(const uint64_t* p) { return _mm512_loadu_si512(p); }
CHARNN_INLINE void store(uint64_t* p, Words v) { _mm512_storeu_si512(p, v); }
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm512_set1_epi64(static_cast<int64_t>(x)); }
CHARNN_INLINE Words mul_low(Words a, Words b) {
  return _mm512_maskz_mul_epu32(kAllWordLanes, a, b);
}
CHARNN_INLINE Words high(Words a) { return _mm512_maskz_srli_epi64(kAllWordLanes, a, 32); }
CHARNN_INLINE Words bit_xor(Words a, Words b) { return _mm512_xor_si512(a, b); }

// A tile of 8 rows and 3 panels keeps 24 sums in registers, with 3 for the panels and 1 for the
// factor: 28 of
// 32. Of 12 rows and 2 panels, or 12 and 1, likewise.
constexpr int kTilePanels = 3;
constexpr int kTileRows[kTilePanels + 1] = {0, 12, 12, 8};
constexpr int kRowPanels = 4;
constexpr int kUnrolledRows = 4;

}  // namespace charnn::CHARNN_ISA
