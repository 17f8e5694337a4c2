/* random_erasing: a random rectangle filled with a value, with probability p (Zhong et al. 2017). */
#include "transforms/rules.h"
#include <math.h>
#include <string.h>

typedef struct random_erasing {
  double p, scale[2], ratio[2];
  dlc_numbers value;
} random_erasing;

enum { TRIES = 10, DRAWS_A_TRY = 4 };

static dlc_status random_erasing_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)out;
  const random_erasing *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  DLC_TRY(dlc_expect_probability(a->p));
  DLC_TRY(dlc_expect_area(a->scale, a->ratio));
  if (a->value.count != 1 && a->value.count != in->channels)
    return dlc_fail(DLC_INVALID, "value has %lld numbers, expected 1 or %lld (the channels)", (long long)a->value.count,
                    (long long)in->channels);
  for (int64_t i = 0; in->dtype == DLC_U8 && i < a->value.count; i++)
    if (!(a->value.at[i] >= 0 && a->value.at[i] <= 255))
      return dlc_fail(DLC_INVALID, "value is %g, expected 0 to 255 before to_float and normalize", a->value.at[i]);
  return DLC_OK;
}

static void fill(const random_erasing *a, const dlc_image *image, int64_t top, int64_t left, int64_t h, int64_t w)
{
  for (int64_t y = top; y < top + h; y++)
    for (int64_t x = left; x < left + w; x++)
      for (int64_t c = 0; c < image->channels; c++) {
        const size_t i = (size_t)((y * image->width + x) * image->channels + c);
        const double v = a->value.at[c < a->value.count ? c : 0];
        if (image->dtype == DLC_U8) ((uint8_t *)image->data)[i] = (uint8_t)v;
        else ((float *)image->data)[i] = (float)v;
      }
}

static dlc_status random_erasing_apply(const dlc_transform_call *call)
{
  const random_erasing *a = call->attr;
  const int64_t height = call->in->height, width = call->in->width;
  if (!dlc_draw_chance(call, 0, a->p)) return dlc_keep(call);
  for (uint32_t draw = 1; draw < 1 + TRIES * DRAWS_A_TRY; draw += DRAWS_A_TRY) {
    const double area = (double)height * (double)width * dlc_draw_between(call, draw, a->scale[0], a->scale[1]);
    const double ratio = exp(dlc_draw_between(call, draw + 1, log(a->ratio[0]), log(a->ratio[1])));
    const double h = rint(sqrt(area * ratio)), w = rint(sqrt(area / ratio));
    if (!(h < (double)height && w < (double)width)) continue;
    const int64_t top = dlc_draw_below(call, draw + 2, height - (int64_t)h + 1);
    const int64_t left = dlc_draw_below(call, draw + 3, width - (int64_t)w + 1);
    memcpy(call->out->data, call->in->data, dlc_image_bytes(call->in));
    fill(a, call->out, top, left, (int64_t)h, (int64_t)w);
    return DLC_OK;
  }
  return dlc_keep(call);
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, random_erasing, p, "0.5", "probability"),
    DLC_ATTR(RANGE, random_erasing, scale, "[0.02, 0.33]", "part of the picture's area"),
    DLC_ATTR(RANGE, random_erasing, ratio, "[0.3, 3.3]", "height per width"),
    DLC_ATTR(NUMBERS, random_erasing, value, "0", "what is filled in, one number or one a channel"),
};

const dlc_transform dlc_transform_random_erasing = {
    .size = sizeof(dlc_transform),
    .name = "random_erasing",
    .help = "a random rectangle filled with a value",
    .attr_size = sizeof(random_erasing),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = random_erasing_shape,
    .apply = random_erasing_apply,
};
