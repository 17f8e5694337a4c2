/* dropout and dropout2d: elements, or whole channels, become 0 with probability p; the others grow by 1 / (1 - p), so
 * that the mean stays. Which ones is a function of (seed, stream, step, sample, element): see dlc_dropout. In
 * evaluation nothing is done. The mask (1: stays) is kept for the gradient. */
#include "base/random.h"
#include "ops/rules.h"
#include <stdbool.h>

static dlc_status check_p(const dlc_dropout *a)
{
  if (a->p >= 0 && a->p <= 1) return DLC_OK;
  return dlc_fail(DLC_INVALID, "p is %g, expected 0 to 1", a->p);
}

static dlc_status infer_masked(const dlc_dropout *a, uint32_t n_in, const dlc_value *const *in, uint32_t mask_rank,
                               uint32_t *n_out, dlc_value *out)
{
  const int64_t words[1] = {3};
  DLC_TRY(check_p(a));
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_shape(in[1], "key", DLC_I64, 1, words));
  *n_out = 2;
  DLC_TRY(dlc_shape_like(&out[0], in[0]));
  return dlc_shape_set(&out[1], DLC_U8, mask_rank, in[0]->dim);
}

static dlc_status dropout_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h;
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  return infer_masked(attr, n_in, in, in[0]->rank, n_out, out);
}

static dlc_status dropout2d_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                  uint32_t *n_out, dlc_value *out)
{
  (void)h;
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  if (in[0]->rank < 2)
    return dlc_fail(DLC_INVALID, "input is %s, expected [batch, channels, ...]",
                    dlc_name_shape(in[0]->rank, in[0]->dim).text);
  return infer_masked(attr, n_in, in, 2, n_out, out);
}

static dlc_status build(dlc_builder *b, const char *op, const void *attr, int training, uint32_t x, uint32_t *out)
{
  dlc_dropout a = *(const dlc_dropout *)attr;
  uint32_t in[2] = {x}, outs[DLC_MAX_OUT];
  DLC_TRY(check_p(&a));
  *out = x;
  if (!training || a.p == 0) return DLC_OK;
  DLC_TRY(b->random(b, &in[1], &a.stream));
  DLC_TRY(b->emit(b, op, &a, in, 2, outs));
  *out = outs[0];
  return DLC_OK;
}

static dlc_status dropout_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                uint32_t *out)
{
  (void)n_in;
  return build(b, "dropout", attr, training, in[0], out);
}

static dlc_status dropout2d_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                  uint32_t *out)
{
  (void)n_in;
  return build(b, "dropout2d", attr, training, in[0], out);
}

static dlc_status dropout_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                    uint32_t *grad_in)
{
  return dlc_emit_two(b, "dropout_grad", forward->attr, grad_out[0], forward->out[1], &grad_in[0]);
}

/* The mask of one sample: n numbers, 1 or 0. */
static void draw_mask(const dlc_dropout *a, const double *key, int64_t sample, int64_t n, double *mask)
{
  const uint64_t seed = (uint64_t)key[1] << 32 | (uint64_t)key[0];
  const uint32_t purpose = DLC_RANDOM_STREAM + (uint32_t)a->stream, step = (uint32_t)(int64_t)key[2];
  uint32_t words[4];
  for (int64_t e = 0; e < n; e++) {
    if (e % 4 == 0) dlc_random_words(seed, purpose, step, (uint32_t)sample, (uint32_t)(e / 4), words);
    mask[e] = (double)words[e % 4] >= a->p * 0x1p32;
  }
}

/* y = x / (1 - p) where the mask is 1; each of its elements is over `spread` of x's. */
static void apply_mask(const dlc_dropout *a, const double *x, const double *mask, int64_t n, int64_t spread, double *y)
{
  for (int64_t i = 0; i < n; i++) y[i] = mask[i / spread] != 0 ? x[i] / (1 - a->p) : 0;
}

static dlc_status reference(const dlc_call *call)
{
  const int64_t samples = call->ov[1]->dim[0], each = dlc_count(call->ov[1]) / samples, n = dlc_count(call->iv[0]);
  for (int64_t s = 0; s < samples; s++) draw_mask(call->attr, call->in[1], s, each, call->out[1] + s * each);
  apply_mask(call->attr, call->in[0], call->out[1], n, n / (samples * each), call->out[0]);
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  DLC_TRY(check_p(attr));
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "dy"));
  const bool channels = in[0]->rank > 2 && in[1]->rank == 2;
  DLC_TRY(dlc_expect_shape(in[1], "mask", DLC_U8, channels ? 2 : in[0]->rank, in[0]->dim));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status grad_reference(const dlc_call *call)
{
  const int64_t n = dlc_count(call->iv[0]);
  apply_mask(call->attr, call->in[0], call->in[1], n, n / dlc_count(call->iv[1]), call->out[0]);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_dropout, p, "0.5", "probability of becoming 0"),
};

const dlc_op dlc_op_dropout = {
    .size = sizeof(dlc_op),
    .name = "dropout",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_dropout),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "in training, elements become 0 with probability p",
    .infer = dropout_infer,
    .grad = dropout_grad_rule,
    .reference = reference,
    .build = dropout_build,
};

const dlc_op dlc_op_dropout2d = {
    .size = sizeof(dlc_op),
    .name = "dropout2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_dropout),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "in training, channels become 0 with probability p",
    .infer = dropout2d_infer,
    .grad = dropout_grad_rule,
    .reference = reference,
    .build = dropout2d_build,
};

const dlc_op dlc_op_dropout_grad = {
    .size = sizeof(dlc_op),
    .name = "dropout_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_dropout),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of dropout and dropout2d",
    .infer = grad_infer,
    .reference = grad_reference,
};
