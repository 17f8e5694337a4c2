/* One vector of floats, of the width of the instruction set that this file is compiled for. GCC's vector operators do
 * the arithmetic; what they lack is here: parts of a vector, fused multiply-add, sums across it. */
#ifndef CPU_VEC_H
#define CPU_VEC_H
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
enum { VEC = 16, VEC_REGISTERS = 32 };
typedef __m512 vec;
typedef __mmask16 vec_mask; /* which lanes of a vector */
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { VEC = 8, VEC_REGISTERS = 16 };
typedef __m256 vec;
typedef __m256i vec_mask;
#else
#if defined(__aarch64__)
#include <arm_neon.h>
enum { VEC = 4, VEC_REGISTERS = 32 };
#else
enum { VEC = 4, VEC_REGISTERS = 16 };
#endif
typedef float vec __attribute__((vector_size(16)));
typedef struct vec_mask {
  int begin, end;
} vec_mask;
#endif
typedef int32_t veci __attribute__((vector_size(4 * VEC)));

typedef uint8_t vecb __attribute__((vector_size(VEC))); /* as many bytes as a vector has lanes */

/* Of 2 * VEC neighbours in two vectors: every second one, from the first (even) or the second (odd); and back: the
 * lower (zip_low) or upper (zip_high) halves of two vectors in turns. */
#if defined(__AVX512F__)
#define VEC_EVEN     0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define VEC_ODD      1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define VEC_ZIP_LOW  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define VEC_ZIP_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif defined(__AVX2__)
#define VEC_EVEN     0, 2, 4, 6, 8, 10, 12, 14
#define VEC_ODD      1, 3, 5, 7, 9, 11, 13, 15
#define VEC_ZIP_LOW  0, 8, 1, 9, 2, 10, 3, 11
#define VEC_ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define VEC_SECONDS  0, 2, 4, 6, 9, 11, 13, 15
#else
#define VEC_EVEN     0, 2, 4, 6
#define VEC_ODD      1, 3, 5, 7
#define VEC_ZIP_LOW  0, 4, 1, 5
#define VEC_ZIP_HIGH 2, 6, 3, 7
#define VEC_SECONDS  0, 2, 5, 7
#endif
#define vec_even(a, b)     __builtin_shufflevector(a, b, VEC_EVEN)
#define vec_odd(a, b)      __builtin_shufflevector(a, b, VEC_ODD)
#define vec_zip_low(a, b)  __builtin_shufflevector(a, b, VEC_ZIP_LOW)
#define vec_zip_high(a, b) __builtin_shufflevector(a, b, VEC_ZIP_HIGH)

INLINE vec vec_all(float x)
{
  return x - (vec){0};
}

INLINE veci vec_alli(int32_t x)
{
  return x - (veci){0};
}

INLINE vec vec_load(const float *p)
{
  vec v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void vec_store(float *p, vec v)
{
  memcpy(p, &v, sizeof v);
}

/* ---- parts of a vector. Other memory is not touched; other lanes are loaded as 0 ---- */
INLINE vec_mask vec_between(int64_t begin, int64_t end) /* lanes begin to end - 1, 0 <= begin, end <= VEC */
{
#if defined(__AVX512F__)
  return (__mmask16)(((1u << end) - 1) & ~((1u << begin) - 1));
#elif defined(__AVX2__)
  const veci lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (__m256i)((lane >= vec_alli((int32_t)begin)) & (lane < vec_alli((int32_t)end)));
#else
  return (vec_mask){(int)begin, (int)end};
#endif
}

INLINE vec_mask vec_first(int64_t n) /* the first n lanes */
{
  return vec_between(0, n);
}

INLINE vec vec_load_part(const float *p, vec_mask m)
{
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(m, p);
#elif defined(__AVX2__)
  return _mm256_maskload_ps(p, m);
#else
  vec v = {0};
  if (m.begin == 0 && m.end == VEC) return vec_load(p);
  for (int i = m.begin; i < m.end; i++) v[i] = p[i];
  return v;
#endif
}

INLINE void vec_store_part(float *p, vec_mask m, vec v)
{
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, m, v);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, m, v);
#else
  if (m.begin == 0 && m.end == VEC) vec_store(p, v);
  else
    for (int i = m.begin; i < m.end; i++) p[i] = v[i];
#endif
}

/* The first n lanes; may write the others too. */
INLINE void vec_store_narrow(float *p, vec v, int64_t n)
{
#if defined(__AVX512F__)
  if (n <= 8) _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
  else vec_store(p, v);
#else
  (void)n;
  vec_store(p, v);
#endif
}

