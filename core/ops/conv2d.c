/* conv2d: cross-correlation of images with a bank of filters, and its two gradients.
 *
 *   y[n,o,oh,ow]  = bias[o] + sum over c,kh,kw of weight[o,c,kh,kw] * x[n,c,ih,iw]
 *   dx[n,c,ih,iw] =           sum over o,kh,kw of weight[o,c,kh,kw] * dy[n,o,oh,ow]
 *   dweight[o,c,kh,kw] =      sum over n,oh,ow of dy[n,o,oh,ow] * x[n,c,ih,iw]
 *   with ih = oh * stride - padding_top + kh * dilation, and nothing where that lies outside of x; iw alike.
 *
 * With groups, o and c go over the pairs of one group, and weight's c counts from the first channel of it.
 *
 * The three reference kernels walk the same (n, o, c, kh, kw) and differ in what they do with one kernel element laid
 * over a whole plane. */
#include "ops/rules.h"
#include <string.h>

static const char image_layout[] = "[batch, channels, height, width]";

/* ---- shape rules ---- */

static dlc_status check_groups(int64_t groups, const char *what, int64_t channels)
{
  DLC_TRY(dlc_expect_range("groups", groups, 1, DLC_MAX_EXTENT));
  if (channels % groups == 0) return DLC_OK;
  return dlc_fail(DLC_INVALID, "groups is %lld, which does not divide the %lld %s", (long long)groups,
                  (long long)channels, what);
}

/* What can be said before the weight is there; resolves padding. */
static dlc_status check_layer(dlc_conv2d *a, const dlc_value *x)
{
  DLC_TRY(dlc_expect_real(x, "input", 4, image_layout));
  DLC_TRY(dlc_expect_range("out_channels", a->out_channels, 1, DLC_MAX_EXTENT));
  DLC_TRY(check_groups(a->groups, "input channels", x->dim[1]));
  DLC_TRY(check_groups(a->groups, "out_channels", a->out_channels));
  return dlc_window_resolve(a->kernel_size, a->stride, a->dilation, a->padding);
}

static dlc_status conv2d_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                               uint32_t *n_out, dlc_value *out)
{
  (void)h;
  dlc_conv2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, a->bias ? 3 : 2));
  const dlc_value *x = in[0];
  DLC_TRY(check_layer(a, x));
  const int64_t weight[4] = {a->out_channels, x->dim[1] / a->groups, a->kernel_size[0], a->kernel_size[1]};
  DLC_TRY(dlc_expect_shape(in[1], "weight", x->dtype, 4, weight));
  if (a->bias) DLC_TRY(dlc_expect_shape(in[2], "bias", x->dtype, 1, &a->out_channels));
  int64_t y[4] = {x->dim[0], a->out_channels};
  DLC_TRY(dlc_window_output(a->kernel_size, a->stride, a->dilation, a->padding, x->dim + 2, y + 2));
  *n_out = 1;
  return dlc_shape_set(&out[0], x->dtype, 4, y);
}

static dlc_status conv2d_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                               dlc_param *p)
{
  (void)h;
  dlc_conv2d a = *(const dlc_conv2d *)attr;
  DLC_TRY(check_layer(&a, in[0]));
  if (k > (a.bias ? 1 : 0)) return DLC_END;
  const int64_t weight[4] = {a.out_channels, in[0]->dim[1] / a.groups, a.kernel_size[0], a.kernel_size[1]};
  DLC_TRY(dlc_shape_set(&p->value, in[0]->dtype, 4, weight));
  int64_t fan_in = weight[1] * weight[2] * weight[3];
  if (k == 0) return dlc_param_uniform(p, "weight", fan_in, in[0]->dtype, 4, weight);
  return dlc_param_uniform(p, "bias", fan_in, in[0]->dtype, 1, weight);
}

/* Of a gradient node: dy must be what the convolution of an image of a->size gives. */
static dlc_status check_grad(dlc_conv2d_grad *a, const dlc_value *dy)
{
  DLC_TRY(dlc_expect_real(dy, "dy", 4, image_layout));
  DLC_TRY(check_groups(a->groups, "channels of dy", dy->dim[1]));
  DLC_TRY(dlc_window_resolve(a->kernel_size, a->stride, a->dilation, a->padding));
  for (int i = 0; i < 2; i++) DLC_TRY(dlc_expect_range("size", a->size[i], 1, DLC_MAX_EXTENT));
  int64_t y[4] = {dy->dim[0], dy->dim[1]};
  DLC_TRY(dlc_window_output(a->kernel_size, a->stride, a->dilation, a->padding, a->size, y + 2));
  return dlc_expect_shape(dy, "dy", dy->dtype, 4, y);
}

