/* Weighted sums along a row, in 32-bit integers; see resample_kernels.h. */
#include "transforms/resample_kernels.h"
#include <stdbool.h>
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

/* ---- the same with AVX2: two taps of a byte are one multiply-and-add of 16-bit numbers ----
 *
 * For that a weight is 2^11 high + low. Results are made in blocks of four quads, in one vector q0 q2 and in another
 * q1 q3. The inputs for two taps of a `run` of results lie within 16 bytes: of two quads of 4 bytes where a picture
 * grows; of one until it shrinks to a third; from there on of one pixel, and a quad is that. A block in the table is
 *
 *   int32 [4]               where the first tap of each quad begins
 *   u8    [2][32]           for both vectors: which of the 16 bytes come where
 *   int16 [pairs][2][2][16] for two taps after the other, for both vectors: high and low parts of the weights
 *
 * The last block is one with the one before where the row is no multiple of a block. */

enum { LOW_BITS = 11, QUADS = 4, HEAD = QUADS * 4, VECTOR = 32, NO_BYTE = 0x80 };

static int32_t quad_bytes(int32_t run)
{
  return run == 3 ? 3 : 4;
}

static size_t block_bytes(int32_t pairs)
{
  return HEAD + 2 * VECTOR + (size_t)pairs * 4 * VECTOR;
}

size_t dlc_row_blocks_bytes(int64_t n, int32_t room)
{
  return (size_t)((n + 3) / 4) * block_bytes((room + 1) / 2);
}

static void put_word(char *at, uint32_t word)
{
  memcpy(at, &word, sizeof word);
}

/* Two 16-bit numbers beside each other. */
static uint32_t both(int32_t first, int32_t second)
{
  return ((uint32_t)first & 0xffff) | (uint32_t)second << 16;
}

/* Result `byte` of the row as one lane of the vectors at `mask` and `weights`; what is loaded for it starts at `start`.
 */
static void set_lane(const dlc_taps *t, int32_t byte, int32_t start, char *mask, char *weights)
{
  const int32_t x = byte / 3, from = 3 * t->first[x] + byte % 3 - start;
  const int32_t *weight = t->weight + (size_t)x * (size_t)t->room;
  put_word(mask, both(from | NO_BYTE << 8, (from + 3) | NO_BYTE << 8));
  for (int32_t k = 0; k < t->pairs; k++, weights += 4 * VECTOR) {
    const int32_t w0 = weight[2 * k], w1 = 2 * k + 1 < t->room ? weight[2 * k + 1] : 0, low = (1 << LOW_BITS) - 1;
    put_word(weights, both(w0 >> LOW_BITS, w1 >> LOW_BITS));
    put_word(weights + VECTOR, both(w0 & low, w1 & low));
  }
}

/* The block of the results from `byte` on. */
static void set_block(const dlc_taps *t, int32_t byte, char *block)
{
  const int32_t quad = quad_bytes(t->run);
  int32_t start = 0;
  if (quad < 4) memset(block + HEAD, NO_BYTE, 2 * VECTOR);
  for (int32_t q = 0; q < QUADS; q++, byte += quad) {
    char *mask = block + HEAD + q % 2 * VECTOR + q / 2 * 16, *weights = block + HEAD + 2 * VECTOR + q % 2 * 2 * VECTOR;
    if (q % 2 == 0 || t->run < 8) start = 3 * t->first[byte / 3];
    put_word(block + 4 * (ptrdiff_t)q, (uint32_t)start);
    for (int32_t i = 0; i < quad; i++)
      set_lane(t, byte + i, start, mask + 4 * (ptrdiff_t)i, weights + q / 2 * 16 + 4 * (ptrdiff_t)i);
  }
}

