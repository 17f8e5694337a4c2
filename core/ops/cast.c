/* cast: the same numbers as another type. Pictures that come as floats enter a network that computes in doubles by it:
 * before the model, so it has no gradient. */
#include "ops/rules.h"

static dlc_status cast_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_cast *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  *n_out = 1;
  DLC_TRY(dlc_shape_set(&out[0], (uint32_t)a->dtype, in[0]->rank, in[0]->dim));
  return dlc_expect_real_any(&out[0], "the result");
}

static dlc_status cast_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = call->in[0][i];
  return DLC_OK;
}

const dlc_op dlc_op_cast = {
    .size = sizeof(dlc_op),
    .name = "cast",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_cast),
    .help = "the same numbers as another type",
    .infer = cast_infer,
    .reference = cast_reference,
};
