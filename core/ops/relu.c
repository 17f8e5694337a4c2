/* relu: max(x, 0), where NaN stays NaN so that a broken run shows; its gradient needs only the output. */
#include "ops/rules.h"

static dlc_status relu_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return dlc_emit_two(b, "relu_grad", NULL, grad_out[0], forward->out[0], &grad_in[0]);
}

static dlc_status relu_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  const double *x = call->in[0];
  for (int64_t i = 0; i < n; i++) call->out[0][i] = x[i] < 0 ? 0 : x[i];
  return DLC_OK;
}

static dlc_status relu_grad_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  const double *dy = call->in[0], *y = call->in[1];
  for (int64_t i = 0; i < n; i++) call->out[0][i] = y[i] > 0 ? dy[i] : 0;
  return DLC_OK;
}

const dlc_op dlc_op_relu = {
    .size = sizeof(dlc_op),
    .name = "relu",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "max(x, 0)",
    .infer = dlc_infer_like_input,
    .grad = relu_grad_rule,
    .reference = relu_reference,
};

const dlc_op dlc_op_relu_grad = {
    .size = sizeof(dlc_op),
    .name = "relu_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "gradient of relu",
    .infer = dlc_infer_like_dy,
    .reference = relu_grad_reference,
};
