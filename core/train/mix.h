/* mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019): how much of two pictures, and which part. A function of
 * (seed, batch) alone. [any] */
#ifndef DLC_TRAIN_MIX_H
#define DLC_TRAIN_MIX_H
#include "train/method.h"

typedef struct dlc_mix {
  float share;       /* of a picture's own pixels outside of the box */
  float label_share; /* of its own label */
  int64_t box[4];    /* top, left, bottom, right (excluded) of what comes from the other picture */
} dlc_mix;

/* Of the `batch`-th training batch of the run, counted from 0; pictures of height x width. One of the two at random
 * where the method has both. */
dlc_mix dlc_mix_draw(const dlc_method *method, uint64_t seed, int64_t batch, int64_t height, int64_t width);

#endif
