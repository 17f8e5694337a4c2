/* The loop over epochs and batches. */
#include "base/clock.h"
#include "base/status.h"
#include "train/mix.h"
#include "train/nonfinite.h"
#include "train/run_state.h"
#include "train/update_graph.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- telling ---- */

static void tell_batch(dlc_run *r, const dlc_phase *p, const dlc_progress *base, double began, double waited)
{
  if (!r->config.on_batch) return;
  const dlc_sums *s = &p->sums;
  dlc_progress progress = *base;
  progress.batch = s->batches;
  progress.loss = s->loss / s->weight;
  progress.accuracy = s->correct / (double)s->samples;
  progress.seconds = dlc_seconds() - began;
  progress.images_per_second = (double)(s->batches - base->batch) * p->batch_size / progress.seconds;
  progress.wait_share = (dlc_loader_waited(p->loader) - waited) / progress.seconds;
  progress.lr = r->rate;
  if (!r->config.on_batch(r->config.ctx, &progress)) r->stopped = true;
}

static void tell_row(dlc_run *r, uint32_t kind, const char *const *names, const double *values, uint32_t n)
{
  const dlc_row row = {
      .size = sizeof row, .kind = kind, .epoch = r->epoch, .step = r->steps, .n = n, .names = names, .values = values};
  if (r->config.on_row) r->config.on_row(r->config.ctx, &row);
}

static void tell_step(dlc_run *r, const dlc_sums *of)
{
  static const char *const names[] = {"train_loss", "train_acc", "lr", "seconds"};
  const double values[] = {of->loss / of->weight, of->correct / (double)of->samples, r->rate,
                           dlc_seconds() - r->started};
  tell_row(r, DLC_ROW_STEP, names, values, 4);
}

static void tell_epoch(dlc_run *r, const dlc_phase *evaluated)
{
  const dlc_metrics *t = &r->phases[DLC_PHASE_TRAIN].metrics, *e = &evaluated->metrics;
  const bool val = evaluated == &r->phases[DLC_PHASE_VAL], has_top5 = r->correct_top5 != NULL;
  const struct {
    const char *name;
    double value;
  } columns[] = {{"train_loss", t->loss},
                 {"train_acc", t->accuracy},
                 {val ? "val_loss" : "test_loss", e->loss},
                 {val ? "val_acc" : "test_acc", e->accuracy},
                 {has_top5 ? val ? "val_top5" : "test_top5" : NULL, e->top5},
                 {"lr", r->rate},
                 {"seconds", dlc_seconds() - r->started},
                 {"img_s", (double)r->trained_images / r->training_seconds}};
  enum { N_COLUMNS = sizeof columns / sizeof *columns };
  const char *names[N_COLUMNS];
  double values[N_COLUMNS];
  uint32_t n = 0;
  for (int i = 0; i < N_COLUMNS; i++) {
    if (!columns[i].name) continue;
    names[n] = columns[i].name;
    values[n++] = columns[i].value;
  }
  tell_row(r, DLC_ROW_EPOCH, names, values, n);
}

/* ---- one training step ---- */

static void set_rates(dlc_run *r)
{
  const dlc_method *c = &r->config.method;
  const uint32_t each = dlc_run_epoch_steps(r), epochs = r->config.epochs;
  const double lr = dlc_schedule_rate(&c->schedule, &r->schedule, c->lr, r->steps, each, epochs);
  r->rate = lr;
  dlc_run_put(r, r->lr, lr);
  *r->step = r->steps + 1;
  if (r->momentum) dlc_run_put(r, r->momentum, dlc_schedule_momentum(&c->schedule, r->steps, each, epochs));
  if (r->ema_decay) dlc_run_put(r, r->ema_decay, c->ema);
  for (uint32_t i = 0; i < c->n_groups; i++)
    if (r->group_lr[i]) dlc_run_put(r, r->group_lr[i], lr * c->groups[i].lr_scale);
}

/* What a batch draws by: its own number in the run, so that no two are alike. */
static void set_random(dlc_run *r)
{
  const dlc_sample_format *f = &r->data_input.format;
  if (r->random) {
    r->random[0] = (int64_t)(uint32_t)r->config.seed;
    r->random[1] = (int64_t)(r->config.seed >> 32);
    r->random[2] = r->batches + 1;
  }
  if (!r->mix_share) return;
  const dlc_mix mix = dlc_mix_draw(&r->config.method, r->config.seed, r->batches, f->height, f->width);
  dlc_run_put(r, r->mix_share, (double)mix.share);
  dlc_run_put(r, r->label_share, (double)mix.label_share);
  memcpy(r->mix_box, mix.box, sizeof mix.box);
}

