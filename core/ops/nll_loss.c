/* nll_loss, as torch.nn.functional.nll_loss: the mean over the batch of -log_prob[label], weighted by the weight of the
 * label's class. For models that end in log_softmax. */
#include "ops/loss.h"

static dlc_status nll_loss_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                 uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  *n_out = 1;
  return dlc_loss_infer(n_in, in, "log_prob", true, &out[0]);
}

static dlc_status nll_loss_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                     uint32_t *grad_in)
{
  const dlc_nll_loss_grad attr = {b->value(b, forward->in[0])->dim[1]};
  const uint32_t in[3] = {grad_out[0], forward->in[1], forward->n_in > 2 ? forward->in[2] : DLC_NONE};
  return b->emit(b, "nll_loss_grad", &attr, in, forward->n_in, &grad_in[0]);
}

static dlc_status nll_loss_reference(const dlc_call *call)
{
  const dlc_targets t = dlc_targets_of(call, 1, call->iv[0]->dim[1]);
  double weight, sum = 0;
  DLC_TRY(dlc_targets_check(&t, &weight));
  for (int64_t n = 0; n < t.rows; n++) {
    const int64_t label = dlc_label(&t, n);
    sum -= dlc_class_weight(&t, label) * call->in[0][n * t.classes + label];
  }
  call->out[0][0] = sum / weight;
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h;
  const int64_t classes = ((const dlc_nll_loss_grad *)attr)->classes;
  DLC_TRY(dlc_expect_inputs(n_in, n_in == 3 ? 3 : 2));
  DLC_TRY(dlc_expect_real(in[0], "dloss", 1, "[1]"));
  DLC_TRY(dlc_expect_shape(in[0], "dloss", in[0]->dtype, 1, (int64_t[]){1}));
  DLC_TRY(dlc_expect_labels(in[1], in[1]->rank ? in[1]->dim[0] : 1));
  DLC_TRY(dlc_expect_targets(n_in - 1, in + 1, in[1]->dim[0], classes));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 2, (int64_t[]){in[1]->dim[0], classes});
}

static dlc_status grad_reference(const dlc_call *call)
{
  const dlc_targets t = dlc_targets_of(call, 1, ((const dlc_nll_loss_grad *)call->attr)->classes);
  double weight;
  DLC_TRY(dlc_targets_check(&t, &weight));
  for (int64_t n = 0; n < t.rows; n++) {
    const int64_t label = dlc_label(&t, n);
    for (int64_t k = 0; k < t.classes; k++) call->out[0][n * t.classes + k] = 0;
    call->out[0][n * t.classes + label] = -call->in[0][0] * dlc_class_weight(&t, label) / weight;
  }
  return DLC_OK;
}

static const dlc_attr grad_attrs[] = {
    DLC_ATTR(INT, dlc_nll_loss_grad, classes, NULL, "columns of the gradient"),
};

const dlc_op dlc_op_nll_loss = {
    .size = sizeof(dlc_op),
    .name = "nll_loss",
    .version = 1,
    .kind = DLC_OP_LOSS,
    .n_data = 2,
    .help = "mean of the labels' negative log-probabilities",
    .infer = nll_loss_infer,
    .grad = nll_loss_grad_rule,
    .reference = nll_loss_reference,
};

const dlc_op dlc_op_nll_loss_grad = {
    .size = sizeof(dlc_op),
    .name = "nll_loss_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .flags = DLC_OP_VARIADIC, /* class weights or none */
    .n_data = 2,
    .attr_size = sizeof(dlc_nll_loss_grad),
    .attrs = grad_attrs,
    .n_attrs = DLC_COUNT_OF(grad_attrs),
    .help = "gradient of nll_loss",
    .infer = grad_infer,
    .reference = grad_reference,
};
