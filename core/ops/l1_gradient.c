/* l1_gradient: gradient + l1 * sign(parameter), what adding l1 * sum(|parameter|) to the loss does to the gradient. */
#include "ops/rules.h"
#include <math.h>

static dlc_status l1_gradient_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                    uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_l1_gradient *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "parameter"));
  DLC_TRY(dlc_expect_like(in[1], "gradient", in[0]));
  DLC_TRY(dlc_expect_number("l1", a->l1, 0, HUGE_VAL));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status l1_gradient_reference(const dlc_call *call)
{
  const dlc_l1_gradient *a = call->attr;
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) {
    const double p = call->in[0][i];
    call->out[0][i] = call->in[1][i] + a->l1 * ((p > 0) - (p < 0));
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_l1_gradient, l1, NULL, "times the absolute values of the parameter"),
};

const dlc_op dlc_op_l1_gradient = {
    .size = sizeof(dlc_op),
    .name = "l1_gradient",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_l1_gradient),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient + l1 * sign(parameter)",
    .infer = l1_gradient_infer,
    .reference = l1_gradient_reference,
};
