/* The running statistics of batch normalisation. In evaluation they stand for those of the batch, and its gradient is
 * that of batch_norm2d without what flows through them:
 *
 *   batch_norm2d_eval    y = (x - running_mean) / sqrt(running_var + eps) * weight + bias
 *   batch_norm2d_update  running = (1 - momentum) * running + momentum * batch's, one more batch counted; the batch's
 *                        variance is the unbiased one there, var * count / (count - 1) */
#include "ops/batch_norm.h"
#include <math.h>

dlc_status dlc_batch_norm_check(const dlc_batch_norm2d *a, const dlc_value *x)
{
  DLC_TRY(dlc_expect_real(x, "input", 4, "[batch, channels, height, width]"));
  DLC_TRY(dlc_expect_number("eps", a->eps, 0, HUGE_VAL));
  if (a->momentum >= 0 && a->momentum <= 1) return DLC_OK;
  return dlc_fail(DLC_INVALID, "momentum is %g, expected 0 to 1", a->momentum);
}

static dlc_status eval_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  static const char *const names[] = {"running_mean", "running_var", "weight", "bias"};
  (void)h;
  const dlc_batch_norm2d *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, a->affine ? 5 : 3));
  DLC_TRY(dlc_batch_norm_check(a, in[0]));
  for (uint32_t i = 1; i < n_in; i++) DLC_TRY(dlc_expect_shape(in[i], names[i - 1], in[0]->dtype, 1, in[0]->dim + 1));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status eval_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  uint32_t out[DLC_MAX_OUT];
  const uint32_t n = forward->n_in > 3 ? 5 : 4; /* weight is the last */
  const uint32_t in[5] = {grad_out[0], forward->in[0], forward->in[1], forward->in[2],
                          n == 5 ? forward->in[3] : DLC_NONE};
  DLC_TRY(b->emit(b, "batch_norm2d_eval_grad", forward->attr, in, n, out));
  grad_in[0] = out[0];
  for (uint32_t i = 3; i < forward->n_in; i++) grad_in[i] = out[i - 2];
  return DLC_OK;
}

static dlc_status eval_grad_reference(const dlc_call *call)
{
  return dlc_batch_norm_grad(call, true);
}

static dlc_status eval_reference(const dlc_call *call)
{
  const dlc_batch_norm2d *a = call->attr;
  const dlc_value *v = call->iv[0];
  const int64_t plane = dlc_plane(v), planes = v->dim[0] * v->dim[1];
  const double *x = call->in[0];
  double *y = call->out[0];
  for (int64_t p = 0; p < planes; p++) {
    const int64_t c = p % v->dim[1];
    const double mean = call->in[1][c], bias = a->affine ? call->in[4][c] : 0;
    const double scale = (a->affine ? call->in[3][c] : 1) / sqrt(call->in[2][c] + a->eps);
    for (int64_t i = 0; i < plane; i++) *y++ = (*x++ - mean) * scale + bias;
  }
  return DLC_OK;
}

static dlc_status update_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                               uint32_t *n_out, dlc_value *out)
{
  (void)h;
  const dlc_batch_norm2d_update *a = attr;
  DLC_TRY(dlc_expect_inputs(n_in, 5));
  DLC_TRY(dlc_expect_range("count", a->count, 2, INT64_MAX));
  DLC_TRY(dlc_expect_real(in[0], "running_mean", 1, "[channels]"));
  DLC_TRY(dlc_expect_like(in[1], "running_var", in[0]));
  DLC_TRY(dlc_expect_shape(in[2], "num_batches_tracked", DLC_I64, 0, NULL));
  DLC_TRY(dlc_expect_like(in[3], "mean", in[0]));
  DLC_TRY(dlc_expect_like(in[4], "var", in[0]));
  *n_out = 3;
  for (uint32_t i = 0; i < 3; i++) DLC_TRY(dlc_shape_like(&out[i], in[i]));
  return DLC_OK;
}

static dlc_status update_reference(const dlc_call *call)
{
  const dlc_batch_norm2d_update *a = call->attr;
  const double m = a->momentum, unbiased = (double)a->count / (double)(a->count - 1);
  for (int64_t c = 0; c < call->iv[0]->dim[0]; c++) {
    call->out[0][c] = (1 - m) * call->in[0][c] + m * call->in[3][c];
    call->out[1][c] = (1 - m) * call->in[1][c] + m * call->in[4][c] * unbiased;
  }
  call->out[2][0] = call->in[2][0] + 1;
  return DLC_OK;
}

const dlc_attr dlc_batch_norm_attrs[DLC_BATCH_NORM_ATTRS] = {
    DLC_ATTR(FLOAT, dlc_batch_norm2d, eps, "1e-5", "added to the variance"),
    DLC_ATTR(FLOAT, dlc_batch_norm2d, momentum, "0.1", "weight of a new batch in the running statistics"),
    DLC_ATTR(BOOL, dlc_batch_norm2d, affine, "true", "scale and move every channel by numbers that are trained"),
};

const dlc_op dlc_op_batch_norm2d_eval = {
    .size = sizeof(dlc_op),
    .name = "batch_norm2d_eval",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC,
    .n_data = 3,
    .attr_size = sizeof(dlc_batch_norm2d),
    .attrs = dlc_batch_norm_attrs,
    .n_attrs = DLC_BATCH_NORM_ATTRS,
    .help = "batch_norm2d by running statistics",
    .infer = eval_infer,
    .grad = eval_grad_rule,
    .reference = eval_reference,
};

const dlc_op dlc_op_batch_norm2d_eval_grad = {
    .size = sizeof(dlc_op),
    .name = "batch_norm2d_eval_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC,
    .n_data = 4,
    .attr_size = sizeof(dlc_batch_norm2d),
    .attrs = dlc_batch_norm_attrs,
    .n_attrs = DLC_BATCH_NORM_ATTRS,
    .help = "gradient of batch_norm2d_eval",
    .infer = dlc_batch_norm_grad_infer,
    .reference = eval_grad_reference,
};

static const dlc_attr update_attrs[] = {
    DLC_ATTR(FLOAT, dlc_batch_norm2d_update, momentum, NULL, "weight of the new batch"),
    DLC_ATTR(INT, dlc_batch_norm2d_update, count, NULL, "elements that each mean was taken over"),
};

const dlc_op dlc_op_batch_norm2d_update = {
    .size = sizeof(dlc_op),
    .name = "batch_norm2d_update",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_UPDATE,
    .n_data = 5,
    .attr_size = sizeof(dlc_batch_norm2d_update),
    .attrs = update_attrs,
    .n_attrs = DLC_COUNT_OF(update_attrs),
    .help = "running statistics after one more batch",
    .infer = update_infer,
    .reference = update_reference,
};
