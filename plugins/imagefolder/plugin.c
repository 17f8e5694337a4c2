/* The plugin as dlcore sees it: options, opening, reading. An open dataset is not changed by reading, so any number of
 * threads may read. */
#include "decode.h"
#include "layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OPT_CHANNELS,
  OPT_LIMIT_PER_CLASS,
  OPT_LABEL_REGEX,
  OPT_UNLABELLED,
  OPT_EXIF,
  OPT_MAX_PIXELS,
  OPT_MAX_BYTES,
  N_OPTIONS
};
static const dlc_option options[N_OPTIONS] = {
    [OPT_CHANNELS] = {sizeof(dlc_option), DLC_OPTION_STRING, "channels", "3", "auto|1|3",
                      "3: colour, 1: grey, auto: as the first picture to train on"},
    [OPT_LIMIT_PER_CLASS] = {sizeof(dlc_option), DLC_OPTION_INT, "limit-per-class", "0", "0..1000000000",
                             "take the first so many pictures of each class; 0: all"},
    [OPT_LABEL_REGEX] = {sizeof(dlc_option), DLC_OPTION_STRING, "label-regex", NULL, NULL,
                         "classes from file names: the first group, as in '^(cat|dog)'"},
    [OPT_UNLABELLED] = {sizeof(dlc_option), DLC_OPTION_BOOL, "unlabelled", "false", NULL,
                        "every picture, without a class, is of the test split: for predictions"},
    [OPT_EXIF] = {sizeof(dlc_option), DLC_OPTION_STRING, "exif", "ignore", "ignore|apply",
                  "apply: turn pictures as their EXIF orientation says"},
    /* Pillow's limit against decompression bombs. */
    [OPT_MAX_PIXELS] = {sizeof(dlc_option), DLC_OPTION_INT, "max-pixels", "178956970", "1..1000000000",
                        "larger pictures are bad ones"},
    [OPT_MAX_BYTES] = {sizeof(dlc_option), DLC_OPTION_INT, "max-bytes", "536870912", "1..4294967296",
                       "larger files are bad ones"}};

struct dlc_data {
  const dlc_host *h;
  dlc_source *source;       /* dlcore's */
  const dlc_entry *entries; /* the source's */
  img_layout layout;
  img_rules rules;
  int64_t max_bytes;
  dlc_split splits[IMG_SPLITS];             /* those that there are */
  const img_split *pictures_of[IMG_SPLITS]; /* of splits[i] */
  dlc_dataset_info info;
};

/* ---- reading ---- */

static const dlc_entry *entry_of(const dlc_data *d, uint32_t split, int64_t index)
{
  return dlc_entry_at(d->entries, d->pictures_of[split]->entries[index]);
}

/* The whole file: in the source's memory, or in a buffer of the picture. */
static dlc_status read_file(const dlc_data *d, const dlc_entry *e, dlc_picture *picture, const uint8_t **bytes)
{
  const dlc_host *h = d->h;
  const char *origin = d->source->origin;
  if (e->bytes > d->max_bytes)
    return h->fail(h, DLC_INVALID, "%s/%s: %lld bytes, more than max-bytes %lld", origin, e->path, (long long)e->bytes,
                   (long long)d->max_bytes);
  *bytes = DLC_HAS(d->source, bytes) ? d->source->bytes(d->source, e) : NULL;
  if (*bytes) return DLC_OK;
  void *buffer = picture->scratch(picture, (size_t)e->bytes);
  if (!buffer) return h->fail(h, DLC_NOMEM, "%s/%s: out of memory: %lld bytes", origin, e->path, (long long)e->bytes);
  *bytes = buffer;
  return d->source->read(d->source, e, buffer);
}

static dlc_status img_read(dlc_data *d, uint32_t split, int64_t index, dlc_picture *picture)
{
  const dlc_entry *e = entry_of(d, split, index);
  const uint8_t *bytes = NULL;
  char reason[IMG_REASON] = "";
  dlc_status status = read_file(d, e, picture, &bytes);
  if (status != DLC_OK) return status;
  status = img_decode(&d->rules, bytes, (size_t)e->bytes, picture, reason);
  if (status == DLC_OK) return DLC_OK;
  return d->h->fail(d->h, status, "%s/%s: %s", d->source->origin, e->path, reason);
}