static dlc_status grad_input_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                   uint32_t *n_out, dlc_value *out)
{
  (void)h;
  dlc_conv2d_grad *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  const dlc_value *dy = in[0], *weight = in[1];
  DLC_TRY(check_grad(a, dy));
  DLC_TRY(dlc_expect_real(weight, "weight", 4, "[out_channels, channels, height, width]"));
  const int64_t expected[4] = {dy->dim[1], weight->dim[1], a->kernel_size[0], a->kernel_size[1]};
  DLC_TRY(dlc_expect_shape(weight, "weight", dy->dtype, 4, expected));
  *n_out = 1;
  const int64_t x[4] = {dy->dim[0], weight->dim[1] * a->groups, a->size[0], a->size[1]};
  return dlc_shape_set(&out[0], dy->dtype, 4, x);
}

static dlc_status grad_weight_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                    uint32_t *n_out, dlc_value *out)
{
  (void)h;
  dlc_conv2d_grad *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  const dlc_value *dy = in[0], *x = in[1];
  DLC_TRY(check_grad(a, dy));
  DLC_TRY(dlc_expect_real(x, "x", 4, image_layout));
  const int64_t expected[4] = {dy->dim[0], x->dim[1], a->size[0], a->size[1]};
  DLC_TRY(dlc_expect_shape(x, "x", dy->dtype, 4, expected));
  DLC_TRY(check_groups(a->groups, "channels of x", x->dim[1]));
  *n_out = 1;
  const int64_t weight[4] = {dy->dim[1], x->dim[1] / a->groups, a->kernel_size[0], a->kernel_size[1]};
  return dlc_shape_set(&out[0], dy->dtype, 4, weight);
}

/* ---- gradient rule ---- */

static dlc_conv2d_grad grad_attr(const dlc_conv2d *a, const dlc_value *x)
{
  dlc_conv2d_grad attr = {.size = {x->dim[2], x->dim[3]}, .groups = a->groups};
  memcpy(attr.kernel_size, a->kernel_size, sizeof attr.kernel_size);
  memcpy(attr.stride, a->stride, sizeof attr.stride);
  memcpy(attr.padding, a->padding, sizeof attr.padding);
  memcpy(attr.dilation, a->dilation, sizeof attr.dilation);
  return attr;
}

static dlc_status conv2d_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  const dlc_conv2d *a = forward->attr;
  const dlc_value *x = b->value(b, forward->in[0]);
  const dlc_conv2d_grad attr = grad_attr(a, x);
  DLC_TRY(dlc_emit_two(b, "conv2d_grad_input", &attr, grad_out[0], forward->in[1], &grad_in[0]));
  DLC_TRY(dlc_emit_two(b, "conv2d_grad_weight", &attr, grad_out[0], forward->in[0], &grad_in[1]));
  if (!a->bias) return DLC_OK;
  return b->emit(b, "bias_grad", NULL, grad_out, 1, &grad_in[2]);
}

/* ---- reference kernels ---- */

/* One kernel element laid over a plane: which outputs it contributes to, and where their inputs begin and step. */
typedef struct tap {
  dlc_span rows, cols;
  int64_t top, left; /* input row and column of output (0, 0); may be negative */
} tap;

typedef struct geometry {
  int64_t batch, channels, out_channels;
  int64_t group_channels, group_filters;                    /* of one group */
  int64_t kernel[2], stride[2], dilation[2], in[2], out[2]; /* height, width */
  int64_t top, left;                                        /* padding */
  int64_t filter, in_plane, out_plane;                      /* elements of one each */
} geometry;

