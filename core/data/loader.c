/* The loader: an order for each epoch, and a bounded ring of batch buffers that workers fill ahead of the caller.
 *
 * Batch b always goes to slot b % n_slots. A worker takes the lowest batch that nobody has taken and whose slot is
 * free; the caller takes batches in order. One mutex guards the counters; samples are read outside of it. */
#include "data/loader.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot {
  uint8_t *samples;
  int32_t *labels;
  uint32_t n;
  bool ready;
  dlc_status status;
  char *reason; /* of a failure, until the caller takes it */
} slot;

struct dlc_loader {
  dlc_loader_config config;
  const dlc_split *split;
  size_t sample_bytes;
  uint32_t *order; /* positions in the subset */
  uint32_t n_batches;
  double waited;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t *threads;
  uint32_t n_threads, n_slots;
  slot *slots;
  uint32_t next_fill, next_take; /* batches */
  uint32_t filling;              /* batches that a worker is reading now */
  bool stop;
};

/* ---- reading ---- */

static uint32_t batch_count(const dlc_loader *l, uint32_t batch)
{
  const uint32_t first = batch * l->config.batch_size, left = l->config.subset->count - first;
  return left < l->config.batch_size ? left : l->config.batch_size;
}

static dlc_status read_sample(const dlc_loader *l, uint32_t index, uint8_t *to)
{
  if (DLC_HAS(l->split, samples)) {
    memcpy(to, l->split->samples + (size_t)index * l->sample_bytes, l->sample_bytes);
    return DLC_OK;
  }
  dlc_status status = l->config.dataset->read(l->config.data, l->config.subset->split, index, to);
  return status < 0 ? dlc_fail_in(status, "sample %u of %s", index, l->split->name) : DLC_OK;
}

static dlc_status read_batch(const dlc_loader *l, uint32_t batch, uint8_t *samples, int32_t *labels)
{
  const uint32_t n = batch_count(l, batch), first = batch * l->config.batch_size;
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t index = l->config.subset->index[l->order[first + i]];
    DLC_TRY(read_sample(l, index, samples + i * l->sample_bytes));
    labels[i] = l->split->labels[index];
  }
  return DLC_OK;
}

/* ---- workers ---- */

static void fill(dlc_loader *l, uint32_t batch)
{
  slot *s = &l->slots[batch % l->n_slots];
  s->n = batch_count(l, batch);
  s->status = read_batch(l, batch, s->samples, s->labels);
  s->reason = s->status < 0 ? strdup(dlc_reason()) : NULL;
}

