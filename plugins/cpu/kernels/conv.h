/* What conv2d and its gradients share.
 *
 * With few channels, the usual way (copy every window out, then one matrix product) moves more than it computes. Here
 * an image is widened by the kernel's columns only: for each channel c and kernel column j there is a plane whose row r
 * holds, for every output column, the input element under kernel column j, padding included. Under kernel element
 * (i, j), all output pixels of all rows are then one run of neighbouring floats that begins i rows further down, so the
 * convolution is a product of matrices whose rows lie at `taps`: full vectors for any width of the image.
 *
 * Every group of the channels is a convolution by itself.
 *
 * With a vertical stride s the rows of a plane are sorted by their remainder modulo s ("phases"), which keeps the rows
 * under one kernel element neighbours. */
#ifndef CPU_CONV_H
#define CPU_CONV_H
#include "kernels.h"

typedef struct conv {
  const dlc_device *device;
  int64_t groups, units; /* a unit: one group of one image; batch * groups of them */
  int64_t batch;
  int64_t channels, filters;                                           /* of a group */
  int64_t in[2], out[2], kernel[2], stride[2], dilation[2], top, left; /* height, width; padding before */
  int64_t depth;                                                       /* channels * kernel height * kernel width */
  int64_t pixels;                                                      /* of an output plane */
  int64_t x_size, y_size;                                              /* floats of an input, an output unit */
  int64_t phase_rows, plane;                                           /* rows of a phase; floats of a widened plane */
  int64_t widened; /* floats of a widened unit, a vector more, whole cache lines */
  bool plain;      /* the widened unit would be the unit itself */
  bool bias;       /* forward: has one */
  uint32_t tasks;
  uint32_t splits;  /* tasks that share the same units: each has a part of the filters (of the channels in gradients) */
  int64_t together; /* grad_weight: units that are widened at a time */
  /* Offsets in a widened unit, channels * kernel height * kernel width of them, in the weight's order. */
  int64_t taps[];
} conv;

typedef struct conv_shape {
  const dlc_value *x, *w, *y; /* or their gradients */
  const int64_t *kernel, *stride, *padding, *dilation;
  int64_t groups;
} conv_shape;

/* `extra`: further int64_t behind the taps. */
#define cpu_conv_new CPU_NAME(cpu_conv_new)
conv *cpu_conv_new(const dlc_device *device, const conv_shape *s, int64_t extra, dlc_kernel *k);

/* Some channels of the widened unit of `x`: written to their places in `buffer`, or `x` itself. */
#define cpu_conv_widen CPU_NAME(cpu_conv_widen)
const float *cpu_conv_widen(const conv *v, cpu_range channels, const float *x, float *buffer);
/* The transposed step: each element of these channels of `x` becomes the sum of the places that widening copies it to.
 */
#define cpu_conv_fold CPU_NAME(cpu_conv_fold)
void cpu_conv_fold(const conv *v, cpu_range channels, const float *widened, float *x);

/* ---- depthwise.c: stride 1 and a filter for each channel ---- */
#define cpu_depthwise_fits        CPU_NAME(cpu_depthwise_fits)
#define cpu_depthwise             CPU_NAME(cpu_depthwise)
#define cpu_depthwise_grad_input  CPU_NAME(cpu_depthwise_grad_input)
#define cpu_depthwise_grad_weight CPU_NAME(cpu_depthwise_grad_weight)
bool cpu_depthwise_fits(const conv_shape *s);
dlc_status cpu_depthwise(const dlc_device *device, const conv_shape *s, bool bias, dlc_kernel *k);
dlc_status cpu_depthwise_grad_input(const dlc_device *device, const conv_shape *s, dlc_kernel *k);
dlc_status cpu_depthwise_grad_weight(const dlc_device *device, const conv_shape *s, dlc_kernel *k);

/* ---- winograd.c: stride 1, square kernels, many channels ---- */
#define cpu_winograd_fits             CPU_NAME(cpu_winograd_fits)
#define cpu_winograd_grad_weight_fits CPU_NAME(cpu_winograd_grad_weight_fits)
#define cpu_winograd                  CPU_NAME(cpu_winograd)
#define cpu_winograd_grad_input       CPU_NAME(cpu_winograd_grad_input)
#define cpu_winograd_grad_weight      CPU_NAME(cpu_winograd_grad_weight)
bool cpu_winograd_fits(const conv_shape *s);
bool cpu_winograd_grad_weight_fits(const conv_shape *s);
dlc_status cpu_winograd(const dlc_device *device, const conv_shape *s, bool bias, dlc_kernel *k);
dlc_status cpu_winograd_grad_input(const dlc_device *device, const conv_shape *s, dlc_kernel *k);
dlc_status cpu_winograd_grad_weight(const dlc_device *device, const conv_shape *s, dlc_kernel *k);

#endif
