/* Curves of a vector that are made of exponentials, each within 3 units in the last place. NaN stays NaN.
 * The polynomials are minimax ones (Remez); their errors, relative to the result, stand beside them. */
#ifndef CPU_VEC_CURVES_H
#define CPU_VEC_CURVES_H
#include "vec.h"

#define VEC_ROUND 0x1.8p23f /* adding it leaves the rounded integer in the low bits */

/* 2^n, where shifted = n + VEC_ROUND; 0 for n = -127. */
INLINE vec vec_power_of_two(vec shifted)
{
  return (vec)(((veci)shifted - (veci)vec_all(VEC_ROUND) + 127) << 23);
}

/* exp(x) for x <= 0, in a third of the operations of vec_exp; 0 below -87.7. 2e-9. */
INLINE vec vec_exp_below_0(vec x)
{
  x = vec_select(x < vec_all(-88), vec_all(-88), x);
  vec shifted = vec_fma(x, vec_all(0x1.715476p0f), vec_all(VEC_ROUND)), n = shifted - vec_all(VEC_ROUND);
  vec r = vec_fma(n, vec_all(-0x1.62e4p-1f), x);
  r = vec_fma(n, vec_all(-0x1.7f7d1cp-20f), r);
  vec p = vec_all(0x1.6ab284p-10f);
  p = vec_fma(p, r, vec_all(0x1.1274p-7f));
  p = vec_fma(p, r, vec_all(0x1.5558bcp-5f));
  p = vec_fma(p, r, vec_all(0x1.5553fep-3f));
  p = vec_fma(p, r, vec_all(0x1.fffffap-2f));
  p = vec_fma(p, r, vec_all(1));
  p = vec_fma(p, r, vec_all(1));
  return p * vec_power_of_two(shifted);
}

/* 2^x for x from -127 to 127. 2e-9. */
INLINE vec vec_exp2(vec x)
{
  vec shifted = x + vec_all(VEC_ROUND), r = x - (shifted - vec_all(VEC_ROUND));
  vec p = vec_all(0x1.41cd02p-13f);
  p = vec_fma(p, r, vec_all(0x1.5f4e52p-10f));
  p = vec_fma(p, r, vec_all(0x1.3b2ddcp-7f));
  p = vec_fma(p, r, vec_all(0x1.c6aec2p-5f));
  p = vec_fma(p, r, vec_all(0x1.ebfbdap-3f));
  p = vec_fma(p, r, vec_all(0x1.62e430p-1f));
  p = vec_fma(p, r, vec_all(1));
  return p * vec_power_of_two(shifted);
}

/* 1 / (1 + exp(-x)); `rest`: 1 minus that, as exact for large x as the other is for small ones. */
INLINE vec vec_sigmoid(vec x, vec *rest)
{
  vec e = vec_exp_below_0(-(vec)((veci)x & INT32_MAX)), large = vec_all(1) / (vec_all(1) + e), small = e * large;
  *rest = vec_select(x > 0, small, large);
  return vec_select(x > 0, large, small);
}

/* exp(x) - 1 for x from -87 to 88, without the loss that the subtraction has near 0: with x = n ln(2) + r it is
 * 2^n * (exp(r) - 1) + (2^n - 1). Taylor's polynomial, 2e-8. */
INLINE vec vec_expm1(vec x)
{
  vec shifted = vec_fma(x, vec_all(0x1.715476p0f), vec_all(VEC_ROUND)), n = shifted - vec_all(VEC_ROUND);
  vec r = vec_fma(n, vec_all(-0x1.62e4p-1f), x);
  r = vec_fma(n, vec_all(-0x1.7f7d1cp-20f), r);
  vec p = vec_all(1.0f / 5040);
  p = vec_fma(p, r, vec_all(1.0f / 720));
  p = vec_fma(p, r, vec_all(1.0f / 120));
  p = vec_fma(p, r, vec_all(1.0f / 24));
  p = vec_fma(p, r, vec_all(1.0f / 6));
  p = vec_fma(p, r, vec_all(0.5f));
  p = vec_fma(p * r, r, r);
  vec power = vec_power_of_two(shifted);
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

/* The share of a normal distribution that is below x, (1 + erf(x / sqrt(2))) / 2. Below 0 it is 2 to the power of a
 * polynomial in |x|, above 0 it is 1 minus that. 1e-8 of 1; 0 below -5.6, where it is 1e-8. */
INLINE vec vec_normal_share(vec x)
{
  vec t = (vec)((veci)x & INT32_MAX);
  t = vec_select(t > vec_all(5.6f), vec_all(5.6f), t);
  vec q = vec_all(-0x1.740cf0p-19f);
  q = vec_fma(q, t, vec_all(0x1.43f7fcp-15f));
  q = vec_fma(q, t, vec_all(-0x1.7ed2d0p-13f));
  q = vec_fma(q, t, vec_all(-0x1.31ed72p-13f));
  q = vec_fma(q, t, vec_all(0x1.cfb2e2p-8f));
  q = vec_fma(q, t, vec_all(-0x1.ae1f0ap-5f));
  q = vec_fma(q, t, vec_all(-0x1.d639d0p-2f));
  q = vec_fma(q, t, vec_all(-0x1.26aedep0f));
  q = vec_fma(q, t, vec_all(-1));
  vec below = vec_exp2(q);
  return vec_select(x > 0, vec_all(1) - below, vec_select(x < vec_all(-5.6f), vec_all(0), below));
}

#endif