static void *work(void *arg)
{
  dlc_loader *l = arg;
  pthread_mutex_lock(&l->lock);
  while (!l->stop) {
    if (l->next_fill >= l->n_batches || l->next_fill >= l->next_take + l->n_slots) {
      pthread_cond_wait(&l->changed, &l->lock);
      continue;
    }
    const uint32_t batch = l->next_fill++;
    l->filling++;
    pthread_mutex_unlock(&l->lock);
    fill(l, batch);
    pthread_mutex_lock(&l->lock);
    l->slots[batch % l->n_slots].ready = true;
    l->filling--;
    pthread_cond_broadcast(&l->changed);
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

static dlc_status start_workers(dlc_loader *l)
{
  l->n_slots = 2 * l->config.workers;
  l->slots = calloc(l->n_slots, sizeof *l->slots);
  l->threads = calloc(l->config.workers, sizeof *l->threads);
  if (!l->slots || !l->threads) return dlc_fail_nomem();
  for (uint32_t i = 0; i < l->n_slots; i++) {
    l->slots[i].samples = malloc(l->config.batch_size * l->sample_bytes);
    l->slots[i].labels = malloc(l->config.batch_size * sizeof(int32_t));
    if (!l->slots[i].samples || !l->slots[i].labels) return dlc_fail_nomem();
  }
  for (; l->n_threads < l->config.workers; l->n_threads++) {
    int error = pthread_create(&l->threads[l->n_threads], NULL, work, l);
    if (error) return dlc_fail(DLC_NOMEM, "cannot start loader worker %u: %s", l->n_threads, strerror(error));
  }
  return DLC_OK;
}

/* ---- the caller ---- */

dlc_status dlc_loader_open(const dlc_loader_config *config, dlc_loader **loader)
{
  *loader = NULL;
  const dlc_dataset_info *info = config->dataset->info(config->data);
  dlc_loader *l = calloc(1, sizeof *l);
  if (!l) return dlc_fail_nomem();
  l->config = *config;
  l->split = dlc_split_at(info, config->subset->split);
  l->sample_bytes = (size_t)(info->channels * info->height * info->width);
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->changed, NULL);
  l->order = malloc(((size_t)config->subset->count + 1) * sizeof *l->order);
  dlc_status status = l->order ? DLC_OK : dlc_fail_nomem();
  if (status >= 0 && config->workers) status = start_workers(l);
  if (status < 0) {
    dlc_loader_close(l);
    return status;
  }
  *loader = l;
  return DLC_OK;
}

void dlc_loader_close(dlc_loader *l)
{
  if (!l) return;
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  for (uint32_t i = 0; i < l->n_threads; i++) pthread_join(l->threads[i], NULL);
  for (uint32_t i = 0; i < l->n_slots && l->slots; i++) {
    free(l->slots[i].samples);
    free(l->slots[i].labels);
    free(l->slots[i].reason);
  }
  pthread_cond_destroy(&l->changed);
  pthread_mutex_destroy(&l->lock);
  free(l->slots);
  free(l->threads);
  free(l->order);
  free(l);
}

dlc_status dlc_loader_start(dlc_loader *l, uint32_t epoch)
{
  const uint32_t n = l->config.subset->count;
  pthread_mutex_lock(&l->lock);
  l->n_batches = 0; /* nobody takes another batch of the former epoch */
  while (l->filling) pthread_cond_wait(&l->changed, &l->lock);
  if (l->config.shuffle) dlc_random_permutation(l->config.seed, DLC_PURPOSE_ORDER, epoch, l->order, n);
  else
    for (uint32_t i = 0; i < n; i++) l->order[i] = i;
  for (uint32_t i = 0; i < l->n_slots; i++) {
    l->slots[i].ready = false;
    free(l->slots[i].reason);
    l->slots[i].reason = NULL;
  }
  l->next_fill = l->next_take = 0;
  l->n_batches = n / l->config.batch_size + (n % l->config.batch_size != 0);
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  return DLC_OK;
}

static dlc_status take_from_slot(dlc_loader *l, uint8_t *samples, int32_t *labels, uint32_t *n)
{
  slot *s = &l->slots[l->next_take % l->n_slots];
  pthread_mutex_lock(&l->lock);
  while (!s->ready) pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  /* A ready slot is the caller's until next_take moves on. */
  dlc_status status = s->status;
  if (status < 0) dlc_fail(status, "%s", s->reason ? s->reason : "out of memory");
  *n = s->n;
  if (status >= 0) {
    memcpy(samples, s->samples, s->n * l->sample_bytes);
    memcpy(labels, s->labels, s->n * sizeof *labels);
  }
  pthread_mutex_lock(&l->lock);
  s->ready = false;
  free(s->reason);
  s->reason = NULL;
  l->next_take++;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  return status;
}

dlc_status dlc_loader_next(dlc_loader *l, uint8_t *samples, int32_t *labels, uint32_t *n)
{
  *n = 0;
  if (l->next_take >= l->n_batches) return DLC_END;
  const double began = dlc_seconds();
  dlc_status status;
  if (l->n_threads) {
    status = take_from_slot(l, samples, labels, n);
  } else {
    *n = batch_count(l, l->next_take);
    status = read_batch(l, l->next_take, samples, labels);
    l->next_take++;
  }
  l->waited += dlc_seconds() - began;
  return status;
}

double dlc_loader_waited(const dlc_loader *l)
{
  return l->waited;
}
