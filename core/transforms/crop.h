/* A window of a picture, which may lie outside of it. [any] */
#ifndef DLC_TRANSFORMS_CROP_H
#define DLC_TRANSFORMS_CROP_H
#include "transforms/cut.h"

/* What lies outside: zeros, or the picture mirrored at its border pixels. */
enum { DLC_PAD_ZERO = 0, DLC_PAD_REFLECT = 1 };

/* call->out = `window` of call->in, which may leave the picture; with REFLECT by less than the picture's size. Nothing
 * is copied where it is the whole picture. */
dlc_status dlc_crop(const dlc_transform_call *call, const dlc_region *window, int padding_mode);

#endif
