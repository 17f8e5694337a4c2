/* dlcore predict: what trained weights make of pictures. */
#include "bad_files.h"
#include "base/file.h"
#include "base/status.h"
#include "commands.h"
#include "data/dataset.h"
#include "inputs.h"
#include "predictions.h"
#include "stop.h"
#include "trained.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct prediction {
  cli_job job;
  cli_console *console;
  cli_trained trained;
  cli_predictions rows;
  float *probabilities; /* of one picture */
  const char *prefix;   /* of the current input */
  uint32_t bad;
} prediction;

/* ---- called while it runs ---- */

static dlc_status on_sample(void *ctx, const dlc_prediction *sample)
{
  prediction *p = ctx;
  for (uint32_t i = 0; i < p->trained.info.n_classes; i++)
    p->probabilities[i] = (float)exp((double)sample->log_probs[i]);
  return cli_predictions_add(&p->rows, p->prefix, sample->name, p->probabilities);
}

static void on_bad_sample(void *ctx, const char *name, const char *reason)
{
  prediction *p = ctx;
  p->bad++;
  cli_say(p->console, DLC_LOG_WARN, "bad picture %s%s%s", strstr(reason, name) ? "" : name,
          strstr(reason, name) ? "" : ": ", reason);
}

static bool on_batch(void *ctx, uint32_t done, uint32_t count)
{
  prediction *p = ctx;
  cli_progress_count(p->console, "predict", done, count);
  return !cli_stop_signal();
}

static int use_input(void *ctx, const cli_input *input)
{
  prediction *p = ctx;
  p->prefix = input->prefix;
  const dlc_predict_config config = {.dataset = input->dataset,
                                     .data = input->data,
                                     .split = input->split,
                                     .threads = dlc_pool_threads(p->job.pool),
                                     .on_bad = cli_bad_policy(p->job.options),
                                     .on_sample = on_sample,
                                     .on_bad_sample = on_bad_sample,
                                     .on_batch = on_batch,
                                     .ctx = p};
  dlc_status status = dlc_predict(p->trained.predictor, &config);
  if (status == DLC_END) return 128 + cli_stop_signal();
  return status < 0 ? CLI_FAILED : CLI_OK;
}

/* --dataset or --data-dir instead of INPUTs. */
static int use_dataset(prediction *p, const cli_options *o)
{
  int code = cli_job_dataset(&p->job);
  if (code != CLI_OK) return code;
  const char *wanted = o->split ? o->split : "test";
  const int split = dlc_split_find(p->job.info, wanted);
  if (split < 0) {
    dlc_fail(DLC_INVALID, "--split: dataset %s has no split '%s'", p->job.dataset->name, wanted);
    return CLI_USAGE;
  }
  const cli_input input = {p->job.dataset, p->job.data, p->job.info, (uint32_t)split, ""};
  return use_input(p, &input);
}

/* ---- the result ---- */

static int write_result(prediction *p, const cli_options *o)
{
  dlc_str text = {0};
  int code = cli_predictions_write(&p->rows, o, &text);
  if (code == CLI_OK && !o->file) fwrite(dlc_str_get(&text), 1, text.length, stdout);
  else if (code == CLI_OK && dlc_write_file(o->file, dlc_str_get(&text), text.length) < 0) code = CLI_FAILED;
  dlc_str_free(&text);
  if (code == CLI_OK && o->file)
    cli_say(p->console, DLC_LOG_INFO, "%s: %u pictures%s", o->file, p->rows.n, p->bad ? ", without the bad ones" : "");
  return code;
}

/* INPUTs or a dataset, one of which there must be. */
static int check_subject(const cli_options *o)
{
  const bool dataset = cli_option_typed(o, "dataset"), folder = cli_option_typed(o, "data-dir");
  if (o->arguments.n ? !dataset && !folder : dataset || folder) return CLI_OK;
  if (o->arguments.n)
    dlc_fail(DLC_INVALID, "predict takes INPUTs or %s, not both", dataset ? "--dataset" : "--data-dir");
  else dlc_fail(DLC_INVALID, "nothing to predict on: name folders, archives or pictures, or give --dataset");
  return CLI_USAGE;
}

static int check_weights(const cli_options *o)
{
  if (!o->weights != !o->run) return CLI_OK;
  dlc_fail(DLC_INVALID, "predict needs --weights FILE or --run DIR%s", o->run ? ", not both" : "");
  return CLI_USAGE;
}

static int make_rows(prediction *p, const cli_options *o)
{
  const uint32_t n = p->trained.info.n_classes;
  p->rows = (cli_predictions){.info = &p->trained.info, .topk = o->topk < n ? (uint32_t)o->topk : n};
  p->probabilities = calloc(n, sizeof *p->probabilities);
  if (p->probabilities) return CLI_OK;
  dlc_fail_nomem();
  return CLI_FAILED;
}

static int predict(prediction *p, cli_options *o)
{
  int code = check_subject(o);
  if (code == CLI_OK) code = check_weights(o);
  if (code == CLI_OK) code = cli_trained_find(&p->trained, o);
  if (code == CLI_OK) code = cli_job_open(&p->job, o, p->console);
  if (code == CLI_OK) code = cli_trained_open(&p->trained, &p->job, o->arguments.n > 0);
  if (code == CLI_OK) code = make_rows(p, o);
  if (code != CLI_OK) return code;
  cli_stop_install();
  code = o->arguments.n ? cli_each_input(&p->job, p->trained.info.shape[0], use_input, p) : use_dataset(p, o);
  cli_progress_clear(p->console);
  return code == CLI_OK ? write_result(p, o) : code;
}

int cli_predict(cli_options *o, cli_console *c)
{
  prediction p = {.console = c};
  if (!o->file && c->shown < DLC_LOG_WARN) c->shown = DLC_LOG_WARN; /* stdout is for the result */
  int code = predict(&p, o);
  cli_progress_clear(c);
  cli_report(c, code);
  cli_predictions_free(&p.rows);
  free(p.probabilities);
  cli_trained_close(&p.trained);
  cli_job_close(&p.job);
  return code;
}
