/* bias: adds one number per channel (dimension 1), and its gradient, the sum over everything but the channels. */
#include "ops/rules.h"
#include <string.h>

static dlc_status check_channels(const dlc_value *x, const char *what)
{
  DLC_TRY(dlc_expect_real_any(x, what));
  if (x->rank >= 2) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s is %s, expected [batch, channels, ...]", what, dlc_name_shape(x->rank, x->dim).text);
}

static dlc_status bias_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(check_channels(in[0], "input"));
  DLC_TRY(dlc_expect_shape(in[1], "bias", in[0]->dtype, 1, &in[0]->dim[1]));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status bias_param(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k, dlc_param *p)
{
  (void)h, (void)attr;
  DLC_TRY(check_channels(in[0], "input"));
  if (k > 0) return DLC_END;
  p->name = "bias";
  p->init = DLC_INIT_CONSTANT;
  p->a = 0;
  return dlc_shape_set(&p->value, in[0]->dtype, 1, &in[0]->dim[1]);
}

static dlc_status bias_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  (void)forward;
  grad_in[0] = grad_out[0];
  return b->emit(b, "bias_grad", NULL, grad_out, 1, &grad_in[1]);
}

static dlc_status bias_reference(const dlc_call *call)
{
  const int64_t channels = call->iv[0]->dim[1], plane = dlc_plane(call->iv[0]);
  const int64_t planes = call->iv[0]->dim[0] * channels;
  for (int64_t p = 0; p < planes; p++) {
    const double bias = call->in[1][p % channels], *x = call->in[0] + p * plane;
    double *y = call->out[0] + p * plane;
    for (int64_t i = 0; i < plane; i++) y[i] = x[i] + bias;
  }
  return DLC_OK;
}

static dlc_status bias_grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                  uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(check_channels(in[0], "dy"));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 1, &in[0]->dim[1]);
}

static dlc_status bias_grad_reference(const dlc_call *call)
{
  const int64_t channels = call->iv[0]->dim[1], plane = dlc_plane(call->iv[0]);
  const int64_t planes = call->iv[0]->dim[0] * channels;
  double *dbias = call->out[0];
  memset(dbias, 0, (size_t)channels * sizeof *dbias);
  for (int64_t p = 0; p < planes; p++) {
    const double *dy = call->in[0] + p * plane;
    for (int64_t i = 0; i < plane; i++) dbias[p % channels] += dy[i];
  }
  return DLC_OK;
}

const dlc_op dlc_op_bias = {
    .size = sizeof(dlc_op),
    .name = "bias",
    .version = 1,
    .kind = DLC_OP_LAYER,
    .n_data = 1,
    .help = "adds one number per channel, 0 at first",
    .infer = bias_infer,
    .param = bias_param,
    .grad = bias_grad_rule,
    .reference = bias_reference,
};

const dlc_op dlc_op_bias_grad = {
    .size = sizeof(dlc_op),
    .name = "bias_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .help = "gradient with respect to a bias: the sum over all but the channels",
    .infer = bias_grad_infer,
    .reference = bias_grad_reference,
};
