/* adam: Kingma and Ba 2015, as torch.optim.Adam (no AMSGrad; weight_decay is an L2 penalty). adamw: Loshchilov and
 * Hutter 2019, as torch.optim.AdamW (weight_decay shrinks the parameter itself).
 * Inputs: parameter, exp_avg, exp_avg_sq, gradient, learning rate, step counted from 1, beta1?. */
#include "ops/rules.h"
#include <math.h>

static dlc_status adam_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_adam *a = attr;
  DLC_TRY(dlc_expect_number("beta1", a->beta1, 0, 1));
  DLC_TRY(dlc_expect_number("beta2", a->beta2, 0, 1));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("weight_decay", a->weight_decay, 0, HUGE_VAL));
  return dlc_momentum_infer(1, 2, n_in, in, n_out, out);
}

static dlc_status adam_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p)
{
  static const char *const names[] = {"exp_avg", "exp_avg_sq"};
  (void)h, (void)attr;
  return k < DLC_COUNT_OF(names) ? dlc_param_state(p, names[k], in[0]) : DLC_END;
}

/* `l2` and `shrink`: the two places where a weight decay can act; one of them is 0. */
static void update(const dlc_call *call, double l2, double shrink)
{
  const dlc_adam *a = call->attr;
  const double *param = call->in[0], *exp_avg = call->in[1], *exp_avg_sq = call->in[2], *grad = call->in[3];
  const double lr = call->in[4][0], step = call->in[5][0], beta1 = dlc_momentum(call, 2, a->beta1);
  const double step_size = lr / (1 - pow(beta1, step)), correction2 = sqrt(1 - pow(a->beta2, step));
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) {
    const double g = grad[i] + l2 * param[i];
    const double m = beta1 * exp_avg[i] + (1 - beta1) * g;
    const double v = a->beta2 * exp_avg_sq[i] + (1 - a->beta2) * g * g;
    call->out[0][i] = param[i] * (1 - lr * shrink) - step_size * m / (sqrt(v) / correction2 + a->eps);
    call->out[1][i] = m;
    call->out[2][i] = v;
  }
}

static dlc_status adam_reference(const dlc_call *call)
{
  update(call, ((const dlc_adam *)call->attr)->weight_decay, 0);
  return DLC_OK;
}

static dlc_status adamw_reference(const dlc_call *call)
{
  update(call, 0, ((const dlc_adam *)call->attr)->weight_decay);
  return DLC_OK;
}

#define MOMENTS                                                                                                        \
  DLC_ATTR(FLOAT, dlc_adam, beta1, "0.9", "decay of the running mean of the gradient"),                                \
      DLC_ATTR(FLOAT, dlc_adam, beta2, "0.999", "decay of the running mean of its square"),                            \
      DLC_ATTR(FLOAT, dlc_adam, eps, "1e-8", "added to the denominator")
static const dlc_attr adam_attrs[] = {MOMENTS, DLC_ATTR(FLOAT, dlc_adam, weight_decay, "0", "L2 penalty")};
static const dlc_attr adamw_attrs[] = {
    MOMENTS, DLC_ATTR(FLOAT, dlc_adam, weight_decay, "0.01", "share of the parameter taken away, times the rate")};

const dlc_op dlc_op_adam = {
    .size = sizeof(dlc_op),
    .name = "adam",
    .version = 2,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE | DLC_OP_MOMENTUM,
    .attr_size = sizeof(dlc_adam),
    .attrs = adam_attrs,
    .n_attrs = DLC_COUNT_OF(adam_attrs),
    .help = "adaptive moment estimation",
    .infer = adam_infer,
    .param = adam_param,
    .reference = adam_reference,
};

const dlc_op dlc_op_adamw = {
    .size = sizeof(dlc_op),
    .name = "adamw",
    .version = 2,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE | DLC_OP_MOMENTUM,
    .attr_size = sizeof(dlc_adam),
    .attrs = adamw_attrs,
    .n_attrs = DLC_COUNT_OF(adamw_attrs),
    .help = "adam whose weight decay is apart from the gradient",
    .infer = adam_infer,
    .param = adam_param,
    .reference = adamw_reference,
};
