/* adagrad: Duchi, Hazan and Singer 2011, as torch.optim.Adagrad (initial_accumulator_value 0).
 * Inputs: parameter, sum (of the squares), gradient, learning rate, step counted from 1. */
#include "ops/rules.h"
#include <math.h>

static dlc_status adagrad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_adagrad *a = attr;
  DLC_TRY(dlc_expect_number("lr_decay", a->lr_decay, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("weight_decay", a->weight_decay, 0, HUGE_VAL));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  return dlc_optimizer_infer(1, n_in, in, n_out, out);
}

static dlc_status adagrad_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                dlc_param *p)
{
  (void)h, (void)attr;
  return k == 0 ? dlc_param_state(p, "sum", in[0]) : DLC_END;
}

static dlc_status adagrad_reference(const dlc_call *call)
{
  const dlc_adagrad *a = call->attr;
  const double *param = call->in[0], *sum = call->in[1], *grad = call->in[2];
  const double rate = call->in[3][0] / (1 + (call->in[4][0] - 1) * a->lr_decay);
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) {
    const double g = grad[i] + a->weight_decay * param[i];
    const double s = call->out[1][i] = sum[i] + g * g;
    call->out[0][i] = param[i] - rate * g / (sqrt(s) + a->eps);
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_adagrad, lr_decay, "0", "what each step adds to the divisor of the learning rate"),
    DLC_ATTR(FLOAT, dlc_adagrad, weight_decay, "0", "L2 penalty"),
    DLC_ATTR(FLOAT, dlc_adagrad, eps, "1e-10", "added to the denominator"),
};

const dlc_op dlc_op_adagrad = {
    .size = sizeof(dlc_op),
    .name = "adagrad",
    .version = 1,
    .kind = DLC_OP_OPTIMIZER,
    .flags = DLC_OP_UPDATE,
    .attr_size = sizeof(dlc_adagrad),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient over the root of the sum of its squares",
    .infer = adagrad_infer,
    .param = adagrad_param,
    .reference = adagrad_reference,
};
