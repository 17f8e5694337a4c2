/* slice: a part of one dimension, and its gradient, which puts zeros around the part. */
#include "ops/dims.h"
#include <string.h>

/* Begin and end as Python counts them: from the end where they are negative; an end of 0 is the end itself. */
static dlc_status resolve(dlc_slice *a, int64_t size)
{
  dlc_shape_name given = dlc_name_shape(2, (int64_t[]){a->begin, a->end});
  if (a->size == 0) {
    if (a->begin < 0) a->begin += size;
    if (a->end <= 0) a->end += size;
    a->size = size;
  }
  if (a->size == size && a->begin >= 0 && a->begin < a->end && a->end <= size) return DLC_OK;
  return dlc_fail(DLC_INVALID, "[begin, end) is %s; dimension %lld has %lld elements", given.text, (long long)a->dim,
                  (long long)size);
}

static dlc_status slice_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                              dlc_value *out)
{
  (void)h;
  dlc_slice *a = attr;
  int64_t dim[DLC_MAX_RANK];
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  DLC_TRY(dlc_dim_resolve(in[0], &a->dim));
  DLC_TRY(resolve(a, in[0]->dim[a->dim]));
  memcpy(dim, in[0]->dim, sizeof dim);
  dim[a->dim] = a->end - a->begin;
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, in[0]->rank, dim);
}

static dlc_status slice_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return b->emit(b, "slice_grad", forward->attr, grad_out, 1, &grad_in[0]);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  dlc_slice *a = attr;
  int64_t dim[DLC_MAX_RANK];
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "dy"));
  DLC_TRY(dlc_dim_resolve(in[0], &a->dim));
  DLC_TRY(dlc_expect_range("size", a->size, 1, DLC_MAX_EXTENT));
  DLC_TRY(resolve(a, a->size));
  memcpy(dim, in[0]->dim, sizeof dim);
  dim[a->dim] = a->end - a->begin;
  DLC_TRY(dlc_expect_shape(in[0], "dy", in[0]->dtype, in[0]->rank, dim));
  dim[a->dim] = a->size;
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, in[0]->rank, dim);
}

static dlc_status slice_reference(const dlc_call *call)
{
  const dlc_slice *a = call->attr;
  const int64_t blocks = dlc_outer(call->iv[0], a->dim), all = dlc_count(call->iv[0]) / blocks;
  const int64_t n = dlc_count(call->ov[0]) / blocks, before = all / a->size * a->begin;
  for (int64_t k = 0; k < blocks; k++)
    memcpy(call->out[0] + k * n, call->in[0] + k * all + before, (size_t)n * sizeof(double));
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  const dlc_slice *a = call->attr;
  const int64_t blocks = dlc_outer(call->ov[0], a->dim), all = dlc_count(call->ov[0]) / blocks;
  const int64_t n = dlc_count(call->iv[0]) / blocks, before = all / a->size * a->begin;
  memset(call->out[0], 0, (size_t)(blocks * all) * sizeof(double));
  for (int64_t k = 0; k < blocks; k++)
    memcpy(call->out[0] + k * all + before, call->in[0] + k * n, (size_t)n * sizeof(double));
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_slice, dim, "1", "dimension that is cut; negative: from the last"),
    DLC_ATTR(INT, dlc_slice, begin, "0", "first element; negative: from the end"),
    DLC_ATTR(INT, dlc_slice, end, "0", "element after the last; 0 or negative: from the end"),
};

const dlc_op dlc_op_slice = {
    .size = sizeof(dlc_op),
    .name = "slice",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_slice),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "a part of one dimension",
    .infer = slice_infer,
    .grad = slice_grad_rule,
    .reference = slice_reference,
};

const dlc_op dlc_op_slice_grad = {
    .size = sizeof(dlc_op),
    .name = "slice_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .attr_size = sizeof(dlc_slice),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of slice: zeros around the part",
    .infer = grad_infer,
    .reference = grad_reference,
};
