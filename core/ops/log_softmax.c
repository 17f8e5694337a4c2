/* log_softmax over the last dimension: y = x - max - log(sum exp(x - max)). With y at hand its gradient is
 * dx = dy - exp(y) * sum(dy). */
#include "ops/dims.h"
#include <math.h>

static dlc_status log_softmax_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                        uint32_t *grad_in)
{
  return dlc_emit_two(b, "log_softmax_grad", NULL, grad_out[0], forward->out[0], &grad_in[0]);
}

static dlc_status log_softmax_reference(const dlc_call *call)
{
  const int64_t classes = dlc_last(call->iv[0]), rows = dlc_count(call->iv[0]) / classes;
  for (int64_t r = 0; r < rows; r++)
    dlc_log_softmax_row(call->in[0] + r * classes, classes, call->out[0] + r * classes);
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  const int64_t classes = dlc_last(call->iv[0]), rows = dlc_count(call->iv[0]) / classes;
  for (int64_t r = 0; r < rows; r++) {
    const double *dy = call->in[0] + r * classes, *y = call->in[1] + r * classes;
    double *dx = call->out[0] + r * classes;
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += dy[k];
    for (int64_t k = 0; k < classes; k++) dx[k] = dy[k] - exp(y[k]) * sum;
  }
  return DLC_OK;
}

const dlc_op dlc_op_log_softmax = {
    .size = sizeof(dlc_op),
    .name = "log_softmax",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "logarithms of the probabilities over the last dimension",
    .infer = dlc_infer_like_input,
    .grad = log_softmax_grad_rule,
    .reference = log_softmax_reference,
};

const dlc_op dlc_op_log_softmax_grad = {
    .size = sizeof(dlc_op),
    .name = "log_softmax_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "gradient of log_softmax",
    .infer = dlc_infer_like_dy,
    .reference = grad_reference,
};
