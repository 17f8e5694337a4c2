/* normalize: pixels as bytes -> (x / 255 - mean) / std per channel. The first node of a model: it has no gradient. */
#include "ops/rules.h"

static dlc_status normalize_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                  uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 3));
  DLC_TRY(dlc_expect_dtype(in[0], "input", DLC_U8));
  if (in[0]->rank != 4)
    return dlc_fail(DLC_INVALID, "input is %s, expected [batch, channels, height, width]",
                    dlc_name_shape(in[0]->rank, in[0]->dim).text);
  DLC_TRY(dlc_expect_shape(in[1], "mean", in[1]->dtype, 1, &in[0]->dim[1]));
  DLC_TRY(dlc_expect_real_any(in[1], "mean"));
  DLC_TRY(dlc_expect_shape(in[2], "std", in[1]->dtype, 1, &in[0]->dim[1]));
  *n_out = 1;
  return dlc_shape_set(&out[0], in[1]->dtype, 4, in[0]->dim);
}

static dlc_status normalize_reference(const dlc_call *call)
{
  const int64_t channels = call->iv[0]->dim[1], plane = dlc_plane(call->iv[0]);
  const int64_t planes = call->iv[0]->dim[0] * channels;
  for (int64_t p = 0; p < planes; p++) {
    const double mean = call->in[1][p % channels], std = call->in[2][p % channels];
    const double *x = call->in[0] + p * plane;
    double *y = call->out[0] + p * plane;
    for (int64_t i = 0; i < plane; i++) y[i] = (x[i] / 255 - mean) / std;
  }
  return DLC_OK;
}

const dlc_op dlc_op_normalize = {
    .size = sizeof(dlc_op),
    .name = "normalize",
    .version = 1,
    .kind = DLC_OP_PLAIN,
    .n_data = 3,
    .help = "bytes to normalized numbers, per channel",
    .infer = normalize_infer,
    .reference = normalize_reference,
};
