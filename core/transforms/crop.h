/* A window of a picture, which may lie outside of it. [any] */
#ifndef DLC_TRANSFORMS_CROP_H
#define DLC_TRANSFORMS_CROP_H
#include "dlcore/transform.h"

/* What lies outside: zeros, or the picture mirrored at its border pixels. */
enum { DLC_PAD_ZERO = 0, DLC_PAD_REFLECT = 1 };

/* call->out = the window of call->in whose corner is (top, left), either of which may be negative. With REFLECT the
 * window leaves the picture by less than the picture's size. Uses the scratch. */
dlc_status dlc_crop(const dlc_transform_call *call, int64_t top, int64_t left, int padding_mode);

#endif
