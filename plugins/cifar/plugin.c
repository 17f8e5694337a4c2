/* The plugin as dlcore sees it: opening a data set, its description, the entry point. [main] */
#include "cifar.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dlc_data {
  cifar_images images;
  dlc_split splits[2];
  const char *names[CIFAR_MAX_CLASSES];
  char *origin; /* owned */
  dlc_dataset_info info;
};

static void describe(dlc_data *d, const cifar_layout *layout, const cifar_labels *labels)
{
  for (int i = 0; i < 2; i++)
    d->splits[i] = (dlc_split){.size = sizeof(dlc_split),
                               .name = i == 0 ? "train" : "test",
                               .count = d->images.split[i].count,
                               .labels = d->images.split[i].labels,
                               .samples = d->images.split[i].samples};
  for (uint32_t i = 0; i < labels->n_classes; i++) d->names[i] = d->images.names.name[i];
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = labels->n_classes,
                               .class_names = d->names,
                               .channels = CIFAR_CHANNELS,
                               .height = CIFAR_SIDE,
                               .width = CIFAR_SIDE,
                               .n_splits = 2,
                               .splits = d->splits,
                               .mean = layout->mean,
                               .std = layout->std,
                               .origin = d->origin};
}

/* A copy that lost some of its pictures is still well-formed. */
static void compare_counts(const dlc_host *h, const dlc_data *d, const cifar_layout *layout)
{
  const cifar_split *split = d->images.split;
  char text[160];
  if (split[0].count == 50000 && split[1].count == 10000) return;
  snprintf(text, sizeof text, "%lld train and %lld test pictures; the original %s has 50000 and 10000",
           (long long)split[0].count, (long long)split[1].count, layout->title);
  h->log(h, DLC_LOG_WARN, text);
}

dlc_status cifar_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                      dlc_data **data)
{
  const cifar_dataset *set = (const cifar_dataset *)ds;
  int coarse = ds->n_options > 0 && strcmp(values[0].s, "coarse") == 0;
  cifar_files files;
  dlc_status status = cifar_find(h, set->kind, source, coarse, &files);
  if (status != DLC_OK) return status;
  dlc_data *d = calloc(1, sizeof *d);
  if (d && asprintf(&d->origin, "%s%s%s", files.source->origin, *files.folder ? "/" : "", files.folder) < 0)
    d->origin = NULL;
  status = d && d->origin ? cifar_load(h, &files, &d->images) : h->fail(h, DLC_NOMEM, "out of memory");
  if (status == DLC_OK) {
    describe(d, files.layout, files.labels);
    compare_counts(h, d, files.layout);
    *data = d;
  } else if (d) {
    free(d->origin);
    free(d);
  }
  cifar_files_free(&files);
  return status;
}

void cifar_close(dlc_data *d)
{
  cifar_images_free(&d->images);
  free(d->origin);
  free(d);
}

const dlc_dataset_info *cifar_info(dlc_data *d)
{
  return &d->info;
}

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_DATASET) == 0 && i < cifar_n_datasets ? &cifar_datasets[i].base : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("cifar", "0.1.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
