/* accumulate: sum + factor * x, in place: how the gradients of several batches become those of one step. */
#include "ops/rules.h"

static dlc_status accumulate_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(dlc_expect_real_any(in[0], "sum"));
  DLC_TRY(dlc_expect_like(in[1], "input", in[0]));
  DLC_TRY(dlc_expect_scalar(in[2], "factor"));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status accumulate_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  const double factor = call->in[2][0];
  for (int64_t i = 0; i < n; i++) call->out[0][i] = call->in[0][i] + factor * call->in[1][i];
  return DLC_OK;
}

const dlc_op dlc_op_accumulate = {
    .size = sizeof(dlc_op),
    .name = "accumulate",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_UPDATE,
    .n_data = 3,
    .help = "sum + factor * x, in place",
    .infer = accumulate_infer,
    .reference = accumulate_reference,
};
