/* mse_loss, as torch.nn.functional.mse_loss with onehot targets: the mean over batch and classes of
 * (output - onehot(label))^2. */
#include "ops/loss.h"

static dlc_status mse_loss_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                 uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  *n_out = 1;
  return dlc_loss_infer(n_in, in, "output", false, &out[0]);
}

static dlc_status mse_loss_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                     uint32_t *grad_in)
{
  const uint32_t in[3] = {grad_out[0], forward->in[0], forward->in[1]};
  return b->emit(b, "mse_loss_grad", NULL, in, 3, &grad_in[0]);
}

static double square(double x, bool target)
{
  return (x - target) * (x - target);
}

static dlc_status mse_loss_reference(const dlc_call *call)
{
  return dlc_onehot_loss(call, square);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  return dlc_loss_grad_infer(n_in, in, "output", false, n_out, out);
}

static double square_slope(double x, bool target)
{
  return 2 * (x - target);
}

static dlc_status grad_reference(const dlc_call *call)
{
  return dlc_onehot_loss_grad(call, square_slope);
}

const dlc_op dlc_op_mse_loss = {
    .size = sizeof(dlc_op),
    .name = "mse_loss",
    .version = 1,
    .kind = DLC_OP_LOSS,
    .n_data = 2,
    .help = "mean squared distance to the labels' onehot vectors",
    .infer = mse_loss_infer,
    .grad = mse_loss_grad_rule,
    .reference = mse_loss_reference,
};

const dlc_op dlc_op_mse_loss_grad = {
    .size = sizeof(dlc_op),
    .name = "mse_loss_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "gradient of mse_loss",
    .infer = grad_infer,
    .reference = grad_reference,
};
