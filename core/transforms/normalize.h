/* The numbers of a normalize step, for those who do its work elsewhere. */
#ifndef DLC_TRANSFORMS_NORMALIZE_H
#define DLC_TRANSFORMS_NORMALIZE_H
#include "dlcore/transform.h"

extern const dlc_transform dlc_transform_normalize, dlc_transform_to_float;

/* Mean and standard deviation of the attributes for every one of 4 channels, of values scaled to [0, 1]. */
void dlc_normalize_numbers(const void *attr, float mean[4], float std[4]);

#endif
