/* Resizing only what is kept: a resize just before a transform that reads no more than a region of its input makes only
 * that region, with the bytes that it would have had. [any] */
#ifndef DLC_TRANSFORMS_CUT_H
#define DLC_TRANSFORMS_CUT_H
#include "dlcore/transform.h"

/* A part of a picture; where it may leave the picture, that is said. */
typedef struct dlc_region {
  int64_t top, left, height, width;
} dlc_region;

/* A transform that begins with a cut, in its two halves: transform->apply(call) is apply(call, choose(call)). */
typedef struct dlc_cut {
  const dlc_transform *transform;
  /* What it reads of call->in, whose data need not be there yet. It may leave the picture. */
  dlc_region (*choose)(const dlc_transform_call *call);
  dlc_status (*apply)(const dlc_transform_call *call, const dlc_region *region);
} dlc_cut;

extern const dlc_cut dlc_center_crop_cut, dlc_random_crop_cut, dlc_random_resized_crop_cut;

extern const dlc_transform dlc_transform_resize;
/* Its apply() where only a part is wanted: call->out gets `part` of what call->in would be at height x width. */
dlc_status dlc_resize_part(const dlc_transform_call *call, int64_t height, int64_t width, const dlc_region *part);

#endif
