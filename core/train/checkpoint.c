/* A run written down, and brought back from what was written: tensors as they are in memory, everything else as texts
 * in the file's metadata. Floating point numbers are written in hexadecimal, so that they come back bit for bit. */
#include "base/clock.h"
#include "base/parse.h"
#include "base/shape.h"
#include "base/status.h"
#include "base/str.h"
#include "train/checkpoint_file.h"
#include "train/run_state.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

enum { MAX_TEXTS = 48 };

typedef struct texts {
  const char *pairs[2 * MAX_TEXTS]; /* keys are literals, values owned */
  uint32_t n;
  bool failed;
} texts;

__attribute__((format(printf, 3, 4))) static void put(texts *t, const char *key, const char *format, ...)
{
  char *value = NULL;
  va_list args;
  va_start(args, format);
  if (t->n == MAX_TEXTS || vasprintf(&value, format, args) < 0) t->failed = true;
  va_end(args);
  if (t->failed) return;
  t->pairs[2 * t->n] = key;
  t->pairs[2 * t->n++ + 1] = value;
}

static void free_texts(texts *t)
{
  for (uint32_t i = 0; i < t->n; i++) free((char *)t->pairs[2 * i + 1]);
}

/* What must be the same when a run goes on: else its bytes would be another run's. */
static void put_identity(texts *t, const dlc_run *r)
{
  const dlc_train_config *c = &r->config;
  const dlc_method *p = &c->method;
  put(t, "model", "%s", dlc_model_text(c->model));
  put(t, "dataset", "%s", c->dataset->name);
  put(t, "train_samples", "%u", r->phases[DLC_PHASE_TRAIN].subset.count);
  put(t, "batch_size", "%u", c->batch_size);
  put(t, "seed", "%llu", (unsigned long long)c->seed);
  put(t, "shuffle", "%d", c->shuffle);
  put(t, "stratified", "%d", c->stratified);
  put(t, "optimizer", "%s", p->optimizer->name);
  put(t, "loss", "%s", p->loss ? p->loss->name : "cross_entropy");
  put(t, "accumulate", "%u", p->accumulate > 1 ? p->accumulate : 1);
  put(t, "ema", "%a", p->ema);
  put(t, "limit_batches", "%u", c->limit_batches);
  put(t, "overfit_batches", "%u", c->overfit_batches);
  put(t, "watch", "%s", c->watch ? c->watch : "accuracy");
}

static void put_position(texts *t, const dlc_run *r)
{
  const dlc_phase *training = &r->phases[DLC_PHASE_TRAIN];
  const dlc_metrics *val = &r->phases[DLC_PHASE_VAL].metrics, *test = &r->phases[DLC_PHASE_TEST].metrics;
  put(t, "format", "dlcore checkpoint 1");
  put(t, "epoch", "%u", r->epoch);
  put(t, "epochs_finished", "%u", r->finished);
  put(t, "batch", "%u", training->sums.batches);
  put(t, "step", "%lld", (long long)r->steps);
  put(t, "batches", "%lld", (long long)r->batches);
  put(t, "images", "%lld", (long long)r->trained_images);
  put(t, "sums", "%a %a %a %lld", training->sums.loss, training->sums.weight, training->sums.correct,
      (long long)training->sums.samples);
  put(t, "train", "%a %a %lld %a", training->metrics.loss, training->metrics.accuracy,
      (long long)training->metrics.samples, training->metrics.top5);
  put(t, "val", "%a %a %lld %a", val->loss, val->accuracy, (long long)val->samples, val->top5);
  put(t, "test", "%a %a %lld %a", test->loss, test->accuracy, (long long)test->samples, test->top5);
  put(t, "best", "%a %u %u", r->watch.best, r->watch.best_epoch, r->watch.bad_epochs);
  put(t, "schedule", "%a %a %lld %lld %d", r->schedule.scale, r->schedule.best, (long long)r->schedule.bad_epochs,
      (long long)r->schedule.cooldown, r->schedule.measured);
  put(t, "rate", "%a", r->rate);
  put(t, "seconds", "%a %a %a", dlc_seconds() - r->started, r->training_seconds, r->first_step);
}

