/* The two passes of resample.c, for those who want to read them apart from the weights. */
#ifndef DLC_TRANSFORMS_RESAMPLE_KERNELS_H
#define DLC_TRANSFORMS_RESAMPLE_KERNELS_H
#include <stddef.h>
#include <stdint.h>

/* A sum of weights times 255 stays below 2^31, with a cubic's overshoot. */
enum { DLC_WEIGHT_BITS = 22, DLC_WEIGHT_HALF = 1 << (DLC_WEIGHT_BITS - 1) };

static inline uint8_t dlc_weighted_byte(int32_t sum)
{
  const int32_t v = sum >> DLC_WEIGHT_BITS;
  return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Where the taps of each output along one axis begin, how many they are, and what they weigh: `room` weights an output,
 * 0 behind the last tap. */
typedef struct dlc_taps {
  int32_t *first, *count, *weight;
  int32_t room, n;    /* n outputs */
  char *blocks;       /* the same for the processor's vectors; made by dlc_taps_prepare() */
  int32_t run, pairs; /* how it lies there; 0: it does not */
} dlc_taps;

/* Bytes that `blocks` has room for. */
size_t dlc_row_blocks_bytes(int64_t n, int32_t room);

/* Bytes behind a row that dlc_resample_row() may read: it takes 16 for two taps. */
static inline size_t dlc_row_margin(int32_t room)
{
  return (size_t)((room + 1) / 2) * 6 + 16;
}

/* Before dlc_resample_row(). */
void dlc_taps_prepare(dlc_taps *taps, size_t channels);
/* One row of `channels` interleaved bytes to taps->n pixels; dlc_row_margin() bytes behind it can be read. */
void dlc_resample_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps, size_t channels);
/* out[i] = the weighted sum of lines[0][i] to lines[count - 1][i], for n bytes. */
void dlc_resample_column(const uint8_t *const *lines, uint8_t *out, size_t n, const int32_t *weight, int count);

#endif
