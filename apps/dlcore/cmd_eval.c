/* dlcore eval: how well trained weights do on a split whose classes are known. */
#include "bad_files.h"
#include "base/file.h"
#include "base/status.h"
#include "commands.h"
#include "data/dataset.h"
#include "eval.h"
#include "json_text.h"
#include "stop.h"
#include "train/criterion.h"
#include "trained.h"
#include <stdlib.h>
#include <string.h>

typedef struct evaluation {
  cli_job job;
  cli_console *console;
  cli_trained trained;
  dlc_subset subset;
  uint32_t *class_of; /* the weights' number of each class of the data set; owned */
  const int32_t *labels;
  dlc_criterion *criterion;
  cli_evaluation result;
} evaluation;

static int failed(dlc_status status)
{
  return status < 0 ? CLI_FAILED : CLI_OK;
}

/* ---- what is evaluated on ---- */

/* With --run the data is the run's, cut up as it was then. */
static int read_subject(cli_options *o)
{
  static const char *const of_run[] = {"dataset",    "data-dir", "limit-per-class", "val-split",
                                       "stratified", "seed",     "on-bad-image",    "plugin-path"};
  if (o->run) return cli_options_of_run(o, o->run, of_run, sizeof of_run / sizeof *of_run);
  if (!o->weights) dlc_fail(DLC_INVALID, "eval needs --run DIR or --weights FILE");
  else if (cli_option_typed(o, "dataset") || cli_option_typed(o, "data-dir")) return CLI_OK;
  else dlc_fail(DLC_INVALID, "nothing to evaluate on: give --dataset, --data-dir or --run");
  return CLI_USAGE;
}

/* Where the run's data was is seen from where the run was started. */
static int open_dataset(evaluation *e, const cli_options *o)
{
  const int code = cli_job_dataset(&e->job);
  if (code != CLI_OK && o->run && !cli_option_typed(o, "data-dir")) dlc_fail_in(DLC_INVALID, "the data of %s", o->run);
  return code;
}

/* --split, or the most telling part there is. */
static const char *choose_part(const dlc_parts *parts, const cli_options *o)
{
  return o->split ? o->split : parts->test.count == 0 && parts->val.count ? "val" : "test";
}

static int no_part(const evaluation *e, const char *name)
{
  if (dlc_split_find(e->job.info, name) < 0) {
    dlc_fail(DLC_INVALID, "dataset %s has no %s split%s", e->job.dataset->name, name,
             strcmp(name, "val") == 0 ? "; --val-split cuts one off its training data" : "");
    return CLI_USAGE;
  }
  dlc_fail(DLC_INVALID, "split %s of dataset %s has no labels to compare with; dlcore predict names its pictures", name,
           e->job.dataset->name);
  return CLI_FAILED;
}

/* The samples as training divided them. */
static int find_part(evaluation *e, const cli_options *o)
{
  dlc_parts parts;
  const dlc_status status = dlc_parts_make(e->job.info, o->val_split, o->stratified, (uint64_t)o->seed, &parts);
  int code = failed(status);
  if (code == CLI_OK) {
    const char *name = e->result.split = choose_part(&parts, o);
    dlc_subset *part = strcmp(name, "train") == 0 ? &parts.train : strcmp(name, "val") == 0 ? &parts.val : &parts.test;
    if (part->count == 0) code = no_part(e, name);
    e->subset = *part;
    *part = (dlc_subset){0};
    e->labels = dlc_split_at(e->job.info, e->subset.split)->labels;
  }
  dlc_parts_free(&parts);
  return code;
}

/* ---- classes ---- */

/* As the weights keep names: in JSON, which has no bytes but UTF-8. */
static bool same_name(const char *name, const char *kept)
{
  json_t *text = cli_json_text(name);
  const bool same = text && strcmp(json_string_value(text), kept) == 0;
  json_decref(text);
  return same;
}

