/* Weighted sums along a row, in 32-bit integers; see resample_kernels.h. */
#include "transforms/resample_kernels.h"
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static void grey_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  for (int32_t x = 0; x < taps->n; x++) {
    const uint8_t *p = in + taps->first[x];
    const int32_t *w = taps->weight + (size_t)x * (size_t)taps->room;
    int32_t sum = DLC_WEIGHT_HALF;
    for (int32_t k = 0; k < taps->count[x]; k++) sum += p[k] * w[k];
    out[x] = dlc_weighted_byte(sum);
  }
}

static void colour_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  for (int32_t x = 0; x < taps->n; x++, out += 3) {
    const uint8_t *p = in + 3 * (ptrdiff_t)taps->first[x];
    const int32_t *w = taps->weight + (size_t)x * (size_t)taps->room;
    int32_t r = DLC_WEIGHT_HALF, g = DLC_WEIGHT_HALF, b = DLC_WEIGHT_HALF;
    for (int32_t k = 0; k < taps->count[x]; k++, p += 3) {
      r += p[0] * w[k];
      g += p[1] * w[k];
      b += p[2] * w[k];
    }
    out[0] = dlc_weighted_byte(r);
    out[1] = dlc_weighted_byte(g);
    out[2] = dlc_weighted_byte(b);
  }
}

/* ---- the same with AVX2: two taps of three channels are one multiply-and-add of 16-bit numbers ----
 *
 * For that a weight is 2^11 high + low. A lane holds two taps of one output, as [0 1 0 1 0 1 - -] for red, green and
 * blue; lanes go in twos, the high parts of both before the low parts of both. An output of one or two taps takes one
 * lane, any other an even number. */

enum { LOW_BITS = 11, LANE = 8 };

void dlc_taps_split(dlc_taps *taps)
{
  int32_t most = 0;
  for (int32_t o = 0; o < taps->n; o++) most = taps->count[o] > most ? taps->count[o] : most;
  taps->lanes = most <= 2 ? 1 : (most + 3) / 4 * 2;
  const int32_t n = taps->n * taps->lanes;
  memset(taps->split + (size_t)(n / 2) * 4 * LANE, 0, 4 * LANE * sizeof(int16_t)); /* the last may stand alone */
  for (int32_t q = 0; q < n; q++) {
    const int32_t *weight = taps->weight + (size_t)(q / taps->lanes) * (size_t)taps->room;
    const int32_t tap = q % taps->lanes * 2;
    const int32_t w[2] = {tap < taps->room ? weight[tap] : 0, tap + 1 < taps->room ? weight[tap + 1] : 0};
    int16_t *to = taps->split + (size_t)(q / 2) * 4 * LANE + (size_t)(q % 2) * LANE;
    for (int i = 0; i < LANE; i++) {
      const int32_t v = i < 6 ? w[i % 2] : 0;
      to[i] = (int16_t)(v >> LOW_BITS);
      to[i + 2 * LANE] = (int16_t)(v & ((1 << LOW_BITS) - 1));
    }
  }
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

/* The bytes of a lane's two pixels spread to its 16-bit numbers; -1 makes a 0. */
#define SPREAD(at) at, -1, at + 3, -1, at + 1, -1, at + 4, -1, at + 2, -1, at + 5, -1, -1, -1, -1, -1

AVX2 static inline __m256i weigh(__m256i pixels, const __m256i *w)
{
  const __m256i high = _mm256_madd_epi16(pixels, _mm256_loadu_si256(w));
  return _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), _mm256_madd_epi16(pixels, _mm256_loadu_si256(w + 1)));
}

/* The sums of two outputs, one a half, to pixels. Their fourth bytes are covered by what comes next, or do not come:
 * for the last outputs of a row `left` is 1 or 2. */
AVX2 static inline void put(__m256i sums, uint8_t *out, int32_t left)
{
  __m256i v = _mm256_srai_epi32(_mm256_add_epi32(sums, _mm256_set1_epi32(DLC_WEIGHT_HALF)), DLC_WEIGHT_BITS);
  v = _mm256_packs_epi32(v, v);
  v = _mm256_packus_epi16(v, v);
  const int32_t first = _mm_cvtsi128_si32(_mm256_castsi256_si128(v));
  const int32_t second = _mm_cvtsi128_si32(_mm256_extracti128_si256(v, 1));
  if (left > 2) {
    memcpy(out, &first, 4);
    memcpy(out + 3, &second, 4);
  } else {
    memcpy(out, &first, 3);
    if (left == 2) memcpy(out + 3, &second, 3);
  }
}

/* At most two taps an output. */
AVX2 static void colour_row_2(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  const __m256i spread = _mm256_setr_epi8(SPREAD(0), SPREAD(0));
  const __m256i *w = (const __m256i *)(const void *)taps->split;
  for (int32_t x = 0; x < taps->n; x += 2, out += 6, w += 2) {
    const int32_t next = x + 1 < taps->n ? x + 1 : x;
    const __m128i a = _mm_loadl_epi64((const __m128i *)(const void *)(in + 3 * (ptrdiff_t)taps->first[x]));
    const __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)(in + 3 * (ptrdiff_t)taps->first[next]));
    const __m256i pixels = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    put(weigh(_mm256_shuffle_epi8(pixels, spread), w), out, taps->n - x);
  }
}

AVX2 static inline __m256i weigh_output(const uint8_t *p, const __m256i *w, int32_t lanes)
{
  const __m256i spread = _mm256_setr_epi8(SPREAD(0), SPREAD(6));
  __m256i sums = _mm256_setzero_si256();
  for (int32_t k = 0; k < lanes; k += 2, p += 12, w += 2) {
    const __m256i four = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
    sums = _mm256_add_epi32(sums, weigh(_mm256_shuffle_epi8(four, spread), w));
  }
  return sums;
}

/* `lanes` is even; a constant where it matters. */
AVX2 static inline void colour_row_of(const uint8_t *in, uint8_t *out, const dlc_taps *taps, int32_t lanes)
{
  const __m256i *w = (const __m256i *)(const void *)taps->split;
  for (int32_t x = 0; x < taps->n; x += 2, out += 6, w += 2 * lanes) {
    const int32_t next = x + 1 < taps->n ? 1 : 0;
    const __m256i a = weigh_output(in + 3 * (ptrdiff_t)taps->first[x], w, lanes);
    const __m256i b = weigh_output(in + 3 * (ptrdiff_t)taps->first[x + next], w + next * lanes, lanes);
    put(_mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)), out,
        taps->n - x);
  }
}

AVX2 static void colour_row_avx2(const uint8_t *in, uint8_t *out, const dlc_taps *taps)
{
  if (taps->lanes == 1) colour_row_2(in, out, taps);
  else if (taps->lanes == 2) colour_row_of(in, out, taps, 2);
  else colour_row_of(in, out, taps, taps->lanes);
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
