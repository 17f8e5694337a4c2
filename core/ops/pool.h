/* What the ops over planes share: the windows of the pools, and outputs that are sums over boxes of the plane, whose
 * sides follow from the output's row and column each by itself. Owns nothing. */
#ifndef DLC_OPS_POOL_H
#define DLC_OPS_POOL_H
#include "ops/rules.h"

#define DLC_IMAGE_LAYOUT "[batch, channels, height, width]"

/* ---- windows: [main] ---- */
/* Checks the attributes, and replaces padding `same` by numbers. No padding exceeds half the kernel, so that every
 * window holds an element of the input. */
dlc_status dlc_pool_resolve(const int64_t kernel_size[2], const int64_t stride[2], int64_t padding[4]);
/* Height and width of the output for resolved attributes and an input of height and width `size`. */
dlc_status dlc_pool_output(const int64_t kernel_size[2], const int64_t stride[2], const int64_t padding[4],
                           int64_t ceil_mode, const int64_t size[2], int64_t out[2]);

/* ---- boxes: reference kernels, [any] ---- */
/* The inputs from begin to end (excluded) that an output is made of; their sum is divided by `count`. */
typedef struct dlc_side {
  int64_t begin, end;
  double count;
} dlc_side;
/* Of output `o`; i: 0 along the height, 1 along the width. */
typedef dlc_side dlc_side_of(const void *attr, int i, int64_t in, int64_t out, int64_t o);

/* Output 0 = the sums over the boxes of input 0, divided. */
void dlc_box_sums(const dlc_call *call, const void *attr, dlc_side_of *side);
/* The gradient: input 0, divided, goes to every element of its box in output 0. */
void dlc_box_spread(const dlc_call *call, const void *attr, dlc_side_of *side);

#endif
