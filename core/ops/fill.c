/* fill: a value all of whose elements are one number, such as the gradient of the loss with respect to itself. */
#include "ops/rules.h"

static dlc_status fill_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)in;
  const dlc_fill *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 0));
  DLC_TRY(dlc_expect_range("rank", a->rank, 0, DLC_MAX_RANK));
  *n_out = 1;
  return dlc_shape_set(&out[0], a->dtype == DLC_F64 ? DLC_F64 : DLC_F32, (uint32_t)a->rank, a->dim);
}

static dlc_status fill_reference(const dlc_call *call)
{
  const dlc_fill *a = call->attr;
  const int64_t n = dlc_count(call->ov[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = a->value;
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_fill, value, NULL, "of every element"),
};

const dlc_op dlc_op_fill = {
    .size = sizeof(dlc_op),
    .name = "fill",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .attr_size = sizeof(dlc_fill),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "every element the same number",
    .infer = fill_infer,
    .reference = fill_reference,
};
