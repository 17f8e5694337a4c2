/* multiply: the product of two values of one shape, element by element. */
#include "ops/rules.h"

static dlc_status multiply_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                 uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "a"));
  DLC_TRY(dlc_expect_like(in[1], "b", in[0]));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status multiply_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_emit_two(b, "multiply", NULL, grad_out[0], forward->in[1 - i], &grad_in[i]));
  return DLC_OK;
}

static dlc_status multiply_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = call->in[0][i] * call->in[1][i];
  return DLC_OK;
}

const dlc_op dlc_op_multiply = {
    .size = sizeof(dlc_op),
    .name = "multiply",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 2,
    .help = "a * b, element by element",
    .infer = multiply_infer,
    .grad = multiply_grad,
    .reference = multiply_reference,
};
