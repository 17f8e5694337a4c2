/* What several transforms share: checks with their reasons, draws, and saying that a picture stays as it is. [any] */
#ifndef DLC_TRANSFORMS_RULES_H
#define DLC_TRANSFORMS_RULES_H
#include "base/status.h"
#include "dlcore/transform.h"
#include <stdbool.h>

#define DLC_COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* The longest side that a transform makes. */
enum { DLC_MAX_SIDE = 65536 };

/* ---- shape rules: DLC_INVALID with what came and what was expected ---- */
dlc_status dlc_expect_bytes(const dlc_image *in);   /* u8; 1 or 3 channels */
dlc_status dlc_expect_picture(const dlc_image *in); /* u8 or f32; 1 or 3 channels */
dlc_status dlc_expect_probability(double p);
dlc_status dlc_expect_sides(const int64_t size[2]);
/* The attributes of a random area: parts of the picture in (0, 1], widths per height above 0. */
dlc_status dlc_expect_area(const double scale[2], const double ratio[2]);

/* ---- draws ---- */
double dlc_draw_between(const dlc_transform_call *call, uint32_t draw, double low, double high); /* [low, high) */
int64_t dlc_draw_below(const dlc_transform_call *call, uint32_t draw, int64_t n);                /* 0..n-1 */
bool dlc_draw_chance(const dlc_transform_call *call, uint32_t draw, double p);

/* ---- pixels ---- */
static inline size_t dlc_pixel_bytes(const dlc_image *image)
{
  return (size_t)image->channels * (image->dtype == DLC_F32 ? sizeof(float) : 1);
}

static inline size_t dlc_image_bytes(const dlc_image *image)
{
  return (size_t)image->height * (size_t)image->width * dlc_pixel_bytes(image);
}

/* The picture stays as it is, without a copy. */
static inline dlc_status dlc_keep(const dlc_transform_call *call)
{
  call->out->data = call->in->data;
  return DLC_OK;
}

#endif
