/* square_sum: the sum of the squares of all elements: what the norm of gradients is made of. */
#include "ops/rules.h"

static dlc_status square_sum_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 1, (int64_t[]){1});
}

static dlc_status square_sum_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += call->in[0][i] * call->in[0][i];
  call->out[0][0] = sum;
  return DLC_OK;
}

const dlc_op dlc_op_square_sum = {
    .size = sizeof(dlc_op),
    .name = "square_sum",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .help = "sum of the squares",
    .infer = square_sum_infer,
    .reference = square_sum_reference,
};
