/* The loader: an order for each epoch, and a bounded ring of batch buffers that workers fill ahead of the caller.
 *
 * Batch b always goes to slot b % n_slots. A worker takes the lowest batch that nobody has taken and whose slot is
 * free; the caller takes batches in order. One mutex guards the counters; samples are read outside of it. */
#include "data/loader.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "data/batch.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot {
  dlc_batch batch;
  bool ready;
  dlc_status status;
  char *reason; /* of a failure, until the caller takes it */
} slot;

typedef struct worker {
  dlc_loader *loader;
  dlc_sampler *sampler;
  dlc_track *track;
  pthread_t thread;
} worker;

struct dlc_loader {
  dlc_loader_config config;
  dlc_batch_plan plan;
  uint32_t *order;
  uint32_t n_batches;
  double waited;
  dlc_track *track; /* the caller's; NULL without a profile */
  bool *told;       /* [samples of the split] whose fault has been told */

  dlc_sampler *sampler; /* the caller's, without workers */
  dlc_batch own;        /* its bad samples */

  pthread_mutex_t lock;
  pthread_cond_t changed;
  worker *workers;
  uint32_t n_workers, n_slots;
  slot *slots;
  uint32_t next_fill, next_take; /* batches */
  uint32_t filling;              /* batches that a worker is reading now */
  bool stop;
};

/* ---- workers ---- */

static void fill(dlc_loader *l, worker *w, uint32_t number)
{
  slot *s = &l->slots[number % l->n_slots];
  dlc_track_begin(w->track, "read batch");
  s->status = dlc_batch_read(&l->plan, w->sampler, number, &s->batch);
  dlc_track_end(w->track);
  s->reason = s->status < 0 ? strdup(dlc_reason()) : NULL;
}

