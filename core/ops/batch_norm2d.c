/* batch_norm2d: Ioffe and Szegedy 2015, as torch.nn.BatchNorm2d. In training every channel is brought to mean 0 and
 * variance 1 over the batch and its pixels, then scaled and moved:
 *
 *   y = (x - mean) / sqrt(var + eps) * weight + bias
 *
 * and the running statistics follow (batch_norm2d_update); in evaluation those are used (batch_norm2d_eval). With m the
 * number of elements of a channel, xh the normalised x and sums over them:
 *
 *   dbias = sum dy;  dweight = sum dy * xh;  dx = weight / sqrt(var + eps) * (dy - dbias / m - xh * dweight / m) */
#include "ops/batch_norm.h"
#include <math.h>

static dlc_status batch_norm2d_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                     uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_batch_norm2d *a = attr;
  const dlc_value *x = in[0];
  DLC_TRY(dlc_expect_inputs(n_in, a->affine ? 3 : 1));
  DLC_TRY(dlc_batch_norm_check(a, x));
  if (dlc_count(x) == x->dim[1])
    return dlc_fail(DLC_INVALID, "input is %s, more than one value per channel is needed in training",
                    dlc_name_shape(4, x->dim).text);
  if (a->affine) DLC_TRY(dlc_expect_shape(in[1], "weight", x->dtype, 1, x->dim + 1));
  if (a->affine) DLC_TRY(dlc_expect_shape(in[2], "bias", x->dtype, 1, x->dim + 1));
  *n_out = 3;
  DLC_TRY(dlc_shape_like(&out[0], x));
  DLC_TRY(dlc_shape_set(&out[1], x->dtype, 1, x->dim + 1));
  return dlc_shape_set(&out[2], x->dtype, 1, x->dim + 1);
}

/* In PyTorch's order: weight, bias, running_mean, running_var, num_batches_tracked. */
static dlc_status batch_norm2d_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                     dlc_param *p)
{
  static const struct {
    const char *name;
    double value;
  } tensors[] = {{"weight", 1}, {"bias", 0}, {"running_mean", 0}, {"running_var", 1}, {"num_batches_tracked", 0}};
  (void)h;
  const dlc_batch_norm2d *a = attr;
  DLC_TRY(dlc_batch_norm_check(a, in[0]));
  const uint32_t first = a->affine ? 0 : 2, at = k + first;
  if (at >= DLC_COUNT_OF(tensors)) return DLC_END;
  p->name = tensors[at].name;
  p->init = DLC_INIT_CONSTANT;
  p->a = tensors[at].value;
  if (at >= 2) p->role = DLC_ROLE_STATE;
  if (at == 4) return dlc_shape_set(&p->value, DLC_I64, 0, NULL);
  return dlc_shape_set(&p->value, in[0]->dtype, 1, in[0]->dim + 1);
}

/* `in`: x, weight and bias where there are, the three states. */
static dlc_status batch_norm2d_build(dlc_builder *b, const void *attr, int training, const uint32_t *in, uint32_t n_in,
                                     uint32_t *out)
{
  const dlc_batch_norm2d *a = attr;
  const uint32_t *states = in + n_in - 3;
  const dlc_value *x = b->value(b, in[0]);
  const dlc_batch_norm2d_update update = {a->momentum, dlc_count(x) / x->dim[1]};
  uint32_t outs[DLC_MAX_OUT], updated[DLC_MAX_OUT];
  if (training) {
    DLC_TRY(b->emit(b, "batch_norm2d", a, in, n_in - 3, outs));
    const uint32_t all[5] = {states[0], states[1], states[2], outs[1], outs[2]};
    DLC_TRY(b->emit(b, "batch_norm2d_update", &update, all, 5, updated));
  } else {
    const uint32_t all[5] = {in[0], states[0], states[1], in[1], in[2]};
    DLC_TRY(b->emit(b, "batch_norm2d_eval", a, all, a->affine ? 5 : 3, outs));
  }
  *out = outs[0];
  return DLC_OK;
}

static dlc_status batch_norm2d_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                         uint32_t *grad_in)
{
  uint32_t out[DLC_MAX_OUT];
  if (grad_out[1] != DLC_NONE || grad_out[2] != DLC_NONE)
    return dlc_fail(DLC_UNSUPPORTED, "mean and var of batch_norm2d have no gradient");
  const uint32_t n = forward->n_in > 1 ? 5 : 4; /* weight is the last */
  const uint32_t in[5] = {grad_out[0], forward->in[0], forward->out[1], forward->out[2],
                          n == 5 ? forward->in[1] : DLC_NONE};
  DLC_TRY(b->emit(b, "batch_norm2d_grad", forward->attr, in, n, out));
  for (uint32_t i = 0; i < forward->n_in; i++) grad_in[i] = out[i];
  return DLC_OK;
}

/* ---- reference kernels ---- */

typedef struct layout {
  int64_t batch, channels, plane;
} layout;

static layout layout_of(const dlc_value *x)
{
  return (layout){x->dim[0], x->dim[1], dlc_plane(x)};
}

