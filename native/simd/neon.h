// Sixteen floats in four registers of NEON, which every arm64 has, with fused multiply-add.
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
CHARNN_INLINE Vec subtract(Vec a, Vec b) {
  return each([=](int i) { return vsubq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec multiply(Vec a, Vec b) {
  return each([=](int i) { return vmulq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec divide(Vec a, Vec b) {
  return each([=](int i) { return vdivq_f32(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec root(Vec a) {
  return each([=](int i) { return vsqrtq_f32(a.part[i]); });
}
/// a * b + c, rounded once.
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return each([=](int i) { return vfmaq_f32(c.part[i], a.part[i], b.part[i]); });
}
/// c - a * b, rounded once.
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) {
  return each([=](int i) { return vfmsq_f32(c.part[i], a.part[i], b.part[i]); });
}
/// The smaller of each two; b where either is not a number.
CHARNN_INLINE Vec smaller(Vec a, Vec b) {
  return each(
      [=](int i) { return vbslq_f32(vcltq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec larger(Vec a, Vec b) {
  return each(
      [=](int i) { return vbslq_f32(vcgtq_f32(a.part[i], b.part[i]), a.part[i], b.part[i]); });
}
/// To the nearest whole number, to the even one of two.
CHARNN_INLINE Vec rounded(Vec a) {
  return each([=](int i) { return vrndnq_f32(a.part[i]); });
}
/// a * 2^n for whole numbers n from -126 to 127.
CHARNN_INLINE Vec times_power_of_two(Vec a, Vec n) {
  return each([=](int i) {
    int32x4_t bits = vshlq_n_s32(vcvtq_s32_f32(n.part[i]), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a.part[i]), bits));
  });
}
/// 1 / a to within an eighth, for a from 1e-37 to 1e37: the exponent is negated, as is, almost, the
/// logarithm of the mantissa.
CHARNN_INLINE Vec first_reciprocal(Vec a) {
  const int32x4_t constant = vdupq_n_s32(0x7ef311c7);
  return each([=](int i) {
    return vreinterpretq_f32_s32(vsubq_s32(constant, vreinterpretq_s32_f32(a.part[i])));
  });
}
/// Bit i is set where lane i of a equals that of b.
CHARNN_INLINE unsigned equal_lanes(Vec a, Vec b) {
  const uint32x4_t bit = {1, 2, 4, 8};
  unsigned lanes = 0;
  for (int i = 0; i < 4; ++i)
    lanes |= vaddvq_u32(vandq_u32(vceqq_f32(a.part[i], b.part[i]), bit)) << (4 * i);
  return lanes;
}

/// Words of 64 bits, as many as a register holds.
using Words = uint64x2_t;
constexpr int kWordsInRegister = 2;

CHARNN_INLINE Words load(const uint64_t* p) { return vld1q_u64(p); }
CHARNN_INLINE void store(uint64_t* p, Words v) { vst1q_u64(p, v); }
CHARNN_INLINE Words broadcast(uint64_t x) { return vdupq_n_u64(x); }
/// The products of the lower halves.
CHARNN_INLINE Words multiply_lower(Words a, Words b) {
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
}
CHARNN_INLINE Words upper(Words a) { return vshrq_n_u64(a, 32); }
CHARNN_INLINE Words exclusive_or(Words a, Words b) { return veorq_u64(a, b); }

/// How many rows a tile of the matrix product has, by its number of panels, so that its sums stay
/// in the 32 registers with a row of the panel and one factor.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 6};
/// How many panels a product of a single row takes at once.
constexpr int kRowPanels = 4;
/// How many rows' gates are made at once: their vectors are to stay in registers.
constexpr int kRowsTogether = 1;

}  // namespace charnn::CHARNN_ISA
