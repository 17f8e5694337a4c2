/* lerp: the mean of two numbers by a weight that is known in the step only: how the losses of two label lists become
 * one. The weight gets no gradient. */
#include "ops/rules.h"

static dlc_status lerp_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(dlc_expect_real_any(in[0], "a"));
  DLC_TRY(dlc_expect_shape(in[0], "a", in[0]->dtype, 1, (int64_t[]){1}));
  DLC_TRY(dlc_expect_like(in[1], "b", in[0]));
  DLC_TRY(dlc_expect_scalar(in[2], "weight"));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

/* da = weight * dy, db = (1 - weight) * dy: lerp itself, with a 0 in the other place. */
static dlc_status lerp_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_fill attr = {.rank = 1, .dim = {1}, .dtype = b->value(b, grad_out[0])->dtype};
  uint32_t zero;
  DLC_TRY(b->emit(b, "fill", &attr, NULL, 0, &zero));
  DLC_TRY(b->emit(b, "lerp", NULL, (uint32_t[]){grad_out[0], zero, forward->in[2]}, 3, &grad_in[0]));
  return b->emit(b, "lerp", NULL, (uint32_t[]){zero, grad_out[0], forward->in[2]}, 3, &grad_in[1]);
}

static dlc_status lerp_reference(const dlc_call *call)
{
  const double weight = call->in[2][0];
  call->out[0][0] = weight * call->in[0][0] + (1 - weight) * call->in[1][0];
  return DLC_OK;
}

const dlc_op dlc_op_lerp = {
    .size = sizeof(dlc_op),
    .name = "lerp",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "weight * a + (1 - weight) * b",
    .infer = lerp_infer,
    .grad = lerp_grad,
    .reference = lerp_reference,
};
