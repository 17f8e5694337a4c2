/* reshape: the same elements under a given shape, a view. As a layer, and as unflatten, the shape is that of a sample:
 * the batch stays as it is, and one -1 stands for what is left over, as in torch.Tensor.reshape and torch.nn.Unflatten.
 */
#include "ops/rules.h"
#include <string.h>

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

/* ---- the layers ---- */

/* `sample`: the batch and its shape, for what is left over. */
static dlc_status resolve(const char *what, const dlc_reshape *given, const dlc_value *x, dlc_reshape *sample)
{
  const int64_t elements = dlc_count(x) / x->dim[0];
  const dlc_shape_name shape = dlc_name_shape((uint32_t)given->rank, given->dim);
  int64_t rest = elements, open = 0;
  *sample = (dlc_reshape){.rank = 1 + given->rank, .dim = {x->dim[0]}};
  for (int64_t i = 0; i < given->rank; i++) {
    const int64_t dim = sample->dim[1 + i] = given->dim[i];
    if (dim == -1 && open == 0) {
      open = 1 + i;
      continue;
    }
    if (dim < 1)
      return dlc_fail(DLC_INVALID, "%s is %s; expected numbers from 1, and -1 at most once", what, shape.text);
    rest = rest % dim == 0 ? rest / dim : 0;
  }
  if (rest == 0 || (rest != 1 && !open))
    return dlc_fail(DLC_INVALID, "%s %s does not hold the %lld elements of a sample of %s", what, shape.text,
                    (long long)elements, dlc_name_shape(x->rank, x->dim).text);
  if (open) sample->dim[open] = rest;
  return DLC_OK;
}

static dlc_status emit_sample(dlc_builder *b, const char *what, const dlc_reshape *given, uint32_t x, uint32_t *out)
{
  dlc_reshape sample;
  uint32_t outs[DLC_MAX_OUT];
  DLC_TRY(dlc_expect_real_any(b->value(b, x), "input"));
  if (given->rank < 0 || given->rank >= DLC_MAX_RANK)
    return dlc_fail(DLC_INVALID, "%s has %lld dimensions, at most %d are possible beside the batch", what,
                    (long long)given->rank, DLC_MAX_RANK - 1);
  DLC_TRY(resolve(what, given, b->value(b, x), &sample));
  DLC_TRY(b->emit(b, "reshape", &sample, &x, 1, outs));
  *out = outs[0];
  return DLC_OK;
}

static dlc_status reshape_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                uint32_t *out)
{
  (void)training, (void)n_in;
  return emit_sample(b, "shape", attr, in[0], out);
}

static dlc_status unflatten_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                  uint32_t *out)
{
  (void)training, (void)n_in;
  return emit_sample(b, "unflattened_size", attr, in[0], out);
}

/* The whole of a dlc_reshape. */
#define SHAPE(name)                                                                                                    \
  {                                                                                                                    \
    {                                                                                                                  \
      sizeof(dlc_attr), DLC_ATTR_SHAPE, 0, name, NULL, "the shape of a sample; -1: what is left over", NULL            \
    }                                                                                                                  \
  }
static const dlc_attr reshape_attrs[] = SHAPE("shape");
static const dlc_attr unflatten_attrs[] = SHAPE("unflattened_size");

const dlc_op dlc_op_reshape = {
    .size = sizeof(dlc_op),
    .name = "reshape",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .flags = DLC_OP_VIEW,
    .n_data = 1,
    .attr_size = sizeof(dlc_reshape),
    .attrs = reshape_attrs,
    .n_attrs = DLC_COUNT_OF(reshape_attrs),
    .help = "samples of another shape, as [16, 5, 5] or [16, -1]",
    .infer = reshape_infer,
    .grad = reshape_grad,
    .build = reshape_build,
};

const dlc_op dlc_op_unflatten = {
    .size = sizeof(dlc_op),
    .name = "unflatten",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_reshape),
    .attrs = unflatten_attrs,
    .n_attrs = DLC_COUNT_OF(unflatten_attrs),
    .help = "reshape by its name in torch.nn",
    .build = unflatten_build,
};
