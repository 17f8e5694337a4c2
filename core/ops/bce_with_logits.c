/* bce_with_logits, as torch.nn.functional.binary_cross_entropy_with_logits with onehot targets: the mean over batch
 * and classes of -log sigmoid(x) for the label and of -log(1 - sigmoid(x)) for the others. */
#include "ops/loss.h"
#include <math.h>

static dlc_status bce_with_logits_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                        uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  *n_out = 1;
  return dlc_loss_infer(n_in, in, "logits", false, &out[0]);
}

static dlc_status bce_with_logits_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                            uint32_t *grad_in)
{
  const uint32_t in[3] = {grad_out[0], forward->in[0], forward->in[1]};
  return b->emit(b, "bce_with_logits_grad", NULL, in, 3, &grad_in[0]);
}

static double sigmoid(double x)
{
  const double e = exp(-fabs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static double entropy(double x, bool target)
{
  const double other = (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
  return target ? other - x : other;
}

static dlc_status bce_with_logits_reference(const dlc_call *call)
{
  return dlc_onehot_loss(call, entropy);
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  return dlc_loss_grad_infer(n_in, in, "logits", false, n_out, out);
}

/* sigmoid(x) - target */
static double entropy_slope(double x, bool target)
{
  return target ? -sigmoid(-x) : sigmoid(x);
}

static dlc_status grad_reference(const dlc_call *call)
{
  return dlc_onehot_loss_grad(call, entropy_slope);
}

const dlc_op dlc_op_bce_with_logits = {
    .size = sizeof(dlc_op),
    .name = "bce_with_logits",
    .version = 1,
    .kind = DLC_OP_LOSS,
    .n_data = 2,
    .help = "mean binary cross-entropy of every class apart",
    .infer = bce_with_logits_infer,
    .grad = bce_with_logits_grad_rule,
    .reference = bce_with_logits_reference,
};

const dlc_op dlc_op_bce_with_logits_grad = {
    .size = sizeof(dlc_op),
    .name = "bce_with_logits_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "gradient of bce_with_logits",
    .infer = grad_infer,
    .reference = grad_reference,
};
