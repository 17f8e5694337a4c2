/* grayscale: luma, as one channel or three equal ones. */
#include "transforms/color.h"
#include "transforms/rules.h"

typedef struct grayscale {
  int64_t num_output_channels;
} grayscale;

static dlc_status grayscale_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const grayscale *a = attr;
  DLC_TRY(dlc_expect_bytes(in));
  if (a->num_output_channels != 1 && a->num_output_channels != 3)
    return dlc_fail(DLC_INVALID, "num_output_channels is %lld, expected 1 or 3", (long long)a->num_output_channels);
  out->channels = a->num_output_channels;
  return DLC_OK;
}

static dlc_status grayscale_apply(const dlc_transform_call *call)
{
  const size_t n = (size_t)call->in->height * (size_t)call->in->width;
  const uint8_t *in = call->in->data;
  uint8_t *out = call->out->data;
  if (call->in->channels == 1 && call->out->channels == 1) return dlc_keep(call);
  const size_t front = call->out->channels == 3 ? 2 * n : 0; /* behind what is written, until it is read */
  if (call->in->channels == 3) dlc_color_luma(in, out + front, n);
  if (call->out->channels == 1) return DLC_OK;
  const uint8_t *grey = call->in->channels == 3 ? out + front : in;
  for (size_t i = 0; i < n; i++) out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = grey[i];
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(INT, grayscale, num_output_channels, "1", "1, or 3 equal ones"),
};

const dlc_transform dlc_transform_grayscale = {
    .size = sizeof(dlc_transform),
    .name = "grayscale",
    .help = "brightness without colour",
    .attr_size = sizeof(grayscale),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = grayscale_shape,
    .apply = grayscale_apply,
};
