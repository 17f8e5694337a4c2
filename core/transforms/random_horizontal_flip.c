/* random_horizontal_flip: left and right exchanged, with probability p. */
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

/* With a constant pixel size, so that the copies are moves. */
static inline void mirror(const uint8_t *in, uint8_t *out, int64_t n, size_t pixel)
{
  for (int64_t x = 0; x < n; x++) memcpy(out + (size_t)(n - 1 - x) * pixel, in + (size_t)x * pixel, pixel);
}

/* Four bytes are moved for three, the fourth into the pixel that is written next. */
static void mirror_colour(const uint8_t *in, uint8_t *out, int64_t n)
{
  for (int64_t x = n - 1; x >= 1; x--, out += 3) memcpy(out, in + 3 * x, 3);
  memcpy(out, in, 3);
}

static dlc_status flip_apply(const dlc_transform_call *call)
{
  const flip *a = call->attr;
  if (!dlc_draw_chance(call, 0, a->p)) return dlc_keep(call);
  const size_t pixel = dlc_pixel_bytes(call->in), row = (size_t)call->in->width * pixel;
  const uint8_t *in = call->in->data;
  uint8_t *out = call->out->data;
  for (int64_t y = 0; y < call->in->height; y++, in += row, out += row) {
    if (pixel == 3) mirror_colour(in, out, call->in->width);
    else if (pixel == 1) mirror(in, out, call->in->width, 1);
    else mirror(in, out, call->in->width, pixel);
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, flip, p, "0.5", "probability"),
};

const dlc_transform dlc_transform_random_horizontal_flip = {
    .size = sizeof(dlc_transform),
    .name = "random_horizontal_flip",
    .help = "left and right exchanged, at random",
    .attr_size = sizeof(flip),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = flip_shape,
    .apply = flip_apply,
};
