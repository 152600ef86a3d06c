// Four registers of NEON, which every arm64 has, with fused multiply-add. What each function does:
// simd/vec.h.
#pragma once

#include <arm_neon.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  float32x4_t part[4];
};

template <class Operation>
CHARNN_INLINE Vec each(Operation operation) {
  return {{operation(0), operation(1), operation(2), operation(3)}};
}

CHARNN_INLINE Vec load(const float* p) {
  return each([=](int i) { return vld1q_f32(p + 4 * i); });
}
CHARNN_INLINE void store(float* p, Vec v) {
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, v.part[i]);
}
CHARNN_INLINE Vec broadcast(float x) {
  float32x4_t four = vdupq_n_f32(x);
  return {{four, four, four, four}};
}
CHARNN_INLINE Vec zero() { return broadcast(0); }
CHARNN_INLINE Vec add(Vec a, Vec b) {
  return each([=](int i) { return vaddq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec sub(Vec a, Vec b) {
  return each([=](int i) { return vsubq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec mul(Vec a, Vec b) {
  return each([=](int i) { return vmulq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec div(Vec a, Vec b) {
  return each([=](int i) { return vdivq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec sqrt(Vec a) {
  return each([=](int i) { return vsqrtq_f32(a.part[i]); });
}
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return each([=](int i) { return vfmaq_f32(c.part[i], a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) {
  return each([=](int i) { return vfmsq_f32(c.part[i], a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec min(Vec a, Vec b) {
  return each(
      [=](int i) { return vbslq_f32(vcltq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec max(Vec a, Vec b) {
  return each(
      [=](int i) { return vbslq_f32(vcgtq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec abs(Vec a) {
  return each([=](int i) { return vabsq_f32(a.part[i]); });
}
CHARNN_INLINE Vec round(Vec a) {
  return each([=](int i) { return vrndnq_f32(a.part[i]); });
}
CHARNN_INLINE Vec ldexp(Vec a, Vec n) {
  return each([=](int i) {
    int32x4_t bits = vshlq_n_s32(vcvtq_s32_f32(n.part[i]), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a.part[i]), bits));
  });
}
CHARNN_INLINE Vec rcp_estimate(Vec a) {
  const int32x4_t constant = vdupq_n_s32(0x7ef311c7);
  return each([=](int i) {
    return vreinterpretq_f32_s32(vsubq_s32(constant, vreinterpretq_s32_f32(a.part[i])));
  });
}
CHARNN_INLINE unsigned equal_bits(Vec a, Vec b) {
  const uint32x4_t bit = {1, 2, 4, 8};
  unsigned lanes = 0;
  for (int i = 0; i < 4; ++i)
    lanes |= vaddvq_u32(vandq_u32(vceqq_f32(a.part[i], b.part[i]), bit)) << (4 * i);
  return lanes;
}
CHARNN_INLINE Vec load_bytes(const int8_t* p) {
  const int8x16_t bytes = vld1q_s8(p);
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
  const int16x4_t parts[] = {vget_low_s16(low), vget_high_s16(low), vget_low_s16(high),
                             vget_high_s16(high)};
  return each([&](int i) { return vcvtq_f32_s32(vmovl_s16(parts[i])); });
}
CHARNN_INLINE void store_bytes(int8_t* p, Vec a) {
  auto four = [&](int i) { return vmovn_s32(vcvtnq_s32_f32(a.part[i])); };
  const int8x8_t low = vmovn_s16(vcombine_s16(four(0), four(1)));
  const int8x8_t high = vmovn_s16(vcombine_s16(four(2), four(3)));
  vst1q_s8(p, vcombine_s8(low, high));
}

using Words = uint64x2_t;
constexpr int kWordsPerRegister = 2;

CHARNN_INLINE Words load(const uint64_t* p) { return vld1q_u64(p); }
CHARNN_INLINE void store(uint64_t* p, Words v) { vst1q_u64(p, v); }
CHARNN_INLINE Words broadcast(uint64_t x) { return vdupq_n_u64(x); }
CHARNN_INLINE Words mul_low(Words a, Words b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
CHARNN_INLINE Words high(Words a) { return vshrq_n_u64(a, 32); }
CHARNN_INLINE Words bit_xor(Words a, Words b) { return veorq_u64(a, b); }

// A tile of 6 rows and 1 panel keeps 24 sums in registers, with 4 for the panel and 1 for the
// factor: 29 of 32.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 6};
constexpr int kRowPanels = 4;
constexpr int kUnrolledRows = 1;

}  // namespace charnn::CHARNN_ISA
