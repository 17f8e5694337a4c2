/* layer_norm: Ba, Kiros and Hinton 2016, as torch.nn.LayerNorm: the last `dims` dimensions of x, a row of D numbers
 * each, are brought to mean 0 and variance 1, then scaled and moved:
 *
 *   y = xh * weight + bias with xh = (x - mean) * inv_std and inv_std = 1 / sqrt(var + eps)
 *
 * With g = dy * weight and means over a row:  dx = inv_std * (g - mean(g) - xh * mean(g * xh));
 * dweight = sum over rows of dy * xh;  dbias = sum over rows of dy. */
#include "ops/dims.h"
#include <math.h>
#include <string.h>

/* The shape of a row; how many rows. */
typedef struct layout {
  uint32_t rank;
  const int64_t *dim;
  int64_t rows, length;
} layout;

static dlc_status check_input(const dlc_layer_norm *a, const dlc_value *x, layout *l)
{
  DLC_TRY(dlc_expect_real_any(x, "input"));
  DLC_TRY(dlc_expect_range("dims", a->dims, 1, x->rank));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  const int64_t first = x->rank - a->dims;
  l->rank = (uint32_t)a->dims;
  l->dim = x->dim + first;
  l->rows = dlc_outer(x, first);
  l->length = dlc_count(x) / l->rows;
  return DLC_OK;
}

/* In the reference kernels, where everything has been checked. */
static layout layout_of(const dlc_layer_norm *a, const dlc_value *x)
{
  const int64_t first = x->rank - a->dims, rows = dlc_outer(x, first);
  return (layout){(uint32_t)a->dims, x->dim + first, rows, dlc_count(x) / rows};
}

static dlc_status layer_norm_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_layer_norm *a = attr;
  const dlc_value *x = in[0];
  layout l;
  DLC_TRY(dlc_expect_inputs(n_in, a->affine ? 3 : 1));
  DLC_TRY(check_input(a, x, &l));
  if (a->affine) DLC_TRY(dlc_expect_shape(in[1], "weight", x->dtype, l.rank, l.dim));
  if (a->affine) DLC_TRY(dlc_expect_shape(in[2], "bias", x->dtype, l.rank, l.dim));
  *n_out = 3;
  DLC_TRY(dlc_shape_like(&out[0], x));
  DLC_TRY(dlc_shape_set(&out[1], x->dtype, 1, &l.rows));
  return dlc_shape_set(&out[2], x->dtype, 1, &l.rows);
}

static dlc_status layer_norm_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                   dlc_param *p)
{
  (void)h;
  const dlc_layer_norm *a = attr;
  layout l;
  DLC_TRY(check_input(a, in[0], &l));
  if (k >= (a->affine ? 2 : 0)) return DLC_END;
  p->name = k == 0 ? "weight" : "bias";
  p->init = DLC_INIT_CONSTANT;
  p->a = k == 0 ? 1 : 0;
  return dlc_shape_set(&p->value, in[0]->dtype, l.rank, l.dim);
}

static dlc_status layer_norm_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                       uint32_t *grad_in)
{
  uint32_t out[DLC_MAX_OUT];
  if (grad_out[1] != DLC_NONE || grad_out[2] != DLC_NONE)
    return dlc_fail(DLC_UNSUPPORTED, "mean and inv_std of layer_norm have no gradient");
  const uint32_t n = forward->n_in > 1 ? 5 : 4; /* weight is the last */
  const uint32_t in[5] = {grad_out[0], forward->in[0], forward->out[1], forward->out[2],
                          n == 5 ? forward->in[1] : DLC_NONE};
  DLC_TRY(b->emit(b, "layer_norm_grad", forward->attr, in, n, out));
  for (uint32_t i = 0; i < forward->n_in; i++) grad_in[i] = out[i];
  return DLC_OK;
}

