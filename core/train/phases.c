/* The data of a run: which samples each phase sees, what is kept of them, who reads them. */
#include "base/status.h"
#include "data/dataset.h"
#include "train/run_state.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const phase_names[DLC_N_PHASES][2] = {
    {"train", "train step"}, {"val", "val step"}, {"test", "test step"}};

/* As many samples, from everywhere: the first ones are often of one class. */
static void thin_out(dlc_subset *s, uint64_t wanted)
{
  if (wanted >= s->count) return;
  for (uint64_t i = 0; i < wanted; i++) s->index[i] = s->index[i * s->count / wanted];
  s->count = (uint32_t)wanted;
}

/* Train and evaluate on the same few samples. */
static dlc_status open_overfit(dlc_run *r)
{
  dlc_subset *train = &r->phases[DLC_PHASE_TRAIN].subset, *val = &r->phases[DLC_PHASE_VAL].subset;
  dlc_subset_free(&r->phases[DLC_PHASE_TEST].subset);
  dlc_subset_free(val);
  DLC_TRY(dlc_subset_all(r->info, train->split, val));
  thin_out(train, (uint64_t)r->config.overfit_batches * r->config.batch_size);
  for (uint32_t i = 0; i < train->count; i++) val->index[i] = train->index[i];
  val->count = train->count;
  return DLC_OK;
}

static dlc_status open_subsets(dlc_run *r)
{
  const dlc_train_config *c = &r->config;
  dlc_parts parts;
  const dlc_status status = dlc_parts_make(r->info, c->val_split, c->stratified, c->seed, &parts);
  r->phases[DLC_PHASE_TRAIN].subset = parts.train;
  r->phases[DLC_PHASE_VAL].subset = parts.val;
  r->phases[DLC_PHASE_TEST].subset = parts.test;
  if (status < 0) return dlc_fail_in(status, "dataset %s", c->dataset->name);
  if (parts.train.count == 0) return dlc_fail(DLC_INVALID, "dataset %s has nothing to train on", c->dataset->name);
  return c->overfit_batches ? open_overfit(r) : DLC_OK;
}

/* The budget goes to the splits by their number of pictures. */
static dlc_status open_caches(dlc_run *r)
{
  int64_t total = 0;
  r->caches = calloc(r->info->n_splits, sizeof *r->caches);
  if (!r->caches) return dlc_fail_nomem();
  for (uint32_t i = 0; i < r->info->n_splits; i++) total += dlc_split_at(r->info, i)->count;
  for (uint32_t i = 0; i < r->info->n_splits && r->config.cache_bytes; i++) {
    const dlc_split *split = dlc_split_at(r->info, i);
    if (DLC_HAS(split, samples) || split->count == 0) continue;
    const double share = (double)split->count / (double)total;
    DLC_TRY(dlc_cache_open((uint32_t)split->count, (size_t)((double)r->config.cache_bytes * share), &r->caches[i]));
  }
  return DLC_OK;
}

static dlc_status open_loader(dlc_run *r, int which)
{
  const dlc_train_config *c = &r->config;
  const bool training = which == DLC_PHASE_TRAIN;
  dlc_phase *p = &r->phases[which];
  const dlc_loader_config config = {.sample = {.dataset = c->dataset,
                                               .data = c->data,
                                               .pipeline = training ? c->train_transforms : c->eval_transforms,
                                               .cache = r->caches[p->subset.split],
                                               .seed = c->seed},
                                    .subset = &p->subset,
                                    .batch_size = p->batch_size,
                                    .workers = c->workers,
                                    .shuffle = training && c->shuffle && !c->overfit_batches,
                                    .on_bad = c->on_bad,
                                    .tell_bad = c->on_bad_sample,
                                    .ctx = c->ctx,
                                    .profile = c->profile,
                                    .name = p->name};
  return dlc_loader_open(&config, &p->loader);
}

/* What reading ahead and keeping pictures may take, where it takes anything. */
static void tell_memory(const dlc_run *r)
{
  size_t ring = 0;
  bool cached = false;
  char kept[64] = "";
  for (int i = 0; i < DLC_N_PHASES; i++)
    if (r->phases[i].loader) ring += dlc_loader_bytes(r->phases[i].loader);
  for (uint32_t i = 0; i < r->info->n_splits; i++) cached |= r->caches[i] != NULL;
  if (cached) snprintf(kept, sizeof kept, ", decoded pictures kept up to %zu MiB", r->config.cache_bytes >> 20);
  if (ring || cached)
    dlc_say(r->config.sink, DLC_LOG_INFO, "loader    %u workers, %.1f MiB read ahead%s", r->config.workers,
            (double)ring / (1 << 20), kept);
}

dlc_status dlc_phases_open(dlc_run *r)
{
  DLC_TRY(open_subsets(r));
  DLC_TRY(open_caches(r));
  for (int i = 0; i < DLC_N_PHASES; i++) {
    dlc_phase *p = &r->phases[i];
    p->name = phase_names[i][0];
    p->step_name = phase_names[i][1];
    p->metrics = (dlc_metrics){NAN, NAN, 0, NAN};
    p->batch_size =
        i != DLC_PHASE_TRAIN && r->config.eval_batch_size ? r->config.eval_batch_size : r->config.batch_size;
    if (i != DLC_PHASE_TRAIN && r->config.limit_batches)
      thin_out(&p->subset, (uint64_t)r->config.limit_batches * p->batch_size);
    if (p->subset.count) DLC_TRY(open_loader(r, i));
  }
  tell_memory(r);
  return DLC_OK;
}

void dlc_phases_close(dlc_run *r)
{
  for (int i = 0; i < DLC_N_PHASES; i++) {
    dlc_loader_close(r->phases[i].loader);
    dlc_subset_free(&r->phases[i].subset);
  }
  for (uint32_t i = 0; r->caches && i < r->info->n_splits; i++) dlc_cache_close(r->caches[i]);
  free(r->caches);
}

uint32_t dlc_phase_batches(const dlc_run *r, const dlc_phase *p)
{
  const uint32_t all = p->subset.count / p->batch_size + (p->subset.count % p->batch_size != 0);
  return r->config.limit_batches && r->config.limit_batches < all ? r->config.limit_batches : all;
}

uint32_t dlc_run_epoch_steps(const dlc_run *r)
{
  const uint32_t batches = dlc_phase_batches(r, &r->phases[DLC_PHASE_TRAIN]);
  const uint32_t each = r->config.method.accumulate > 1 ? r->config.method.accumulate : 1;
  return batches / each + (batches % each != 0);
}
