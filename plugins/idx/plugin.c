/* The plugin as dlcore sees it: opening a data set, its description, the entry point. [main] */
#include "idx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dlc_data {
  idx_images images;
  dlc_split splits[2];
  char numbers[IDX_MAX_CLASSES][4]; /* names of classes that have none */
  const char *names[IDX_MAX_CLASSES];
  char *origin; /* owned: the folder */
  dlc_dataset_info info;
};

static void describe(dlc_data *d, const idx_kind *kind)
{
  const idx_images *images = &d->images;
  for (int i = 0; i < 2; i++)
    d->splits[i] = (dlc_split){.size = sizeof(dlc_split),
                               .name = i == 0 ? "train" : "test",
                               .count = images->split[i].count,
                               .labels = images->split[i].labels,
                               .samples = images->split[i].samples};
  for (uint32_t i = 0; i < images->n_classes; i++) {
    snprintf(d->numbers[i], sizeof d->numbers[i], "%u", i & 0xff);
    d->names[i] = kind->names ? kind->names[i] : d->numbers[i];
  }
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = images->n_classes,
                               .class_names = d->names,
                               .channels = images->channels,
                               .height = images->height,
                               .width = images->width,
                               .n_splits = 2,
                               .splits = d->splits,
                               .mean = images->mean,
                               .std = images->std,
                               .origin = d->origin};
}

/* The variant that option 0 names, else the only one. */
static const idx_kind *find_kind(const idx_dataset *set, const dlc_option_value *values)
{
  for (uint32_t i = 1; i < set->n_kinds; i++)
    if (strcmp(values[0].s, set->kinds[i].variant) == 0) return &set->kinds[i];
  return &set->kinds[0];
}

dlc_status idx_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                    dlc_data **data)
{
  const idx_dataset *set = (const idx_dataset *)ds;
  const idx_kind *kind = find_kind(set, values);
  uint32_t classes = kind->n_classes ? 0 : (uint32_t)values[0].i;
  idx_files files;
  dlc_status status = idx_find(h, kind, source, &files);
  if (status != DLC_OK) return status;
  dlc_data *d = calloc(1, sizeof *d);
  status = d ? idx_load(h, kind, &files, classes, &d->images) : h->fail(h, DLC_NOMEM, "out of memory");
  if (status == DLC_OK) {
    d->origin = files.folder;
    files.folder = NULL;
    describe(d, kind);
    *data = d;
  } else {
    free(d);
  }
  idx_files_free(&files);
  return status;
}

void idx_close(dlc_data *d)
{
  idx_images_free(&d->images);
  free(d->origin);
  free(d);
}

const dlc_dataset_info *idx_info(dlc_data *d)
{
  return &d->info;
}

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_DATASET) == 0 && i < idx_n_datasets ? &idx_datasets[i].base : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("idx", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
