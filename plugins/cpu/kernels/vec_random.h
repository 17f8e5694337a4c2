/* Philox4x32-10 (Salmon et al. 2011) for neighbouring draws at once: the words of the service dlcore.random/1. A 64-bit
 * lane is one draw, of whose four numbers only the lower halves count. */
#ifndef CPU_VEC_RANDOM_H
#define CPU_VEC_RANDOM_H
#include "vec.h"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint32_t vecu __attribute__((vector_size(4 * VEC)));
typedef uint64_t vecw __attribute__((vector_size(4 * VEC)));
enum { DRAWS = VEC / 2 }; /* at once: 4 * DRAWS words, two vectors of them */

#if defined(__AVX512F__)
#define VEC_ZIP_LOW_WIDE  0, 8, 1, 9, 2, 10, 3, 11
#define VEC_ZIP_HIGH_WIDE 4, 12, 5, 13, 6, 14, 7, 15
#define VEC_LANES_WIDE    0, 1, 2, 3, 4, 5, 6, 7
#elif defined(__AVX2__)
#define VEC_ZIP_LOW_WIDE  0, 4, 1, 5
#define VEC_ZIP_HIGH_WIDE 2, 6, 3, 7
#define VEC_LANES_WIDE    0, 1, 2, 3
#else
#define VEC_ZIP_LOW_WIDE  0, 2
#define VEC_ZIP_HIGH_WIDE 1, 3
#define VEC_LANES_WIDE    0, 1
#endif

/* What the words are a function of, but for the draw. */
typedef struct random_key {
  uint64_t seed;
  uint32_t purpose, epoch, sample;
} random_key;

INLINE vecw vec_allw(uint64_t x)
{
  return x - (vecw){0};
}

/* The 64-bit products of the lower halves. */
INLINE vecw vec_multiply_halves(vecw a, vecw b)
{
#if defined(__AVX512F__)
  return (vecw)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (vecw)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (vecw)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & vec_allw(UINT32_MAX)) * (b & vec_allw(UINT32_MAX));
#endif
}

/* The words of draws `first` to first + DRAWS - 1, in order. */
INLINE void vec_random(const random_key *key, uint32_t first, vecu words[2])
{
  const vecw low = vec_allw(UINT32_MAX), left = vec_allw(0xD2511F53u), right = vec_allw(0xCD9E8D57u);
  vecw c0 = vec_allw(first) + (vecw){VEC_LANES_WIDE}, c1 = vec_allw(key->sample);
  vecw c2 = vec_allw(key->epoch), c3 = vec_allw(key->purpose);
  uint32_t k0 = (uint32_t)key->seed, k1 = (uint32_t)(key->seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    vecw a = vec_multiply_halves(c0, left), b = vec_multiply_halves(c2, right);
    c0 = (b >> 32) ^ c1 ^ vec_allw(k0);
    c1 = b;
    c2 = (a >> 32) ^ c3 ^ vec_allw(k1);
    c3 = a;
  }
  vecw w01 = (c0 & low) | c1 << 32, w23 = (c2 & low) | c3 << 32;
  words[0] = (vecu)__builtin_shufflevector(w01, w23, VEC_ZIP_LOW_WIDE);
  words[1] = (vecu)__builtin_shufflevector(w01, w23, VEC_ZIP_HIGH_WIDE);
}

#endif
