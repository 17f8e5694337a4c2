/* Splits with fewer samples in front of a dataset: numbers are translated, samples in memory copied. */
#include "data/limited.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct few {
  int64_t *index; /* sample of the dataset's split; NULL: all of them */
  int32_t *labels;
  uint8_t *samples; /* NULL where the dataset reads them */
} few;

typedef struct limited {
  dlc_dataset base;
  const dlc_dataset *dataset;
  dlc_data *data;
  dlc_dataset_info info;
  dlc_split *splits;
  few *few; /* of each split */
} limited;

static const dlc_dataset_info *limited_info(dlc_data *data)
{
  return &((limited *)(void *)data)->info;
}

static int64_t translate(const limited *l, uint32_t split, int64_t index)
{
  return l->few[split].index ? l->few[split].index[index] : index;
}

static dlc_status limited_read(dlc_data *data, uint32_t split, int64_t index, dlc_picture *picture)
{
  const limited *l = (limited *)(void *)data;
  return l->dataset->read(l->data, split, translate(l, split, index), picture);
}

static void limited_name(dlc_data *data, uint32_t split, int64_t index, char *name, size_t n)
{
  const limited *l = (limited *)(void *)data;
  const int64_t original = translate(l, split, index);
  if (DLC_HAS(l->dataset, sample_name)) l->dataset->sample_name(l->data, split, original, name, n);
  else snprintf(name, n, "sample %lld of %s", (long long)original, l->splits[split].name);
}

static void release(limited *l)
{
  for (uint32_t i = 0; l->few && i < l->info.n_splits; i++) {
    free(l->few[i].index);
    free(l->few[i].labels);
    free(l->few[i].samples);
  }
  free(l->few);
  free(l->splits);
  free(l);
}

static void limited_close(dlc_data *data)
{
  limited *l = (limited *)(void *)data;
  l->dataset->close(l->data);
  release(l);
}

/* Room for all of them: most is not known to be less. */
static dlc_status choose(const dlc_split *split, uint32_t n_classes, int64_t most, few *f, int64_t *count)
{
  int64_t *seen = calloc(n_classes, sizeof *seen);
  f->index = malloc(((size_t)split->count + 1) * sizeof *f->index);
  f->labels = malloc(((size_t)split->count + 1) * sizeof *f->labels);
  const bool ok = seen && f->index && f->labels;
  *count = 0;
  for (int64_t i = 0; ok && i < split->count; i++) {
    if (seen[split->labels[i]]++ >= most) continue;
    f->index[*count] = i;
    f->labels[(*count)++] = split->labels[i];
  }
  free(seen);
  return ok ? DLC_OK : dlc_fail_nomem();
}

static dlc_status copy_samples(const limited *l, const dlc_split *from, few *f, int64_t count)
{
  const size_t bytes = (size_t)(l->info.channels * l->info.height * l->info.width);
  f->samples = malloc((size_t)count * bytes + 1);
  if (!f->samples) return dlc_fail_nomem();
  for (int64_t i = 0; i < count; i++)
    memcpy(f->samples + (size_t)i * bytes, from->samples + (size_t)f->index[i] * bytes, bytes);
  return DLC_OK;
}

static dlc_status limit_split(limited *l, const dlc_split *from, uint32_t i, int64_t most)
{
  dlc_split *to = &l->splits[i];
  few *f = &l->few[i];
  const bool resident = DLC_HAS(from, samples);
  *to = (dlc_split){sizeof *to, from->name, from->count, from->labels, resident ? from->samples : NULL};
  if (!from->labels) return DLC_OK;
  DLC_TRY(choose(from, l->info.n_classes, most, f, &to->count));
  if (resident) DLC_TRY(copy_samples(l, from, f, to->count));
  to->labels = f->labels;
  to->samples = f->samples;
  return DLC_OK;
}

static dlc_status limit_all(limited *l, const dlc_dataset_info *info, int64_t most)
{
  memcpy(&l->info, info, info->size < sizeof l->info ? info->size : sizeof l->info);
  l->info.size = sizeof l->info;
  l->splits = calloc(info->n_splits, sizeof *l->splits);
  l->few = calloc(info->n_splits, sizeof *l->few);
  if (!l->splits || !l->few) return dlc_fail_nomem();
  l->info.splits = l->splits;
  for (uint32_t i = 0; i < info->n_splits; i++) DLC_TRY(limit_split(l, dlc_split_at(info, i), i, most));
  return DLC_OK;
}

dlc_status dlc_dataset_limit(const dlc_dataset *dataset, dlc_data *data, int64_t most, const dlc_dataset **out,
                             dlc_data **out_data)
{
  limited *l = calloc(1, sizeof *l);
  if (!l) return dlc_fail_nomem();
  l->dataset = dataset;
  l->data = data;
  l->base = (dlc_dataset){.size = sizeof l->base,
                          .name = dataset->name,
                          .help = dataset->help,
                          .close = limited_close,
                          .info = limited_info,
                          .read = DLC_HAS(dataset, read) ? limited_read : NULL,
                          .sample_name = limited_name};
  const dlc_status status = limit_all(l, dataset->info(data), most);
  if (status < 0) {
    release(l);
    return status;
  }
  *out = &l->base;
  *out_data = (dlc_data *)(void *)l;
  return DLC_OK;
}
