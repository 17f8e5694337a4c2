/* A dataset: noisy grey pictures of stripes, 16 x 16, that run across, down or along a diagonal. It needs no file. Run
 *   dlcore --dataset stripes:count=600
 * A dataset in memory gives all its samples as one block per split; one that reads from files gives `read` instead. */
#include <dlcore/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 16, CLASSES = 3, PURPOSE = 0x10000 /* keeps our random numbers apart from dlcore's */ };
enum { OPTION_COUNT, OPTION_SEED };

static const dlc_option options[] = {
    {sizeof(dlc_option), DLC_OPTION_INT, "count", "600", "1..1000000",
     "training pictures; a fifth as many for the test"},
    {sizeof(dlc_option), DLC_OPTION_INT, "seed", "0", "0..4294967295", "another seed, other pictures"}};

static const char *const class_names[CLASSES] = {"across", "down", "diagonal"};
static const char *const split_names[2] = {"train", "test"};

struct dlc_data {
  dlc_dataset_info info;
  dlc_split split[2];
  uint8_t *samples[2];
  int32_t *labels[2];
  char origin[64];
};

/* Picture i of a split is a function of (seed, split, i) and nothing else. */
static int32_t draw(const dlc_random *random, uint64_t seed, uint32_t split, uint32_t i, uint8_t *picture)
{
  uint32_t word[4];
  random->words(seed, PURPOSE, split, i, 0, word);
  int32_t label = (int32_t)(word[0] % CLASSES);
  uint32_t width = 2 + word[1] % 3, shift = word[2] % 16;
  for (uint32_t y = 0; y < SIZE; y++) {
    for (uint32_t x = 0; x < SIZE; x++) {
      uint32_t at = label == 0 ? y : label == 1 ? x : x + y;
      if (x % 4 == 0) random->words(seed, PURPOSE, split, i, 1 + (y * SIZE + x) / 4, word);
      uint32_t noise = word[x % 4] % 128;
      picture[y * SIZE + x] = (uint8_t)(noise + ((at + shift) / width % 2 ? 100 : 0));
    }
  }
  return label;
}

static void close_data(dlc_data *d)
{
  if (!d) return;
  for (int s = 0; s < 2; s++) {
    free(d->samples[s]);
    free(d->labels[s]);
  }
  free(d);
}

static dlc_status open_data(const dlc_dataset *ds, const dlc_host *h, dlc_source *source,
                            const dlc_option_value *values, dlc_data **data)
{
  const dlc_random *random = h->service(h, DLC_SERVICE_RANDOM);
  uint64_t seed = (uint64_t)values[OPTION_SEED].i;
  int64_t counts[2] = {values[OPTION_COUNT].i, (values[OPTION_COUNT].i + 4) / 5};
  (void)ds, (void)source;
  dlc_data *d = calloc(1, sizeof *d);
  if (!d) return h->fail(h, DLC_NOMEM, "stripes: out of memory");
  for (uint32_t s = 0; s < 2; s++) {
    d->samples[s] = malloc((size_t)counts[s] * SIZE * SIZE);
    d->labels[s] = malloc((size_t)counts[s] * sizeof *d->labels[s]);
    if (!d->samples[s] || !d->labels[s]) {
      close_data(d);
      return h->fail(h, DLC_NOMEM, "stripes: out of memory for %lld pictures", (long long)counts[s]);
    }
    for (int64_t i = 0; i < counts[s]; i++)
      d->labels[s][i] = draw(random, seed, s, (uint32_t)i, d->samples[s] + i * SIZE * SIZE);
    d->split[s] = (dlc_split){sizeof(dlc_split), split_names[s], counts[s], d->labels[s], d->samples[s]};
  }
  snprintf(d->origin, sizeof d->origin, "drawn with seed %llu", (unsigned long long)seed);
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = CLASSES,
                               .class_names = class_names,
                               .channels = 1,
                               .height = SIZE,
                               .width = SIZE,
                               .n_splits = 2,
                               .splits = d->split,
                               .origin = d->origin};
  *data = d;
  return DLC_OK;
}

static const dlc_dataset_info *info(dlc_data *d)
{
  return &d->info;
}

static const dlc_dataset dataset = {.size = sizeof(dlc_dataset),
                                    .name = "stripes",
                                    .help = "noisy stripes, no files",
                                    .options = options,
                                    .n_options = 2,
                                    .open = open_data,
                                    .close = close_data,
                                    .info = info};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_DATASET) == 0 && i == 0 ? &dataset : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("stripes", "1.0.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
