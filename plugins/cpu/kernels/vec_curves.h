/* Curves of a vector that are made of exponentials, each within 3 units in the last place. NaN stays NaN. */
#ifndef CPU_VEC_CURVES_H
#define CPU_VEC_CURVES_H
#include "vec_exp.h"

/* 1 / (1 + exp(-x)); `rest`: 1 minus that, as exact for large x as the other is for small ones. */
INLINE vec vec_sigmoid(vec x, vec *rest)
{
  vec e = vec_exp(-(vec)((veci)x & INT32_MAX)), large = vec_all(1) / (vec_all(1) + e), small = e * large;
  *rest = vec_select(x > 0, small, large);
  return vec_select(x > 0, large, small);
}

/* exp(x) - 1 for x from -88 to 88, without the loss that the subtraction has near 0: with n and r as in vec_exp, it is
 * 2^n * (exp(r) - 1) + (2^n - 1). */
INLINE vec vec_expm1(vec x)
{
  const vec round = vec_all(0x1.8p23f);
  vec shifted = vec_fma(x, vec_all(0x1.715476p0f), round);
  vec n = shifted - round;
  vec r = vec_fma(n, vec_all(-0x1.62e4p-1f), x);
  r = vec_fma(n, vec_all(-0x1.7f7d1cp-20f), r);

  vec p = vec_all(1.0f / 5040);
  p = vec_fma(p, r, vec_all(1.0f / 720));
  p = vec_fma(p, r, vec_all(1.0f / 120));
  p = vec_fma(p, r, vec_all(1.0f / 24));
  p = vec_fma(p, r, vec_all(1.0f / 6));
  p = vec_fma(p, r, vec_all(0.5f));
  p = vec_fma(p * r, r, r);

  vec power = (vec)(((veci)shifted - (veci)round + 127) << 23);
  return vec_fma(power, p, power - vec_all(1));
}

/* By exp(2 |x|) - 1 = e: e / (e + 2). From 10 on it is 1. */
INLINE vec vec_tanh(vec x)
{
  veci sign = (veci)x & INT32_MIN;
  vec size = (vec)((veci)x & INT32_MAX);
  size = vec_select(size > vec_all(10), vec_all(10), size);
  vec e = vec_expm1(size + size);
  return (vec)((veci)(e / (e + vec_all(2))) | sign);
}

/* Up to 1: x times a polynomial in x^2. From 1 to 4: 1 - exp(polynomial in |x|); beyond, it is 1. Both are minimax
 * polynomials of degree 6 (Remez), with errors of 1.3e-9 relative to the result. */
INLINE vec vec_erf(vec x)
{
  veci sign = (veci)x & INT32_MIN;
  vec t = (vec)((veci)x & INT32_MAX), s = x * x;
  t = vec_select(t > vec_all(4), vec_all(4), t);

  vec p = vec_all(0x1.496a34p-14f);
  p = vec_fma(p, s, vec_all(-0x1.a3f700p-11f));
  p = vec_fma(p, s, vec_all(0x1.5405b2p-8f));
  p = vec_fma(p, s, vec_all(-0x1.b7f90ep-6f));
  p = vec_fma(p, s, vec_all(0x1.ce2cf8p-4f));
  p = vec_fma(p, s, vec_all(-0x1.81273ep-2f));
  p = vec_fma(p, s, vec_all(0x1.20dd74p0f));

  vec q = vec_all(0x1.86dcfep-13f);
  q = vec_fma(q, t, vec_all(-0x1.825aa4p-9f));
  q = vec_fma(q, t, vec_all(0x1.65cb4cp-6f));
  q = vec_fma(q, t, vec_all(-0x1.a6532cp-4f));
  q = vec_fma(q, t, vec_all(-0x1.46baf0p-1f));
  q = vec_fma(q, t, vec_all(-0x1.2088eap0f));
  q = vec_fma(q, t, vec_all(-0x1.662170p-12f));

  vec large = (vec)((veci)(vec_all(1) - vec_exp(q)) | sign);
  return vec_select(t > vec_all(1), large, x * p);
}

#endif
