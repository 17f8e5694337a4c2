/* add: the sum of two values of one shape. Also what joins gradients of a value with several readers. */
#include "ops/rules.h"

static dlc_status add_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                            dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "a"));
  DLC_TRY(dlc_expect_like(in[1], "b", in[0]));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status add_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  (void)b, (void)forward;
  grad_in[0] = grad_in[1] = grad_out[0];
  return DLC_OK;
}

static dlc_status add_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = call->in[0][i] + call->in[1][i];
  return DLC_OK;
}

const dlc_op dlc_op_add = {
    .size = sizeof(dlc_op),
    .name = "add",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 2,
    .help = "a + b, element by element",
    .infer = add_infer,
    .grad = add_grad,
    .reference = add_reference,
};
