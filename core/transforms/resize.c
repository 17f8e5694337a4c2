/* resize: to a given height and width, or the shorter side to a given length. */
#include "transforms/resample.h"
#include "transforms/rules.h"

typedef struct resize {
  dlc_numbers size; /* [short side] or [height, width] */
  int64_t interpolation;
} resize;

static dlc_status resize_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const resize *a = attr;
  DLC_TRY(dlc_expect_bytes(in));
  if (a->size.count != 1 && a->size.count != 2)
    return dlc_fail(DLC_INVALID, "size has %lld numbers, expected one (the shorter side) or [height, width]",
                    (long long)a->size.count);
  int64_t size[2];
  for (int i = 0; i < 2; i++) {
    const double given = a->size.at[a->size.count == 1 ? 0 : i];
    if (!(given >= 1 && given <= DLC_MAX_SIDE && given == (double)(int64_t)given))
      return dlc_fail(DLC_INVALID, "size is %g, expected a whole number, 1 to %d", given, DLC_MAX_SIDE);
    size[i] = (int64_t)given;
  }
  if (a->size.count == 1) { /* the longer side is cut, not rounded, as torchvision does */
    if (in->height > in->width) size[0] = (int64_t)((double)(size[0] * in->height) / (double)in->width);
    else if (in->height > 0) size[1] = (int64_t)((double)(size[1] * in->width) / (double)in->height);
    else size[0] = size[1] = 0;
  }
  out->height = size[0];
  out->width = size[1];
  return DLC_OK;
}

dlc_status dlc_resize_part(const dlc_transform_call *call, int64_t height, int64_t width, const dlc_region *part)
{
  const resize *a = call->attr;
  return dlc_resample(call, &(dlc_resampling){.from = {0, 0, call->in->height, call->in->width},
                                              .height = height,
                                              .width = width,
                                              .top = part->top,
                                              .left = part->left,
                                              .interpolation = a->interpolation});
}

static dlc_status resize_apply(const dlc_transform_call *call)
{
  const dlc_image *in = call->in, *out = call->out;
  if (in->height == out->height && in->width == out->width) return dlc_keep(call);
  return dlc_resize_part(call, out->height, out->width, &(dlc_region){0, 0, out->height, out->width});
}

static const dlc_attr attrs[] = {
    DLC_ATTR(NUMBERS, resize, size, NULL, "length of the shorter side, or [height, width]"),
    DLC_ATTR_WORD(resize, interpolation, DLC_INTERPOLATIONS, "bilinear", "how pixels between pixels are made"),
};

const dlc_transform dlc_transform_resize = {
    .size = sizeof(dlc_transform),
    .name = "resize",
    .help = "resize, antialiased; one number keeps the proportions",
    .attr_size = sizeof(resize),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = resize_shape,
    .apply = resize_apply,
};
