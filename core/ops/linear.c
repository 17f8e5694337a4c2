/* linear: y = x weight^T + bias, and its two gradients dx = dy weight, dweight = dy^T x; over the last dimension of x
 * and dy, all others being rows. */
#include "ops/dims.h"
#include <string.h>

static int64_t rows_of(const dlc_value *v)
{
  return dlc_outer(v, v->rank - 1);
}

static dlc_status expect_rows(const dlc_value *v, const char *what, const char *layout)
{
  DLC_TRY(dlc_expect_real_any(v, what));
  if (v->rank >= 2) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s is %s, expected %s", what, dlc_name_shape(v->rank, v->dim).text, layout);
}

/* The shape of `like` with another last dimension. */
static dlc_status set_rows(dlc_value *v, const dlc_value *like, int64_t features)
{
  int64_t dim[DLC_MAX_RANK];
  memcpy(dim, like->dim, sizeof dim);
  dim[like->rank - 1] = features;
  return dlc_shape_set(v, like->dtype, like->rank, dim);
}

static dlc_status check_layer(const dlc_linear *a, const dlc_value *x)
{
  DLC_TRY(expect_rows(x, "input", "[batch, ..., features]"));
  return dlc_expect_range("out_features", a->out_features, 1, DLC_MAX_EXTENT);
}

static dlc_status linear_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                               uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_linear *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, a->bias ? 3 : 2));
  const dlc_value *x = in[0];
  DLC_TRY(check_layer(a, x));
  const int64_t weight[2] = {a->out_features, dlc_last(x)};
  DLC_TRY(dlc_expect_shape(in[1], "weight", x->dtype, 2, weight));
  if (a->bias) DLC_TRY(dlc_expect_shape(in[2], "bias", x->dtype, 1, &a->out_features));
  *n_out = 1;
  return set_rows(&out[0], x, a->out_features);
}

static dlc_status linear_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                               dlc_param *p)
{
  (void)h;
  const dlc_linear *a = attr;
  DLC_TRY(check_layer(a, in[0]));
  if (k > (a->bias ? 1 : 0)) return DLC_END;
  const int64_t weight[2] = {a->out_features, dlc_last(in[0])};
  if (k == 0) return dlc_param_uniform(p, "weight", weight[1], in[0]->dtype, 2, weight);
  return dlc_param_uniform(p, "bias", weight[1], in[0]->dtype, 1, weight);
}

/* bias_grad sums over all but dimension 1. */
static dlc_status emit_bias_grad(dlc_builder *b, uint32_t dy, uint32_t *grad)
{
  const dlc_value *v = b->value(b, dy);
  const dlc_reshape rows = {2, {rows_of(v), dlc_last(v)}};
  if (v->rank > 2) DLC_TRY(b->emit(b, "reshape", &rows, &dy, 1, &dy));
  return b->emit(b, "bias_grad", NULL, &dy, 1, grad);
}

static dlc_status linear_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_linear *a = forward->attr;
  DLC_TRY(dlc_emit_two(b, "linear_grad_input", NULL, grad_out[0], forward->in[1], &grad_in[0]));
  DLC_TRY(dlc_emit_two(b, "linear_grad_weight", NULL, grad_out[0], forward->in[0], &grad_in[1]));
  return a->bias ? emit_bias_grad(b, grad_out[0], &grad_in[2]) : DLC_OK;
}

static dlc_status grad_input_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  const dlc_value *dy = in[0], *weight = in[1];
  DLC_TRY(expect_rows(dy, "dy", "[batch, ..., out_features]"));
  DLC_TRY(dlc_expect_real(weight, "weight", 2, "[out_features, features]"));
  DLC_TRY(dlc_expect_shape(weight, "weight", dy->dtype, 2, (int64_t[]){dlc_last(dy), weight->dim[1]}));
  *n_out = 1;
  return set_rows(&out[0], dy, weight->dim[1]);
}

static dlc_status grad_weight_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                    uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  dlc_value expected;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  const dlc_value *dy = in[0], *x = in[1];
  DLC_TRY(expect_rows(dy, "dy", "[batch, ..., out_features]"));
  DLC_TRY(expect_rows(x, "x", "[batch, ..., features]"));
  DLC_TRY(set_rows(&expected, dy, dlc_last(x)));
  DLC_TRY(dlc_expect_like(x, "x", &expected));
  *n_out = 1;
  return dlc_shape_set(&out[0], x->dtype, 2, (int64_t[]){dlc_last(dy), dlc_last(x)});
}

static dlc_status linear_reference(const dlc_call *call)
{
  const dlc_linear *a = call->attr;
  const int64_t rows = rows_of(call->iv[0]), from = dlc_last(call->iv[0]), to = a->out_features;
  for (int64_t n = 0; n < rows; n++)
    for (int64_t o = 0; o < to; o++) {
      const double *x = call->in[0] + n * from, *w = call->in[1] + o * from;
      double sum = a->bias ? call->in[2][o] : 0;
      for (int64_t i = 0; i < from; i++) sum += w[i] * x[i];
      call->out[0][n * to + o] = sum;
    }
  return DLC_OK;
}

static dlc_status grad_input_reference(const dlc_call *call)
{
  const int64_t rows = rows_of(call->iv[0]), to = dlc_last(call->iv[0]), from = call->iv[1]->dim[1];
  memset(call->out[0], 0, (size_t)(rows * from) * sizeof(double));
  for (int64_t n = 0; n < rows; n++)
    for (int64_t o = 0; o < to; o++) {
      const double dy = call->in[0][n * to + o], *w = call->in[1] + o * from;
      double *dx = call->out[0] + n * from;
      for (int64_t i = 0; i < from; i++) dx[i] += dy * w[i];
    }
  return DLC_OK;
}

static dlc_status grad_weight_reference(const dlc_call *call)
{
  const int64_t rows = rows_of(call->iv[0]), to = dlc_last(call->iv[0]), from = dlc_last(call->iv[1]);
  memset(call->out[0], 0, (size_t)(to * from) * sizeof(double));
  for (int64_t n = 0; n < rows; n++)
    for (int64_t o = 0; o < to; o++) {
      const double dy = call->in[0][n * to + o], *x = call->in[1] + n * from;
      double *dw = call->out[0] + o * from;
      for (int64_t i = 0; i < from; i++) dw[i] += dy * x[i];
    }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_linear, out_features, NULL, "size of each output sample"),
    DLC_ATTR(BOOL, dlc_linear, bias, "true", "add one number per output feature"),
};

const dlc_op dlc_op_linear = {
    .size = sizeof(dlc_op),
    .name = "linear",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_linear),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "fully connected layer",
    .infer = linear_infer,
    .param = linear_param,
    .grad = linear_grad,
    .reference = linear_reference,
};

const dlc_op dlc_op_linear_grad_input = {
    .size = sizeof(dlc_op),
    .name = "linear_grad_input",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "gradient of linear with respect to its input",
    .infer = grad_input_infer,
    .reference = grad_input_reference,
};

const dlc_op dlc_op_linear_grad_weight = {
    .size = sizeof(dlc_op),
    .name = "linear_grad_weight",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "gradient of linear with respect to its weight",
    .infer = grad_weight_infer,
    .reference = grad_weight_reference,
};
