/* cross_entropy, as torch.nn.functional.cross_entropy: with p = softmax(logits), w the class weights (1 without), W
 * the sum of w[label] over the batch and s the label smoothing,
 *
 *   loss = 1/W * sum over n of (1 - s) * w[label] * -log p[label] + s / K * sum over k of w[k] * -log p[k]
 *   dlogits[j] = dloss/W * ((1 - s) * w[label] * (p[j] - [j is the label]) + s / K * (p[j] * sum over k of w[k] -
 * w[j]))
 *
 * The logarithms are an output too: the gradient begins with them. */
#include "ops/loss.h"
#include <math.h>

static dlc_status check_attr(const dlc_cross_entropy *a)
{
  if (a->label_smoothing >= 0 && a->label_smoothing <= 1) return DLC_OK;
  return dlc_fail(DLC_INVALID, "label_smoothing is %g, expected 0 to 1", a->label_smoothing);
}

static dlc_status cross_entropy_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                      uint32_t *n_out, dlc_value *out)
{
  (void)h;
  DLC_TRY(check_attr(attr));
  DLC_TRY(dlc_loss_infer(n_in, in, "logits", true, &out[0]));
  *n_out = 2;
  return dlc_shape_like(&out[1], in[0]);
}

static dlc_status cross_entropy_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                          uint32_t *grad_in)
{
  if (grad_out[1] != DLC_NONE)
    return dlc_fail(DLC_UNSUPPORTED, "log_prob of cross_entropy has no gradient: take log_softmax");
  const uint32_t in[4] = {grad_out[0], forward->out[1], forward->in[1], forward->n_in > 2 ? forward->in[2] : DLC_NONE};
  return b->emit(b, "cross_entropy_grad", forward->attr, in, forward->n_in + 1, &grad_in[0]);
}

static dlc_status cross_entropy_reference(const dlc_call *call)
{
  const int64_t classes = call->iv[0]->dim[1];
  const dlc_targets t = dlc_targets_of(call, 1, classes);
  const double smoothing = ((const dlc_cross_entropy *)call->attr)->label_smoothing;
  double *log_prob = call->out[1], weight, of_labels = 0, of_all = 0;
  DLC_TRY(dlc_targets_check(&t, &weight));
  for (int64_t n = 0; n < t.rows; n++, log_prob += classes) {
    const int64_t label = dlc_label(&t, n);
    dlc_log_softmax_row(call->in[0] + n * classes, classes, log_prob);
    of_labels -= dlc_class_weight(&t, label) * log_prob[label];
    for (int64_t k = 0; k < classes && smoothing > 0; k++) of_all -= dlc_class_weight(&t, k) * log_prob[k];
  }
  call->out[0][0] = ((1 - smoothing) * of_labels + smoothing / (double)classes * of_all) / weight;
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  DLC_TRY(check_attr(attr));
  return dlc_loss_grad_infer(n_in, in, "log_prob", true, n_out, out);
}

static dlc_status grad_reference(const dlc_call *call)
{
  const int64_t classes = call->iv[1]->dim[1];
  const dlc_targets t = dlc_targets_of(call, 2, classes);
  const double smoothing = ((const dlc_cross_entropy *)call->attr)->label_smoothing;
  double weight, all = 0;
  DLC_TRY(dlc_targets_check(&t, &weight));
  for (int64_t k = 0; k < classes; k++) all += dlc_class_weight(&t, k);
  const double scale = weight == 0 ? NAN : call->in[0][0] / weight, share = smoothing / (double)classes;
  for (int64_t n = 0; n < t.rows; n++) {
    const double *log_prob = call->in[1] + n * classes;
    double *dlogits = call->out[0] + n * classes;
    const int64_t label = dlc_label(&t, n);
    const double of_label = (1 - smoothing) * dlc_class_weight(&t, label);
    for (int64_t k = 0; k < classes; k++) {
      const double p = exp(log_prob[k]), rest = k == label ? expm1(log_prob[k]) : p; /* p - [k is the label] */
      dlogits[k] = scale * (of_label * rest + share * (p * all - dlc_class_weight(&t, k)));
    }
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, dlc_cross_entropy, label_smoothing, "0", "share of the target that all classes get alike"),
};

const dlc_op dlc_op_cross_entropy = {
    .size = sizeof(dlc_op),
    .name = "cross_entropy",
    .version = 2,
    .kind = DLC_OP_LOSS,
    .n_data = 2,
    .attr_size = sizeof(dlc_cross_entropy),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "mean negative log-likelihood of the labels",
    .infer = cross_entropy_infer,
    .grad = cross_entropy_grad_rule,
    .reference = cross_entropy_reference,
};

const dlc_op dlc_op_cross_entropy_grad = {
    .size = sizeof(dlc_op),
    .name = "cross_entropy_grad",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC, /* class weights or none */
    .n_data = 3,
    .attr_size = sizeof(dlc_cross_entropy),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "gradient of cross_entropy",
    .infer = grad_infer,
    .reference = grad_reference,
};
