/* Sums of floats in double: half a vector of floats becomes a vector of doubles. */
#ifndef CPU_VEC_DOUBLE_H
#define CPU_VEC_DOUBLE_H
#include "vec.h"

enum { HALF = VEC / 2 };
typedef float vec_half __attribute__((vector_size(4 * HALF)));
typedef double vecd __attribute__((vector_size(8 * HALF)));

INLINE vecd vecd_all(double x)
{
  return x - (vecd){0};
}

INLINE vecd vecd_load(const float *p) /* HALF floats */
{
  vec_half v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, vecd);
}

INLINE double vecd_sum(vecd v) /* always in the same order */
{
  double sum = v[0];
  for (int i = 1; i < HALF; i++) sum += v[i];
  return sum;
}

#endif