static geometry geometry_of(const dlc_value *x, const dlc_value *y, const dlc_conv2d_grad *a)
{
  return (geometry){.batch = x->dim[0],
                    .channels = x->dim[1],
                    .out_channels = y->dim[1],
                    .group_channels = x->dim[1] / a->groups,
                    .group_filters = y->dim[1] / a->groups,
                    .kernel = {a->kernel_size[0], a->kernel_size[1]},
                    .stride = {a->stride[0], a->stride[1]},
                    .dilation = {a->dilation[0], a->dilation[1]},
                    .in = {x->dim[2], x->dim[3]},
                    .out = {y->dim[2], y->dim[3]},
                    .top = a->padding[0],
                    .left = a->padding[1],
                    .filter = a->kernel_size[0] * a->kernel_size[1],
                    .in_plane = dlc_plane(x),
                    .out_plane = dlc_plane(y)};
}

/* The k-th kernel element, row-major. */
static tap tap_at(const geometry *g, int64_t k)
{
  tap t = {.top = k / g->kernel[1] * g->dilation[0] - g->top, .left = k % g->kernel[1] * g->dilation[1] - g->left};
  t.rows = dlc_window_span(g->in[0], g->out[0], g->stride[0], t.top);
  t.cols = dlc_window_span(g->in[1], g->out[1], g->stride[1], t.left);
  return t;
}

/* The plane of x that filter o meets with its c-th channel. */
static int64_t in_plane_at(const geometry *g, int64_t n, int64_t o, int64_t c)
{
  return (n * g->channels + o / g->group_filters * g->group_channels + c) * g->in_plane;
}

static int64_t filter_at(const geometry *g, int64_t o, int64_t c)
{
  return (o * g->group_channels + c) * g->filter;
}

static void add_weighted_input(const geometry *g, tap t, double w, const double *x, double *y)
{
  for (int64_t oh = t.rows.begin; oh < t.rows.end; oh++) {
    const double *x_row = x + (oh * g->stride[0] + t.top) * g->in[1];
    double *y_row = y + oh * g->out[1];
    for (int64_t ow = t.cols.begin; ow < t.cols.end; ow++) y_row[ow] += w * x_row[ow * g->stride[1] + t.left];
  }
}

static void add_weighted_output(const geometry *g, tap t, double w, const double *dy, double *dx)
{
  for (int64_t oh = t.rows.begin; oh < t.rows.end; oh++) {
    double *dx_row = dx + (oh * g->stride[0] + t.top) * g->in[1];
    const double *dy_row = dy + oh * g->out[1];
    for (int64_t ow = t.cols.begin; ow < t.cols.end; ow++) dx_row[ow * g->stride[1] + t.left] += w * dy_row[ow];
  }
}

static double dot_input_output(const geometry *g, tap t, const double *x, const double *dy)
{
  double sum = 0;
  for (int64_t oh = t.rows.begin; oh < t.rows.end; oh++) {
    const double *x_row = x + (oh * g->stride[0] + t.top) * g->in[1];
    const double *dy_row = dy + oh * g->out[1];
    for (int64_t ow = t.cols.begin; ow < t.cols.end; ow++) sum += dy_row[ow] * x_row[ow * g->stride[1] + t.left];
  }
  return sum;
}

static dlc_status conv2d_reference(const dlc_call *call)
{
  const dlc_conv2d *a = call->attr;
  const double *x = call->in[0], *weight = call->in[1], *bias = a->bias ? call->in[2] : NULL;
  double *y = call->out[0];
  const dlc_conv2d_grad window = grad_attr(a, call->iv[0]);
  const geometry g = geometry_of(call->iv[0], call->ov[0], &window);
  for (int64_t n = 0; n < g.batch; n++)
    for (int64_t o = 0; o < g.out_channels; o++) {
      double *yp = y + (n * g.out_channels + o) * g.out_plane;
      for (int64_t i = 0; i < g.out_plane; i++) yp[i] = bias ? bias[o] : 0;
      for (int64_t c = 0; c < g.group_channels; c++) {
        const double *xp = x + in_plane_at(&g, n, o, c);
        const double *w = weight + filter_at(&g, o, c);
        for (int64_t k = 0; k < g.filter; k++) add_weighted_input(&g, tap_at(&g, k), w[k], xp, yp);
      }
    }
  return DLC_OK;
}

