/* The activations but relu: curves y = f(x), element by element, whose gradient is dx = dy * slope. The slope is taken
 * from x, where tanh and sigmoid take it from y. NaN stays NaN; at a kink the slope is PyTorch's. */
#include "ops/rules.h"
#include <math.h>
#include <stdio.h>

#define SQRT_HALF    0.70710678118654752440 /* 1 / sqrt(2) */
#define SQRT_2_BY_PI 0.79788456080286535588 /* sqrt(2 / pi) */
#define GELU_CUBIC   0.044715               /* Hendrycks and Gimpel 2016 */

typedef double curve(const void *attr, double x);

/* ---- the curves ---- */

static double leaky_relu(const void *attr, double x)
{
  return x > 0 ? x : x * ((const dlc_leaky_relu *)attr)->negative_slope;
}

static double leaky_relu_slope(const void *attr, double x)
{
  return x > 0 ? 1 : ((const dlc_leaky_relu *)attr)->negative_slope;
}

static double elu(const void *attr, double x)
{
  return x > 0 ? x : ((const dlc_elu *)attr)->alpha * expm1(x);
}

static double elu_slope(const void *attr, double x)
{
  return x > 0 ? 1 : ((const dlc_elu *)attr)->alpha * exp(x);
}

static double logistic(double x)
{
  return 1 / (1 + exp(-x));
}

/* The tanh form is x * logistic(2 u). */
static double gelu_u(double x)
{
  return SQRT_2_BY_PI * (x + GELU_CUBIC * x * x * x);
}

static double gelu(const void *attr, double x)
{
  if (((const dlc_gelu *)attr)->approximate == DLC_GELU_TANH) return x * logistic(2 * gelu_u(x));
  return 0.5 * x * erfc(-x * SQRT_HALF);
}

static double gelu_slope(const void *attr, double x)
{
  if (((const dlc_gelu *)attr)->approximate == DLC_GELU_TANH) {
    const double s = logistic(2 * gelu_u(x));
    return s + x * s * (1 - s) * 2 * SQRT_2_BY_PI * (1 + 3 * GELU_CUBIC * x * x);
  }
  return 0.5 * erfc(-x * SQRT_HALF) + x * 0.5 * SQRT_2_BY_PI * exp(-0.5 * x * x);
}

static double silu(const void *attr, double x)
{
  (void)attr;
  return x * logistic(x);
}

static double silu_slope(const void *attr, double x)
{
  (void)attr;
  const double s = logistic(x);
  return s * (1 + x * (1 - s));
}

static double relu6(const void *attr, double x)
{
  (void)attr;
  return x < 0 ? 0 : x > 6 ? 6 : x;
}

static double relu6_slope(const void *attr, double x)
{
  (void)attr;
  return x > 0 && x < 6;
}

static double hardswish(const void *attr, double x)
{
  return x * relu6(attr, x + 3) / 6;
}

static double hardswish_slope(const void *attr, double x)
{
  (void)attr;
  return x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1;
}

static double tanh_curve(const void *attr, double x)
{
  (void)attr;
  return tanh(x);
}

static double tanh_slope(const void *attr, double y)
{
  (void)attr;
  return 1 - y * y;
}

static double sigmoid(const void *attr, double x)
{
  (void)attr;
  return logistic(x);
}

static double sigmoid_slope(const void *attr, double y)
{
  (void)attr;
  return y * (1 - y);
}

/* ---- what all of them share ---- */

static dlc_status gelu_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  DLC_TRY(dlc_expect_range("approximate", ((const dlc_gelu *)attr)->approximate, DLC_GELU_NONE, DLC_GELU_TANH));
  return dlc_infer_like_input(h, attr, n_in, in, n_out, out);
}

static dlc_status emit_grad(dlc_builder *b, const dlc_node *forward, uint32_t dy, uint32_t kept, uint32_t *grad_in)
{
  char name[64];
  snprintf(name, sizeof name, "%s_grad", forward->op->name);
  return dlc_emit_two(b, name, forward->attr, dy, kept, &grad_in[0]);
}

static dlc_status grad_of_x(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return emit_grad(b, forward, grad_out[0], forward->in[0], grad_in);
}

static dlc_status grad_of_y(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  return emit_grad(b, forward, grad_out[0], forward->out[0], grad_in);
}

