/* scale: every element times a number that is known in the step only. */
#include "ops/rules.h"

static dlc_status scale_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                              dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  DLC_TRY(dlc_expect_scalar(in[1], "factor"));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status scale_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  const double factor = call->in[1][0];
  for (int64_t i = 0; i < n; i++) call->out[0][i] = factor * call->in[0][i];
  return DLC_OK;
}

const dlc_op dlc_op_scale = {
    .size = sizeof(dlc_op),
    .name = "scale",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "factor * x",
    .infer = scale_infer,
    .reference = scale_reference,
};
