/* random_resized_crop: a random part of the picture, of random size and proportions, resized (Szegedy et al. 2015). */
#include "transforms/resample.h"
#include "transforms/rules.h"
#include <math.h>

typedef struct random_resized_crop {
  int64_t size[2];
  double scale[2], ratio[2];
  int64_t interpolation;
} random_resized_crop;

enum { TRIES = 10, DRAWS_A_TRY = 4 };

static dlc_status random_resized_crop_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const random_resized_crop *a = attr;
  DLC_TRY(dlc_expect_bytes(in));
  DLC_TRY(dlc_expect_sides(a->size));
  DLC_TRY(dlc_expect_area(a->scale, a->ratio));
  out->height = a->size[0];
  out->width = a->size[1];
  return DLC_OK;
}

/* The largest part in the middle whose proportions are allowed. */
static dlc_region middle(const random_resized_crop *a, int64_t height, int64_t width)
{
  const double ratio = (double)width / (double)height;
  dlc_region part = {0, 0, height, width};
  if (ratio < a->ratio[0]) part.height = (int64_t)rint((double)width / a->ratio[0]);
  else if (ratio > a->ratio[1]) part.width = (int64_t)rint((double)height * a->ratio[1]);
  if (part.height < 1) part.height = 1;
  if (part.width < 1) part.width = 1;
  part.top = (height - part.height) / 2;
  part.left = (width - part.width) / 2;
  return part;
}

static dlc_region choose(const dlc_transform_call *call)
{
  const random_resized_crop *a = call->attr;
  const int64_t height = call->in->height, width = call->in->width;
  const double area = (double)height * (double)width;
  for (uint32_t draw = 0; draw < TRIES * DRAWS_A_TRY; draw += DRAWS_A_TRY) {
    const double target = area * dlc_draw_between(call, draw, a->scale[0], a->scale[1]);
    const double ratio = exp(dlc_draw_between(call, draw + 1, log(a->ratio[0]), log(a->ratio[1])));
    const double w = rint(sqrt(target * ratio)), h = rint(sqrt(target / ratio));
    if (!(w >= 1 && w <= (double)width && h >= 1 && h <= (double)height)) continue;
    dlc_region part = {.height = (int64_t)h, .width = (int64_t)w};
    part.top = dlc_draw_below(call, draw + 2, height - part.height + 1);
    part.left = dlc_draw_below(call, draw + 3, width - part.width + 1);
    return part;
  }
  return middle(a, height, width);
}

static dlc_status stretch(const dlc_transform_call *call, const dlc_region *part)
{
  const random_resized_crop *a = call->attr;
  return dlc_resample(call, &(dlc_resampling){.from = *part,
                                              .height = call->out->height,
                                              .width = call->out->width,
                                              .interpolation = a->interpolation});
}

static dlc_status random_resized_crop_apply(const dlc_transform_call *call)
{
  const dlc_region part = choose(call);
  return stretch(call, &part);
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, random_resized_crop, size, NULL, "height and width of the result"),
    DLC_ATTR(RANGE, random_resized_crop, scale, "[0.08, 1.0]", "part of the picture's area"),
    DLC_ATTR(RANGE, random_resized_crop, ratio, "[0.75, 1.3333333333333333]", "width per height"),
    DLC_ATTR_WORD(random_resized_crop, interpolation, DLC_INTERPOLATIONS, "bilinear",
                  "how pixels between pixels are made"),
};

const dlc_transform dlc_transform_random_resized_crop = {
    .size = sizeof(dlc_transform),
    .name = "random_resized_crop",
    .help = "a random part of the picture, resized",
    .attr_size = sizeof(random_resized_crop),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = random_resized_crop_shape,
    .apply = random_resized_crop_apply,
};

const dlc_cut dlc_random_resized_crop_cut = {&dlc_transform_random_resized_crop, choose, stretch};
