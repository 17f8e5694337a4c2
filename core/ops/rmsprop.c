/* rmsprop: Tieleman and Hinton 2012, as torch.optim.RMSprop.
 * Inputs: parameter, square_avg, grad_avg where centered, momentum_buffer where momentum is not 0, gradient, learning
 * rate, step, momentum?. */
#include "ops/rules.h"
#include <math.h>

static uint32_t count_states(const dlc_rmsprop *a)
{
  return 1 + (a->centered != 0) + (a->momentum != 0);
}

static dlc_status rmsprop_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_rmsprop *a = attr;
  DLC_TRY(dlc_expect_number("alpha", a->alpha, 0, 1));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("weight_decay", a->weight_decay, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("momentum", a->momentum, 0, HUGE_VAL));
  return dlc_momentum_infer(a->momentum, count_states(a), n_in, in, n_out, out);
}

static dlc_status rmsprop_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                dlc_param *p)
{
  (void)h;
  const dlc_rmsprop *a = attr;
  if (k >= count_states(a)) return DLC_END;
  const char *name = k == 0 ? "square_avg" : k == 1 && a->centered ? "grad_avg" : "momentum_buffer";
  return dlc_param_state(p, name, in[0]);
}

static dlc_status rmsprop_reference(const dlc_call *call)
{
  const dlc_rmsprop *a = call->attr;
  const uint32_t states = count_states(a), mean = 2, buffer = states; /* positions of grad_avg, momentum_buffer */
  const double *param = call->in[0], *grad = call->in[states + 1], lr = call->in[states + 2][0];
  const double momentum = dlc_momentum(call, states, a->momentum);
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) {
    const double g = grad[i] + a->weight_decay * param[i];
    double square = call->out[1][i] = a->alpha * call->in[1][i] + (1 - a->alpha) * g * g;
    if (a->centered) {
      const double m = call->out[mean][i] = a->alpha * call->in[mean][i] + (1 - a->alpha) * g;
      square -= m * m;
    }
    double step = g / (sqrt(square) + a->eps);
    if (a->momentum != 0) step = call->out[buffer][i] = momentum * call->in[buffer][i] + step;
    call->out[0][i] = param[i] - lr * step;
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_rmsprop, alpha, "0.99", "decay of the running mean of the gradient's square"),
    DLC_ATTR(FLOAT, dlc_rmsprop, eps, "1e-8", "added to the denominator"),
    DLC_ATTR(FLOAT, dlc_rmsprop, weight_decay, "0", "L2 penalty"),
    DLC_ATTR(FLOAT, dlc_rmsprop, momentum, "0", "share of the former step that is kept"),
    DLC_ATTR(BOOL, dlc_rmsprop, centered, "false", "divide by the deviation: the mean is taken off the square"),
};

const dlc_op dlc_op_rmsprop = {
    .size = sizeof(dlc_op),
    .name = "rmsprop",
    .version = 2,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE | DLC_OP_MOMENTUM,
    .attr_size = sizeof(dlc_rmsprop),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient over the root of its running mean square",
    .infer = rmsprop_infer,
    .param = rmsprop_param,
    .reference = rmsprop_reference,
};
