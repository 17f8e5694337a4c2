/* Checks of what a dataset plugin says of its data. */
#include "data/dataset.h"
#include "base/status.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

static dlc_status check_labels(const dlc_dataset_info *info, const dlc_split *split)
{
  if (!split->labels && strcmp(split->name, "test") != 0 && split->count > 0)
    return dlc_fail(DLC_INVALID, "split %s has no labels", split->name);
  if (!split->labels) return DLC_OK;
  for (int64_t i = 0; i < split->count; i++)
    if (split->labels[i] < 0 || (uint32_t)split->labels[i] >= info->n_classes)
      return dlc_fail(DLC_INVALID, "split %s: label %d of sample %lld, expected 0 to %u", split->name,
                      (int)split->labels[i], (long long)i, info->n_classes - 1);
  return DLC_OK;
}

static dlc_status check_splits(const dlc_dataset *dataset, const dlc_dataset_info *info)
{
  if (info->n_splits == 0 || !info->splits) return dlc_fail(DLC_INVALID, "it has no split");
  const size_t least = END_OF(dlc_split, labels);
  if (info->splits->size < least)
    return dlc_fail(DLC_INVALID, "its dlc_split has %u bytes, at least %zu are needed", info->splits->size, least);
  for (uint32_t i = 0; i < info->n_splits; i++) {
    const dlc_split *split = dlc_split_at(info, i);
    if (!split->name) return dlc_fail(DLC_INVALID, "split %u has no name", i);
    if (split->count < 0)
      return dlc_fail(DLC_INVALID, "split %s has %lld samples", split->name, (long long)split->count);
    if (DLC_HAS(split, samples) && info->height == 0)
      return dlc_fail(DLC_INVALID, "split %s has samples in memory, but of no size", split->name);
    if (!DLC_HAS(split, samples) && !DLC_HAS(dataset, read))
      return dlc_fail(DLC_INVALID, "split %s has no samples in memory, and the dataset no read()", split->name);
  }
  return DLC_OK;
}

/* Pictures to predict on, of no known class: nothing else is asked of them. */
static bool is_unlabelled(const dlc_dataset_info *info)
{
  for (uint32_t i = 0; i < info->n_splits; i++)
    if (strcmp(dlc_split_at(info, i)->name, "test") != 0 || dlc_split_at(info, i)->labels) return false;
  return true;
}

static dlc_status check_classes(const dlc_dataset_info *info)
{
  if (info->n_classes < 1 || info->n_classes > INT32_MAX || !info->class_names)
    return dlc_fail(DLC_INVALID, "it has %u classes%s", info->n_classes,
                    info->class_names ? "" : " and no names of them");
  for (uint32_t i = 0; i < info->n_classes; i++)
    if (!info->class_names[i]) return dlc_fail(DLC_INVALID, "class %u has no name", i);
  for (uint32_t i = 0; i < info->n_splits; i++) DLC_TRY(check_labels(info, dlc_split_at(info, i)));
  return dlc_split_find(info, "train") >= 0 ? DLC_OK : dlc_fail(DLC_INVALID, "it has no split 'train'");
}

static dlc_status check_shape(const dlc_dataset_info *info)
{
  const bool vary = info->height == 0 && info->width == 0;
  const int64_t dim[3] = {info->channels, vary ? 1 : info->height, vary ? 1 : info->width};
  int64_t bytes = 1;
  for (int i = 0; i < 3; i++)
    if (dim[i] < 1 || __builtin_mul_overflow(bytes, dim[i], &bytes) || bytes > INT32_MAX)
      return dlc_fail(DLC_INVALID, "samples of %lldx%lldx%lld are not possible", (long long)dim[0], (long long)dim[1],
                      (long long)dim[2]);
  if (info->channels != 1 && info->channels != 3)
    return dlc_fail(DLC_INVALID, "samples of %lld channels, expected 1 (grey) or 3 (RGB)", (long long)info->channels);
  for (int64_t c = 0; c < info->channels; c++) {
    if (DLC_HAS(info, mean) && !isfinite(info->mean[c]))
      return dlc_fail(DLC_INVALID, "the mean of channel %lld is %g", (long long)c, (double)info->mean[c]);
    if (DLC_HAS(info, std) && !(isfinite(info->std[c]) && info->std[c] > 0))
      return dlc_fail(DLC_INVALID, "the standard deviation of channel %lld is %g, expected above 0", (long long)c,
                      (double)info->std[c]);
  }
  return DLC_OK;
}

static dlc_status check_info(const dlc_dataset *dataset, const dlc_dataset_info *info)
{
  if (!info) return dlc_fail(DLC_INVALID, "info() returned NULL");
  const size_t least = END_OF(dlc_dataset_info, splits);
  if (info->size < least)
    return dlc_fail(DLC_INVALID, "its dlc_dataset_info has %u bytes, at least %zu are needed", info->size, least);
  DLC_TRY(check_shape(info));
  DLC_TRY(check_splits(dataset, info));
  return is_unlabelled(info) ? DLC_OK : check_classes(info);
}

dlc_status dlc_dataset_describe(const dlc_dataset *dataset, dlc_data *data, const dlc_dataset_info **info)
{
  *info = dataset->info(data);
  dlc_status status = check_info(dataset, *info);
  return status < 0 ? dlc_fail_in(status, "dataset %s", dataset->name) : DLC_OK;
}

int dlc_split_find(const dlc_dataset_info *info, const char *name)
{
  for (uint32_t i = 0; i < info->n_splits; i++)
    if (strcmp(dlc_split_at(info, i)->name, name) == 0) return (int)i;
  return -1;
}
