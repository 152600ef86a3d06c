// Several vectors that don't depend on each other, such as those of several batch rows: while one
// waits for the result of an operation, the processor works on the others. Every operation is that
// of each vector alone, so code written for a type V runs with Vec and with Unrolled<n>, and gives
// the same bits.
#pragma once

#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

template <int n>
struct Unrolled {
  Vec vec[n];
};

template <int n, class Operation>
CHARNN_INLINE Unrolled<n> unroll(Operation operation) {
  Unrolled<n> result;
#pragma GCC unroll 8
  for (int i = 0; i < n; ++i) result.vec[i] = operation(i);
  return result;
}

/// Copies of one vector.
template <class V>
struct Splat;
template <>
struct Splat<Vec> {
  static CHARNN_INLINE Vec of(Vec all) { return all; }
};
template <int n>
struct Splat<Unrolled<n>> {
  static CHARNN_INLINE Unrolled<n> of(Vec all) {
    return unroll<n>([&](int) CHARNN_INLINE_LAMBDA { return all; });
  }
};

/// The same number in all lanes, of a vector or of several.
template <class V>
CHARNN_INLINE V constant(float x) {
  return Splat<V>::of(broadcast(x));
}

template <int n>
CHARNN_INLINE Unrolled<n> operator+(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return a.vec[i] + b.vec[i]; });
}
template <int n>
CHARNN_INLINE Unrolled<n> operator-(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return a.vec[i] - b.vec[i]; });
}
template <int n>
CHARNN_INLINE Unrolled<n> operator*(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return a.vec[i] * b.vec[i]; });
}
template <int n>
CHARNN_INLINE Unrolled<n> fma(Unrolled<n> a, Unrolled<n> b, Unrolled<n> c) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return fma(a.vec[i], b.vec[i], c.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> fnma(Unrolled<n> a, Unrolled<n> b, Unrolled<n> c) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return fnma(a.vec[i], b.vec[i], c.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> min(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return min(a.vec[i], b.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> max(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return max(a.vec[i], b.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> round(Unrolled<n> a) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return round(a.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> ldexp(Unrolled<n> a, Unrolled<n> b) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return ldexp(a.vec[i], b.vec[i]); });
}
template <int n>
CHARNN_INLINE Unrolled<n> rcp_estimate(Unrolled<n> a) {
  return unroll<n>([&](int i) CHARNN_INLINE_LAMBDA { return rcp_estimate(a.vec[i]); });
}

}  // namespace charnn::CHARNN_ISA
