/* unflatten: the elements of a sample under another shape, as torch.nn.Unflatten(1, ...) of [N, features] and
 * Tensor.reshape of more dimensions: a reshape. */
#include "ops/rules.h"

typedef struct unflatten {
  dlc_numbers unflattened_size;
} unflatten;

static dlc_status fail_size(const dlc_value *x)
{
  return dlc_fail(DLC_INVALID, "unflattened_size does not hold the %lld elements of a sample of %s",
                  (long long)(dlc_count(x) / x->dim[0]), dlc_name_shape(x->rank, x->dim).text);
}

/* A -1 stands for what is left over. */
static dlc_status resolve(const dlc_numbers *sizes, const dlc_value *x, dlc_reshape *a)
{
  int64_t rest = dlc_count(x) / x->dim[0], open = 0;
  *a = (dlc_reshape){.rank = 1 + sizes->count, .dim = {x->dim[0]}};
  for (int64_t i = 0; i < sizes->count; i++) {
    const double given = sizes->at[i];
    if (given == -1 && open == 0) {
      open = 1 + i;
      continue;
    }
    if (!(given >= 1) || given > DLC_MAX_EXTENT || given != (double)(int64_t)given)
      return dlc_fail(DLC_INVALID, "unflattened_size has %g; expected whole numbers from 1, and -1 once", given);
    a->dim[1 + i] = (int64_t)given;
    if (rest % a->dim[1 + i] != 0) return fail_size(x);
    rest /= a->dim[1 + i];
  }
  if (open) a->dim[open] = rest;
  return open || rest == 1 ? DLC_OK : fail_size(x);
}

static dlc_status build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                        uint32_t *out)
{
  (void)training, (void)n_in;
  dlc_reshape a;
  uint32_t outs[DLC_MAX_OUT];
  DLC_TRY(dlc_expect_real_any(b->value(b, in[0]), "input"));
  DLC_TRY(resolve(&((const unflatten *)attr)->unflattened_size, b->value(b, in[0]), &a));
  DLC_TRY(b->emit(b, "reshape", &a, in, 1, outs));
  *out = outs[0];
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(NUMBERS, unflatten, unflattened_size, NULL, "the shape of a sample; -1: what is left over"),
};

const dlc_op dlc_op_unflatten = {
    .size = sizeof(dlc_op),
    .name = "unflatten",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(unflatten),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "samples of another shape, as [16, 5, 5] out of 400",
    .build = build,
};
