// Four registers of WebAssembly's SIMD, which every Node.js has that charnn runs on. It has no
// fused multiply-add: fma rounds twice, as with SSE2, and gives the same bits. What each function
// does: simd/vec.h.
#pragma once

#include <wasm_simd128.h>

namespace charnn::CHARNN_ISA {

struct Vec {
  v128_t part[4];
};

template <class Operation>
CHARNN_INLINE Vec each(Operation operation) {
  return {{operation(0), operation(1), operation(2), operation(3)}};
}

CHARNN_INLINE Vec load(const float* p) {
  return each([=](int i) { return wasm_v128_load(p + 4 * i); });
}
CHARNN_INLINE void store(float* p, Vec v) {
  for (int i = 0; i < 4; ++i) wasm_v128_store(p + 4 * i, v.part[i]);
}
CHARNN_INLINE Vec broadcast(float x) {
  v128_t four = wasm_f32x4_splat(x);
  return {{four, four, four, four}};
}
CHARNN_INLINE Vec zero() { return broadcast(0); }
CHARNN_INLINE Vec add(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_add(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec sub(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_sub(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec mul(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_mul(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec div(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_div(a.part[i], b.part[i]); });
}
CHARNN_INLINE Vec sqrt(Vec a) {
  return each([=](int i) { return wasm_f32x4_sqrt(a.part[i]); });
}
CHARNN_INLINE Vec fma(Vec a, Vec b, Vec c) { return add(mul(a, b), c); }
CHARNN_INLINE Vec fnma(Vec a, Vec b, Vec c) { return sub(c, mul(a, b)); }
// pmin(x, y) is y < x ? y : x, and pmax likewise: x where either is NaN.
CHARNN_INLINE Vec min(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_pmin(b.part[i], a.part[i]); });
}
CHARNN_INLINE Vec max(Vec a, Vec b) {
  return each([=](int i) { return wasm_f32x4_pmax(b.part[i], a.part[i]); });
}
CHARNN_INLINE Vec abs(Vec a) {
  return each([=](int i) { return wasm_f32x4_abs(a.part[i]); });
}
CHARNN_INLINE Vec round(Vec a) {
  return each([=](int i) { return wasm_f32x4_nearest(a.part[i]); });
}
CHARNN_INLINE Vec ldexp(Vec a, Vec n) {
  return each([=](int i) {
    v128_t bits = wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(n.part[i]), 23);
    return wasm_i32x4_add(a.part[i], bits);
  });
}
CHARNN_INLINE Vec rcp_estimate(Vec a) {
  const v128_t constant = wasm_i32x4_splat(0x7ef311c7);
  return each([=](int i) { return wasm_i32x4_sub(constant, a.part[i]); });
}
CHARNN_INLINE unsigned equal_bits(Vec a, Vec b) {
  unsigned lanes = 0;
  for (int i = 0; i < 4; ++i)
    lanes |= unsigned(wasm_i32x4_bitmask(wasm_f32x4_eq(a.part[i], b.part[i]))) << (4 * i);
  return lanes;
}
CHARNN_INLINE Vec load_bytes(const int8_t* p) {
  const v128_t low = wasm_i16x8_load8x8(p), high = wasm_i16x8_load8x8(p + 8);
  const v128_t parts[] = {wasm_i32x4_extend_low_i16x8(low), wasm_i32x4_extend_high_i16x8(low),
                          wasm_i32x4_extend_low_i16x8(high), wasm_i32x4_extend_high_i16x8(high)};
  return each([&](int i) { return wasm_f32x4_convert_i32x4(parts[i]); });
}
CHARNN_INLINE void store_bytes(int8_t* p, Vec a) {
  auto four = [&](int i) { return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(a.part[i])); };
  const v128_t low = wasm_i16x8_narrow_i32x4(four(0), four(1));
  const v128_t high = wasm_i16x8_narrow_i32x4(four(2), four(3));
  wasm_v128_store(p, wasm_i8x16_narrow_i16x8(low, high));
}

using Words = v128_t;
constexpr int kWordsPerRegister = 2;

CHARNN_INLINE Words load(const uint64_t* p) { return wasm_v128_load(p); }
CHARNN_INLINE void store(uint64_t* p, Words v) { wasm_v128_store(p, v); }
CHARNN_INLINE Words broadcast(uint64_t x) { return wasm_i64x2_splat(static_cast<int64_t>(x)); }
CHARNN_INLINE Words mul_low(Words a, Words b) {
  auto lower = [](Words words) { return wasm_i32x4_shuffle(words, words, 0, 2, 0, 2); };
  return wasm_u64x2_extmul_low_u32x4(lower(a), lower(b));
}
CHARNN_INLINE Words high(Words a) { return wasm_u64x2_shr(a, 32); }
CHARNN_INLINE Words bit_xor(Words a, Words b) { return wasm_v128_xor(a, b); }

// Node.js keeps these in the 16 registers of SSE on x64: see simd/sse2.h.
constexpr int kTilePanels = 1;
constexpr int kTileRows[kTilePanels + 1] = {0, 2};
constexpr int kRowPanels = 2;
constexpr int kUnrolledRows = 1;

}  // namespace charnn::CHARNN_ISA
