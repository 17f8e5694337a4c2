/* Resizing in two passes, horizontal then vertical, as Pillow's Image.resize: weights in 22 bits of fixed point, a
 * rounding to bytes between the passes; so the bytes are Pillow's. [any] */
#ifndef DLC_TRANSFORMS_RESAMPLE_H
#define DLC_TRANSFORMS_RESAMPLE_H
#include "dlcore/transform.h"

enum { DLC_BILINEAR = 0, DLC_NEAREST = 1, DLC_BICUBIC = 2 };
#define DLC_INTERPOLATIONS "bilinear|nearest|bicubic"

/* A part of a picture of bytes. */
typedef struct dlc_region {
  int64_t top, left, height, width;
} dlc_region;

/* The region of call->in, alone, stretched to call->out: pixels outside of it have no influence. Uses the scratch. */
dlc_status dlc_resample(const dlc_transform_call *call, const dlc_region *region, int64_t interpolation);

#endif
