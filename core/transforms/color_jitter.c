/* color_jitter: brightness, contrast, saturation and hue by random factors, in random order. */
#include "transforms/color.h"
#include "transforms/rules.h"
#include <math.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, N_KINDS };

typedef struct color_jitter {
  dlc_numbers how[N_KINDS]; /* each x, for [1 - x, 1 + x] (hue: [-x, x]), or [low, high] */
} color_jitter;

/* The attribute table wants a name for each. */
typedef struct named_jitter {
  dlc_numbers brightness, contrast, saturation, hue;
} named_jitter;

static const char *const names[N_KINDS] = {"brightness", "contrast", "saturation", "hue"};

typedef struct range {
  double low, high;
} range;

static range range_of(const dlc_numbers *how, int kind)
{
  const double middle = kind == HUE ? 0 : 1;
  if (how->count == 2) return (range){how->at[0], how->at[1]};
  const double x = how->count ? how->at[0] : 0, low = middle - x;
  return (range){kind != HUE && low < 0 ? 0 : low, middle + x};
}

static dlc_status color_jitter_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)out;
  const color_jitter *a = attr;
  DLC_TRY(dlc_expect_bytes(in));
  for (int k = 0; k < N_KINDS; k++) {
    if (a->how[k].count < 1 || a->how[k].count > 2)
      return dlc_fail(DLC_INVALID, "%s has %lld numbers, expected one or [low, high]", names[k],
                      (long long)a->how[k].count);
    if (a->how[k].count == 1 && !(a->how[k].at[0] >= 0))
      return dlc_fail(DLC_INVALID, "%s is %g, expected 0 or more", names[k], a->how[k].at[0]);
    const range r = range_of(&a->how[k], k);
    const double least = k == HUE ? -0.5 : 0, most = k == HUE ? 0.5 : HUGE_VAL;
    if (!(least <= r.low && r.low <= r.high && r.high <= most))
      return dlc_fail(DLC_INVALID, "%s is [%g, %g], expected %s", names[k], r.low, r.high,
                      k == HUE ? "-0.5 to 0.5" : "low <= high, 0 or more");
  }
  return DLC_OK;
}

/* What contrast blends with: the mean luma. */
static int mean_grey(const uint8_t *in, int64_t channels, size_t n)
{
  const uint64_t sum = channels == 3 ? dlc_color_luma_sum(in, n) : dlc_color_sum(in, n);
  return (int)((double)sum / (double)n + 0.5);
}

/* `out` may be `in`. */
static void jitter(int kind, double factor, const uint8_t *in, uint8_t *out, int64_t channels, size_t n)
{
  const size_t bytes = n * (size_t)channels;
  if (kind == BRIGHTNESS) dlc_color_blend(in, out, bytes, 0, (float)factor);
  if (kind == CONTRAST) dlc_color_blend(in, out, bytes, mean_grey(in, channels, n), (float)factor);
  if (kind == SATURATION) dlc_color_saturate(in, out, n, (float)factor);
  if (kind == HUE) dlc_color_turn_hue(in, out, n, (int)(factor * 255.0));
}

/* Draws 0..2 choose the order, 4..7 the factors. */
static dlc_status color_jitter_apply(const dlc_transform_call *call)
{
  const color_jitter *a = call->attr;
  const dlc_image *in = call->in;
  const size_t n = (size_t)in->height * (size_t)in->width;
  int order[N_KINDS] = {0, 1, 2, 3};
  for (int i = N_KINDS - 1; i > 0; i--) { /* Fisher and Yates */
    const int j = (int)dlc_draw_below(call, (uint32_t)(N_KINDS - 1 - i), i + 1), k = order[i];
    order[i] = order[j];
    order[j] = k;
  }
  const uint8_t *from = in->data;
  for (int i = 0; i < N_KINDS; i++) {
    const int kind = order[i];
    const range r = range_of(&a->how[kind], kind);
    const double middle = kind == HUE ? 0 : 1;
    if (in->channels == 1 && kind >= SATURATION) continue;
    if (r.low == middle && r.high == middle) continue;
    jitter(kind, dlc_draw_between(call, 4 + (uint32_t)kind, r.low, r.high), from, call->out->data, in->channels, n);
    from = call->out->data;
  }
  return from == in->data ? dlc_keep(call) : DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(NUMBERS, named_jitter, brightness, "0", "x: factor from 1 - x to 1 + x; or [low, high]"),
    DLC_ATTR(NUMBERS, named_jitter, contrast, "0", "x: factor from 1 - x to 1 + x; or [low, high]"),
    DLC_ATTR(NUMBERS, named_jitter, saturation, "0", "x: factor from 1 - x to 1 + x; or [low, high]"),
    DLC_ATTR(NUMBERS, named_jitter, hue, "0", "x: turned by -x to x of a circle; or [low, high]"),
};
_Static_assert(sizeof(named_jitter) == sizeof(color_jitter), "two views of one struct");

const dlc_transform dlc_transform_color_jitter = {
    .size = sizeof(dlc_transform),
    .name = "color_jitter",
    .help = "brightness, contrast, saturation and hue changed at random",
    .attr_size = sizeof(color_jitter),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = color_jitter_shape,
    .apply = color_jitter_apply,
};