/* What predict and eval must know. The model is said above. */
static void put_info(texts *t, const dlc_run *r)
{
  dlc_weights_info info;
  dlc_info_pairs pairs;
  dlc_run_weights_info(r, &info);
  if (dlc_info_pairs_make(&info, &pairs) < 0) t->failed = true;
  for (uint32_t i = 0; i < pairs.n && !t->failed; i++) {
    const char *key = pairs.text[2 * i];
    if (strcmp(key, "format") != 0 && strcmp(key, "model") != 0) put(t, key, "%s", pairs.text[2 * i + 1]);
  }
  dlc_info_pairs_free(&pairs);
}

/* ---- writing ---- */

static dlc_status write_epoch(dlc_run *r, const dlc_checkpoint *c)
{
  return dlc_checkpoint_write_epoch(r->checkpoints, c, r->finished, dlc_watch_score(r), r->config.checkpoint_keep);
}

/* The epoch's own comes first: a run that is killed between the two goes on before this epoch, and writes it again. */
static dlc_status write_files(dlc_run *r, const dlc_checkpoint *c, bool epoch_ended)
{
  dlc_status status = epoch_ended && r->config.checkpoint_keep ? write_epoch(r, c) : DLC_OK;
  if (status < 0) dlc_say(r->config.sink, DLC_LOG_WARN, "epoch %u keeps no checkpoint: %s", r->finished, dlc_reason());
  return dlc_checkpoint_write(r->checkpoints, c);
}

/* A disk that is full now may not be so in an hour: a failure is told, and the run goes on. */
dlc_status dlc_run_checkpoint(dlc_run *r, bool epoch_ended)
{
  const uint32_t n = r->parameters.n + r->states.n;
  if (!r->checkpoints || r->steps == 0 || (r->steps == r->kept_step && !epoch_ended)) return DLC_OK;
  dlc_tensor *tensors = malloc(((size_t)n + 1) * sizeof *tensors);
  if (!tensors) return dlc_fail_nomem();
  for (uint32_t i = 0; i < n; i++)
    tensors[i] = i < r->parameters.n ? r->parameters.list[i].tensor : r->states.list[i - r->parameters.n].tensor;
  texts t = {0};
  put_position(&t, r);
  put_identity(&t, r);
  put_info(&t, r);
  const dlc_checkpoint c = {tensors, n, t.pairs, t.n};
  dlc_track_begin(r->track, "checkpoint");
  const dlc_status status = t.failed ? dlc_fail_nomem() : write_files(r, &c, epoch_ended);
  dlc_track_end(r->track);
  if (status >= 0) r->kept_step = r->steps;
  else dlc_say(r->config.sink, DLC_LOG_WARN, "no checkpoint at step %lld: %s", (long long)r->steps, dlc_reason());
  free_texts(&t);
  free(tensors);
  return DLC_OK;
}

/* ---- reading ---- */

typedef struct reader {
  const dlc_tensor_file *file;
  const char *path;
} reader;

static dlc_status get(const reader *in, const char *key, const char **text)
{
  *text = dlc_metadata_find(in->file, key);
  return *text ? DLC_OK : dlc_fail(DLC_INVALID, "%s is no checkpoint of a run: it has no `%s`", in->path, key);
}

/* Numbers of one text, by the letters of `kinds`: d double, i int64_t, u uint32_t, b bool. */
static dlc_status get_numbers(const reader *in, const char *key, const char *kinds, ...)
{
  const char *text;
  DLC_TRY(get(in, key, &text));
  const char *at = text;
  bool ok = true;
  va_list args;
  va_start(args, kinds);
  for (const char *kind = kinds; *kind && ok; kind++) {
    char *end;
    if (*kind == 'd') {
      *va_arg(args, double *) = strtod(at, &end);
    } else {
      const long long value = strtoll(at, &end, 10);
      if (*kind == 'i') *va_arg(args, int64_t *) = value;
      else if (*kind == 'b') *va_arg(args, bool *) = value != 0;
      else *va_arg(args, uint32_t *) = (uint32_t)value, ok = value >= 0 && value <= UINT32_MAX;
    }
    ok = ok && end != at;
    at = end;
  }
  va_end(args);
  return ok && *at == '\0' ? DLC_OK : dlc_fail(DLC_INVALID, "%s: `%s` is '%s'", in->path, key, text);
}

static dlc_status get_metrics(const reader *in, const char *key, dlc_metrics *m)
{
  return get_numbers(in, key, "ddid", &m->loss, &m->accuracy, &m->samples, &m->top5);
}