static dlc_status layer_norm_reference(const dlc_call *call)
{
  const dlc_layer_norm *a = call->attr;
  const layout l = layout_of(a, call->iv[0]);
  const double *x = call->in[0];
  double *y = call->out[0];
  for (int64_t r = 0; r < l.rows; r++, x += l.length, y += l.length) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < l.length; i++) sum += x[i];
    const double mean = sum / (double)l.length;
    for (int64_t i = 0; i < l.length; i++) squares += (x[i] - mean) * (x[i] - mean);
    const double inv_std = 1 / sqrt(squares / (double)l.length + a->eps);
    for (int64_t i = 0; i < l.length; i++) {
      y[i] = (x[i] - mean) * inv_std;
      if (a->affine) y[i] = y[i] * call->in[1][i] + call->in[2][i];
    }
    call->out[1][r] = mean;
    call->out[2][r] = inv_std;
  }
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const dlc_layer_norm *a = attr;
  const dlc_value *dy = in[0];
  layout l;
  DLC_TRY(dlc_expect_inputs(n_in, a->affine ? 5 : 4));
  DLC_TRY(check_input(a, dy, &l));
  DLC_TRY(dlc_expect_like(in[1], "x", dy));
  DLC_TRY(dlc_expect_shape(in[2], "mean", dy->dtype, 1, &l.rows));
  DLC_TRY(dlc_expect_shape(in[3], "inv_std", dy->dtype, 1, &l.rows));
  if (a->affine) DLC_TRY(dlc_expect_shape(in[4], "weight", dy->dtype, l.rank, l.dim));
  *n_out = 3;
  DLC_TRY(dlc_shape_like(&out[0], dy));
  DLC_TRY(dlc_shape_set(&out[1], dy->dtype, l.rank, l.dim));
  return dlc_shape_set(&out[2], dy->dtype, l.rank, l.dim);
}

static dlc_status grad_reference(const dlc_call *call)
{
  const dlc_layer_norm *a = call->attr;
  const layout l = layout_of(a, call->iv[0]);
  const double *dy = call->in[0], *x = call->in[1], *weight = a->affine ? call->in[4] : NULL;
  double *dx = call->out[0], *dweight = call->out[1], *dbias = call->out[2];
  memset(dweight, 0, (size_t)l.length * sizeof *dweight);
  memset(dbias, 0, (size_t)l.length * sizeof *dbias);
  for (int64_t r = 0; r < l.rows; r++, dy += l.length, x += l.length, dx += l.length) {
    const double mean = call->in[2][r], inv_std = call->in[3][r];
    double g_mean = 0, gx_mean = 0;
    for (int64_t i = 0; i < l.length; i++) {
      const double xh = (x[i] - mean) * inv_std, g = dy[i] * (weight ? weight[i] : 1);
      g_mean += g / (double)l.length;
      gx_mean += g * xh / (double)l.length;
      dweight[i] += dy[i] * xh;
      dbias[i] += dy[i];
    }
    for (int64_t i = 0; i < l.length; i++)
      dx[i] = inv_std * (dy[i] * (weight ? weight[i] : 1) - g_mean - (x[i] - mean) * inv_std * gx_mean);
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, dlc_layer_norm, dims, "1", "how many of the last dimensions are a row"),
    DLC_ATTR(FLOAT, dlc_layer_norm, eps, "1e-5", "added to the variance"),
    DLC_ATTR(BOOL, dlc_layer_norm, affine, "true", "scale and move every element by numbers that are trained"),
};

const dlc_op dlc_op_layer_norm = {
    .size = sizeof(dlc_op),
    .name = "layer_norm",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_layer_norm),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "brings samples to mean 0 and variance 1",
    .infer = layer_norm_infer,
    .param = layer_norm_param,
    .grad = layer_norm_grad_rule,
    .reference = layer_norm_reference,
};

const dlc_op dlc_op_layer_norm_grad = {
    .size = sizeof(dlc_op),
    .name = "layer_norm_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC,
    .n_data = 4,
    .attr_size = sizeof(dlc_layer_norm),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of layer_norm",
    .infer = grad_infer,
    .reference = grad_reference,
};