/* The samples of the step that batch `index` of the epoch belongs to. */
static int64_t step_samples(const dlc_run *r, const dlc_phase *p, uint32_t index)
{
  const uint32_t each = r->config.method.accumulate, batches = dlc_phase_batches(r, p);
  const int64_t first = (int64_t)(index / each) * each, last = first + each < batches ? first + each : batches;
  const int64_t begin = first * p->batch_size, end = last * p->batch_size;
  return (end < p->subset.count ? end : p->subset.count) - begin;
}

static bool ends_step(const dlc_run *r, const dlc_phase *p, uint32_t index)
{
  const uint32_t each = r->config.method.accumulate;
  return each <= 1 || (index + 1) % each == 0 || index + 1 == dlc_phase_batches(r, p);
}

static void clear_gradients(const dlc_run *r)
{
  for (uint32_t i = 0; i < r->parameters.n; i++) {
    char name[512];
    size_t bytes;
    snprintf(name, sizeof name, DLC_PREFIX_GRADIENT "%s", r->parameters.list[i].tensor.name);
    void *sum = dlc_machine_memory(r->config.machine, name, &bytes);
    if (sum) memset(sum, 0, bytes);
  }
}

/* Forward and loss, which is looked at before anything is changed by it; then the rest. */
static dlc_status run_program(dlc_run *r, dlc_program *program)
{
  DLC_TRY(dlc_program_run_part(program, 0));
  if (!isfinite(dlc_run_get(r, r->loss))) return dlc_nonfinite_fail(r, program);
  return dlc_program_run_part(program, 1);
}

/* The loss of a batch is a mean, by the weights of its classes where there are any: so is that of several batches. What
 * is mixed of two classes counts as one sample. */
static double loss_weight(const dlc_run *r, uint32_t n, bool training)
{
  const float *weights = r->config.method.class_weights;
  double sum = 0;
  if (!weights || (training && dlc_method_mixes(&r->config.method))) return n;
  for (uint32_t i = 0; i < n; i++) sum += (double)weights[r->labels[i]];
  return sum;
}

static void count_batch(const dlc_run *r, dlc_sums *s, uint32_t n, bool training)
{
  const double weight = loss_weight(r, n, training);
  if (weight > 0) s->loss += dlc_run_get(r, r->loss) * weight; /* else there is none */
  s->weight += weight;
  s->correct += dlc_run_get(r, r->correct);
  s->samples += n;
}

static dlc_status train_batch(dlc_run *r, dlc_phase *p, dlc_program *program, uint32_t n, dlc_sums *step)
{
  const uint32_t index = p->sums.batches;
  const bool accumulates = r->apply != NULL;
  set_rates(r);
  set_random(r);
  if (accumulates) dlc_run_put(r, r->factor, (double)n / (double)step_samples(r, p, index));
  DLC_TRY(run_program(r, program));
  r->batches++;
  r->trained_images += n;
  count_batch(r, step, n, true);
  if (!ends_step(r, p, index)) return DLC_OK;
  if (accumulates) {
    DLC_TRY(dlc_program_run(r->apply));
    clear_gradients(r);
  }
  r->steps++;
  if (r->first_step == 0) r->first_step = dlc_seconds() - r->started;
  tell_step(r, step);
  *step = (dlc_sums){0};
  return DLC_OK;
}

/* ---- phases ---- */

/* One batch: read, run, counted. */
static dlc_status run_batch(dlc_run *r, dlc_phase *p, dlc_sums *step)
{
  uint32_t n;
  dlc_sums *s = &p->sums;
  DLC_TRY(dlc_loader_next(p->loader, r->input, r->labels, &n));
  dlc_program *program = n == p->batch_size ? p->full : p->partial;
  const bool training = p == &r->phases[DLC_PHASE_TRAIN];
  DLC_TRY(training ? train_batch(r, p, program, n, step) : dlc_program_run(program));
  count_batch(r, s, n, training);
  s->batches++;
  if (!training && r->correct_top5) s->top5 += dlc_run_get(r, r->correct_top5);
  return DLC_OK;
}

/* A checkpoint at the border of a step, where one is due. */
static dlc_status maybe_checkpoint(dlc_run *r, const dlc_phase *p, const dlc_sums *step)
{
  const uint32_t every = r->config.checkpoint_steps;
  if (p != &r->phases[DLC_PHASE_TRAIN] || step->samples || p->sums.batches == dlc_phase_batches(r, p)) return DLC_OK;
  const bool wanted = r->config.save_wanted && r->config.save_wanted(r->config.ctx);
  return wanted || (every && r->steps % every == 0) ? dlc_run_checkpoint(r, false) : DLC_OK;
}

static bool is_complete(const dlc_run *r, const dlc_phase *p)
{
  return p->sums.batches == dlc_phase_batches(r, p);
}

/* A stop waits for the step that gradients are being summed up for. */
static bool goes_on(const dlc_run *r, const dlc_phase *p, const dlc_sums *step)
{
  return p->sums.batches < dlc_phase_batches(r, p) && (!r->stopped || step->samples);
}

