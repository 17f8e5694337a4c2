/* flatten: [N, ...] -> [N, rest], a view. */
#include "ops/rules.h"

static dlc_status flatten_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  if (in[0]->rank < 2)
    return dlc_fail(DLC_INVALID, "input is %s, expected [batch, ...]", dlc_name_shape(in[0]->rank, in[0]->dim).text);
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 2, (int64_t[]){in[0]->dim[0], dlc_count(in[0]) / in[0]->dim[0]});
}

static dlc_status flatten_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return dlc_emit_reshape(b, grad_out[0], forward->in[0], &grad_in[0]);
}

const dlc_op dlc_op_flatten = {
    .size = sizeof(dlc_op),
    .name = "flatten",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .flags = DLC_OP_VIEW,
    .n_data = 1,
    .help = "all dimensions but the first become one",
    .infer = flatten_infer,
    .grad = flatten_grad,
};
