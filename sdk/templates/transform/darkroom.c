/* A transform: solarize turns light values into dark ones, with some probability. With it a list of transforms may say
 *   --train-transforms "resize(40) darkroom.solarize(threshold=128, p=0.3) random_horizontal_flip"
 * A transform is a shape rule and a kernel. It keeps no state: whatever it needs to choose it draws, so that a picture
 * becomes the same thing on any thread, in any order, and after a restart. */
#include <dlcore/plugin.h>
#include <string.h>

typedef struct solarize {
  double p;
  int64_t threshold;
} solarize;

static const dlc_attr attrs[] = {DLC_ATTR(FLOAT, solarize, p, "0.5", "probability"),
                                 DLC_ATTR(INT, solarize, threshold, "128", "from this value on, 0 to 256")};

/* `out` comes with the input's type and size, which this one keeps. */
static dlc_status shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  const solarize *s = attr;
  (void)out;
  if (in->dtype != DLC_U8) return h->fail(h, DLC_INVALID, "works on bytes: it belongs before to_float and normalize");
  if (s->p >= 0 && s->p <= 1 && s->threshold >= 0 && s->threshold <= 256) return DLC_OK;
  return h->fail(h, DLC_INVALID, "p is %g, threshold %lld; expected 0 to 1 and 0 to 256", s->p,
                 (long long)s->threshold);
}

static dlc_status apply(const dlc_transform_call *call)
{
  const solarize *s = call->attr;
  const dlc_image *in = call->in;
  const uint8_t *from = in->data;
  uint8_t *to = call->out->data;
  if ((double)call->random(call, 0) >= s->p) {
    call->out->data = in->data; /* nothing changes: no copy */
    return DLC_OK;
  }
  for (int64_t i = 0; i < in->height * in->width * in->channels; i++)
    to[i] = from[i] >= s->threshold ? (uint8_t)(255 - from[i]) : from[i];
  return DLC_OK;
}

static const dlc_transform transform = {.size = sizeof(dlc_transform),
                                        .name = "darkroom.solarize",
                                        .help = "light values turned dark, at random",
                                        .attr_size = sizeof(solarize),
                                        .attrs = attrs,
                                        .n_attrs = 2,
                                        .shape = shape,
                                        .apply = apply};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_TRANSFORM) == 0 && i == 0 ? &transform : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("darkroom", "1.0.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