/* The class of the weights with this name, of several the one at `i`; n_classes: none. */
static uint32_t find_class(const dlc_weights_info *info, const char *name, uint32_t i)
{
  if (i < info->n_classes && same_name(name, info->classes[i])) return i;
  uint32_t k = 0;
  while (k < info->n_classes && !same_name(name, info->classes[k])) k++;
  return k;
}

static int match_classes(evaluation *e)
{
  const dlc_dataset_info *info = e->job.info;
  const dlc_weights_info *known = &e->trained.info;
  if (info->n_classes != known->n_classes) {
    dlc_fail(DLC_INVALID, "dataset %s has %u classes, the weights know %u", e->job.dataset->name, info->n_classes,
             known->n_classes);
    return CLI_FAILED;
  }
  e->class_of = calloc(info->n_classes, sizeof *e->class_of);
  if (!e->class_of) return failed(dlc_fail_nomem());
  for (uint32_t i = 0; i < info->n_classes; i++) {
    e->class_of[i] = find_class(known, info->class_names[i], i);
    if (e->class_of[i] < known->n_classes) continue;
    dlc_fail(DLC_INVALID, "class %u of dataset %s is '%s', which the weights don't know; theirs is '%s'", i,
             e->job.dataset->name, info->class_names[i], known->classes[i]);
    return CLI_FAILED;
  }
  return CLI_OK;
}

/* ---- the loss ---- */

/* The one that the weights were trained with, class weights and all, or --loss. */
static int open_criterion(evaluation *e, const cli_options *o)
{
  const bool typed = cli_option_typed(o, "loss");
  const dlc_weights_info *info = &e->trained.info;
  const char *spec = typed ? o->loss : info->criterion ? info->criterion : "cross_entropy";
  void *attr = NULL;
  dlc_criterion_config config = {.class_weights = typed ? NULL : info->class_weights,
                                 .outputs = dlc_predictor_outputs(e->trained.predictor),
                                 .host = dlc_registry_host(e->job.registry)};
  int code = cli_read_loss(&e->job, typed ? "--loss" : e->trained.path, spec, &config.loss, &attr);
  if (code != CLI_OK) return typed ? code : CLI_FAILED;
  config.attr = attr;
  e->result.criterion = spec;
  e->result.class_weights = config.class_weights;
  return failed(dlc_criterion_open(&config, &e->criterion));
}

/* ---- called while it runs ---- */

static dlc_status on_sample(void *ctx, const dlc_prediction *p)
{
  evaluation *e = ctx;
  const uint32_t class = e->class_of[e->labels[p->index]];
  dlc_confusion_add(&e->result.confusion, class, p->log_probs);
  return dlc_criterion_add(e->criterion, class, p->outputs);
}

static void on_bad_sample(void *ctx, const char *name, const char *reason)
{
  evaluation *e = ctx;
  e->result.bad++;
  cli_say(e->console, DLC_LOG_WARN, "bad picture %s%s%s", strstr(reason, name) ? "" : name,
          strstr(reason, name) ? "" : ": ", reason);
}

static bool on_batch(void *ctx, uint32_t done, uint32_t count)
{
  evaluation *e = ctx;
  cli_progress_count(e->console, "eval", done, count);
  return !cli_stop_signal();
}

static int measure(evaluation *e, const cli_options *o)
{
  const dlc_predict_config config = {.dataset = e->job.dataset,
                                     .data = e->job.data,
                                     .split = e->subset.split,
                                     .subset = &e->subset,
                                     .threads = dlc_pool_threads(e->job.pool),
                                     .on_bad = cli_bad_policy(o),
                                     .on_sample = on_sample,
                                     .on_bad_sample = on_bad_sample,
                                     .on_batch = on_batch,
                                     .ctx = e};
  if (dlc_confusion_open(&e->result.confusion, e->trained.info.n_classes) < 0) return CLI_FAILED;
  cli_stop_install();
  dlc_status status = dlc_predict(e->trained.predictor, &config);
  cli_progress_clear(e->console);
  if (status == DLC_END) return 128 + cli_stop_signal();
  if (status >= 0 && e->result.confusion.samples == 0)
    status = dlc_fail(DLC_INVALID, "split %s of dataset %s has no picture that can be read", e->result.split,
                      e->job.dataset->name);
  e->result.loss = dlc_criterion_value(e->criterion);
  return failed(status);
}

