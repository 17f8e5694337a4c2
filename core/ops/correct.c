/* correct: how many rows have their label among the k largest, of equals the first; NaN is larger than any number. A
 * measure, not a loss: it has no gradient. */
#include "ops/rules.h"
#include <math.h>
#include <stdbool.h>

static dlc_status correct_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real(in[0], "logits", 2, "[batch, classes]"));
  DLC_TRY(dlc_expect_labels(in[1], in[0]->dim[0]));
  DLC_TRY(dlc_expect_range("k", ((const dlc_correct *)attr)->k, 1, DLC_MAX_EXTENT));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[0]->dtype, 1, (int64_t[]){1});
}

/* How many of the row come before element `label`. */
static int64_t rank(const double *x, int64_t classes, int64_t label)
{
  int64_t before = 0;
  for (int64_t j = 0; j < classes; j++) {
    const bool same = isnan(x[j]) ? isnan(x[label]) : x[j] == x[label];
    before += same ? j < label : isnan(x[j]) || x[j] > x[label];
  }
  return before;
}

static dlc_status correct_reference(const dlc_call *call)
{
  const int64_t rows = call->iv[0]->dim[0], classes = call->iv[0]->dim[1], k = ((const dlc_correct *)call->attr)->k;
  double count = 0;
  for (int64_t n = 0; n < rows; n++) {
    const int64_t label = (int64_t)call->in[1][n];
    count += label >= 0 && label < classes && rank(call->in[0] + n * classes, classes, label) < k;
  }
  call->out[0][0] = count;
  return DLC_OK;
}

static const dlc_attr attrs[] = {DLC_ATTR(INT, dlc_correct, k, "1", "how many of the largest count")};

const dlc_op dlc_op_correct = {
    .size = sizeof(dlc_op),
    .name = "correct",
    .version = 2,
    .kind = DLC_OP_PLAIN,
    .n_data = 2,
    .attr_size = sizeof(dlc_correct),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .help = "number of rows whose label is among the k largest",
    .infer = correct_infer,
    .reference = correct_reference,
};
