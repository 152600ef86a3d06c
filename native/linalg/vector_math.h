// Elementary functions for a vector or several at once (simd/unrolled.h). Ours, not the C library's
// or the processor's: these must give the same bits everywhere. NaN in gives NaN out.
#pragma once

#include "simd/unrolled.h"

namespace charnn::CHARNN_ISA {

/// 1 / a to within two units in the last place, for a from 1e-37 to 1e37. A division takes many
/// times as long, and processors' own approximations differ.
///
/// Three steps of Newton's method for 1 / y - a = 0, y' = y + y (1 - a y), each of which squares
/// the relative error: from 1/8 to 1/64, 1/4096 and below what a float can hold.
template <class V>
CHARNN_INLINE V rcp(V a) {
  const V one = constant<V>(1.0f);
  V y = rcp_estimate(a);
  for (int step = 0; step < 3; ++step) y = fma(y, fnma(a, y, one), y);
  return y;
}

/// e^x to within two units in the last place, for x from -87 to 84; e^-87 below that, e^84 above.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, so e^x = 2^n e^r. ln 2 is subtracted in two parts, the
/// first of few bits, so that n times it is exact (Cody and Waite, "Software Manual for the
/// Elementary Functions", 1980). The polynomial is that of Cephes' expf.
template <class V>
CHARNN_INLINE V exp(V x) {
  // min and max return their second argument for NaN: x stays there.
  x = min(constant<V>(84.0f), max(constant<V>(-87.0f), x));
  V n = round(x * constant<V>(1.44269504f));
  V r = fnma(n, constant<V>(0.693359375f), x);
  r = fnma(n, constant<V>(-2.12194440e-4f), r);
  V p = constant<V>(1.9875691500e-4f);
  p = fma(p, r, constant<V>(1.3981999507e-3f));
  p = fma(p, r, constant<V>(8.3334519073e-3f));
  p = fma(p, r, constant<V>(4.1665795894e-2f));
  p = fma(p, r, constant<V>(1.6666665459e-1f));
  p = fma(p, r, constant<V>(5.0000001201e-1f));
  p = fma(p, r * r, r + constant<V>(1.0f));
  return ldexp(p, n);
}

/// 1 / (1 + e^-x)
template <class V>
CHARNN_INLINE V sigmoid(V x) {
  return rcp(constant<V>(1.0f) + exp(constant<V>(0.0f) - x));
}

/// tanh x = 1 - 2 / (e^2x + 1)
template <class V>
CHARNN_INLINE V tanh(V x) {
  const V one = constant<V>(1.0f);
  return fnma(constant<V>(2.0f), rcp(exp(x + x) + one), one);
}

/// ln x for a normal number above 0, to within a unit in the last place or 1e-7; infinity for
/// infinity, NaN for the rest.
///
/// x = 2^n m with m from sqrt(1/2) to sqrt(2), so ln x = n ln 2 + ln m. The polynomial is that of
/// Cephes' logf.
inline float log(float x) {
  unsigned bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  if (!(x > 0.0f) || bits >= 0x7f800000) return x > 0.0f ? x : __builtin_nanf("");
  int n = static_cast<int>(bits >> 23) - 126;
  bits = (bits & 0x007fffff) | 0x3f000000;
  float m;
  __builtin_memcpy(&m, &bits, sizeof m);
  if (m < 0.707106781f) {
    m += m;
    --n;
  }
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float square = m * m;
  float e = static_cast<float>(n);
  float y = p * m * square - 2.12194440e-4f * e - 0.5f * square;
  return m + y + 0.693359375f * e;
}

}  // namespace charnn::CHARNN_ISA
