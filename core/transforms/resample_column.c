/* Weighted sums down the columns of a picture, in 32-bit integers; see resample_kernels.h. */
#include "transforms/resample_kernels.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { STRETCH = 32 };

/* One stretch of at most STRETCH columns, whose sums stay in registers or nearly. */
static void stretch(const uint8_t *const *lines, size_t at, uint8_t *out, size_t n, const int32_t *weight, int count)
{
  int32_t sum[STRETCH];
  for (size_t i = 0; i < n; i++) sum[i] = DLC_WEIGHT_HALF;
  for (int k = 0; k < count; k++)
    for (size_t i = 0; i < n; i++) sum[i] += lines[k][at + i] * weight[k];
  for (size_t i = 0; i < n; i++) out[at + i] = dlc_weighted_byte(sum[i]);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static inline __m256i weigh(__m256i sum, const uint8_t *in, __m256i weight)
{
  const __m256i eight = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)in));
  return _mm256_add_epi32(sum, _mm256_mullo_epi32(eight, weight));
}

__attribute__((target("avx2"))) static inline void stretch_avx2(const uint8_t *const *lines, size_t at, uint8_t *out,
                                                                const int32_t *weight, int count)
{
  __m256i a = _mm256_set1_epi32(DLC_WEIGHT_HALF), b = a, c = a, d = a;
  for (int k = 0; k < count; k++) {
    const uint8_t *in = lines[k] + at;
    const __m256i w = _mm256_set1_epi32(weight[k]);
    a = weigh(a, in, w);
    b = weigh(b, in + 8, w);
    c = weigh(c, in + 16, w);
    d = weigh(d, in + 24, w);
  }
  a = _mm256_packs_epi32(_mm256_srai_epi32(a, DLC_WEIGHT_BITS), _mm256_srai_epi32(b, DLC_WEIGHT_BITS));
  c = _mm256_packs_epi32(_mm256_srai_epi32(c, DLC_WEIGHT_BITS), _mm256_srai_epi32(d, DLC_WEIGHT_BITS));
  /* Packing works in halves: first come the lower fours of a, b, c and d, then the upper ones. */
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256((__m256i *)(void *)(out + at), _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, c), order));
}

/* `count`: a constant where it matters. */
__attribute__((target("avx2"))) static inline void column_of(const uint8_t *const *lines, uint8_t *out, size_t n,
                                                             const int32_t *weight, int count)
{
  for (size_t i = 0; i + STRETCH <= n; i += STRETCH) stretch_avx2(lines, i, out, weight, count);
  if (n % STRETCH) stretch_avx2(lines, n - STRETCH, out, weight, count); /* some of it again */
}

__attribute__((target("avx2"))) static void column_avx2(const uint8_t *const *lines, uint8_t *out, size_t n,
                                                        const int32_t *weight, int count)
{
  if (count == 2) column_of(lines, out, n, weight, 2);
  else column_of(lines, out, n, weight, count);
}
#endif

void dlc_resample_column(const uint8_t *const *lines, uint8_t *out, size_t n, const int32_t *weight, int count)
{
#ifdef __x86_64__
  if (n >= STRETCH && __builtin_cpu_supports("avx2")) {
    column_avx2(lines, out, n, weight, count);
    return;
  }
#endif
  for (size_t i = 0; i < n; i += STRETCH) stretch(lines, i, out, n - i < STRETCH ? n - i : STRETCH, weight, count);
}