static dlc_status check_identity(const reader *in, const dlc_run *r)
{
  texts t = {0};
  put_identity(&t, r);
  dlc_status status = t.failed ? dlc_fail_nomem() : DLC_OK;
  for (uint32_t i = 0; i < t.n && status >= 0; i++) {
    const char *key = t.pairs[2 * i], *ours = t.pairs[2 * i + 1], *theirs;
    status = get(in, key, &theirs);
    if (status < 0 || strcmp(ours, theirs) == 0) continue;
    status = strcmp(key, "model") == 0
                 ? dlc_fail(DLC_INVALID, "%s is of another model than %s", in->path, dlc_model_name(r->config.model))
                 : dlc_fail(DLC_INVALID,
                            "%s has %s %s, this run %s: it would not be the same run; --init-from takes "
                            "the weights alone",
                            in->path, key, theirs, ours);
  }
  free_texts(&t);
  return status;
}

static dlc_status check_tensors(const reader *in, const dlc_parameters *p)
{
  for (uint32_t i = 0; i < p->n; i++) {
    const dlc_tensor *to = &p->list[i].tensor, *from = dlc_tensor_find(in->file, to->name);
    if (!from) return dlc_fail(DLC_INVALID, "%s has no `%s`: it is of another model or optimizer", in->path, to->name);
    if (from->dtype == to->dtype && from->rank == to->rank &&
        memcmp(from->dim, to->dim, to->rank * sizeof *to->dim) == 0)
      continue;
    return dlc_fail(DLC_INVALID, "%s: `%s` is %s %s, this run's is %s %s", in->path, to->name,
                    in->file->types[from - in->file->tensors], dlc_name_shape(from->rank, from->dim).text,
                    dlc_dtype_name(to->dtype), dlc_name_shape(to->rank, to->dim).text);
  }
  return DLC_OK;
}

static void take_tensors(const reader *in, const dlc_parameters *p)
{
  for (uint32_t i = 0; i < p->n; i++) {
    const dlc_tensor *to = &p->list[i].tensor;
    memcpy(to->data, dlc_tensor_find(in->file, to->name)->data, dlc_tensor_bytes(to));
  }
}

static dlc_status take_position(const reader *in, dlc_run *r)
{
  dlc_phase *training = &r->phases[DLC_PHASE_TRAIN];
  double seconds;
  DLC_TRY(get_numbers(in, "epoch", "u", &r->epoch));
  DLC_TRY(get_numbers(in, "epochs_finished", "u", &r->finished));
  DLC_TRY(get_numbers(in, "batch", "u", &training->sums.batches));
  DLC_TRY(get_numbers(in, "step", "i", &r->steps));
  DLC_TRY(get_numbers(in, "batches", "i", &r->batches));
  DLC_TRY(get_numbers(in, "images", "i", &r->trained_images));
  DLC_TRY(get_numbers(in, "sums", "dddi", &training->sums.loss, &training->sums.weight, &training->sums.correct,
                      &training->sums.samples));
  DLC_TRY(get_metrics(in, "train", &training->metrics));
  DLC_TRY(get_metrics(in, "val", &r->phases[DLC_PHASE_VAL].metrics));
  DLC_TRY(get_metrics(in, "test", &r->phases[DLC_PHASE_TEST].metrics));
  DLC_TRY(get_numbers(in, "best", "duu", &r->watch.best, &r->watch.best_epoch, &r->watch.bad_epochs));
  DLC_TRY(get_numbers(in, "schedule", "ddiib", &r->schedule.scale, &r->schedule.best, &r->schedule.bad_epochs,
                      &r->schedule.cooldown, &r->schedule.measured));
  DLC_TRY(get_numbers(in, "rate", "d", &r->rate));
  DLC_TRY(get_numbers(in, "seconds", "ddd", &seconds, &r->training_seconds, &r->first_step));
  r->started -= seconds;
  r->out_of_patience = r->config.patience && r->watch.bad_epochs >= r->config.patience;
  if (r->epoch >= 1 && training->sums.batches <= dlc_phase_batches(r, training)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s stands at batch %u of epoch %u, which this run does not have", in->path,
                  training->sums.batches, r->epoch);
}

dlc_status dlc_run_resume(dlc_run *r, const dlc_tensor_file *checkpoint, const char *path)
{
  const reader in = {checkpoint, path};
  DLC_TRY(check_tensors(&in, &r->parameters));
  DLC_TRY(check_identity(&in, r));
  DLC_TRY(check_tensors(&in, &r->states));
  DLC_TRY(take_position(&in, r));
  r->kept_step = r->steps;
  take_tensors(&in, &r->parameters);
  take_tensors(&in, &r->states);
  return DLC_OK;
}
