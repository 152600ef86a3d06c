// Four registers of SSE2, which every x86-64 has. It has no fused multiply-add: fma rounds twice,
// so the last bits differ from those of the other instruction sets. What each function does:
// simd/vec.h.
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
CHARNN_INLINE Vec sub(Vec a, Vec b) {
  return each([=](int i) { return _mm_sub_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec mul(Vec a, Vec b) {
  return each([=](int i) { return _mm_mul_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec div(Vec a, Vec b) {
  return each([=](int i) { return _mm_div_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec sqrt(Vec a) {
  return each([=](int i) { return _mm_sqrt_ps(a.part[i]); });
}
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) { return add(mul(a, b), c); }
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) { return sub(c, mul(a, b)); }
CHARNN_INLINE Vec min(Vec a, Vec b) {
  return each([=](int i) { return _mm_min_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec max(Vec a, Vec b) {
  return each([=](int i) { return _mm_max_ps(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec abs(Vec a) {
  return each([=](int i) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a.part[i]); });
}
CHARNN_INLINE Vec round(Vec a) {
  return each([=](int i) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(a.part[i])); });
}
CHARNN_INLINE Vec ldexp(Vec a, Vec n) {
  return each([=](int i) {
    __m128i bits = _mm_slli_epi32(_mm_cvtps_epi32(n.part[i]), 23);
    return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a.part[i]), bits));
  });
}
CHARNN_INLINE Vec rcp_estimate(Vec a) {
  const __m128i constant = _mm_set1_epi32(0x7ef311c7);
  return each([=](int i) {
    return _mm_castsi128_ps(_mm_sub_epi32(constant, _mm_castps_si128(a.part[i])));
  });
}
CHARNN_INLINE unsigned equal_bits(Vec a, Vec b) {
  unsigned lanes = 0;
  for (int i = 0; i < 4; ++i)
    lanes |= unsigned(_mm_movemask_ps(_mm_cmpeq_ps(a.part[i], b.part[i]))) << (4 * i);
  return lanes;
}
CHARNN_INLINE Vec load_bytes(const int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  // Each byte becomes all four of an integer, and the shift repeats its sign.
  const __m128i low = _mm_unpacklo_epi8(bytes, bytes), high = _mm_unpackhi_epi8(bytes, bytes);
  const __m128i parts[] = {_mm_unpacklo_epi16(low, low), _mm_unpackhi_epi16(low, low),
                           _mm_unpacklo_epi16(high, high), _mm_unpackhi_epi16(high, high)};
  return each([&](int i) { return _mm_cvtepi32_ps(_mm_srai_epi32(parts[i], 24)); });
}
CHARNN_INLINE void store_bytes(int8_t* p, Vec a) {
  auto words = [&](int i) {
    return _mm_packs_epi32(_mm_cvtps_epi32(a.part[i]), _mm_cvtps_epi32(a.part[i + 1]));
  };
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words(0), words(2)));
}

using Words = __m128i;
constexpr int kWordsPerRegister = 2;

CHARNN_INLINE Words load(const uint64_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
CHARNN_INLINE void store(uint64_t* p, Words v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}
CHARNN_INLINE Words broadcast(uint64_t x) { return _mm_set1_epi64x(static_cast<int64_t>(x)); }
CHARNN_INLINE Words mul_low(Words a, Words b) { return _mm_mul_epu32(a, b); }
CHARNN_INLINE Words high(Words a) { return _mm_srli_epi64(a, 32); }
CHARNN_INLINE Words bit_xor(Words a, Words b) { return _mm_xor_si128(a, b); }

// A tile of 2 rows and 1 panel keeps 8 sums in registers, with 4 for the panel and 1 for the
// factor: 13 of 16.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 2};
constexpr int kRowPanels = 2;
constexpr int kUnrolledRows = 1;

}  // namespace charnn::CHARNN_ISA
