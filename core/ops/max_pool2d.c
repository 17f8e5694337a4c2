/* max_pool2d: the maximum of every window, and where in the window it was; its gradient goes there and nowhere else. */
#include "ops/pool.h"
#include <math.h>
#include <string.h>

enum { MAX_WINDOW = 256 }; /* positions that a u8 index can tell apart */

static dlc_status check_window(const int64_t kernel_size[2], const int64_t stride[2], int64_t padding[4])
{
  DLC_TRY(dlc_pool_resolve(kernel_size, stride, padding));
  const long long kh = kernel_size[0], kw = kernel_size[1];
  if (kh > MAX_WINDOW || kw > MAX_WINDOW || kh * kw > MAX_WINDOW)
    return dlc_fail(DLC_INVALID, "kernel_size is %lldx%lld, a window has at most %d elements", kh, kw, MAX_WINDOW);
  return DLC_OK;
}

static dlc_status max_pool2d_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h;
  dlc_max_pool2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_real(x, "input", 4, DLC_IMAGE_LAYOUT));
  if (a->stride[0] == 0 && a->stride[1] == 0) memcpy(a->stride, a->kernel_size, sizeof a->stride);
  DLC_TRY(check_window(a->kernel_size, a->stride, a->padding));
  int64_t y[4] = {x->dim[0], x->dim[1]};
  DLC_TRY(dlc_pool_output(a->kernel_size, a->stride, a->padding, a->ceil_mode, x->dim + 2, y + 2));
  *n_out = 2;
  DLC_TRY(dlc_shape_set(&out[0], x->dtype, 4, y));
  return dlc_shape_set(&out[1], DLC_U8, 4, y);
}

static dlc_status max_pool2d_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                       uint32_t *grad_in)
{
  if (grad_out[0] == DLC_NONE) return DLC_OK;
  const dlc_max_pool2d *a = forward->attr;
  const dlc_value *x = b->value(b, forward->in[0]);
  dlc_max_pool2d_grad attr = {.size = {x->dim[2], x->dim[3]}, .ceil_mode = a->ceil_mode};
  memcpy(attr.kernel_size, a->kernel_size, sizeof attr.kernel_size);
  memcpy(attr.stride, a->stride, sizeof attr.stride);
  memcpy(attr.padding, a->padding, sizeof attr.padding);
  return dlc_emit_two(b, "max_pool2d_grad", &attr, grad_out[0], forward->out[1], &grad_in[0]);
}

/* The part of a kernel that lies inside of the input when the kernel begins at `begin`. */
static dlc_span inside(int64_t begin, int64_t kernel, int64_t in)
{
  return (dlc_span){begin < 0 ? -begin : 0, begin + kernel > in ? in - begin : kernel};
}

/* Position in the window (row-major) of its first maximum. The window begins at (top, left) of `plane`, maybe in the
 * padding; what lies inside is never empty, as no padding exceeds half the kernel. */
static int64_t first_maximum(const double *plane, const int64_t size[2], const int64_t kernel[2], int64_t top,
                             int64_t left)
{
  const dlc_span rows = inside(top, kernel[0], size[0]), cols = inside(left, kernel[1], size[1]);
  int64_t at = rows.begin * kernel[1] + cols.begin;
  double best = plane[(top + rows.begin) * size[1] + left + cols.begin];
  for (int64_t r = rows.begin; r < rows.end; r++)
    for (int64_t c = cols.begin; c < cols.end; c++) {
      const double x = plane[(top + r) * size[1] + left + c];
      if (x > best || (isnan(x) && !isnan(best))) {
        best = x;
        at = r * kernel[1] + c;
      }
    }
  return at;
}