/* One pass of a phase over its subset, or what is left of it after a resume. */
static dlc_status run_phase(dlc_run *r, dlc_phase *p)
{
  dlc_sums step = {0};
  if (p != &r->phases[DLC_PHASE_TRAIN]) p->sums = (dlc_sums){0};
  const double began = dlc_seconds(), waited = dlc_loader_waited(p->loader);
  const dlc_progress base = {.phase = p->name,
                             .epoch = r->epoch < r->config.epochs ? r->epoch : r->config.epochs,
                             .epochs = r->config.epochs,
                             .batch = p->sums.batches,
                             .batches = dlc_phase_batches(r, p)};
  dlc_track_begin(r->track, p->name);
  if (!p->started) DLC_TRY(dlc_loader_start(p->loader, r->epoch - 1, p->sums.batches));
  p->started = false;
  while (goes_on(r, p, &step)) {
    dlc_track_step(r->track, p->step_name);
    DLC_TRY(run_batch(r, p, &step));
    dlc_track_end(r->track);
    tell_batch(r, p, &base, began, waited);
    DLC_TRY(maybe_checkpoint(r, p, &step));
  }
  dlc_track_end(r->track);
  const dlc_sums *s = &p->sums;
  const bool training = p == &r->phases[DLC_PHASE_TRAIN];
  if (training) r->training_seconds += dlc_seconds() - began;
  if (s->samples && (training || is_complete(r, p)))
    p->metrics = (dlc_metrics){.loss = s->loss / s->weight,
                               .accuracy = s->correct / (double)s->samples,
                               .samples = s->samples,
                               .top5 = training || !r->correct_top5 ? NAN : s->top5 / (double)s->samples};
  return DLC_OK;
}

/* ---- epochs ---- */

/* The workers read the next epoch's first batches while this one is evaluated. */
static dlc_status start_ahead(dlc_run *r)
{
  dlc_phase *p = &r->phases[DLC_PHASE_TRAIN];
  if (r->epoch == r->config.epochs) return DLC_OK;
  p->started = true;
  return dlc_loader_start(p->loader, r->epoch, 0);
}

static dlc_status end_epoch(dlc_run *r, const dlc_phase *evaluated)
{
  const bool best = dlc_watch_epoch(r);
  r->finished = r->epoch;
  r->phases[DLC_PHASE_TRAIN].sums = (dlc_sums){0};
  tell_epoch(r, evaluated);
  if (r->config.on_epoch) r->config.on_epoch(r->config.ctx, r->epoch, r->steps, best);
  r->out_of_patience = r->config.patience && r->watch.bad_epochs >= r->config.patience;
  r->epoch++;
  return dlc_run_checkpoint(r, true);
}

static dlc_status train_epochs(dlc_run *r, dlc_phase *evaluated)
{
  dlc_phase *training = &r->phases[DLC_PHASE_TRAIN];
  while (r->epoch <= r->config.epochs && !r->stopped && !r->out_of_patience) {
    DLC_TRY(run_phase(r, training));
    if (r->stopped) break;
    DLC_TRY(start_ahead(r));
    if (evaluated->subset.count) DLC_TRY(run_phase(r, evaluated));
    if (evaluated->subset.count && !is_complete(r, evaluated)) break;
    DLC_TRY(end_epoch(r, evaluated));
  }
  return DLC_OK;
}

/* A stop that comes when everything is done stops nothing. */
static dlc_status train(dlc_run *r)
{
  dlc_phase *evaluated = dlc_run_evaluated(r), *test = &r->phases[DLC_PHASE_TEST];
  const bool tests = evaluated != test && test->subset.count;
  DLC_TRY(train_epochs(r, evaluated));
  const bool trained = r->epoch > r->config.epochs || r->out_of_patience;
  if (trained && tests && !r->stopped) DLC_TRY(run_phase(r, test));
  if (trained && (!tests || is_complete(r, test))) r->stopped = false;
  return r->stopped ? dlc_run_checkpoint(r, false) : DLC_OK;
}

dlc_status dlc_run_train(dlc_run *r, dlc_results *results)
{
  dlc_status status = train(r);
  *results =
      (dlc_results){.train = r->phases[DLC_PHASE_TRAIN].metrics,
                    .val = r->phases[DLC_PHASE_VAL].metrics,
                    .test = r->phases[DLC_PHASE_TEST].metrics,
                    .epochs = r->finished,
                    .best_epoch = r->watch.best_epoch,
                    .best = r->watch.best,
                    .steps = r->steps,
                    .parameters = r->parameters.count,
                    .seconds_total = dlc_seconds() - r->started,
                    .images_per_second = r->training_seconds > 0 ? (double)r->trained_images / r->training_seconds : 0,
                    .seconds_to_first_step = r->first_step,
                    .interrupted = r->stopped,
                    .out_of_patience = r->out_of_patience};
  return status;
}
