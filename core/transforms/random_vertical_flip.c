/* random_vertical_flip: top and bottom exchanged, with probability p. */
#include "transforms/rules.h"
#include <string.h>

typedef struct flip {
  double p;
} flip;

static dlc_status flip_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)out;
  const flip *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  return dlc_expect_probability(a->p);
}

static dlc_status flip_apply(const dlc_transform_call *call)
{
  const flip *a = call->attr;
  if (!dlc_draw_chance(call, 0, a->p)) return dlc_keep(call);
  const size_t row = (size_t)call->in->width * dlc_pixel_bytes(call->in);
  const uint8_t *in = call->in->data;
  uint8_t *out = (uint8_t *)call->out->data + (size_t)call->in->height * row;
  for (int64_t y = 0; y < call->in->height; y++, in += row) memcpy(out -= row, in, row);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, flip, p, "0.5", "probability"),
};

const dlc_transform dlc_transform_random_vertical_flip = {
    .size = sizeof(dlc_transform),
    .name = "random_vertical_flip",
    .help = "top and bottom exchanged, at random",
    .attr_size = sizeof(flip),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = flip_shape,
    .apply = flip_apply,
};
