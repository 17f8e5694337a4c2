/* sgd: stochastic gradient descent with momentum, Nesterov's or not, as torch.optim.SGD (dampening 0).
 * Inputs: parameter, momentum_buffer where momentum is not 0, gradient, learning rate, step, momentum?. */
#include "ops/rules.h"
#include <math.h>
#include <stdbool.h>

static dlc_status sgd_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                            dlc_value *out)
{
  (void)h;
  const dlc_sgd *a = attr;
  DLC_TRY(dlc_expect_number("momentum", a->momentum, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("weight_decay", a->weight_decay, 0, HUGE_VAL));
  if (a->nesterov && a->momentum == 0) return dlc_fail(DLC_INVALID, "nesterov needs a momentum, momentum is 0");
  return dlc_momentum_infer(a->momentum, a->momentum != 0 ? 1 : 0, n_in, in, n_out, out);
}

static dlc_status sgd_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p)
{
  (void)h;
  const dlc_sgd *a = attr;
  if (k > 0 || a->momentum == 0) return DLC_END;
  return dlc_param_state(p, "momentum_buffer", in[0]);
}

static dlc_status sgd_reference(const dlc_call *call)
{
  const dlc_sgd *a = call->attr;
  const bool with_buffer = a->momentum != 0;
  const double *param = call->in[0], *buffer = call->in[1], *grad = call->in[with_buffer ? 2 : 1];
  const double lr = call->in[with_buffer ? 3 : 2][0];
  const double momentum = dlc_momentum(call, with_buffer, a->momentum);
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) {
    double g = grad[i] + a->weight_decay * param[i];
    if (with_buffer) {
      const double v = call->out[1][i] = momentum * buffer[i] + g;
      g = a->nesterov ? g + momentum * v : v;
    }
    call->out[0][i] = param[i] - lr * g;
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_sgd, momentum, "0", "share of the former step that is kept"),
    DLC_ATTR(FLOAT, dlc_sgd, weight_decay, "0", "L2 penalty"),
    DLC_ATTR(BOOL, dlc_sgd, nesterov, "false", "step from where the momentum leads"),
};

const dlc_op dlc_op_sgd = {
    .size = sizeof(dlc_op),
    .name = "sgd",
    .version = 3,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE | DLC_OP_MOMENTUM,
    .attr_size = sizeof(dlc_sgd),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "stochastic gradient descent with momentum",
    .infer = sgd_infer,
    .param = sgd_param,
    .reference = sgd_reference,
};
