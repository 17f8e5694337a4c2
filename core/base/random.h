/* Counter-based random numbers (Philox4x32-10, from Random123): every number is a pure function of what it is for. */
#ifndef DLC_BASE_RANDOM_H
#define DLC_BASE_RANDOM_H
#include "dlcore/base.h"

/* What a number is for. Values are part of the results: never renumber. Plugins use 0x10000 and above. */
enum {
  DLC_PURPOSE_INIT = 1,
  DLC_PURPOSE_ORDER = 2,
  DLC_PURPOSE_SPLIT = 3,
  DLC_PURPOSE_MIX = 4,
  DLC_PURPOSE_TRANSFORM = 0x100 /* plus the transform's position in its list */
  /* and DLC_RANDOM_STREAM plus the stream of a node (dlcore/op.h) */
};

void dlc_random_words(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t sample, uint32_t draw, uint32_t out[4]);
/* order[0..n) = a uniform permutation of 0..n-1, a function of (seed, purpose, epoch). */
void dlc_random_permutation(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t *order, uint32_t n);
/* From one 32-bit word: [0, 1) with 24 bits. */
static inline float dlc_random_unit(uint32_t word)
{
  return (float)(word >> 8) * 0x1p-24f;
}
/* Fills n floats; element i is a function of (seed, index, i) alone. `index` tells tensors apart. */
void dlc_random_uniform(uint64_t seed, uint32_t index, double low, double high, float *out, size_t n);
void dlc_random_normal(uint64_t seed, uint32_t index, double mean, double std, float *out, size_t n);

/* Of a normal distribution, what lies in [low, high] alone. Element i is a function of (seed, index) and of i. */
void dlc_random_trunc_normal(uint64_t seed, uint32_t index, double mean, double std, double low, double high,
                             float *out, size_t n);

/* The service table for plugins. */
const dlc_random *dlc_random_service(void);

#endif