static dlc_status max_pool2d_reference(const dlc_call *call)
{
  const dlc_max_pool2d *a = call->attr;
  const dlc_value *xv = call->iv[0], *yv = call->ov[0];
  const int64_t *size = xv->dim + 2, planes = xv->dim[0] * xv->dim[1], kw = a->kernel_size[1];
  const double *x = call->in[0];
  double *y = call->out[0], *index = call->out[1];
  for (int64_t p = 0; p < planes; p++, x += size[0] * size[1])
    for (int64_t oh = 0; oh < yv->dim[2]; oh++)
      for (int64_t ow = 0; ow < yv->dim[3]; ow++) {
        const int64_t top = oh * a->stride[0] - a->padding[0], left = ow * a->stride[1] - a->padding[1];
        const int64_t at = first_maximum(x, size, a->kernel_size, top, left);
        *y++ = x[(top + at / kw) * size[1] + left + at % kw];
        *index++ = (double)at;
      }
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  dlc_max_pool2d_grad *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_real(dy, "dy", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(check_window(a->kernel_size, a->stride, a->padding));
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("size", a->size[i], 1, DLC_MAX_EXTENT));
  int64_t y[4] = {dy->dim[0], dy->dim[1]};
  DLC_TRY(dlc_pool_output(a->kernel_size, a->stride, a->padding, a->ceil_mode, a->size, y + 2));
  DLC_TRY(dlc_expect_shape(dy, "dy", dy->dtype, 4, y));
  DLC_TRY(dlc_expect_shape(in[1], "index", DLC_U8, 4, y));
  *n_out = 1;
  return dlc_shape_set(&out[0], dy->dtype, 4, (int64_t[]){y[0], y[1], a->size[0], a->size[1]});
}

static dlc_status grad_reference(const dlc_call *call)
{
  const dlc_max_pool2d_grad *a = call->attr;
  const dlc_value *yv = call->iv[0];
  const int64_t height = a->size[0], width = a->size[1], planes = yv->dim[0] * yv->dim[1];
  const int64_t kw = a->kernel_size[1];
  const double *dy = call->in[0], *index = call->in[1];
  memset(call->out[0], 0, (size_t)(planes * height * width) * sizeof(double));
  for (int64_t p = 0; p < planes; p++)
    for (int64_t oh = 0; oh < yv->dim[2]; oh++)
      for (int64_t ow = 0; ow < yv->dim[3]; ow++) {
        const int64_t at = (int64_t)*index++;
        const int64_t ih = oh * a->stride[0] - a->padding[0] + at / kw;
        const int64_t iw = ow * a->stride[1] - a->padding[1] + at % kw;
        if (ih < 0 || ih >= height || iw < 0 || iw >= width)
          return dlc_fail(DLC_INVALID, "index %lld lies outside of the %lldx%lld input", (long long)at,
                          (long long)height, (long long)width);
        call->out[0][(p * height + ih) * width + iw] += *dy++;
      }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, dlc_max_pool2d, kernel_size, NULL, "height and width of a window"),
    DLC_ATTR(PAIR, dlc_max_pool2d, stride, "0", "step of the window; 0: as kernel_size"),
    DLC_ATTR(PADDING, dlc_max_pool2d, padding, "0", "elements around the image that never win"),
    DLC_ATTR(BOOL, dlc_max_pool2d, ceil_mode, "false", "round the output size up: a last window may be cut short"),
};

const dlc_op dlc_op_max_pool2d = {
    .size = sizeof(dlc_op),
    .name = "max_pool2d",
    .version = 2,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_max_pool2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "maximum of every window",
    .infer = max_pool2d_infer,
    .grad = max_pool2d_grad_rule,
    .reference = max_pool2d_reference,
};

static const dlc_attr grad_attrs[] = {
    DLC_ATTR(PAIR, dlc_max_pool2d_grad, kernel_size, NULL, "of the pooling"),
    DLC_ATTR(PAIR, dlc_max_pool2d_grad, stride, NULL, "of the pooling"),
    DLC_ATTR(PADDING, dlc_max_pool2d_grad, padding, NULL, "of the pooling"),
    DLC_ATTR(PAIR, dlc_max_pool2d_grad, size, NULL, "height and width of the pooling's input"),
    DLC_ATTR(BOOL, dlc_max_pool2d_grad, ceil_mode, "false", "of the pooling"),
};

const dlc_op dlc_op_max_pool2d_grad = {
    .size = sizeof(dlc_op),
    .name = "max_pool2d_grad",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_max_pool2d_grad),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of max_pool2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