static dlc_status grad_input_reference(const dlc_call *call)
{
  const dlc_conv2d_grad *a = call->attr;
  const double *dy = call->in[0], *weight = call->in[1];
  double *dx = call->out[0];
  const geometry g = geometry_of(call->ov[0], call->iv[0], a);
  memset(dx, 0, (size_t)(g.batch * g.channels * g.in_plane) * sizeof *dx);
  for (int64_t n = 0; n < g.batch; n++)
    for (int64_t o = 0; o < g.out_channels; o++) {
      const double *dyp = dy + (n * g.out_channels + o) * g.out_plane;
      for (int64_t c = 0; c < g.group_channels; c++) {
        double *dxp = dx + in_plane_at(&g, n, o, c);
        const double *w = weight + filter_at(&g, o, c);
        for (int64_t k = 0; k < g.filter; k++) add_weighted_output(&g, tap_at(&g, k), w[k], dyp, dxp);
      }
    }
  return DLC_OK;
}

static dlc_status grad_weight_reference(const dlc_call *call)
{
  const dlc_conv2d_grad *a = call->attr;
  const double *dy = call->in[0], *x = call->in[1];
  double *dweight = call->out[0];
  const geometry g = geometry_of(call->iv[1], call->iv[0], a);
  memset(dweight, 0, (size_t)(g.out_channels * g.group_channels * g.filter) * sizeof *dweight);
  for (int64_t n = 0; n < g.batch; n++)
    for (int64_t o = 0; o < g.out_channels; o++) {
      const double *dyp = dy + (n * g.out_channels + o) * g.out_plane;
      for (int64_t c = 0; c < g.group_channels; c++) {
        const double *xp = x + in_plane_at(&g, n, o, c);
        double *dw = dweight + filter_at(&g, o, c);
        for (int64_t k = 0; k < g.filter; k++) dw[k] += dot_input_output(&g, tap_at(&g, k), xp, dyp);
      }
    }
  return DLC_OK;
}

/* ---- the ops ---- */

static const dlc_attr conv2d_attrs[] = {
    DLC_ATTR(INT, dlc_conv2d, out_channels, NULL, "number of filters"),
    DLC_ATTR(PAIR, dlc_conv2d, kernel_size, NULL, "height and width of a filter"),
    DLC_ATTR(PAIR, dlc_conv2d, stride, "1", "step of the filter"),
    DLC_ATTR(PADDING, dlc_conv2d, padding, "0", "zeros around the image, or same"),
    DLC_ATTR(BOOL, dlc_conv2d, bias, "true", "add one number per filter"),
    DLC_ATTR(PAIR, dlc_conv2d, dilation, "1", "step between the elements of a filter"),
    DLC_ATTR(INT, dlc_conv2d, groups, "1", "blocks of channels, each with filters of its own"),
};

const dlc_op dlc_op_conv2d = {
    .size = sizeof(dlc_op),
    .name = "conv2d",
    .version = 2,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_conv2d),
    .attrs = conv2d_attrs,
    .n_attrs = DLC_COUNT_OF(conv2d_attrs),
    .help = "2D convolution",
    .infer = conv2d_infer,
    .param = conv2d_param,
    .grad = conv2d_grad,
    .reference = conv2d_reference,
};

static const dlc_attr grad_attrs[] = {
    DLC_ATTR(PAIR, dlc_conv2d_grad, kernel_size, NULL, "of the convolution"),
    DLC_ATTR(PAIR, dlc_conv2d_grad, stride, NULL, "of the convolution"),
    DLC_ATTR(PADDING, dlc_conv2d_grad, padding, NULL, "of the convolution"),
    DLC_ATTR(PAIR, dlc_conv2d_grad, size, NULL, "height and width of the convolution's input"),
    DLC_ATTR(PAIR, dlc_conv2d_grad, dilation, "1", "of the convolution"),
    DLC_ATTR(INT, dlc_conv2d_grad, groups, "1", "of the convolution"),
};

const dlc_op dlc_op_conv2d_grad_input = {
    .size = sizeof(dlc_op),
    .name = "conv2d_grad_input",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_conv2d_grad),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of conv2d with respect to its input",
    .infer = grad_input_infer,
    .reference = grad_input_reference,
};

const dlc_op dlc_op_conv2d_grad_weight = {
    .size = sizeof(dlc_op),
    .name = "conv2d_grad_weight",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_conv2d_grad),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of conv2d with respect to its weight",
    .infer = grad_weight_infer,
    .reference = grad_weight_reference,
};