/* The first n of p[0], p[step], p[2 * step], ... */
INLINE vec vec_load_every(const float *p, int64_t step, int64_t n)
{
  if (step == 1) return vec_load_part(p, vec_first(n));
#if defined(__AVX512F__)
  if (step == 2) {
    const int64_t last = 2 * n - 1; /* elements from the first to the last that is wanted */
    vec low = vec_load_part(p, vec_first(last < VEC ? last : VEC));
    vec high = vec_load_part(p + VEC, vec_first(last < VEC ? 0 : last - VEC));
    return vec_even(low, high);
  }
#else
  if (step == 2 && n == VEC) return __builtin_shufflevector(vec_load(p), vec_load(p + VEC - 1), VEC_SECONDS);
#endif
  vec v = {0};
  for (int64_t i = 0; i < n; i++) v[i] = p[i * step];
  return v;
}

/* The first 2 * n neighbours, n <= VEC, in two vectors. */
INLINE void vec_load_pairs(const float *p, int64_t n, vec v[2])
{
  if (n == VEC) {
    v[0] = vec_load(p);
    v[1] = vec_load(p + VEC);
  } else {
    v[0] = vec_load_part(p, vec_first(2 * n < VEC ? 2 * n : VEC));
    v[1] = vec_load_part(p + VEC, vec_first(2 * n > VEC ? 2 * n - VEC : 0));
  }
}

INLINE void vec_store_pairs(float *p, int64_t n, vec low, vec high)
{
  if (n == VEC) {
    vec_store(p, low);
    vec_store(p + VEC, high);
  } else {
    vec_store_part(p, vec_first(2 * n < VEC ? 2 * n : VEC), low);
    vec_store_part(p + VEC, vec_first(2 * n > VEC ? 2 * n - VEC : 0), high);
  }
}

INLINE void vec_store_bytes(uint8_t *p, vecb v, int64_t n) /* the first n */
{
#if defined(__AVX512F__)
  _mm_mask_storeu_epi8(p, vec_first(n), (__m128i)v);
#else
  if (n == VEC) memcpy(p, &v, sizeof v);
  else
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
#endif
}

INLINE vec vec_keep_first(vec v, int64_t n) /* the other lanes become 0 */
{
  float lane[VEC];
  vec_store(lane, v);
  for (int64_t i = n; i < VEC; i++) lane[i] = 0;
  return vec_load(lane);
}

/* ---- arithmetic ---- */
INLINE vec vec_fma(vec a, vec b, vec c) /* a * b + c, rounded once where the instruction set can */
{
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

/* yes where the lane of `mask` is -1, no where it is 0. */
INLINE vec vec_select(veci mask, vec yes, vec no)
{
  return (vec)((mask & (veci)yes) | (~mask & (veci)no));
}

INLINE vec vec_max(vec a, vec b) /* b where one is not a number */
{
  return vec_select(a > b, a, b);
}

INLINE vec vec_sqrt(vec v)
{
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(v);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(v);
#else
  for (int i = 0; i < VEC; i++) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

/* Across the lanes, always in the same order: halves onto each other. */
INLINE float vec_sum(vec v)
{
#if defined(__AVX512F__)
  __m256 h = _mm512_castps512_ps256(v) + _mm512_extractf32x8_ps(v, 1);
#elif defined(__AVX2__)
  __m256 h = v;
#endif
#if defined(__AVX2__)
  __m128 q = _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1);
  q += _mm_movehl_ps(q, q);
  return q[0] + q[1];
#else
  float lane[VEC];
  vec_store(lane, v);
  for (int half = VEC / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lane[i] += lane[i + half];
  return lane[0];
#endif
}

/* p[j] = vec_sum(v[j]) + add[j], j < 4; cheaper than four of them. */
INLINE void vec_sum_four(const vec v[4], const float *add, float *p)
{
#if defined(__AVX2__)
  __m256 h[4];
#if defined(__AVX512F__)
  for (int j = 0; j < 4; j++) h[j] = _mm512_castps512_ps256(v[j]) + _mm512_extractf32x8_ps(v[j], 1);
#else
  for (int j = 0; j < 4; j++) h[j] = v[j];
#endif
  const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(h[0], h[1]), _mm256_hadd_ps(h[2], h[3]));
  _mm_storeu_ps(p, _mm256_castps256_ps128(s) + _mm256_extractf128_ps(s, 1) + _mm_loadu_ps(add));
#else
  for (int j = 0; j < 4; j++) p[j] = vec_sum(v[j]) + add[j];
#endif
}

INLINE float vec_largest(vec v)
{
  float lane[VEC];
  vec_store(lane, v);
  for (int half = VEC / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
  return lane[0];
}

#endif