static void img_sample_name(dlc_data *d, uint32_t split, int64_t index, char *name, size_t n)
{
  snprintf(name, n, "%s", entry_of(d, split, index)->path);
}

/* ---- opening ---- */

/* Channels of the first picture; colour when it cannot be read, which is said when it is its turn. */
static uint32_t channels_of_first(const dlc_data *d)
{
  const dlc_entry *e = entry_of(d, 0, 0);
  uint32_t channels = 0;
  uint8_t *bytes = e->bytes > d->max_bytes ? NULL : malloc((size_t)e->bytes + 1);
  if (bytes && d->source->read(d->source, e, bytes) == DLC_OK) channels = img_channels(bytes, (size_t)e->bytes);
  free(bytes);
  return channels ? channels : 3;
}

static void describe(dlc_data *d, const dlc_option_value *values)
{
  uint32_t n = 0;
  for (int i = 0; i < IMG_SPLITS; i++) {
    const img_split *s = &d->layout.splits[i];
    if (s->count == 0) continue;
    d->pictures_of[n] = s;
    d->splits[n++] =
        (dlc_split){.size = sizeof(dlc_split), .name = img_split_names[i], .count = s->count, .labels = s->labels};
  }
  const char *channels = values[OPT_CHANNELS].s;
  d->rules = (img_rules){.channels = channels[0] == 'a' ? channels_of_first(d) : (uint32_t)(channels[0] - '0'),
                         .max_pixels = values[OPT_MAX_PIXELS].i,
                         .upright = strcmp(values[OPT_EXIF].s, "apply") == 0};
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = d->layout.n_classes,
                               .class_names = (const char *const *)d->layout.class_names,
                               .channels = d->rules.channels,
                               .n_splits = n,
                               .splits = d->splits,
                               .origin = d->source->origin};
}

static dlc_status find_layout(dlc_data *d, const dlc_option_value *values)
{
  img_layout_config config = {.origin = d->source->origin,
                              .label_regex = values[OPT_LABEL_REGEX].s,
                              .limit_per_class = values[OPT_LIMIT_PER_CLASS].i,
                              .unlabelled = (int)values[OPT_UNLABELLED].i};
  dlc_status status = d->source->list(d->source, &config.entries, &config.n);
  if (status != DLC_OK) return status;
  d->entries = config.entries;
  return img_layout_find(d->h, &config, &d->layout);
}

static dlc_status img_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                           dlc_data **data)
{
  (void)ds;
  if (!source)
    return h->fail(h, DLC_NOT_FOUND, "pictures have no usual place: give their folder or archive with --data-dir");
  dlc_data *d = calloc(1, sizeof *d);
  if (!d) return h->fail(h, DLC_NOMEM, "out of memory");
  d->h = h;
  d->source = source;
  d->max_bytes = values[OPT_MAX_BYTES].i;
  dlc_status status = find_layout(d, values);
  if (status != DLC_OK) {
    free(d);
    return status;
  }
  describe(d, values);
  *data = d;
  return DLC_OK;
}

static void img_close(dlc_data *d)
{
  img_layout_free(&d->layout);
  free(d);
}

static const dlc_dataset_info *img_info(dlc_data *d)
{
  return &d->info;
}

static const dlc_dataset imagefolder = {.size = sizeof(dlc_dataset),
                                        .name = "imagefolder",
                                        .help =
                                            "pictures (JPEG, PNG, PPM, PGM) in folders of classes, or named by class",
                                        .options = options,
                                        .n_options = N_OPTIONS,
                                        .open = img_open,
                                        .close = img_close,
                                        .info = img_info,
                                        .read = img_read,
                                        .sample_name = img_sample_name};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_DATASET) == 0 && i == 0 ? &imagefolder : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("imagefolder", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
