/* Philox4x32-10 from Random123. The counter is (draw, sample, epoch, purpose), the key is the seed: what a number is
 * for is all that it depends on. */
#include "base/random.h"
#include <math.h>
#include <Random123/philox.h>

void dlc_random_words(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t sample, uint32_t draw, uint32_t out[4])
{
  philox4x32_ctr_t counter = {{draw, sample, epoch, purpose}};
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t r = philox4x32_R(10, counter, key);
  for (int i = 0; i < 4; i++) out[i] = r.v[i];
}

/* The words of one (seed, purpose, epoch, sample), one after the other. */
typedef struct word_stream {
  uint64_t seed;
  uint32_t purpose, epoch, sample, draw, left, words[4];
} word_stream;

static uint32_t next_word(word_stream *s)
{
  if (s->left == 0) {
    dlc_random_words(s->seed, s->purpose, s->epoch, s->sample, s->draw++, s->words);
    s->left = 4;
  }
  return s->words[4 - s->left--];
}

/* Uniform in [0, n) without bias: Lemire, "Fast random integer generation in an interval", 2019. */
static uint32_t below(word_stream *s, uint32_t n)
{
  uint64_t product = (uint64_t)next_word(s) * n;
  if ((uint32_t)product < n) {
    uint32_t reject = (0u - n) % n;
    while ((uint32_t)product < reject) product = (uint64_t)next_word(s) * n;
  }
  return (uint32_t)(product >> 32);
}

void dlc_random_permutation(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t *order, uint32_t n)
{
  word_stream s = {.seed = seed, .purpose = purpose, .epoch = epoch};
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  for (uint32_t i = n; i > 1; i--) { /* Fisher and Yates */
    uint32_t j = below(&s, i), t = order[j];
    order[j] = order[i - 1];
    order[i - 1] = t;
  }
}

/* The four words behind elements 4 * block .. 4 * block + 3 of tensor `index`. */
static void tensor_words(uint64_t seed, uint32_t index, size_t block, uint32_t out[4])
{
  dlc_random_words(seed, DLC_PURPOSE_INIT, (uint32_t)((uint64_t)block >> 32), index, (uint32_t)block, out);
}

void dlc_random_uniform(uint64_t seed, uint32_t index, double low, double high, float *out, size_t n)
{
  uint32_t words[4] = {0};
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) tensor_words(seed, index, i / 4, words);
    float v = (float)(low + (high - low) * (double)dlc_random_unit(words[i % 4]));
    out[i] = (double)v < high ? v : nextafterf((float)high, (float)low); /* rounding must not reach `high` */
  }
}

/* Box and Muller: words 0, 1 give elements 0, 1 of a block and words 2, 3 give elements 2, 3. */
void dlc_random_normal(uint64_t seed, uint32_t index, double mean, double std, float *out, size_t n)
{
  const double two_pi = 6.283185307179586476925;
  double pair[2] = {0};
  uint32_t words[4] = {0};
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) tensor_words(seed, index, i / 4, words);
    if (i % 2 == 0) {
      double radius = sqrt(-2.0 * log(((double)words[i % 4] + 1.0) * 0x1p-32)); /* of (0, 1] */
      double angle = two_pi * (double)words[i % 4 + 1] * 0x1p-32;
      pair[0] = radius * cos(angle);
      pair[1] = radius * sin(angle);
    }
    out[i] = (float)(mean + std * pair[i % 2]);
  }
}

/* By rejection: uniform in the interval, kept as often as the density there is of the largest one in it. Further than
 * seven deviations from where that is nothing would be kept. */
void dlc_random_trunc_normal(uint64_t seed, uint32_t index, double mean, double std, double low, double high,
                             float *out, size_t n)
{
  word_stream s = {.seed = seed, .purpose = DLC_PURPOSE_INIT, .sample = index};
  const double mode = fmin(fmax(mean, low), high);
  low = fmax(low, mode - 7 * std);
  high = fmin(high, mode + 7 * std);
  for (size_t i = 0; i < n; i++) {
    double x = mode, share = 1;
    do {
      if (std == 0) break;
      x = low + (high - low) * (double)next_word(&s) * 0x1p-32;
      share = exp(((mode - mean) * (mode - mean) - (x - mean) * (x - mean)) / (2 * std * std));
    } while ((double)next_word(&s) * 0x1p-32 >= share);
    out[i] = (float)x;
  }
}

const dlc_random *dlc_random_service(void)
{
  static const dlc_random service = {.size = sizeof(dlc_random), .words = dlc_random_words};
  return &service;
}
