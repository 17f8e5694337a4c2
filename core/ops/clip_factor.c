/* clip_factor: what gradients are multiplied with so that their norm is at most max_norm, and that norm; as
 * torch.nn.utils.clip_grad_norm_. A norm that is not a number gives such a factor, so that a broken run shows. */
#include "ops/rules.h"
#include <math.h>

static dlc_status clip_factor_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                    uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_clip_factor *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_scalar(in[0], "square sum"));
  DLC_TRY(dlc_expect_number("max_norm", a->max_norm, 0, HUGE_VAL));
  *n_out = 2;
  DLC_TRY(dlc_shape_like(&out[0], in[0]));
  return dlc_shape_like(&out[1], in[0]);
}

static dlc_status clip_factor_reference(const dlc_call *call)
{
  const dlc_clip_factor *a = call->attr;
  const double norm = sqrt(call->in[0][0]), factor = a->max_norm / (norm + 1e-6);
  call->out[0][0] = factor > 1 ? 1 : factor;
  call->out[1][0] = norm;
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_clip_factor, max_norm, NULL, "largest norm that is left as it is"),
};

const dlc_op dlc_op_clip_factor = {
    .size = sizeof(dlc_op),
    .name = "clip_factor",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_clip_factor),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "factor that brings a norm down to max_norm",
    .infer = clip_factor_infer,
    .reference = clip_factor_reference,
};
