/* cross_entropy: the mean over the batch of -log_softmax(logits)[label]. The logarithms are an output too: with them
 * the gradient is dlogits = (exp(log_prob) - onehot(label)) * dloss / N. */
#include "ops/rules.h"
#include <math.h>

static const char layout[] = "[batch, classes]";

static dlc_status cross_entropy_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                      uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real(in[0], "logits", 2, layout));
  DLC_TRY(dlc_expect_labels(in[1], in[0]->dim[0]));
  *n_out = 2;
  DLC_TRY(dlc_shape_set(&out[0], in[0]->dtype, 1, (int64_t[]){1}));
  return dlc_shape_like(&out[1], in[0]);
}

static dlc_status cross_entropy_grad_rule(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out,
                                          uint32_t *grad_in)
{
  if (grad_out[1] != DLC_NONE)
    return dlc_fail(DLC_UNSUPPORTED, "log_prob of cross_entropy has no gradient: take log_softmax");
  const uint32_t in[3] = {grad_out[0], forward->out[1], forward->in[1]};
  return b->emit(b, "cross_entropy_grad", NULL, in, 3, &grad_in[0]);
}

/* Label of row n, an index into its classes. */
static dlc_status read_label(const double *labels, int64_t n, int64_t classes, int64_t *label)
{
  *label = (int64_t)labels[n];
  if (*label >= 0 && *label < classes) return DLC_OK;
  return dlc_fail(DLC_INVALID, "label %lld of row %lld is not in [0, %lld)", (long long)*label, (long long)n,
                  (long long)classes);
}

static dlc_status cross_entropy_reference(const dlc_call *call)
{
  const int64_t rows = call->iv[0]->dim[0], classes = call->iv[0]->dim[1];
  double *log_prob = call->out[1], sum = 0;
  for (int64_t n = 0; n < rows; n++, log_prob += classes) {
    int64_t label;
    DLC_TRY(read_label(call->in[1], n, classes, &label));
    dlc_log_softmax_row(call->in[0] + n * classes, classes, log_prob);
    sum -= log_prob[label];
  }
  call->out[0][0] = sum / (double)rows;
  return DLC_OK;
}

static dlc_status grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(dlc_expect_real(in[0], "dloss", 1, "[1]"));
  DLC_TRY(dlc_expect_shape(in[0], "dloss", in[0]->dtype, 1, (int64_t[]){1}));
  DLC_TRY(dlc_expect_real(in[1], "log_prob", 2, layout));
  DLC_TRY(dlc_expect_labels(in[2], in[1]->dim[0]));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[1]);
}

static dlc_status grad_reference(const dlc_call *call)
{
  const int64_t rows = call->iv[1]->dim[0], classes = call->iv[1]->dim[1];
  const double scale = call->in[0][0] / (double)rows;
  for (int64_t n = 0; n < rows; n++) {
    const double *log_prob = call->in[1] + n * classes;
    double *dlogits = call->out[0] + n * classes;
    int64_t label;
    DLC_TRY(read_label(call->in[2], n, classes, &label));
    for (int64_t k = 0; k < classes; k++) dlogits[k] = (exp(log_prob[k]) - (k == label)) * scale;
  }
  return DLC_OK;
}

const dlc_op dlc_op_cross_entropy = {
    .size = sizeof(dlc_op),
    .name = "cross_entropy",
    .version = 1,
    .kind = DLC_OP_LOSS,
    .n_data = 2,
    .help = "mean negative log-likelihood of the labels",
    .infer = cross_entropy_infer,
    .grad = cross_entropy_grad_rule,
    .reference = cross_entropy_reference,
};

const dlc_op dlc_op_cross_entropy_grad = {
    .size = sizeof(dlc_op),
    .name = "cross_entropy_grad",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "gradient of cross_entropy",
    .infer = grad_infer,
    .reference = grad_reference,
};