/* A pixel and those after it begin at most 3 inputs apart: then the second of two taps ends within 16 bytes. */
static int32_t longest_run(const dlc_taps *t)
{
  int32_t run = 8;
  for (int32_t x = 0; x < t->n; x++) {
    if (x >= 1 && t->first[x] - t->first[x - 1] > 3) return 3;
    if (x >= 3 && t->first[x] - t->first[x - 3] > 3) run = 4;
  }
  return run;
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

static bool has_blocks(const dlc_taps *t, size_t channels)
{
  return channels == 3 && 3 * t->n >= QUADS * 4 && __builtin_cpu_supports("avx2");
}

AVX2 static inline __m256i load(const char *p)
{
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* 16 bytes from each of two places. */
AVX2 static inline __m256i load_both(const uint8_t *p, const uint8_t *q)
{
  const __m128i first = _mm_loadu_si128((const __m128i *)(const void *)p);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(first), _mm_loadu_si128((const __m128i *)(const void *)q), 1);
}

typedef struct sums {
  __m256i high, low;
} sums;

AVX2 static inline void weigh(sums *s, __m256i pixels, const char *weights)
{
  s->high = _mm256_add_epi32(s->high, _mm256_madd_epi16(pixels, load(weights)));
  s->low = _mm256_add_epi32(s->low, _mm256_madd_epi16(pixels, load(weights + VECTOR)));
}

AVX2 static inline __m256i total(const sums *s)
{
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(s->high, LOW_BITS), s->low), DLC_WEIGHT_BITS);
}

/* Four quads of results, one after the other. */
AVX2 static inline __m128i make_block(const uint8_t *in, const char *block, int32_t run, int32_t pairs)
{
  const char *weights = block + HEAD + 2 * VECTOR;
  const __m256i even_order = load(block + HEAD), odd_order = load(block + HEAD + VECTOR);
  const __m256i nothing = _mm256_setzero_si256(), half = _mm256_set1_epi32(DLC_WEIGHT_HALF);
  sums even = {nothing, half}, odd = even;
  int32_t start[QUADS];
  memcpy(start, block, sizeof start);
  for (int32_t k = 0; k < pairs; k++, in += 6, weights += 4 * VECTOR) {
    const __m256i pixels = load_both(in + start[0], in + start[2]);
    const __m256i others = run == 8 ? pixels : load_both(in + start[1], in + start[3]);
    weigh(&even, _mm256_shuffle_epi8(pixels, even_order), weights);
    weigh(&odd, _mm256_shuffle_epi8(others, odd_order), weights + 2 * VECTOR);
  }
  const __m256i words = _mm256_packs_epi32(total(&even), total(&odd)); /* q0 q1, q2 q3 */
  const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0x08);
  return _mm256_castsi256_si128(bytes);
}

/* run and pairs: constants where it matters. */
AVX2 static inline void colour_row_of(const uint8_t *in, uint8_t *out, const dlc_taps *t, int32_t run, int32_t pairs)
{
  const __m128i pixels = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const char *block = t->blocks;
  const int32_t n = 3 * t->n, step = QUADS * quad_bytes(run);
  for (int32_t byte = 0; byte < n; byte += step, block += block_bytes(pairs)) {
    __m128i v = make_block(in, block, run, pairs);
    uint8_t *to = out + (byte + step <= n ? byte : n - step);
    if (run > 3) {
      _mm_storeu_si128((__m128i *)(void *)to, v);
    } else {
      v = _mm_shuffle_epi8(v, pixels);
      const int32_t last = _mm_extract_epi32(v, 2);
      _mm_storel_epi64((__m128i *)(void *)to, v);
      memcpy(to + 8, &last, sizeof last);
    }
  }
}

AVX2 static void colour_row_avx2(const uint8_t *in, uint8_t *out, const dlc_taps *t)
{
  if (t->run == 8 && t->pairs == 1) colour_row_of(in, out, t, 8, 1);
  else if (t->run == 3) colour_row_of(in, out, t, 3, t->pairs);
  else if (t->pairs == 2) colour_row_of(in, out, t, 4, 2);
  else colour_row_of(in, out, t, 4, t->pairs);
}
#else
static bool has_blocks(const dlc_taps *t, size_t channels)
{
  (void)t, (void)channels;
  return false;
}
#endif

void dlc_taps_prepare(dlc_taps *t, size_t channels)
{
  if (!has_blocks(t, channels)) return;
  int32_t most = 0;
  for (int32_t x = 0; x < t->n; x++) most = t->count[x] > most ? t->count[x] : most;
  t->run = longest_run(t);
  t->pairs = (most + 1) / 2;
  const int32_t n = 3 * t->n, step = QUADS * quad_bytes(t->run);
  char *block = t->blocks;
  for (int32_t byte = 0; byte < n; byte += step, block += block_bytes(t->pairs))
    set_block(t, byte + step <= n ? byte : n - step, block);
}

void dlc_resample_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps, size_t channels)
{
  if (channels == 1) {
    grey_row(in, out, taps);
    return;
  }
#ifdef __x86_64__
  if (taps->pairs) {
    colour_row_avx2(in, out, taps);
    return;
  }
#endif
  colour_row(in, out, taps);
}
