/* Checks and draws that the transforms share; see rules.h. */
#include "transforms/rules.h"

dlc_status dlc_expect_picture(const dlc_image *in)
{
  if (in->channels == 1 || in->channels == 3) return DLC_OK;
  return dlc_fail(DLC_INVALID, "the picture has %lld channels, expected 1 or 3", (long long)in->channels);
}

dlc_status dlc_expect_bytes(const dlc_image *in)
{
  if (in->dtype != DLC_U8) return dlc_fail(DLC_INVALID, "works on bytes: it belongs before to_float and normalize");
  return dlc_expect_picture(in);
}

dlc_status dlc_expect_probability(double p)
{
  if (p >= 0 && p <= 1) return DLC_OK;
  return dlc_fail(DLC_INVALID, "p is %g, expected 0 to 1", p);
}

dlc_status dlc_expect_sides(const int64_t size[2])
{
  for (int i = 0; i < 2; i++)
    if (size[i] < 1 || size[i] > DLC_MAX_SIDE)
      return dlc_fail(DLC_INVALID, "size is %lld, expected 1 to %d", (long long)size[i], DLC_MAX_SIDE);
  return DLC_OK;
}

dlc_status dlc_expect_area(const double scale[2], const double ratio[2])
{
  if (!(scale[0] > 0 && scale[1] <= 1))
    return dlc_fail(DLC_INVALID, "scale is [%g, %g], expected above 0 and at most 1", scale[0], scale[1]);
  if (ratio[0] > 0) return DLC_OK;
  return dlc_fail(DLC_INVALID, "ratio is [%g, %g], expected above 0", ratio[0], ratio[1]);
}

double dlc_draw_between(const dlc_transform_call *call, uint32_t draw, double low, double high)
{
  return low + (high - low) * (double)call->random(call, draw);
}

int64_t dlc_draw_below(const dlc_transform_call *call, uint32_t draw, int64_t n)
{
  return (int64_t)((double)call->random(call, draw) * (double)n);
}

bool dlc_draw_chance(const dlc_transform_call *call, uint32_t draw, double p)
{
  return (double)call->random(call, draw) < p;
}
