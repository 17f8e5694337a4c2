/* random_rotation: by a random angle about the middle; corners that come from outside are black. The steps through the
 * picture are Pillow's: 16 bits of fraction, added up from pixel to pixel, the pixel that is hit taken. */
#include "transforms/rules.h"
#include <math.h>
#include <string.h>

enum { MAX_DEGREES = 1000000 };

typedef struct random_rotation {
  dlc_numbers degrees;
} random_rotation;

static dlc_status random_rotation_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)out;
  const random_rotation *a = attr;
  DLC_TRY(dlc_expect_bytes(in));
  for (int64_t i = 0; i < a->degrees.count; i++) /* far beyond, differences of angles are not finite */
    if (!(fabs(a->degrees.at[i]) <= MAX_DEGREES))
      return dlc_fail(DLC_INVALID, "degrees is %g, expected -%d to %d", a->degrees.at[i], MAX_DEGREES, MAX_DEGREES);
  if (a->degrees.count == 1 && a->degrees.at[0] >= 0) return DLC_OK;
  if (a->degrees.count == 2 && a->degrees.at[0] <= a->degrees.at[1]) return DLC_OK;
  return dlc_fail(DLC_INVALID, "degrees must be one number, 0 or more, or [lowest, highest]");
}

/* Where the pixel (x, y) of the result comes from, in 65536ths of a pixel: x0 + x across_x + y down_x, and so on. */
typedef struct affine {
  int64_t x0, y0, across_x, across_y, down_x, down_y;
} affine;

static int64_t to_fixed(double v)
{
  return (int64_t)floor(v * 65536.0 + 0.5);
}

static affine rotation(double degrees, int64_t height, int64_t width)
{
  const double angle = -degrees * (3.14159265358979323846 / 180.0), c = cos(angle), s = sin(angle);
  const double x = (double)width / 2.0, y = (double)height / 2.0;
  return (affine){.x0 = to_fixed(x - c * x - s * y + c * 0.5 + s * 0.5), /* the middle of the first pixel */
                  .y0 = to_fixed(y + s * x - c * y - s * 0.5 + c * 0.5),
                  .across_x = to_fixed(c),
                  .across_y = to_fixed(-s),
                  .down_x = to_fixed(s),
                  .down_y = to_fixed(c)};
}

static int64_t floor_divide(int64_t a, int64_t b) /* b > 0 */
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

typedef struct span {
  int64_t begin, end;
} span;

/* Those x of `s` for which start + x * step lies in [0, limit). */
static span narrow(span s, int64_t start, int64_t step, int64_t limit)
{
  if (step == 0) return start >= 0 && start < limit ? s : (span){0, 0};
  /* Seen from the other side, a falling line rises. */
  const int64_t low = step > 0 ? -start : start - limit + 1, high = step > 0 ? limit - 1 - start : start;
  const int64_t size = step > 0 ? step : -step;
  const int64_t first = -floor_divide(-low, size), last = floor_divide(high, size);
  if (first > s.begin) s.begin = first;
  if (last + 1 < s.end) s.end = last + 1;
  return s.begin < s.end ? s : (span){0, 0};
}

/* With a constant pixel size, so that the copies are moves. */
static inline void take(const uint8_t *in, uint8_t *out, span s, int64_t x, int64_t y, const affine *m, size_t stride,
                        size_t pixel)
{
  for (int64_t i = s.begin; i < s.end; i++, x += m->across_x, y += m->across_y)
    memcpy(out + (size_t)i * pixel, in + (size_t)(y >> 16) * stride + (size_t)(x >> 16) * pixel, pixel);
}

static dlc_status random_rotation_apply(const dlc_transform_call *call)
{
  const random_rotation *a = call->attr;
  const dlc_image *in = call->in;
  const double low = a->degrees.count == 1 ? -a->degrees.at[0] : a->degrees.at[0];
  const double high = a->degrees.at[a->degrees.count - 1];
  const double degrees = fmod(dlc_draw_between(call, 0, low, high), 360.0);
  if (degrees == 0) return dlc_keep(call);
  const affine m = rotation(degrees, in->height, in->width);
  const size_t pixel = dlc_pixel_bytes(in), stride = (size_t)in->width * pixel;
  uint8_t *out = call->out->data;
  int64_t x = m.x0, y = m.y0;
  for (int64_t row = 0; row < in->height; row++, x += m.down_x, y += m.down_y, out += stride) {
    span s = {0, in->width};
    s = narrow(s, x, m.across_x, in->width << 16);
    s = narrow(s, y, m.across_y, in->height << 16);
    const int64_t from_x = x + s.begin * m.across_x, from_y = y + s.begin * m.across_y;
    memset(out, 0, (size_t)s.begin * pixel);
    memset(out + (size_t)s.end * pixel, 0, stride - (size_t)s.end * pixel);
    if (pixel == 3) take(in->data, out, s, from_x, from_y, &m, stride, 3);
    else take(in->data, out, s, from_x, from_y, &m, stride, 1);
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(NUMBERS, random_rotation, degrees, NULL, "largest angle either way, or [lowest, highest]"),
};

const dlc_transform dlc_transform_random_rotation = {
    .size = sizeof(dlc_transform),
    .name = "random_rotation",
    .help = "turned about the middle by a random angle",
    .attr_size = sizeof(random_rotation),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = random_rotation_shape,
    .apply = random_rotation_apply,
};
