// Several vectors at once, of rows that don't depend on each other: while one waits for the result
// of an operation, the others use the processor. Everything here is that of each vector alone.
#pragma once

#include "simd/vec.h"

namespace charnn::CHARNN_ISA {

template <int n>
struct Rows {
  Vec row[n];
};

template <int n, class Operation>
CHARNN_INLINE Rows<n> each_row(Operation operation) {
  Rows<n> result;
#pragma GCC unroll 8
  for (int i = 0; i < n; ++i) result.row[i] = operation(i);
  return result;
}

template <class V>
struct Filled;
template <>
struct Filled<Vec> {
  static CHARNN_INLINE Vec with(Vec all) { return all; }
};
template <int n>
struct Filled<Rows<n>> {
  static CHARNN_INLINE Rows<n> with(Vec all) {
    return each_row<n>([&](int) { return all; });
  }
};

/// The same number in all lanes, of a vector or of several.
template <class V>
CHARNN_INLINE V constant(float x) {
  return Filled<V>::with(broadcast(x));
}

template <int n>
CHARNN_INLINE Rows<n> operator+(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return a.row[i] + b.row[i]; });
}
template <int n>
CHARNN_INLINE Rows<n> operator-(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return a.row[i] - b.row[i]; });
}
template <int n>
CHARNN_INLINE Rows<n> operator*(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return a.row[i] * b.row[i]; });
}
template <int n>
CHARNN_INLINE Rows<n> fma(Rows<n> a, Rows<n> b, Rows<n> c) {
  return each_row<n>([&](int i) { return fma(a.row[i], b.row[i], c.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> fnma(Rows<n> a, Rows<n> b, Rows<n> c) {
  return each_row<n>([&](int i) { return fnma(a.row[i], b.row[i], c.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> smaller(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return smaller(a.row[i], b.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> larger(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return larger(a.row[i], b.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> rounded(Rows<n> a) {
  return each_row<n>([&](int i) { return rounded(a.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> times_power_of_two(Rows<n> a, Rows<n> b) {
  return each_row<n>([&](int i) { return times_power_of_two(a.row[i], b.row[i]); });
}
template <int n>
CHARNN_INLINE Rows<n> first_reciprocal(Rows<n> a) {
  return each_row<n>([&](int i) { return first_reciprocal(a.row[i]); });
}

}  // namespace charnn::CHARNN_ISA
