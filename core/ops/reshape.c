/* reshape: the same elements under a given shape, a view. */
#include "ops/rules.h"

static dlc_status reshape_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_reshape *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_range("rank", a->rank, 0, DLC_MAX_RANK));
  *n_out = 1;
  DLC_TRY(dlc_shape_set(&out[0], in[0]->dtype, (uint32_t)a->rank, a->dim));
  const int64_t came = dlc_count(in[0]), given = dlc_count(&out[0]);
  if (came == given) return DLC_OK;
  dlc_shape_name from = dlc_name_shape(in[0]->rank, in[0]->dim), to = dlc_name_shape(out[0].rank, out[0].dim);
  return dlc_fail(DLC_INVALID, "input is %s, of %lld elements; %s has %lld", from.text, (long long)came, to.text,
                  (long long)given);
}

static dlc_status reshape_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return dlc_emit_reshape(b, grad_out[0], forward->in[0], &grad_in[0]);
}

const dlc_op dlc_op_reshape = {
    .size = sizeof(dlc_op),
    .name = "reshape",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VIEW,
    .n_data = 1,
    .attr_size = sizeof(dlc_reshape),
    .help = "the same elements under another shape",
    .infer = reshape_infer,
    .grad = reshape_grad,
};
