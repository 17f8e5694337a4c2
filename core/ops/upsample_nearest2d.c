/* upsample_nearest2d: every pixel becomes a block; its gradient is the sum over the block. */
#include "ops/pool.h"

static dlc_status check_scale(const dlc_upsample_nearest2d *a)
{
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("scale_factor", a->scale_factor[i], 1, DLC_MAX_EXTENT));
  return DLC_OK;
}

static dlc_status upsample_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                 uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_upsample_nearest2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_real(x, "input", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(check_scale(a));
  *n_out = 1;
  const int64_t y[4] = {x->dim[0], x->dim[1], x->dim[2] * a->scale_factor[0], x->dim[3] * a->scale_factor[1]};
  return dlc_shape_set(&out[0], x->dtype, 4, y);
}

static dlc_status upsample_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                     uint32_t *grad_in)
{
  return b->emit(b, "upsample_nearest2d_grad", forward->attr, grad_out, 1, &grad_in[0]);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_upsample_nearest2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_real(dy, "dy", 4, DLC_IMAGE_LAYOUT));
  DLC_TRY(check_scale(a));
  const long long height = dy->dim[2], width = dy->dim[3], rows = a->scale_factor[0], cols = a->scale_factor[1];
  if (height % rows || width % cols)
    return dlc_fail(DLC_INVALID, "dy is %lldx%lld, expected multiples of scale_factor %lldx%lld", height, width, rows,
                    cols);
  *n_out = 1;
  return dlc_shape_set(&out[0], dy->dtype, 4, (int64_t[]){dy->dim[0], dy->dim[1], height / rows, width / cols});
}

/* The block of element `o`. */
static dlc_side side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)in, (void)out;
  const int64_t scale = ((const dlc_upsample_nearest2d *)attr)->scale_factor[i];
  return (dlc_side){o * scale, (o + 1) * scale, 1};
}

static dlc_status upsample_reference(const dlc_call *call)
{
  dlc_box_spread(call, call->attr, side);
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  dlc_box_sums(call, call->attr, side);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, dlc_upsample_nearest2d, scale_factor, NULL, "height and width of the block that a pixel becomes"),
};

const dlc_op dlc_op_upsample_nearest2d = {
    .size = sizeof(dlc_op),
    .name = "upsample_nearest2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_upsample_nearest2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "every pixel repeated, as a block",
    .infer = upsample_infer,
    .grad = upsample_grad_rule,
    .reference = upsample_reference,
};

const dlc_op dlc_op_upsample_nearest2d_grad = {
    .size = sizeof(dlc_op),
    .name = "upsample_nearest2d_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_upsample_nearest2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of upsample_nearest2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