static void channel_statistics(const double *x, const layout *l, int64_t c, double *mean, double *var)
{
  const double count = (double)(l->batch * l->plane);
  double sum = 0, squares = 0;
  for (int64_t n = 0; n < l->batch; n++)
    for (int64_t i = 0; i < l->plane; i++) sum += x[(n * l->channels + c) * l->plane + i];
  *mean = sum / count;
  for (int64_t n = 0; n < l->batch; n++)
    for (int64_t i = 0; i < l->plane; i++) {
      const double d = x[(n * l->channels + c) * l->plane + i] - *mean;
      squares += d * d;
    }
  *var = squares / count;
}

static dlc_status batch_norm2d_reference(const dlc_call *call)
{
  const dlc_batch_norm2d *a = call->attr;
  const layout l = layout_of(call->iv[0]);
  const double *x = call->in[0], *weight = a->affine ? call->in[1] : NULL, *bias = a->affine ? call->in[2] : NULL;
  for (int64_t c = 0; c < l.channels; c++) {
    double *mean = call->out[1] + c, *var = call->out[2] + c;
    channel_statistics(x, &l, c, mean, var);
    const double scale = (weight ? weight[c] : 1) / sqrt(*var + a->eps);
    for (int64_t n = 0; n < l.batch; n++)
      for (int64_t i = 0; i < l.plane; i++) {
        const int64_t at = (n * l.channels + c) * l.plane + i;
        call->out[0][at] = (x[at] - *mean) * scale + (bias ? bias[c] : 0);
      }
  }
  return DLC_OK;
}

dlc_status dlc_batch_norm_grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                     uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_batch_norm2d *a = attr;
  const dlc_value *dy = in[0];
  DLC_TRY(dlc_expect_inputs(n_in, a->affine ? 5 : 4));
  DLC_TRY(dlc_batch_norm_check(a, dy));
  DLC_TRY(dlc_expect_like(in[1], "x", dy));
  DLC_TRY(dlc_expect_shape(in[2], "mean", dy->dtype, 1, dy->dim + 1));
  DLC_TRY(dlc_expect_shape(in[3], "var", dy->dtype, 1, dy->dim + 1));
  if (a->affine) DLC_TRY(dlc_expect_shape(in[4], "weight", dy->dtype, 1, dy->dim + 1));
  *n_out = 3;
  DLC_TRY(dlc_shape_like(&out[0], dy));
  DLC_TRY(dlc_shape_set(&out[1], dy->dtype, 1, dy->dim + 1));
  return dlc_shape_set(&out[2], dy->dtype, 1, dy->dim + 1);
}

dlc_status dlc_batch_norm_grad(const dlc_call *call, bool constant)
{
  const dlc_batch_norm2d *a = call->attr;
  const layout l = layout_of(call->iv[0]);
  const double *dy = call->in[0], *x = call->in[1], count = (double)(l.batch * l.plane);
  for (int64_t c = 0; c < l.channels; c++) {
    const double mean = call->in[2][c], inv_std = 1 / sqrt(call->in[3][c] + a->eps);
    double dweight = 0, dbias = 0;
    for (int64_t n = 0; n < l.batch; n++)
      for (int64_t i = 0; i < l.plane; i++) {
        const int64_t at = (n * l.channels + c) * l.plane + i;
        dbias += dy[at];
        dweight += dy[at] * (x[at] - mean) * inv_std;
      }
    const double scale = (a->affine ? call->in[4][c] : 1) * inv_std;
    for (int64_t n = 0; n < l.batch; n++)
      for (int64_t i = 0; i < l.plane; i++) {
        const int64_t at = (n * l.channels + c) * l.plane + i;
        const double through_statistics = constant ? 0 : dbias / count + (x[at] - mean) * inv_std * dweight / count;
        call->out[0][at] = scale * (dy[at] - through_statistics);
      }
    call->out[1][c] = dweight;
    call->out[2][c] = dbias;
  }
  return DLC_OK;
}

static dlc_status grad_reference(const dlc_call *call)
{
  return dlc_batch_norm_grad(call, false);
}

const dlc_op dlc_op_batch_norm2d = {
    .size = sizeof(dlc_op),
    .name = "batch_norm2d",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .attr_size = sizeof(dlc_batch_norm2d),
    .attrs = dlc_batch_norm_attrs,
    .n_attrs = DLC_BATCH_NORM_ATTRS,
    .help = "brings channels to mean 0 and variance 1",
    .infer = batch_norm2d_infer,
    .param = batch_norm2d_param,
    .grad = batch_norm2d_grad_rule,
    .reference = batch_norm2d_reference,
    .build = batch_norm2d_build,
};

const dlc_op dlc_op_batch_norm2d_grad = {
    .size = sizeof(dlc_op),
    .name = "batch_norm2d_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC,
    .n_data = 4,
    .attr_size = sizeof(dlc_batch_norm2d),
    .attrs = dlc_batch_norm_attrs,
    .n_attrs = DLC_BATCH_NORM_ATTRS,
    .help = "gradient of batch_norm2d",
    .infer = dlc_batch_norm_grad_infer,
    .reference = grad_reference,
};
