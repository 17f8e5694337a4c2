/* Which samples belong to which phase. */
#include "base/random.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/loader.h"
#include <stdlib.h>
#include <string.h>

static dlc_status take(dlc_subset *subset, uint32_t split, const uint32_t *index, uint32_t count)
{
  *subset = (dlc_subset){.split = split, .count = count};
  subset->index = malloc(((size_t)count + 1) * sizeof *subset->index);
  if (!subset->index) return dlc_fail_nomem();
  if (count) memcpy(subset->index, index, count * sizeof *index);
  return DLC_OK;
}

static int ascending(const void *a, const void *b)
{
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

/* Moves the first samples of every class, its share of n_val each, to the front of `order`, and then as many of any
 * class as are still missing. */
static dlc_status stratify(const dlc_split *split, uint32_t n_classes, uint32_t *order, uint32_t n, uint32_t n_val)
{
  uint32_t *quota = calloc(n_classes, sizeof *quota), *moved = malloc((size_t)n * sizeof *moved);
  bool *taken = calloc(n, sizeof *taken);
  const bool ok = quota && moved && taken;
  if (ok) {
    uint32_t front = 0, back = n_val;
    for (uint32_t i = 0; i < n; i++) quota[split->labels[i]]++;
    for (uint32_t c = 0; c < n_classes; c++) quota[c] = (uint32_t)((uint64_t)quota[c] * n_val / n);
    for (uint32_t i = 0; i < n; i++) {
      uint32_t *left = &quota[split->labels[order[i]]];
      taken[i] = *left > 0;
      if (!taken[i]) continue;
      --*left;
      moved[front++] = order[i];
    }
    for (uint32_t i = 0; i < n; i++)
      if (!taken[i]) moved[front < n_val ? front++ : back++] = order[i];
    memcpy(order, moved, n * sizeof *order);
  }
  free(quota);
  free(moved);
  free(taken);
  return ok ? DLC_OK : dlc_fail_nomem();
}

dlc_status dlc_subset_split(const dlc_dataset_info *info, uint32_t split, double fraction, bool stratified,
                            uint64_t seed, dlc_subset *train, dlc_subset *val)
{
  const dlc_split *whole = dlc_split_at(info, split);
  const int64_t total = whole->count;
  *train = *val = (dlc_subset){0};
  if (total <= 0 || total > UINT32_MAX / 2)
    return dlc_fail(DLC_INVALID, "split %s has %lld samples", whole->name, (long long)total);
  const double wanted = fraction < 1 ? (double)total * fraction : fraction;
  if (!(fraction >= 0) || wanted >= (double)total || (fraction > 0 && wanted < 1))
    return dlc_fail(DLC_INVALID, "a validation part of %g samples; the train split has %lld", wanted, (long long)total);
  const uint32_t n = (uint32_t)total, n_val = (uint32_t)wanted;
  uint32_t *order = malloc(n * sizeof *order);
  if (!order) return dlc_fail_nomem();
  if (n_val) dlc_random_permutation(seed, DLC_PURPOSE_SPLIT, 0, order, n);
  for (uint32_t i = 0; i < n && !n_val; i++) order[i] = i;
  dlc_status status = stratified && n_val ? stratify(whole, info->n_classes, order, n, n_val) : DLC_OK;
  /* Both parts keep the order of the files. */
  qsort(order, n_val, sizeof *order, ascending);
  qsort(order + n_val, n - n_val, sizeof *order, ascending);
  if (status >= 0) status = take(val, split, order, n_val);
  if (status >= 0) status = take(train, split, order + n_val, n - n_val);
  if (status < 0) dlc_subset_free(val);
  free(order);
  return status;
}

dlc_status dlc_subset_all(const dlc_dataset_info *info, uint32_t split, dlc_subset *subset)
{
  dlc_subset none;
  dlc_status status = dlc_subset_split(info, split, 0, false, 0, subset, &none);
  if (status >= 0) dlc_subset_free(&none);
  return status;
}

static dlc_status take_labelled(const dlc_dataset_info *info, int split, dlc_subset *subset)
{
  return split >= 0 && dlc_split_at(info, (uint32_t)split)->labels ? dlc_subset_all(info, (uint32_t)split, subset)
                                                                   : DLC_OK;
}

dlc_status dlc_parts_make(const dlc_dataset_info *info, double fraction, bool stratified, uint64_t seed,
                          dlc_parts *parts)
{
  const int train = dlc_split_find(info, "train"), val = dlc_split_find(info, "val"),
            test = dlc_split_find(info, "test");
  *parts = (dlc_parts){0};
  if (fraction > 0 && train < 0) return dlc_fail(DLC_INVALID, "there is no train split to cut a validation part off");
  if (fraction > 0 && val >= 0 && test >= 0 && dlc_split_at(info, (uint32_t)test)->labels)
    return dlc_fail(DLC_INVALID, "there are val and test splits already; leave --val-split out, or 0");
  if (train >= 0)
    DLC_TRY(dlc_subset_split(info, (uint32_t)train, fraction, stratified, seed, &parts->train, &parts->val));
  if (fraction > 0) return take_labelled(info, val >= 0 ? val : test, &parts->test);
  dlc_subset_free(&parts->val);
  DLC_TRY(take_labelled(info, val, &parts->val));
  return take_labelled(info, test, &parts->test);
}

void dlc_parts_free(dlc_parts *parts)
{
  dlc_subset_free(&parts->train);
  dlc_subset_free(&parts->val);
  dlc_subset_free(&parts->test);
}

void dlc_subset_free(dlc_subset *subset)
{
  free(subset->index);
  *subset = (dlc_subset){0};
}
