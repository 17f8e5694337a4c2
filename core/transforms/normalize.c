/* normalize: (x - mean) / std per channel, of values from 0 to 1; bytes are scaled first. */
#include "transforms/normalize.h"
#include "transforms/rules.h"

typedef struct normalize {
  int64_t preset;
  dlc_numbers mean, std;
} normalize;

/* In the order of the words: none, imagenet, cifar10, mnist, half. */
static const struct {
  dlc_numbers mean, std;
} presets[] = {
    {{0}, {0}},
    {{3, {0.485, 0.456, 0.406}}, {3, {0.229, 0.224, 0.225}}},
    {{3, {0.4914, 0.4822, 0.4465}}, {3, {0.2470, 0.2435, 0.2616}}},
    {{1, {0.1307}}, {1, {0.3081}}},
    {{1, {0.5}}, {1, {0.5}}},
};

static dlc_status check_numbers(const char *what, const dlc_numbers *numbers, const dlc_image *in)
{
  if (numbers->count == 1 || numbers->count == in->channels) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s has %lld numbers, expected 1 or %lld (the channels)", what,
                  (long long)numbers->count, (long long)in->channels);
}

static dlc_status normalize_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h;
  const normalize *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  if (a->preset && (a->mean.count || a->std.count))
    return dlc_fail(DLC_INVALID, "takes a preset, or mean and std, not both");
  if (!a->preset && !(a->mean.count && a->std.count))
    return dlc_fail(DLC_INVALID, "needs a preset (imagenet, cifar10, mnist, half), or mean and std");
  const dlc_numbers *std = a->preset ? &presets[a->preset].std : &a->std;
  DLC_TRY(check_numbers("mean", a->preset ? &presets[a->preset].mean : &a->mean, in));
  DLC_TRY(check_numbers("std", std, in));
  for (int64_t i = 0; i < std->count; i++)
    if (!(std->at[i] > 0)) return dlc_fail(DLC_INVALID, "std is %g, expected above 0", std->at[i]);
  out->dtype = DLC_F32;
  return DLC_OK;
}

void dlc_normalize_numbers(const void *attr, float mean[4], float std[4])
{
  const normalize *a = attr;
  const dlc_numbers *m = a->preset ? &presets[a->preset].mean : &a->mean;
  const dlc_numbers *s = a->preset ? &presets[a->preset].std : &a->std;
  for (int64_t c = 0; c < 4; c++) {
    mean[c] = (float)m->at[c < m->count ? c : 0];
    std[c] = (float)s->at[c < s->count ? c : 0];
  }
}

/* Means and deviations repeat after 96 numbers, whether there are 1 or 3 channels: a stretch that compiles to vectors.
 */
enum { STRETCH = 96 };

static inline void stretch(const float *in, float *out, size_t n, const float *mean, const float *std)
{
  for (size_t i = 0; i < n; i++) out[i] = (in[i] - mean[i]) / std[i];
}

static inline void scale(const uint8_t *in, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++) out[i] = (float)in[i] / 255.0f;
}

static dlc_status normalize_apply(const dlc_transform_call *call)
{
  float mean[4], std[4], means[STRETCH], stds[STRETCH], scaled[STRETCH];
  dlc_normalize_numbers(call->attr, mean, std);
  for (int64_t i = 0; i < STRETCH; i++) {
    means[i] = mean[i % call->in->channels];
    stds[i] = std[i % call->in->channels];
  }
  const size_t n = (size_t)call->in->height * (size_t)call->in->width * (size_t)call->in->channels;
  const bool bytes = call->in->dtype == DLC_U8;
  float *out = call->out->data;
  for (size_t i = 0; i < n; i += STRETCH) {
    const size_t some = n - i < STRETCH ? n - i : STRETCH;
    if (bytes) scale((const uint8_t *)call->in->data + i, scaled, some);
    const float *in = bytes ? scaled : (const float *)call->in->data + i;
    if (some == STRETCH) stretch(in, out + i, STRETCH, means, stds);
    else stretch(in, out + i, some, means, stds);
  }
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR_WORD(normalize, preset, "none|imagenet|cifar10|mnist|half", "none", "well-known numbers by name"),
    DLC_ATTR(NUMBERS, normalize, mean, "[]", "one number, or one a channel"),
    DLC_ATTR(NUMBERS, normalize, std, "[]", "one number, or one a channel"),
};

const dlc_transform dlc_transform_normalize = {
    .size = sizeof(dlc_transform),
    .name = "normalize",
    .help = "subtract the mean, divide by the standard deviation",
    .attr_size = sizeof(normalize),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = normalize_shape,
    .apply = normalize_apply,
};
