/* The plugin as dlcore sees it. Pictures are drawn when they are read, by whoever reads them; labels are kept. */
#include "shapes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_COUNT, OPT_TEST_COUNT, OPT_SIZE, OPT_CHANNELS, OPT_SEED, OPT_NOISE, N_OPTIONS };
static const dlc_option options[N_OPTIONS] = {
    [OPT_COUNT] = {sizeof(dlc_option), DLC_OPTION_INT, "count", "6000", "1..10000000", "pictures to train on"},
    [OPT_TEST_COUNT] = {sizeof(dlc_option), DLC_OPTION_INT, "test-count", "1000", "1..10000000", "pictures to test on"},
    [OPT_SIZE] = {sizeof(dlc_option), DLC_OPTION_INT, "size", "28", "8..512", "height and width"},
    [OPT_CHANNELS] = {sizeof(dlc_option), DLC_OPTION_STRING, "channels", "1", "1|3", "1: grey, 3: colour"},
    [OPT_SEED] = {sizeof(dlc_option), DLC_OPTION_INT, "seed", "0", NULL, "another seed, other pictures"},
    [OPT_NOISE] = {sizeof(dlc_option), DLC_OPTION_INT, "noise", "24", "0..128", "noise in grey levels, of 256"}};

/* Of the default pictures; 0.5, because bright on dark and dark on bright are equally frequent. */
static const float mean[3] = {0.5f, 0.5f, 0.5f};
static const float std[3] = {0.24f, 0.24f, 0.24f};

struct dlc_data {
  const dlc_random *random;
  shapes_style style;
  int32_t *labels[2]; /* owned */
  dlc_split splits[2];
  char origin[64];
  dlc_dataset_info info;
};

static void shapes_close(dlc_data *d)
{
  free(d->labels[0]);
  free(d->labels[1]);
  free(d);
}

static dlc_status make_split(const dlc_host *h, dlc_data *d, uint32_t split, const char *name, int64_t count)
{
  int32_t *labels = malloc((size_t)count * sizeof *labels);
  if (!labels) return h->fail(h, DLC_NOMEM, "shapes: out of memory: %lld labels", (long long)count);
  for (int64_t i = 0; i < count; i++) {
    uint32_t word[4];
    d->random->words(d->style.seed, SHAPES_PURPOSE_LABEL, split, (uint32_t)i, 0, word);
    labels[i] = (int32_t)(word[0] % SHAPES_CLASSES);
  }
  d->labels[split] = labels;
  d->splits[split] = (dlc_split){.size = sizeof(dlc_split), .name = name, .count = count, .labels = labels};
  return DLC_OK;
}

static dlc_status shapes_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source,
                              const dlc_option_value *values, dlc_data **data)
{
  (void)ds;
  const dlc_random *random = h->service(h, DLC_SERVICE_RANDOM);
  if (!random) return h->fail(h, DLC_UNSUPPORTED, "shapes: this host has no service " DLC_SERVICE_RANDOM);
  if (source) h->log(h, DLC_LOG_WARN, "pictures are made, not read: the data folder is not used");
  dlc_data *d = calloc(1, sizeof *d);
  if (!d) return h->fail(h, DLC_NOMEM, "shapes: out of memory");
  d->random = random;
  d->style = (shapes_style){.seed = (uint64_t)values[OPT_SEED].i,
                            .size = (int32_t)values[OPT_SIZE].i,
                            .channels = values[OPT_CHANNELS].s[0] - '0',
                            .noise = (int32_t)values[OPT_NOISE].i};
  dlc_status status = make_split(h, d, 0, "train", values[OPT_COUNT].i);
  if (status == DLC_OK) status = make_split(h, d, 1, "test", values[OPT_TEST_COUNT].i);
  if (status != DLC_OK) {
    shapes_close(d);
    return status;
  }
  snprintf(d->origin, sizeof d->origin, "generated, seed %lld", (long long)values[OPT_SEED].i);
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = SHAPES_CLASSES,
                               .class_names = shapes_names,
                               .channels = d->style.channels,
                               .height = d->style.size,
                               .width = d->style.size,
                               .n_splits = 2,
                               .splits = d->splits,
                               .mean = mean,
                               .std = std,
                               .origin = d->origin};
  *data = d;
  return DLC_OK;
}

static const dlc_dataset_info *shapes_info(dlc_data *d)
{
  return &d->info;
}

static dlc_status shapes_read(dlc_data *d, uint32_t split, int64_t index, dlc_picture *picture)
{
  const int64_t size = d->style.size, channels = d->style.channels, n = size * size;
  dlc_status status = picture->reserve(picture, size, size, channels);
  if (status != DLC_OK) return status;
  uint8_t *planes = channels == 1 ? picture->pixels : picture->scratch(picture, (size_t)(channels * n));
  if (!planes) return DLC_NOMEM;
  shapes_draw(d->random, &d->style, split, (uint32_t)index, (uint32_t)d->labels[split][index], planes);
  for (int64_t c = 0; c < channels && channels > 1; c++)
    for (int64_t i = 0; i < n; i++) picture->pixels[i * channels + c] = planes[c * n + i];
  return DLC_OK;
}

static const dlc_dataset shapes = {.size = sizeof(dlc_dataset),
                                   .name = "shapes",
                                   .help = "generated pictures of 10 shapes, any number and size; needs no file",
                                   .options = options,
                                   .n_options = N_OPTIONS,
                                   .open = shapes_open,
                                   .close = shapes_close,
                                   .info = shapes_info,
                                   .read = shapes_read};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_DATASET) == 0 && i == 0 ? &shapes : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("shapes", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
