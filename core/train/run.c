/* Opening, training and closing a run: which programs there are, and the loop over epochs and batches. */
#include "base/clock.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "train/parameters.h"
#include "train/step_graph.h"
#include "train/train.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PHASE_TRAIN, PHASE_VAL, PHASE_TEST, N_PHASES };
static const char *const phase_names[N_PHASES] = {"train", "val", "test"};
static const char *const step_names[N_PHASES] = {"train step", "val step", "test step"}; /* in a profile */

/* One phase = one subset, its loader, and a program for the full and for the last partial batch. */
typedef struct phase {
  const char *name;
  dlc_subset subset;
  dlc_loader *loader;
  dlc_program *full, *partial; /* NULL where no batch of that size occurs */
  dlc_metrics metrics;         /* of its last epoch */
  bool started;                /* its loader has begun the next epoch already */
} phase;

struct dlc_run {
  dlc_train_config config;
  dlc_track *track; /* of the profile; NULL without */
  const dlc_dataset_info *info;
  dlc_input data_input;
  dlc_cache **caches; /* [n_splits]; NULL where pictures are in memory anyway */
  phase phases[N_PHASES];
  dlc_parameters parameters;
  double started, training_seconds, first_step;
  int64_t steps, trained_images;
  bool stopped;
  /* the machine's fixed buffers */
  void *input;
  int32_t *labels;
  const float *loss, *correct;
  float *lr;
  int64_t *step;
};

/* ---- opening: phases ---- */

