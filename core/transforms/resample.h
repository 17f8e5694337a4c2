/* Resizing in two passes, horizontal then vertical, as Pillow's Image.resize: weights in 22 bits of fixed point, a
 * rounding to bytes between the passes; so the bytes are Pillow's. [any] */
#ifndef DLC_TRANSFORMS_RESAMPLE_H
#define DLC_TRANSFORMS_RESAMPLE_H
#include "transforms/cut.h"

enum { DLC_BILINEAR = 0, DLC_NEAREST = 1, DLC_BICUBIC = 2 };
#define DLC_INTERPOLATIONS "bilinear|nearest|bicubic"

/* A region of call->in, alone, stretched to height x width: pixels outside of it have no influence. call->out is the
 * part of that whose corner is (top, left); what lies outside of the part is not made. */
typedef struct dlc_resampling {
  dlc_region from;
  int64_t height, width, top, left;
  int64_t interpolation;
} dlc_resampling;

/* Uses the scratch. */
dlc_status dlc_resample(const dlc_transform_call *call, const dlc_resampling *resampling);

#endif