/* ---- the result ---- */

static dlc_status write_file(const char *folder, const char *name, const dlc_str *text)
{
  char *path;
  if (!dlc_str_ok(text) || asprintf(&path, "%s/%s", folder, name) < 0) return dlc_fail_nomem();
  dlc_status status = dlc_write_file(path, dlc_str_get(text), text->length);
  free(path);
  return status;
}

static dlc_status write_files(const evaluation *e, const char *folder, const dlc_str *json)
{
  dlc_str csv = {0}, svg = {0};
  cli_eval_csv(&e->result, &csv);
  cli_eval_svg(&e->result, &svg);
  dlc_status status = dlc_make_dirs(folder);
  if (status >= 0) status = write_file(folder, "results.json", json);
  if (status >= 0) status = write_file(folder, "confusion_matrix.csv", &csv);
  if (status >= 0) status = write_file(folder, "confusion_matrix.svg", &svg);
  dlc_str_free(&csv);
  dlc_str_free(&svg);
  if (status >= 0)
    cli_say(e->console, DLC_LOG_INFO, "\nwritten   %s: results.json, confusion_matrix.csv, confusion_matrix.svg",
            folder);
  return status;
}

/* To --output, else into the run folder; weights by themselves have no place of their own. */
static int tell(const evaluation *e, const cli_options *o)
{
  dlc_str json = {0}, folder = {0};
  cli_eval_json(&e->result, &json);
  if (o->file) dlc_str_add(&folder, o->file);
  else if (o->run) dlc_str_addf(&folder, "%s/eval/%s", o->run, e->result.split);
  if (o->json) fwrite(dlc_str_get(&json), 1, json.length, stdout);
  else cli_eval_say(&e->result, e->console);
  dlc_status status = dlc_str_ok(&json) && dlc_str_ok(&folder) ? DLC_OK : dlc_fail_nomem();
  if (status >= 0 && folder.length) status = write_files(e, dlc_str_get(&folder), &json);
  dlc_str_free(&json);
  dlc_str_free(&folder);
  return failed(status);
}

static int evaluate(evaluation *e, cli_options *o)
{
  int code = read_subject(o);
  if (code == CLI_OK) code = cli_trained_find(&e->trained, o);
  if (code == CLI_OK) code = cli_job_open(&e->job, o, e->console);
  if (code == CLI_OK) code = open_dataset(e, o);
  if (code == CLI_OK) code = find_part(e, o);
  if (code == CLI_OK) code = match_classes(e);
  if (code == CLI_OK) code = cli_trained_open(&e->trained, &e->job, false);
  if (code == CLI_OK) code = open_criterion(e, o);
  if (code != CLI_OK) return code;
  cli_say_dataset(&e->job);
  cli_say(e->console, DLC_LOG_INFO, "weights   %s", e->trained.path);
  e->result.weights = e->trained.path;
  e->result.dataset = e->job.dataset->name;
  e->result.classes = e->trained.info.classes;
  code = measure(e, o);
  return code == CLI_OK ? tell(e, o) : code;
}

int cli_eval(cli_options *o, cli_console *c)
{
  evaluation e = {.console = c};
  if (o->json && c->shown < DLC_LOG_WARN) c->shown = DLC_LOG_WARN; /* stdout is for the result */
  int code = evaluate(&e, o);
  cli_progress_clear(c);
  cli_report(c, code);
  dlc_confusion_close(&e.result.confusion);
  dlc_criterion_close(e.criterion);
  dlc_subset_free(&e.subset);
  free(e.class_of);
  cli_trained_close(&e.trained);
  cli_job_close(&e.job);
  return code;
}
