/* to_float: bytes to numbers from 0 to 1. */
#include "transforms/rules.h"

static dlc_status to_float_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_bytes(in));
  out->dtype = DLC_F32;
  return DLC_OK;
}

static dlc_status to_float_apply(const dlc_transform_call *call)
{
  const size_t n = dlc_image_bytes(call->in);
  const uint8_t *in = call->in->data;
  float *out = call->out->data;
  for (size_t i = 0; i < n; i++) out[i] = (float)in[i] / 255.0f;
  return DLC_OK;
}

const dlc_transform dlc_transform_to_float = {
    .size = sizeof(dlc_transform),
    .name = "to_float",
    .help = "bytes to numbers from 0 to 1",
    .shape = to_float_shape,
    .apply = to_float_apply,
};
