/* Weighted sums of bytes in 32-bit integers; see resample_kernels.h. */
#include "transforms/resample_kernels.h"
#include "transforms/variants.h"
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { HALF = 1 << (DLC_WEIGHT_BITS - 1) };

DLC_KERNEL_BODY uint8_t to_byte(int32_t sum)
{
  const int32_t v = sum >> DLC_WEIGHT_BITS;
  return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void grey_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  for (int32_t x = 0; x < taps->n; x++) {
    const uint8_t *p = in + taps->first[x];
    const int32_t *w = taps->weight + (size_t)x * (size_t)taps->room;
    int32_t sum = HALF;
    for (int32_t k = 0; k < taps->count[x]; k++) sum += p[k] * w[k];
    out[x] = to_byte(sum);
  }
}

static void colour_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  for (int32_t x = 0; x < taps->n; x++, out += 3) {
    const uint8_t *p = in + 3 * (ptrdiff_t)taps->first[x];
    const int32_t *w = taps->weight + (size_t)x * (size_t)taps->room;
    int32_t r = HALF, g = HALF, b = HALF;
    for (int32_t k = 0; k < taps->count[x]; k++, p += 3) {
      r += p[0] * w[k];
      g += p[1] * w[k];
      b += p[2] * w[k];
    }
    out[0] = to_byte(r);
    out[1] = to_byte(g);
    out[2] = to_byte(b);
  }
}

/* A weight is 2^11 high + low, both of 16 bits, so that two taps of a channel are one multiply-and-add. Of a group of
 * taps 0..3: 16 high parts, then 16 low ones, each as [0 1 0 1 0 1 - -][2 3 2 3 2 3 - -] for red, green, blue. */
enum { LOW_BITS = 11 };

void dlc_taps_split(dlc_taps *taps)
{
  const int32_t groups = dlc_split_groups(taps->room);
  for (int32_t o = 0; o < taps->n; o++) {
    const int32_t *weight = taps->weight + (size_t)o * (size_t)taps->room;
    int16_t *to = taps->split + (size_t)o * (size_t)groups * DLC_SPLIT_GROUP;
    for (int32_t i = 0; i < groups * DLC_SPLIT_GROUP; i++) {
      const int32_t place = i % 16, tap = i / DLC_SPLIT_GROUP * 4 + place / 8 * 2 + place % 2;
      const int32_t w = place % 8 < 6 && tap < taps->room ? weight[tap] : 0;
      to[i] = (int16_t)(i % DLC_SPLIT_GROUP < 16 ? w >> LOW_BITS : w & ((1 << LOW_BITS) - 1));
    }
  }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void colour_row_avx2(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  /* Bytes of 4 pixels to 16-bit numbers in the order of the split weights; -1 makes a 0. */
  const __m256i spread = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7, -1,
                                          10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i *split = (const __m256i *)(const void *)taps->split;
  const int32_t groups = dlc_split_groups(taps->room);
  for (int32_t x = 0; x < taps->n; x++, out += 3) {
    const uint8_t *p = in + 3 * (ptrdiff_t)taps->first[x];
    const __m256i *w = split + 2 * (size_t)x * (size_t)groups;
    __m256i high = _mm256_setzero_si256(), low = high;
    for (int32_t k = 0; k < taps->count[x]; k += 4, p += 12, w += 2) {
      const __m128i four = _mm_loadu_si128((const __m128i *)(const void *)p);
      const __m256i pixels = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), spread);
      high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, _mm256_loadu_si256(w)));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, _mm256_loadu_si256(w + 1)));
    }
    const __m256i both = _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), low);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), DLC_WEIGHT_BITS);
    sum = _mm_packs_epi32(sum, sum);
    const int32_t pixel = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
    memcpy(out, &pixel, x + 1 < taps->n ? 4 : 3); /* one compiled store; the next pixel covers the fourth byte */
  }
}
#endif

void dlc_resample_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps, int channels)
{
  if (channels == 1) {
    grey_row(in, out, taps);
    return;
  }
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) {
    colour_row_avx2(in, out, taps);
    return;
  }
#endif
  colour_row(in, out, taps);
}

/* A constant number of taps keeps the sums of a stretch in registers. */
DLC_KERNEL_BODY void stretch(const uint8_t *in, size_t stride, uint8_t *out, int n, const int32_t *weight, int count)
{
  int32_t sum[32];
  for (int i = 0; i < n; i++) sum[i] = HALF;
  for (int k = 0; k < count; k++)
    for (int i = 0; i < n; i++) sum[i] += in[(size_t)k * stride + (size_t)i] * weight[k];
  for (int i = 0; i < n; i++) out[i] = to_byte(sum[i]);
}

DLC_KERNEL_BODY void dlc_resample_column_body(const uint8_t *in, size_t stride, uint8_t *out, size_t n,
                                              const int32_t *weight, int count)
{
  size_t i = 0;
  for (; i + 32 <= n; i += 32) stretch(in + i, stride, out + i, 32, weight, count);
  stretch(in + i, stride, out + i, (int)(n - i), weight, count);
}
DLC_KERNEL(dlc_resample_column,
           (const uint8_t *in, size_t stride, uint8_t *out, size_t n, const int32_t *weight, int count),
           (in, stride, out, n, weight, count))
