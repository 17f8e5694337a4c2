/* attention: scaled dot-product attention of num_heads heads, each over its D / num_heads neighbouring features: prob =
 * softmax(q k^T / sqrt(D / num_heads)) over the last dimension, y = prob v. prob is kept for the gradient:
 *   dv = prob^T dy, dprob = dy v^T, ds = prob * (dprob - sum(dprob * prob)) / sqrt(...), dq = ds k, dk = ds^T q. */
#include "ops/dims.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static dlc_status check_heads(const dlc_attention *a, const dlc_value *q)
{
  DLC_TRY(dlc_expect_real(q, "query", 3, "[batch, tokens, features]"));
  DLC_TRY(dlc_expect_range("num_heads", a->num_heads, 1, q->dim[2]));
  if (q->dim[2] % a->num_heads == 0) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%lld features cannot be shared by num_heads %lld", (long long)q->dim[2],
                  (long long)a->num_heads);
}

static dlc_status attention_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                  uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_attention *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(check_heads(a, in[0]));
  DLC_TRY(dlc_expect_like(in[1], "key", in[0]));
  DLC_TRY(dlc_expect_like(in[2], "value", in[0]));
  const int64_t tokens = in[0]->dim[1], prob[4] = {in[0]->dim[0], a->num_heads, tokens, tokens};
  *n_out = 2;
  DLC_TRY(dlc_shape_like(&out[0], in[0]));
  return dlc_shape_set(&out[1], in[0]->dtype, 4, prob);
}

static dlc_status attention_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                      uint32_t *grad_in)
{
  uint32_t out[DLC_MAX_OUT];
  const uint32_t in[5] = {grad_out[0], forward->in[0], forward->in[1], forward->in[2], forward->out[1]};
  DLC_TRY(b->emit(b, "attention_grad", forward->attr, in, 5, out));
  memcpy(grad_in, out, 3 * sizeof *out);
  return DLC_OK;
}

/* One head of one sample: token t's features are `width` numbers at t * step. */
typedef struct head {
  int64_t tokens, width, step, offset; /* offset: of token 0's features */
  double scale;
  const double *q, *k, *v;
} head;

static head head_at(const dlc_call *call, const dlc_value *x, uint32_t first, int64_t index)
{
  const dlc_attention *a = call->attr;
  head h = {.tokens = x->dim[1], .width = x->dim[2] / a->num_heads, .step = x->dim[2]};
  h.offset = index / a->num_heads * h.tokens * h.step + index % a->num_heads * h.width;
  h.scale = 1 / sqrt((double)h.width);
  h.q = call->in[first] + h.offset;
  h.k = call->in[first + 1] + h.offset;
  h.v = call->in[first + 2] + h.offset;
  return h;
}

static double dot(const double *a, const double *b, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void add_scaled(double factor, const double *from, double *to, int64_t n)
{
  for (int64_t i = 0; i < n; i++) to[i] += factor * from[i];
}

static dlc_status attention_reference(const dlc_call *call)
{
  const dlc_value *x = call->iv[0];
  const int64_t heads = call->ov[1]->dim[0] * call->ov[1]->dim[1];
  memset(call->out[0], 0, (size_t)dlc_count(x) * sizeof(double));
  for (int64_t i = 0; i < heads; i++) {
    const head h = head_at(call, x, 0, i);
    double *p = call->out[1] + i * h.tokens * h.tokens, *y = call->out[0] + h.offset;
    for (int64_t t = 0; t < h.tokens; t++, p += h.tokens, y += h.step) {
      for (int64_t s = 0; s < h.tokens; s++) p[s] = h.scale * dot(h.q + t * h.step, h.k + s * h.step, h.width);
      dlc_softmax_row(p, h.tokens, p);
      for (int64_t s = 0; s < h.tokens; s++) add_scaled(p[s], h.v + s * h.step, y, h.width);
    }
  }
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  static const char *const names[] = {"dy", "query", "key", "value"};
  (void)h;
  const dlc_attention *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 5));
  DLC_TRY(check_heads(a, in[1]));
  for (int i = 0; i < 4; i++) DLC_TRY(dlc_expect_like(in[i], names[i], in[1]));
  const int64_t tokens = in[1]->dim[1], prob[4] = {in[1]->dim[0], a->num_heads, tokens, tokens};
  DLC_TRY(dlc_expect_shape(in[4], "prob", in[1]->dtype, 4, prob));
  *n_out = 3;
  for (int i = 0; i < 3; i++) DLC_TRY(dlc_shape_like(&out[i], in[1]));
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  const dlc_value *x = call->iv[1];
  const int64_t heads = call->iv[4]->dim[0] * call->iv[4]->dim[1], tokens = x->dim[1];
  double *ds = malloc((size_t)tokens * sizeof *ds);
  if (!ds) return dlc_fail_nomem();
  for (int i = 0; i < 3; i++) memset(call->out[i], 0, (size_t)dlc_count(x) * sizeof(double));
  for (int64_t i = 0; i < heads; i++) {
    const head h = head_at(call, x, 1, i);
    const double *p = call->in[4] + i * tokens * tokens, *dy = call->in[0] + h.offset;
    double *dq = call->out[0] + h.offset, *dk = call->out[1] + h.offset, *dv = call->out[2] + h.offset;
    for (int64_t t = 0; t < tokens; t++, p += tokens, dy += h.step, dq += h.step) {
      for (int64_t s = 0; s < tokens; s++) ds[s] = dot(dy, h.v + s * h.step, h.width);
      const double sum = dot(ds, p, tokens);
      for (int64_t s = 0; s < tokens; s++) {
        const double d = h.scale * p[s] * (ds[s] - sum);
        add_scaled(d, h.k + s * h.step, dq, h.width);
        add_scaled(d, h.q + t * h.step, dk + s * h.step, h.width);
        add_scaled(p[s], dy, dv + s * h.step, h.width);
      }
    }
  }
  free(ds);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_attention, num_heads, NULL, "parts of the features that attend by themselves"),
};

const dlc_op dlc_op_attention = {
    .size = sizeof(dlc_op),
    .name = "attention",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 3,
    .attr_size = sizeof(dlc_attention),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "scaled dot-product attention of query, key and value",
    .infer = attention_infer,
    .grad = attention_grad_rule,
    .reference = attention_reference,
};

const dlc_op dlc_op_attention_grad = {
    .size = sizeof(dlc_op),
    .name = "attention_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 5,
    .attr_size = sizeof(dlc_attention),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of attention",
    .infer = grad_infer,
    .reference = grad_reference,
};
