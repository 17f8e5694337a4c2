/* center_crop: the middle of a picture; one that is smaller is padded with zeros. */
#include "transforms/crop.h"
#include "transforms/rules.h"
#include <math.h>

typedef struct center_crop {
  int64_t size[2];
} center_crop;

static dlc_status center_crop_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const center_crop *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  DLC_TRY(dlc_expect_sides(a->size));
  out->height = a->size[0];
  out->width = a->size[1];
  return DLC_OK;
}

/* torchvision pads a smaller picture by (size - side) / 2 in front, cut; a larger one loses (side - size) / 2, rounded
 * half to even. */
static int64_t corner(int64_t side, int64_t size)
{
  return size > side ? -((size - side) / 2) : (int64_t)rint((double)(side - size) / 2.0);
}

static dlc_region choose(const dlc_transform_call *call)
{
  const dlc_image *in = call->in, *out = call->out;
  return (dlc_region){corner(in->height, out->height), corner(in->width, out->width), out->height, out->width};
}

static dlc_status cut(const dlc_transform_call *call, const dlc_region *region)
{
  return dlc_crop(call, region, DLC_PAD_ZERO);
}

static dlc_status center_crop_apply(const dlc_transform_call *call)
{
  const dlc_region region = choose(call);
  return cut(call, &region);
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, center_crop, size, NULL, "height and width of the crop"),
};

const dlc_transform dlc_transform_center_crop = {
    .size = sizeof(dlc_transform),
    .name = "center_crop",
    .help = "the middle of the picture",
    .attr_size = sizeof(center_crop),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = center_crop_shape,
    .apply = center_crop_apply,
};

const dlc_cut dlc_center_crop_cut = {&dlc_transform_center_crop, choose, cut};
