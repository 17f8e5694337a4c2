/* random_crop: a window at a random place, after padding; with torchvision's order of paddings, which is not that of
 * convolutions. */
#include "transforms/crop.h"
#include "transforms/rules.h"

typedef struct random_crop {
  int64_t size[2];    /* height, width */
  int64_t padding[4]; /* left, top, right, bottom */
  int64_t padding_mode;
} random_crop;

static dlc_status check_padding(const random_crop *a, int64_t side, int i)
{
  const int64_t before = a->padding[1 - i], after = a->padding[3 - i];
  const char *what = i ? "wide" : "high";
  if (before < 0) return dlc_fail(DLC_INVALID, "padding must be numbers here, not same");
  if (before > DLC_MAX_SIDE || after > DLC_MAX_SIDE)
    return dlc_fail(DLC_INVALID, "padding goes up to %d", DLC_MAX_SIDE);
  if (side == 0) return DLC_OK;
  if (a->padding_mode == DLC_PAD_REFLECT && (before >= side || after >= side))
    return dlc_fail(DLC_INVALID, "the picture is %lld %s, padding_mode reflect needs more than its padding",
                    (long long)side, what);
  if (side + before + after >= a->size[i]) return DLC_OK;
  return dlc_fail(DLC_INVALID, "the picture is %lld %s with its padding, size is %lld: resize comes first",
                  (long long)(side + before + after), what, (long long)a->size[i]);
}

static dlc_status random_crop_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const random_crop *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  DLC_TRY(dlc_expect_sides(a->size));
  DLC_TRY(check_padding(a, in->height, 0));
  DLC_TRY(check_padding(a, in->width, 1));
  out->height = a->size[0];
  out->width = a->size[1];
  return DLC_OK;
}

static dlc_region choose(const dlc_transform_call *call)
{
  const random_crop *a = call->attr;
  const dlc_image *in = call->in, *out = call->out;
  const int64_t places[2] = {in->height + a->padding[1] + a->padding[3] - out->height + 1,
                             in->width + a->padding[0] + a->padding[2] - out->width + 1};
  const int64_t top = dlc_draw_below(call, 0, places[0]) - a->padding[1];
  const int64_t left = dlc_draw_below(call, 1, places[1]) - a->padding[0];
  return (dlc_region){top, left, out->height, out->width};
}

static dlc_status cut(const dlc_transform_call *call, const dlc_region *region)
{
  const random_crop *a = call->attr;
  return dlc_crop(call, region, (int)a->padding_mode);
}

static dlc_status random_crop_apply(const dlc_transform_call *call)
{
  const dlc_region region = choose(call);
  return cut(call, &region);
}

static const dlc_attr attrs[] = {
    DLC_ATTR(PAIR, random_crop, size, NULL, "height and width of the crop"),
    DLC_ATTR(PADDING, random_crop, padding, "0",
             "pixels added around the picture first; [left and right, top and bottom] or [left, top, right, bottom]"),
    DLC_ATTR_WORD(random_crop, padding_mode, "zero|reflect", "zero", "what the added pixels show"),
};

const dlc_transform dlc_transform_random_crop = {
    .size = sizeof(dlc_transform),
    .name = "random_crop",
    .help = "a window at a random place",
    .attr_size = sizeof(random_crop),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = random_crop_shape,
    .apply = random_crop_apply,
};

const dlc_cut dlc_random_crop_cut = {&dlc_transform_random_crop, choose, cut};
