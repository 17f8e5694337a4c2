/* avg_pool2d: the mean of every window. What it divides by at the borders is PyTorch's: the elements of the window that
 * lie in the image, with count_include_pad also those in the padding, but never those that ceil_mode adds behind it. */
#include "ops/pool.h"
#include <string.h>

static dlc_status pool_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  dlc_avg_pool2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_real(x, "input", 4, DLC_IMAGE_LAYOUT));
  if (a->stride[0] == 0 && a->stride[1] == 0) memcpy(a->stride, a->kernel_size, sizeof a->stride);
  DLC_TRY(dlc_pool_resolve(a->kernel_size, a->stride, a->padding));
  int64_t y[4] = {x->dim[0], x->dim[1]};
  DLC_TRY(dlc_pool_output(a->kernel_size, a->stride, a->padding, a->ceil_mode, x->dim + 2, y + 2));
  *n_out = 1;
  return dlc_shape_set(&out[0], x->dtype, 4, y);
}

static dlc_avg_pool2d_grad grad_attr(const dlc_avg_pool2d *a, const dlc_value *x)
{
  dlc_avg_pool2d_grad attr = {
      .size = {x->dim[2], x->dim[3]}, .ceil_mode = a->ceil_mode, .count_include_pad = a->count_include_pad};
  memcpy(attr.kernel_size, a->kernel_size, sizeof attr.kernel_size);
  memcpy(attr.stride, a->stride, sizeof attr.stride);
  memcpy(attr.padding, a->padding, sizeof attr.padding);
  return attr;
}

static dlc_status pool_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_avg_pool2d_grad attr = grad_attr(forward->attr, b->value(b, forward->in[0]));
  return b->emit(b, "avg_pool2d_grad", &attr, grad_out, 1, &grad_in[0]);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  dlc_avg_pool2d_grad *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_real(dy, "dy", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(dlc_pool_resolve(a->kernel_size, a->stride, a->padding));
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("size", a->size[i], 1, DLC_MAX_EXTENT));
  int64_t y[4] = {dy->dim[0], dy->dim[1]};
  DLC_TRY(dlc_pool_output(a->kernel_size, a->stride, a->padding, a->ceil_mode, a->size, y + 2));
  DLC_TRY(dlc_expect_shape(dy, "dy", dy->dtype, 4, y));
  *n_out = 1;
  return dlc_shape_set(&out[0], dy->dtype, 4, (int64_t[]){y[0], y[1], a->size[0], a->size[1]});
}

static dlc_side side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)out;
  const dlc_avg_pool2d_grad *a = attr;
  const int64_t begin = o * a->stride[i] - a->padding[i], padded = in + a->padding[i + 2];
  const int64_t end = begin + a->kernel_size[i] < padded ? begin + a->kernel_size[i] : padded;
  dlc_side s = {begin < 0 ? 0 : begin, end < in ? end : in, (double)(end - begin)};
  if (!a->count_include_pad) s.count = (double)(s.end - s.begin);
  return s;
}

static dlc_status pool_reference(const dlc_call *call)
{
  const dlc_avg_pool2d_grad attr = grad_attr(call->attr, call->iv[0]);
  dlc_box_sums(call, &attr, side);
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  dlc_box_spread(call, call->attr, side);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, dlc_avg_pool2d, kernel_size, NULL, "height and width of a window"),
    DLC_ATTR(PAIR, dlc_avg_pool2d, stride, "0", "step of the window; 0: as kernel_size"),
    DLC_ATTR(PADDING, dlc_avg_pool2d, padding, "0", "zeros around the image"),
    DLC_ATTR(BOOL, dlc_avg_pool2d, ceil_mode, "false", "round the output size up: a last window may be cut short"),
    DLC_ATTR(BOOL, dlc_avg_pool2d, count_include_pad, "true", "count the zeros around the image in the mean"),
};

const dlc_op dlc_op_avg_pool2d = {
    .size = sizeof(dlc_op),
    .name = "avg_pool2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_avg_pool2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "mean of every window",
    .infer = pool_infer,
    .grad = pool_grad_rule,
    .reference = pool_reference,
};

static const dlc_attr grad_attrs[] = {
    DLC_ATTR(PAIR, dlc_avg_pool2d_grad, kernel_size, NULL, "of the pooling"),
    DLC_ATTR(PAIR, dlc_avg_pool2d_grad, stride, NULL, "of the pooling"),
    DLC_ATTR(PADDING, dlc_avg_pool2d_grad, padding, NULL, "of the pooling"),
    DLC_ATTR(PAIR, dlc_avg_pool2d_grad, size, NULL, "height and width of the pooling's input"),
    DLC_ATTR(BOOL, dlc_avg_pool2d_grad, ceil_mode, "false", "of the pooling"),
    DLC_ATTR(BOOL, dlc_avg_pool2d_grad, count_include_pad, "true", "of the pooling"),
};

const dlc_op dlc_op_avg_pool2d_grad = {
    .size = sizeof(dlc_op),
    .name = "avg_pool2d_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_avg_pool2d_grad),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of avg_pool2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
