/* correct: how many rows have their first maximum at the label. A measure, not a loss: it has no gradient. */
#include "ops/rules.h"
#include <math.h>

static dlc_status correct_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real(in[0], "logits", 2, "[batch, classes]"));
  DLC_TRY(dlc_expect_labels(in[1], in[0]->dim[0]));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 1, (int64_t[]){1});
}

static dlc_status correct_reference(const dlc_call *call)
{
  const int64_t rows = call->iv[0]->dim[0], classes = call->iv[0]->dim[1];
  double count = 0;
  for (int64_t n = 0; n < rows; n++) {
    const double *x = call->in[0] + n * classes;
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++)
      if (x[k] > x[best] || (isnan(x[k]) && !isnan(x[best]))) best = k;
    count += (double)best == call->in[1][n];
  }
  call->out[0][0] = count;
  return DLC_OK;
}

const dlc_op dlc_op_correct = {
    .size = sizeof(dlc_op),
    .name = "correct",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .help = "number of rows whose largest logit is the label's",
    .infer = correct_infer,
    .reference = correct_reference,
};
