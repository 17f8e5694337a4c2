/* adaptive_avg_pool2d: means over as many parts of each plane as are asked for; one is the global pool. */
#include "ops/pool.h"

static dlc_status pool_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_adaptive_avg_pool2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_real(x, "input", 4, DLC_IMAGE_LAYOUT));
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("output_size", a->output_size[i], 1, DLC_MAX_EXTENT));
  *n_out = 1;
  return dlc_shape_set(&out[0], x->dtype, 4, (int64_t[]){x->dim[0], x->dim[1], a->output_size[0], a->output_size[1]});
}

static dlc_status pool_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_value *x = b->value(b, forward->in[0]);
  const dlc_plane_size attr = {.size = {x->dim[2], x->dim[3]}};
  return b->emit(b, "adaptive_avg_pool2d_grad", &attr, grad_out, 1, &grad_in[0]);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_plane_size *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_real(dy, "dy", 4, DLC_IMAGE_LAYOUT));
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("size", a->size[i], 1, DLC_MAX_EXTENT));
  *n_out = 1;
  return dlc_shape_set(&out[0], dy->dtype, 4, (int64_t[]){dy->dim[0], dy->dim[1], a->size[0], a->size[1]});
}

static dlc_side side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)attr, (void)i;
  const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
  return (dlc_side){begin, end, (double)(end - begin)};
}

static dlc_status pool_reference(const dlc_call *call)
{
  dlc_box_sums(call, NULL, side);
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  dlc_box_spread(call, NULL, side);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, dlc_adaptive_avg_pool2d, output_size, "1", "height and width of the output"),
};

const dlc_op dlc_op_adaptive_avg_pool2d = {
    .size = sizeof(dlc_op),
    .name = "adaptive_avg_pool2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_adaptive_avg_pool2d),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "means over the parts of a grid laid over each plane",
    .infer = pool_infer,
    .grad = pool_grad_rule,
    .reference = pool_reference,
};

static const dlc_attr grad_attrs[] = {
    DLC_ATTR(PAIR, dlc_plane_size, size, NULL, "height and width of the pooling's input"),
};

const dlc_op dlc_op_adaptive_avg_pool2d_grad = {
    .size = sizeof(dlc_op),
    .name = "adaptive_avg_pool2d_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_plane_size),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of adaptive_avg_pool2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
