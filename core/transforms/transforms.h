/* dlcore's own transforms. Each file of this folder named after one is that transform: attributes, shape rule, kernel;
 * all follow torchvision on Pillow's pictures. rules, crop, cut, resample and color are what they share. To add one:
 * its file, its line in list.c, its test. */
#ifndef DLC_TRANSFORMS_TRANSFORMS_H
#define DLC_TRANSFORMS_TRANSFORMS_H
#include "dlcore/transform.h"

/* NULL-terminated. Static, const. */
extern const dlc_transform *const dlc_core_transforms[];

#endif
