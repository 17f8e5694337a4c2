/* The two passes of resample.c, for those who want to read them apart from the weights. */
#ifndef DLC_TRANSFORMS_RESAMPLE_KERNELS_H
#define DLC_TRANSFORMS_RESAMPLE_KERNELS_H
#include <stddef.h>
#include <stdint.h>

enum { DLC_WEIGHT_BITS = 22 }; /* a sum of weights times 255 stays below 2^31, with a cubic's overshoot */

/* Where the taps of each output along one axis begin, how many they are, and what they weigh: `room` weights an output,
 * 0 behind the last tap. */
typedef struct dlc_taps {
  int32_t *first, *count, *weight;
  int16_t *split;  /* the same weights for groups of 4 taps: dlc_taps_split() */
  int32_t room, n; /* n outputs */
} dlc_taps;

enum {
  DLC_SPLIT_GROUP = 32, /* numbers in `split` a group */
  DLC_ROW_MARGIN = 16   /* bytes behind a row that dlc_resample_row() may read */
};

static inline int32_t dlc_split_groups(int32_t taps)
{
  return (taps + 3) / 4;
}

/* Fills `split`, which has room for DLC_SPLIT_GROUP * dlc_split_groups(room) numbers an output. */
void dlc_taps_split(dlc_taps *taps);

/* One row of `channels` interleaved bytes to taps->n pixels; DLC_ROW_MARGIN bytes behind `in` can be read. */
void dlc_resample_row(const uint8_t *in, uint8_t *out, const dlc_taps *taps, int channels);
/* out[i] = the weighted sum of `count` rows of n bytes that lie `stride` apart. */
void dlc_resample_column(const uint8_t *in, size_t stride, uint8_t *out, size_t n, const int32_t *weight, int count);

#endif
