/* concat: values of one shape but for one dimension, one after the other along it. The gradient is a slice for each. */
#include "ops/dims.h"
#include <stdio.h>
#include <string.h>

static dlc_status concat_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                               uint32_t *n_out, dlc_value *out)
{
  (void)h;
  dlc_concat *a = attr;
  const dlc_value *first = in[0];
  int64_t dim[DLC_MAX_RANK];
  DLC_TRY(dlc_expect_real_any(first, "input 0"));
  DLC_TRY(dlc_dim_resolve(first, &a->dim));
  memcpy(dim, first->dim, sizeof dim);
  for (uint32_t i = 1; i < n_in; i++) {
    dlc_value expected = *first;
    char what[24];
    snprintf(what, sizeof what, "input %u", i);
    if (in[i]->rank == first->rank) expected.dim[a->dim] = in[i]->dim[a->dim];
    DLC_TRY(dlc_expect_like(in[i], what, &expected));
    dim[a->dim] += in[i]->dim[a->dim];
  }
  *n_out = 1;
  return dlc_shape_set(&out[0], first->dtype, first->rank, dim);
}

static dlc_status concat_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_concat *a = forward->attr;
  dlc_slice part = {.dim = a->dim, .size = b->value(b, forward->out[0])->dim[a->dim]};
  for (uint32_t i = 0; i < forward->n_in; i++, part.begin = part.end) {
    part.end = part.begin + b->value(b, forward->in[i])->dim[a->dim];
    DLC_TRY(b->emit(b, "slice", &part, grad_out, 1, &grad_in[i]));
  }
  return DLC_OK;
}

static dlc_status concat_reference(const dlc_call *call)
{
  const dlc_concat *a = call->attr;
  const int64_t blocks = dlc_outer(call->ov[0], a->dim), all = dlc_count(call->ov[0]) / blocks;
  double *y = call->out[0];
  for (uint32_t i = 0; i < call->n_in; i++) {
    const int64_t n = dlc_count(call->iv[i]) / blocks;
    for (int64_t k = 0; k < blocks; k++) memcpy(y + k * all, call->in[i] + k * n, (size_t)n * sizeof *y);
    y += n;
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_concat, dim, "1", "dimension along which they are joined; negative: from the last"),
};

const dlc_op dlc_op_concat = {
    .size = sizeof(dlc_op),
    .name = "concat",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .flags = DLC_OP_VARIADIC,
    .n_data = 2,
    .attr_size = sizeof(dlc_concat),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "inputs one after the other, by default along the channels",
    .infer = concat_infer,
    .grad = concat_grad,
    .reference = concat_reference,
};