static void *work(void *arg)
{
  worker *w = arg;
  dlc_loader *l = w->loader;
  pthread_mutex_lock(&l->lock);
  while (!l->stop) {
    if (l->next_fill >= l->n_batches || l->next_fill >= l->next_take + l->n_slots) {
      pthread_cond_wait(&l->changed, &l->lock);
      continue;
    }
    const uint32_t number = l->next_fill++;
    l->filling++;
    pthread_mutex_unlock(&l->lock);
    fill(l, w, number);
    pthread_mutex_lock(&l->lock);
    l->slots[number % l->n_slots].ready = true;
    l->filling--;
    pthread_cond_broadcast(&l->changed);
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

static dlc_status open_slots(dlc_loader *l)
{
  l->n_slots = 2 * l->config.workers;
  l->slots = calloc(l->n_slots, sizeof *l->slots);
  if (!l->slots) return dlc_fail_nomem();
  for (uint32_t i = 0; i < l->n_slots; i++) {
    l->slots[i].batch.samples = malloc(l->config.batch_size * l->plan.sample_bytes);
    l->slots[i].batch.labels = malloc(l->config.batch_size * sizeof(int32_t));
    if (!l->slots[i].batch.samples || !l->slots[i].batch.labels) return dlc_fail_nomem();
  }
  return DLC_OK;
}

static dlc_status open_worker(dlc_loader *l, worker *w)
{
  char name[64];
  w->loader = l;
  snprintf(name, sizeof name, "%s loader %u", l->config.name ? l->config.name : "", l->n_workers);
  DLC_TRY(dlc_profile_track(l->config.profile, name, &w->track));
  DLC_TRY(dlc_sampler_open(&l->config.sample, &w->sampler));
  dlc_sampler_profile(w->sampler, w->track);
  return DLC_OK;
}

static dlc_status start_workers(dlc_loader *l)
{
  DLC_TRY(open_slots(l));
  l->workers = calloc(l->config.workers, sizeof *l->workers);
  if (!l->workers) return dlc_fail_nomem();
  for (; l->n_workers < l->config.workers; l->n_workers++) {
    worker *w = &l->workers[l->n_workers];
    DLC_TRY(open_worker(l, w));
    const int error = pthread_create(&w->thread, NULL, work, w);
    if (error) {
      dlc_sampler_close(w->sampler);
      return dlc_fail(DLC_NOMEM, "cannot start loader worker %u: %s", l->n_workers, strerror(error));
    }
  }
  return DLC_OK;
}

/* ---- the caller ---- */

static dlc_status open_loader(dlc_loader *l)
{
  const dlc_sample_config *sample = &l->config.sample;
  const dlc_dataset_info *info = sample->dataset->info(sample->data);
  dlc_sample_format format;
  DLC_TRY(dlc_sample_format_make(info, sample->pipeline, &format));
  l->plan = (dlc_batch_plan){
      .config = &l->config, .split = dlc_split_at(info, l->config.subset->split), .sample_bytes = format.bytes};
  l->order = malloc(((size_t)l->config.subset->count + 1) * sizeof *l->order);
  l->told = calloc((size_t)l->plan.split->count + 1, sizeof *l->told);
  if (!l->order || !l->told) return dlc_fail_nomem();
  l->plan.order = l->order;
  l->track = dlc_profile_main(l->config.profile);
  if (l->config.workers) return start_workers(l);
  DLC_TRY(dlc_sampler_open(sample, &l->sampler));
  dlc_sampler_profile(l->sampler, l->track);
  return DLC_OK;
}

dlc_status dlc_loader_open(const dlc_loader_config *config, dlc_loader **loader)
{
  *loader = NULL;
  dlc_loader *l = calloc(1, sizeof *l);
  if (!l) return dlc_fail_nomem();
  l->config = *config;
  l->config.sample.split = config->subset->split;
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->changed, NULL);
  dlc_status status = open_loader(l);
  if (status < 0) dlc_loader_close(l);
  else *loader = l;
  return status;
}

static void free_batch(dlc_batch *b)
{
  dlc_batch_clear(b);
  free(b->bad);
  free(b->samples);
  free(b->labels);
}

void dlc_loader_close(dlc_loader *l)
{
  if (!l) return;
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  for (uint32_t i = 0; i < l->n_workers; i++) {
    pthread_join(l->workers[i].thread, NULL);
    dlc_sampler_close(l->workers[i].sampler);
  }
  for (uint32_t i = 0; i < l->n_slots && l->slots; i++) {
    free_batch(&l->slots[i].batch);
    free(l->slots[i].reason);
  }
  l->own.samples = l->own.labels = NULL; /* the caller's */
  free_batch(&l->own);
  dlc_sampler_close(l->sampler);
  pthread_cond_destroy(&l->changed);
  pthread_mutex_destroy(&l->lock);
  free(l->slots);
  free(l->workers);
  free(l->order);
  free(l->told);
  free(l);
}

static void forget(slot *s)
{
  s->ready = false;
  free(s->reason);
  s->reason = NULL;
  dlc_batch_clear(&s->batch);
}

dlc_status dlc_loader_start(dlc_loader *l, uint32_t epoch, uint32_t first_batch)
{
  const uint32_t n = l->config.subset->count;
  pthread_mutex_lock(&l->lock);
  l->n_batches = 0; /* nobody takes another batch of the former epoch */
  while (l->filling) pthread_cond_wait(&l->changed, &l->lock);
  if (l->config.shuffle) dlc_random_permutation(l->config.sample.seed, DLC_PURPOSE_ORDER, epoch, l->order, n);
  else
    for (uint32_t i = 0; i < n; i++) l->order[i] = i;
  for (uint32_t i = 0; i < l->n_slots; i++) forget(&l->slots[i]);
  l->plan.epoch = epoch;
  l->next_fill = l->next_take = first_batch;
  l->n_batches = n / l->config.batch_size + (n % l->config.batch_size != 0);
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  return DLC_OK;
}

/* Told by the caller's thread and in batch order, so that it is the same for any number of workers. */
static void tell(dlc_loader *l, dlc_batch *b)
{
  for (uint32_t i = 0; i < b->n_bad; i++) {
    const dlc_bad_sample *bad = &b->bad[i];
    char name[512];
    if (l->told[bad->index] || !l->config.tell_bad) continue;
    l->told[bad->index] = true;
    dlc_sample_name(&l->config.sample, bad->index, name, sizeof name);
    l->config.tell_bad(l->config.ctx, name, bad->reason);
  }
  dlc_batch_clear(b);
}

static dlc_status take_from_slot(dlc_loader *l, void *samples, int32_t *labels, uint32_t *n)
{
  slot *s = &l->slots[l->next_take % l->n_slots];
  pthread_mutex_lock(&l->lock);
  dlc_track_begin(l->track, "wait for loader");
  while (!s->ready) pthread_cond_wait(&l->changed, &l->lock);
  dlc_track_end(l->track);
  pthread_mutex_unlock(&l->lock);
  /* A ready slot is the caller's until next_take moves on. */
  const dlc_status status = s->status;
  tell(l, &s->batch);
  *n = s->batch.n;
  if (status >= 0) {
    memcpy(samples, s->batch.samples, s->batch.n * l->plan.sample_bytes);
    memcpy(labels, s->batch.labels, s->batch.n * sizeof *labels);
  } else {
    dlc_fail(status, "%s", s->reason ? s->reason : "out of memory");
  }
  pthread_mutex_lock(&l->lock);
  forget(s);
  l->next_take++;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  return status;
}

static dlc_status read_here(dlc_loader *l, void *samples, int32_t *labels, uint32_t *n)
{
  l->own.samples = samples;
  l->own.labels = labels;
  const dlc_status status = dlc_batch_read(&l->plan, l->sampler, l->next_take++, &l->own);
  *n = l->own.n;
  tell(l, &l->own);
  return status;
}

dlc_status dlc_loader_next(dlc_loader *l, void *samples, int32_t *labels, uint32_t *n)
{
  *n = 0;
  if (l->next_take >= l->n_batches) return DLC_END;
  const double began = dlc_seconds();
  dlc_track_begin(l->track, "next batch");
  const dlc_status status = l->n_workers ? take_from_slot(l, samples, labels, n) : read_here(l, samples, labels, n);
  dlc_track_end(l->track);
  l->waited += dlc_seconds() - began;
  return status;
}

double dlc_loader_waited(const dlc_loader *l)
{
  return l->waited;
}

size_t dlc_loader_bytes(const dlc_loader *l)
{
  return l->n_slots * l->config.batch_size * (l->plan.sample_bytes + sizeof(int32_t));
}
