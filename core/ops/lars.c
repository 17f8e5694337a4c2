/* lars: layer-wise adaptive rate scaling, You, Gitman and Ginsburg 2017: every tensor's step is in proportion to its
 * own norm. Inputs: parameter, momentum_buffer where momentum is not 0, gradient, learning rate, step, momentum?. */
#include "ops/rules.h"
#include <math.h>
#include <stdbool.h>

static dlc_status lars_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_lars *a = attr;
  DLC_TRY(dlc_expect_number("momentum", a->momentum, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("weight_decay", a->weight_decay, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("trust_coefficient", a->trust_coefficient, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  return dlc_momentum_infer(a->momentum, a->momentum != 0 ? 1 : 0, n_in, in, n_out, out);
}

static dlc_status lars_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p)
{
  (void)h;
  const dlc_lars *a = attr;
  if (k > 0 || a->momentum == 0) return DLC_END;
  return dlc_param_state(p, "momentum_buffer", in[0]);
}

static double norm(const double *x, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

static dlc_status lars_reference(const dlc_call *call)
{
  const dlc_lars *a = call->attr;
  const bool with_buffer = a->momentum != 0;
  const double *param = call->in[0], *buffer = call->in[1], *grad = call->in[with_buffer ? 2 : 1];
  const double lr = call->in[with_buffer ? 3 : 2][0];
  const double momentum = dlc_momentum(call, with_buffer, a->momentum);
  const int64_t n = dlc_count(call->iv[0]);
  const double p = norm(param, n), g = norm(grad, n);
  const double ratio = p == 0 || g == 0 ? 1 : a->trust_coefficient * p / (g + a->weight_decay * p + a->eps);
  for (int64_t i = 0; i < n; i++) {
    double v = ratio * (grad[i] + a->weight_decay * param[i]);
    if (with_buffer) v = call->out[1][i] = momentum * buffer[i] + v;
    call->out[0][i] = param[i] - lr * v;
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_lars, momentum, "0.9", "share of the former step that is kept"),
    DLC_ATTR(FLOAT, dlc_lars, weight_decay, "0", "L2 penalty"),
    DLC_ATTR(FLOAT, dlc_lars, trust_coefficient, "0.001", "norm of a step over the norm of the parameter, at rate 1"),
    DLC_ATTR(FLOAT, dlc_lars, eps, "1e-8", "added to the denominator"),
};

const dlc_op dlc_op_lars = {
    .size = sizeof(dlc_op),
    .name = "lars",
    .version = 2,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE | DLC_OP_MOMENTUM,
    .attr_size = sizeof(dlc_lars),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "sgd whose step is in proportion to the norm of each tensor",
    .infer = lars_infer,
    .param = lars_param,
    .reference = lars_reference,
};
