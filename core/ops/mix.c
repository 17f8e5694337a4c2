/* mix: every picture of a batch mixed with the one before it (the first with the last), for mixup (Zhang et al. 2018:
 * an empty box) and cutmix (Yun et al. 2019: share 1). roll: the labels of those other pictures. Both come before the
 * model: no gradient. */
#include "ops/rules.h"
#include <stdbool.h>

static dlc_status mix_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                            dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(dlc_expect_real(in[0], "input", 4, "[batch, channels, height, width]"));
  DLC_TRY(dlc_expect_scalar(in[1], "share"));
  DLC_TRY(dlc_expect_shape(in[2], "box", DLC_I64, 1, (int64_t[]){4}));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status mix_reference(const dlc_call *call)
{
  const int64_t *dim = call->iv[0]->dim, sample = dim[1] * dim[2] * dim[3];
  const double share = call->in[1][0], *box = call->in[2];
  for (int64_t n = 0; n < dim[0]; n++) {
    const double *x = call->in[0] + n * sample, *r = call->in[0] + (n > 0 ? n - 1 : dim[0] - 1) * sample;
    double *y = call->out[0] + n * sample;
    for (int64_t i = 0; i < sample; i++) {
      const double row = (double)(i / dim[3] % dim[2]), column = (double)(i % dim[3]);
      const bool inside = row >= box[0] && row < box[2] && column >= box[1] && column < box[3];
      y[i] = inside ? r[i] : share * x[i] + (1 - share) * r[i];
    }
  }
  return DLC_OK;
}

static dlc_status roll_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_labels(in[0], in[0]->rank ? in[0]->dim[0] : 1));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

static dlc_status roll_reference(const dlc_call *call)
{
  const int64_t rows = call->iv[0]->dim[0];
  for (int64_t n = 0; n < rows; n++) call->out[0][n] = call->in[0][n > 0 ? n - 1 : rows - 1];
  return DLC_OK;
}

const dlc_op dlc_op_mix = {
    .size = sizeof(dlc_op),
    .name = "mix",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "each picture mixed with the one before it",
    .infer = mix_infer,
    .reference = mix_reference,
};

const dlc_op dlc_op_roll = {
    .size = sizeof(dlc_op),
    .name = "roll",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 1,
    .help = "each label becomes that of the sample before it",
    .infer = roll_infer,
    .reference = roll_reference,
};