static dlc_status map(const dlc_call *call, curve *f)
{
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = f(call->attr, call->in[0][i]);
  return DLC_OK;
}

static dlc_status map_grad(const dlc_call *call, curve *slope)
{
  const int64_t n = dlc_count(call->iv[0]);
  for (int64_t i = 0; i < n; i++) call->out[0][i] = call->in[0][i] * slope(call->attr, call->in[1][i]);
  return DLC_OK;
}

static const dlc_attr leaky_relu_attrs[] = {
    DLC_ATTR(FLOAT, dlc_leaky_relu, negative_slope, "0.01", "factor of what is below 0"),
};
static const dlc_attr elu_attrs[] = {
    DLC_ATTR(FLOAT, dlc_elu, alpha, "1", "what is below 0 approaches -alpha"),
};
static const dlc_attr gelu_attrs[] = {
    DLC_ATTR_WORD(dlc_gelu, approximate, "none|tanh", "none", "tanh: by its approximation with tanh"),
};

/* The op `id` and its gradient; from: grad_of_x or grad_of_y. */
#define ACTIVATION(id, curve_of, slope_of, from, infer_of, text, bytes, table, count)                                  \
  static dlc_status id##_reference(const dlc_call *call)                                                               \
  {                                                                                                                    \
    return map(call, curve_of);                                                                                        \
  }                                                                                                                    \
  static dlc_status id##_grad_reference(const dlc_call *call)                                                          \
  {                                                                                                                    \
    return map_grad(call, slope_of);                                                                                   \
  }                                                                                                                    \
  const dlc_op dlc_op_##id = {                                                                                         \
      .size = sizeof(dlc_op),                                                                                          \
      .name = #id,                                                                                                     \
      .version = 1,                                                                                                    \
      .kind = DLC_OP_LAYER,                                                                                            \
      .n_data = 1,                                                                                                     \
      .attr_size = bytes,                                                                                              \
      .attrs = table,                                                                                                  \
      .n_attrs = count,                                                                                                \
      .help = text,                                                                                                    \
      .infer = infer_of,                                                                                               \
      .grad = from,                                                                                                    \
      .reference = id##_reference,                                                                                     \
  };                                                                                                                   \
  const dlc_op dlc_op_##id##_grad = {                                                                                  \
      .size = sizeof(dlc_op),                                                                                          \
      .name = #id "_grad",                                                                                             \
      .version = 1,                                                                                                    \
      .kind = DLC_OP_PLAIN,                                                                                            \
      .n_data = 2,                                                                                                     \
      .attr_size = bytes,                                                                                              \
      .attrs = table,                                                                                                  \
      .n_attrs = count,                                                                                                \
      .help = "gradient of " #id,                                                                                      \
      .infer = dlc_infer_like_dy,                                                                                      \
      .reference = id##_grad_reference,                                                                                \
  };

ACTIVATION(leaky_relu, leaky_relu, leaky_relu_slope, grad_of_x, dlc_infer_like_input,
           "x above 0, negative_slope * x below", sizeof(dlc_leaky_relu), leaky_relu_attrs, 1)
ACTIVATION(elu, elu, elu_slope, grad_of_x, dlc_infer_like_input, "x above 0, alpha * (exp(x) - 1) below",
           sizeof(dlc_elu), elu_attrs, 1)
ACTIVATION(gelu, gelu, gelu_slope, grad_of_x, gelu_infer, "x times the share of a normal distribution below it",
           sizeof(dlc_gelu), gelu_attrs, 1)
ACTIVATION(silu, silu, silu_slope, grad_of_x, dlc_infer_like_input, "x * sigmoid(x)", 0, NULL, 0)
ACTIVATION(relu6, relu6, relu6_slope, grad_of_x, dlc_infer_like_input, "x, but at least 0 and at most 6", 0, NULL, 0)
ACTIVATION(hardswish, hardswish, hardswish_slope, grad_of_x, dlc_infer_like_input, "x * relu6(x + 3) / 6", 0, NULL, 0)
ACTIVATION(tanh, tanh_curve, tanh_slope, grad_of_y, dlc_infer_like_input, "hyperbolic tangent", 0, NULL, 0)
ACTIVATION(sigmoid, sigmoid, sigmoid_slope, grad_of_y, dlc_infer_like_input, "1 / (1 + exp(-x))", 0, NULL, 0)
