/* Windows of the pools, sums over boxes; see pool.h. */
#include "ops/pool.h"
#include <string.h>

dlc_status dlc_pool_resolve(const int64_t kernel_size[2], const int64_t stride[2], int64_t padding[4])
{
  DLC_TRY(dlc_window_resolve(kernel_size, stride, NULL, padding));
  for (int i = 0; i < 4; i++)
    if (padding[i] > kernel_size[i % 2] / 2)
      return dlc_fail(DLC_INVALID, "padding is %lld, at most half of kernel_size %lldx%lld is possible",
                      (long long)padding[i], (long long)kernel_size[0], (long long)kernel_size[1]);
  return DLC_OK;
}

dlc_status dlc_pool_output(const int64_t kernel_size[2], const int64_t stride[2], const int64_t padding[4],
                           int64_t ceil_mode, const int64_t size[2], int64_t out[2])
{
  if (!ceil_mode) return dlc_window_output(kernel_size, stride, NULL, padding, size, out);
  for (int i = 0; i < 2; i++) {
    const int64_t room = size[i] + padding[i] + padding[i + 2] - kernel_size[i] + stride[i] - 1;
    if (room < 0)
      return dlc_fail(DLC_INVALID, "input is %lldx%lld, too small for kernel_size %lldx%lld with stride %lldx%lld",
                      (long long)size[0], (long long)size[1], (long long)kernel_size[0], (long long)kernel_size[1],
                      (long long)stride[0], (long long)stride[1]);
    out[i] = room / stride[i] + 1;
    if ((out[i] - 1) * stride[i] >= size[i] + padding[i]) out[i]--;
  }
  return DLC_OK;
}

/* The part of a plane that one output is made of. */
typedef struct box {
  dlc_side rows, cols;
} box;

static box box_at(const dlc_value *in, const dlc_value *out, int64_t oh, int64_t ow, const void *attr,
                  dlc_side_of *side)
{
  return (box){side(attr, 0, in->dim[2], out->dim[2], oh), side(attr, 1, in->dim[3], out->dim[3], ow)};
}

static double sum(const double *plane, int64_t width, box b)
{
  double total = 0;
  for (int64_t r = b.rows.begin; r < b.rows.end; r++)
    for (int64_t c = b.cols.begin; c < b.cols.end; c++) total += plane[r * width + c];
  return total / (b.rows.count * b.cols.count);
}

void dlc_box_sums(const dlc_call *call, const void *attr, dlc_side_of *side)
{
  const dlc_value *xv = call->iv[0], *yv = call->ov[0];
  const double *x = call->in[0];
  double *y = call->out[0];
  for (int64_t p = 0; p < xv->dim[0] * xv->dim[1]; p++, x += dlc_plane(xv))
    for (int64_t oh = 0; oh < yv->dim[2]; oh++)
      for (int64_t ow = 0; ow < yv->dim[3]; ow++) *y++ = sum(x, xv->dim[3], box_at(xv, yv, oh, ow, attr, side));
}

static void add(double *plane, int64_t width, box b, double dy)
{
  for (int64_t r = b.rows.begin; r < b.rows.end; r++)
    for (int64_t c = b.cols.begin; c < b.cols.end; c++) plane[r * width + c] += dy / (b.rows.count * b.cols.count);
}

void dlc_box_spread(const dlc_call *call, const void *attr, dlc_side_of *side)
{
  const dlc_value *yv = call->iv[0], *xv = call->ov[0];
  const double *dy = call->in[0];
  double *dx = call->out[0];
  memset(dx, 0, (size_t)dlc_count(xv) * sizeof *dx);
  for (int64_t p = 0; p < xv->dim[0] * xv->dim[1]; p++, dx += dlc_plane(xv))
    for (int64_t oh = 0; oh < yv->dim[2]; oh++)
      for (int64_t ow = 0; ow < yv->dim[3]; ow++) add(dx, xv->dim[3], box_at(xv, yv, oh, ow, attr, side), *dy++);
}