static dlc_status open_subsets(dlc_run *r)
{
  const int train = dlc_split_find(r->info, "train"), val = dlc_split_find(r->info, "val"),
            test = dlc_split_find(r->info, "test");
  if (train < 0) return dlc_fail(DLC_INVALID, "dataset %s has nothing to train on", r->config.dataset->name);
  if (r->config.val_split > 0 && val >= 0)
    return dlc_fail(DLC_INVALID, "dataset %s has a val split of its own; leave --val-split out",
                    r->config.dataset->name);
  DLC_TRY(dlc_subset_split(r->info, (uint32_t)train, r->config.val_split, r->config.stratified, r->config.seed,
                           &r->phases[PHASE_TRAIN].subset, &r->phases[PHASE_VAL].subset));
  if (val >= 0) {
    dlc_subset_free(&r->phases[PHASE_VAL].subset);
    DLC_TRY(dlc_subset_all(r->info, (uint32_t)val, &r->phases[PHASE_VAL].subset));
  }
  if (test >= 0 && dlc_split_at(r->info, (uint32_t)test)->labels)
    DLC_TRY(dlc_subset_all(r->info, (uint32_t)test, &r->phases[PHASE_TEST].subset));
  return DLC_OK;
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

static dlc_status open_loaders(dlc_run *r)
{
  const dlc_train_config *c = &r->config;
  for (int i = 0; i < N_PHASES; i++) {
    phase *p = &r->phases[i];
    p->name = phase_names[i];
    p->metrics = (dlc_metrics){NAN, NAN, 0};
    if (p->subset.count == 0) continue;
    const bool training = i == PHASE_TRAIN;
    const dlc_loader_config config = {.sample = {.dataset = c->dataset,
                                                 .data = c->data,
                                                 .pipeline = training ? c->train_transforms : c->eval_transforms,
                                                 .cache = r->caches[p->subset.split],
                                                 .seed = c->seed},
                                      .subset = &p->subset,
                                      .batch_size = c->batch_size,
                                      .workers = c->workers,
                                      .shuffle = training && c->shuffle,
                                      .on_bad = c->on_bad,
                                      .tell_bad = c->on_bad_sample,
                                      .ctx = c->ctx,
                                      .profile = c->profile,
                                      .name = p->name};
    DLC_TRY(dlc_loader_open(&config, &p->loader));
  }
  return DLC_OK;
}

/* What reading ahead and keeping pictures may take, where it takes anything. */
static void tell_memory(const dlc_run *r)
{
  size_t ring = 0;
  bool cached = false;
  char kept[64] = "";
  for (int i = 0; i < N_PHASES; i++)
    if (r->phases[i].loader) ring += dlc_loader_bytes(r->phases[i].loader);
  for (uint32_t i = 0; i < r->info->n_splits; i++) cached |= r->caches[i] != NULL;
  if (cached) snprintf(kept, sizeof kept, ", decoded pictures kept up to %zu MiB", r->config.cache_bytes >> 20);
  if (ring || cached)
    dlc_say(r->config.sink, DLC_LOG_INFO, "loader    %u workers, %.1f MiB read ahead%s", r->config.workers,
            (double)ring / (1 << 20), kept);
}

/* ---- opening: programs ---- */

typedef struct dump {
  const dlc_train_config *config;
  dlc_str text;
} dump;

static void dump_stage(void *ctx, const char *stage, const dlc_graph *g)
{
  dump *d = ctx;
  if (strcmp(stage, d->config->dump_graph) == 0) dlc_graph_dump(g, &d->text);
}

static dlc_status add_program(dlc_run *r, bool training, int64_t batch, dlc_program **program)
{
  const dlc_train_config *c = &r->config;
  dump d = {.config = c};
  const bool dumping = training && c->dump_graph && c->on_dump && !r->parameters.list;
  const dlc_step_config step = {.model = c->model,
                                .input = &r->data_input,
                                .classes = r->info->n_classes,
                                .optimizer = training ? c->optimizer : NULL,
                                .optimizer_attr = c->optimizer_attr,
                                .finder = c->finder,
                                .batch = batch,
                                .on_stage = dumping ? dump_stage : NULL,
                                .ctx = &d};
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_status status = dlc_step_graph(&step, &g, &m);
  if (status >= 0 && !r->parameters.list) {
    status = dlc_parameters_describe(dlc_graph_view(g), &m, &r->parameters);
    if (status < 0) dlc_graph_free(g);
  }
  if (status >= 0) status = dlc_program_add(c->machine, training ? "train" : "eval", g, program);
  if (status >= 0 && dumping) {
    if (strcmp(c->dump_graph, "plan") == 0) dlc_program_dump(*program, &d.text);
    if (dlc_str_ok(&d.text)) c->on_dump(c->ctx, dlc_str_get(&d.text));
    else status = dlc_fail_nomem();
  }
  dlc_model_graph_free(&m);
  dlc_str_free(&d.text);
  return status;
}

/* A program of this kind and size that another phase already has, or a new one. */
static dlc_status find_program(dlc_run *r, int which, int64_t batch, dlc_program **program)
{
  *program = NULL;
  if (batch == 0) return DLC_OK;
  for (int i = which == PHASE_TRAIN ? PHASE_TRAIN : PHASE_VAL; i < which; i++) {
    const phase *p = &r->phases[i];
    if (p->subset.count >= batch && batch == r->config.batch_size) *program = p->full;
    if (p->subset.count % r->config.batch_size == batch) *program = p->partial;
  }
  return *program ? DLC_OK : add_program(r, which == PHASE_TRAIN, batch, program);
}

static dlc_status open_programs(dlc_run *r)
{
  const uint32_t size = r->config.batch_size;
  for (int i = 0; i < N_PHASES; i++) {
    phase *p = &r->phases[i];
    DLC_TRY(find_program(r, i, p->subset.count >= size ? size : 0, &p->full));
    DLC_TRY(find_program(r, i, p->subset.count % size, &p->partial));
  }
  dlc_machine_profile(r->config.machine, r->config.profile);
  return dlc_machine_commit(r->config.machine);
}

static dlc_status find_buffers(dlc_run *r)
{
  const dlc_machine *m = r->config.machine;
  float *mean = dlc_machine_memory(m, DLC_NAME_MEAN, NULL), *std = dlc_machine_memory(m, DLC_NAME_STD, NULL);
  r->input = dlc_machine_memory(m, DLC_NAME_INPUT, NULL);
  r->labels = dlc_machine_memory(m, DLC_NAME_LABELS, NULL);
  r->loss = dlc_machine_memory(m, DLC_NAME_LOSS, NULL);
  r->correct = dlc_machine_memory(m, DLC_NAME_CORRECT, NULL);
  r->lr = dlc_machine_memory(m, DLC_NAME_LEARNING_RATE, NULL);
  r->step = dlc_machine_memory(m, DLC_NAME_STEP, NULL);
  if (!r->lr || !r->step) return dlc_fail(DLC_INVALID, "this model has no parameters to train");
  for (int64_t c = 0; c < r->data_input.format.channels && mean && std; c++) {
    mean[c] = r->data_input.mean ? r->data_input.mean[c] : 0.0f;
    std[c] = r->data_input.std ? r->data_input.std[c] : 1.0f;
  }
  return DLC_OK;
}

static dlc_status open_run(dlc_run *r)
{
  if (r->config.batch_size < 1) return dlc_fail(DLC_INVALID, "a batch of 0 samples");
  DLC_TRY(dlc_dataset_describe(r->config.dataset, r->config.data, &r->info));
  DLC_TRY(dlc_input_plan(r->info, r->config.train_transforms, r->config.eval_transforms, &r->data_input));
  DLC_TRY(open_subsets(r));
  DLC_TRY(open_caches(r));
  DLC_TRY(open_loaders(r));
  tell_memory(r);
  DLC_TRY(open_programs(r));
  DLC_TRY(find_buffers(r));
  DLC_TRY(dlc_parameters_init(&r->parameters, r->config.machine, r->config.seed));
  return r->config.init_from ? dlc_parameters_load(&r->parameters, r->config.init_from, false, r->config.sink) : DLC_OK;
}

dlc_status dlc_run_open(const dlc_train_config *config, double started, dlc_run **run)
{
  *run = NULL;
  dlc_run *r = calloc(1, sizeof *r);
  if (!r) return dlc_fail_nomem();
  r->config = *config;
  r->track = dlc_profile_main(config->profile);
  r->started = started;
  dlc_status status = open_run(r);
  if (status < 0) dlc_run_close(r);
  else *run = r;
  return status;
}

void dlc_run_close(dlc_run *r)
{
  if (!r) return;
  for (int i = 0; i < N_PHASES; i++) {
    dlc_loader_close(r->phases[i].loader);
    dlc_subset_free(&r->phases[i].subset);
  }
  for (uint32_t i = 0; r->caches && i < r->info->n_splits; i++) dlc_cache_close(r->caches[i]);
  free(r->caches);
  dlc_parameters_free(&r->parameters);
  free(r);
}

dlc_status dlc_run_save(dlc_run *r, const char *path)
{
  const dlc_input *input = &r->data_input;
  const dlc_sample_format *f = &input->format;
  dlc_weights_info info = {.n_classes = r->info->n_classes,
                           .classes = r->info->class_names,
                           .model = dlc_model_text(r->config.model),
                           .eval_transforms = r->config.eval_text,
                           .shape = {f->channels, f->height, f->width},
                           .bytes = f->dtype == DLC_U8};
  for (int64_t c = 0; c < f->channels; c++) {
    info.mean[c] = input->mean ? input->mean[c] : 0.0f;
    info.std[c] = input->std ? input->std[c] : 1.0f;
  }
  dlc_track_begin(r->track, "save");
  const dlc_status status = dlc_parameters_save(&r->parameters, &info, path);
  dlc_track_end(r->track);
  return status;
}

/* ---- the loop ---- */

typedef struct sums {
  double loss, correct;
  double began, waited; /* when the phase began, and how long its loader had waited by then */
  int64_t samples;
  uint32_t batches;
} sums;

static void tell_batch(dlc_run *r, const phase *p, const dlc_progress *base, const sums *s)
{
  if (!r->config.on_batch) return;
  dlc_progress progress = *base;
  progress.batch = s->batches;
  progress.loss = s->loss / (double)s->samples;
  progress.accuracy = s->correct / (double)s->samples;
  progress.seconds = dlc_seconds() - s->began;
  progress.images_per_second = (double)s->samples / progress.seconds;
  progress.wait_share = (dlc_loader_waited(p->loader) - s->waited) / progress.seconds;
  if (!r->config.on_batch(r->config.ctx, &progress)) r->stopped = true;
}

static void tell_step(dlc_run *r, uint32_t epoch, double correct, uint32_t n)
{
  static const char *const names[] = {"train_loss", "train_acc", "lr", "seconds"};
  if (!r->config.on_row) return;
  const double values[] = {(double)*r->loss, correct / n, r->config.lr, dlc_seconds() - r->started};
  const dlc_row row = {.size = sizeof row,
                       .kind = DLC_ROW_STEP,
                       .epoch = epoch,
                       .step = r->steps,
                       .n = sizeof values / sizeof *values,
                       .names = names,
                       .values = values};
  r->config.on_row(r->config.ctx, &row);
}

/* Learning rate and step number go in, the step runs, and what came of it is checked. */
static dlc_status train_step(dlc_run *r, dlc_program *program, uint32_t epoch, uint32_t n)
{
  *r->lr = (float)r->config.lr;
  *r->step = r->steps + 1;
  DLC_TRY(dlc_program_run(program));
  r->steps++;
  r->trained_images += n;
  if (r->first_step == 0) r->first_step = dlc_seconds() - r->started;
  if (!isfinite(*r->loss))
    return dlc_fail(DLC_INVALID, "the loss is %g at step %lld (epoch %u); try a smaller --lr", (double)*r->loss,
                    (long long)r->steps, epoch);
  tell_step(r, epoch, (double)*r->correct, n);
  return DLC_OK;
}

static uint32_t batches_of(const dlc_run *r, const phase *p)
{
  const uint32_t all = p->subset.count / r->config.batch_size + (p->subset.count % r->config.batch_size != 0);
  return r->config.limit_batches && r->config.limit_batches < all ? r->config.limit_batches : all;
}

/* One batch of a phase: read, run, counted, told. */
static dlc_status run_batch(dlc_run *r, phase *p, const dlc_progress *base, sums *s)
{
  uint32_t n;
  DLC_TRY(dlc_loader_next(p->loader, r->input, r->labels, &n));
  dlc_program *program = n == r->config.batch_size ? p->full : p->partial;
  DLC_TRY(p == &r->phases[PHASE_TRAIN] ? train_step(r, program, base->epoch, n) : dlc_program_run(program));
  s->batches++;
  s->samples += n;
  s->loss += (double)*r->loss * n;
  s->correct += (double)*r->correct;
  tell_batch(r, p, base, s);
  return DLC_OK;
}

/* One pass of a phase over its subset. `epoch` is counted from 1. */
static dlc_status run_phase(dlc_run *r, phase *p, uint32_t epoch)
{
  const bool training = p == &r->phases[PHASE_TRAIN];
  const uint32_t batches = batches_of(r, p);
  const dlc_progress base = {
      .phase = p->name, .epoch = epoch, .epochs = r->config.epochs, .batches = batches, .lr = r->config.lr};
  sums s = {.began = dlc_seconds(), .waited = dlc_loader_waited(p->loader)};
  dlc_track_begin(r->track, p->name);
  if (!p->started) DLC_TRY(dlc_loader_start(p->loader, epoch - 1));
  p->started = false;
  while (s.batches < batches && !r->stopped) {
    dlc_track_step(r->track, step_names[p - r->phases]);
    DLC_TRY(run_batch(r, p, &base, &s));
    dlc_track_end(r->track);
  }
  dlc_track_end(r->track);
  if (training) r->training_seconds += dlc_seconds() - s.began;
  if (s.samples) p->metrics = (dlc_metrics){s.loss / (double)s.samples, s.correct / (double)s.samples, s.samples};
  return DLC_OK;
}

static void tell_epoch(dlc_run *r, uint32_t epoch, const phase *evaluated)
{
  if (!r->config.on_row) return;
  const dlc_metrics *t = &r->phases[PHASE_TRAIN].metrics, *e = &evaluated->metrics;
  const bool val = evaluated == &r->phases[PHASE_VAL];
  const char *const names[] = {
      "train_loss", "train_acc", val ? "val_loss" : "test_loss", val ? "val_acc" : "test_acc", "lr",
      "seconds",    "img_s"};
  const double values[] = {t->loss,
                           t->accuracy,
                           e->loss,
                           e->accuracy,
                           r->config.lr,
                           dlc_seconds() - r->started,
                           (double)r->trained_images / r->training_seconds};
  const dlc_row row = {.size = sizeof row,
                       .kind = DLC_ROW_EPOCH,
                       .epoch = epoch,
                       .step = r->steps,
                       .n = sizeof values / sizeof *values,
                       .names = names,
                       .values = values};
  r->config.on_row(r->config.ctx, &row);
}

/* The workers read the next epoch's first batches while this one is evaluated. */
static dlc_status start_ahead(phase *p, uint32_t epoch)
{
  p->started = true;
  return dlc_loader_start(p->loader, epoch);
}

static dlc_status train(dlc_run *r, uint32_t *finished)
{
  phase *val = &r->phases[PHASE_VAL], *test = &r->phases[PHASE_TEST];
  phase *evaluated = val->subset.count ? val : test;
  for (uint32_t epoch = 1; epoch <= r->config.epochs && !r->stopped; epoch++) {
    DLC_TRY(run_phase(r, &r->phases[PHASE_TRAIN], epoch));
    if (r->stopped) break;
    if (epoch < r->config.epochs) DLC_TRY(start_ahead(&r->phases[PHASE_TRAIN], epoch));
    if (evaluated->subset.count) DLC_TRY(run_phase(r, evaluated, epoch));
    if (r->stopped) break;
    *finished = epoch;
    tell_epoch(r, epoch, evaluated);
  }
  if (evaluated != test && test->subset.count && !r->stopped) DLC_TRY(run_phase(r, test, r->config.epochs));
  return DLC_OK;
}

dlc_status dlc_run_train(dlc_run *r, dlc_results *results)
{
  uint32_t finished = 0;
  dlc_status status = train(r, &finished);
  *results =
      (dlc_results){.train = r->phases[PHASE_TRAIN].metrics,
                    .val = r->phases[PHASE_VAL].metrics,
                    .test = r->phases[PHASE_TEST].metrics,
                    .epochs = finished,
                    .steps = r->steps,
                    .parameters = r->parameters.count,
                    .seconds_total = dlc_seconds() - r->started,
                    .images_per_second = r->training_seconds > 0 ? (double)r->trained_images / r->training_seconds : 0,
                    .seconds_to_first_step = r->first_step,
                    .interrupted = r->stopped};
  return status;
}
