/* The exponential of a vector, within 1 unit in the last place for results that are normal numbers; smaller ones are 0.
 * exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln(2) / 2. ln 2 is split in two so that n * high is exact (Cody
 * and Waite); exp(r) is its Taylor polynomial of degree 7, whose remainder is below 2^-27 there. */
#ifndef CPU_VEC_EXP_H
#define CPU_VEC_EXP_H
#include "vec.h"

INLINE vec vec_exp(vec x)
{
  const vec round = vec_all(0x1.8p23f); /* adding it leaves the rounded integer in the low bits */
  const vec low = vec_all(-87.33654f), high = vec_all(88.72283f);
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
  p = vec_fma(p, r, vec_all(1));
  p = vec_fma(p, r, vec_all(1));

  /* In two factors, because 2^n alone overflows at n = 128. */
  veci e = (veci)shifted - (veci)round, half = e >> 1;
  vec y = p * (vec)((half + 127) << 23) * (vec)((e - half + 127) << 23);
  y = vec_select(x < low, vec_all(0), y);
  return vec_select(x > high, vec_all(__builtin_inff()), y);
}

#endif
