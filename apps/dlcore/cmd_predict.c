/* dlcore predict: what trained weights make of pictures. */
#include "bad_files.h"
#include "base/file.h"
#include "base/status.h"
#include "commands.h"
#include "data/dataset.h"
#include "inputs.h"
#include "predictions.h"
#include "stop.h"
#include "train/predict.h"
#include <stdlib.h>
#include <string.h>

typedef struct prediction {
  cli_job job;
  cli_console *console;
  char *weights; /* owned */
  dlc_weights_info info;
  dlc_pipeline *transforms;
  dlc_predictor *predictor;
  cli_predictions rows;
  const char *prefix; /* of the current input */
  uint32_t bad;
} prediction;

/* ---- the weights and what they need ---- */

static int find_weights(prediction *p, const cli_options *o)
{
  if (!o->weights == !o->run) {
    dlc_fail(DLC_INVALID, "predict needs --weights FILE or --run DIR%s", o->run ? ", not both" : "");
    return CLI_USAGE;
  }
  if (asprintf(&p->weights, "%s%s", o->run ? o->run : o->weights, o->run ? "/weights/last.safetensors" : "") < 0) {
    p->weights = NULL;
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  return dlc_weights_info_read(p->weights, &p->info) < 0 ? CLI_FAILED : CLI_OK;
}

/* The one that was typed, or the one that was trained. What the environment says of training is not meant here. */
static int read_model(prediction *p, const cli_options *o)
{
  if (cli_option_typed(o, "model")) return cli_job_model(&p->job);
  dlc_status status = dlc_model_parse(p->info.model, strlen(p->info.model), p->weights, &p->job.model);
  return status < 0 ? CLI_FAILED : CLI_OK;
}

/* Whether pictures of any size come out in one. */
static bool fixes_size(const prediction *p)
{
  const dlc_dataset_info any = {.size = sizeof any, .channels = p->info.shape[0]};
  dlc_sample_format format;
  return dlc_sample_format_make(&any, p->transforms, &format) >= 0;
}

/* The list of the weights, or the one that was typed. Weights of a data set whose pictures were all of one size say
 * nothing of others: INPUTs are brought to that size first. */
static int read_transforms(prediction *p, const cli_options *o)
{
  const bool typed = cli_option_typed(o, "eval-transforms");
  const char *text = typed ? o->eval_transforms : p->info.eval_transforms,
             *origin = typed ? "--eval-transforms" : p->weights;
  int code = cli_read_transforms(&p->job, origin, text, &p->transforms);
  if (code != CLI_OK || o->arguments.n == 0 || fixes_size(p)) return code;
  dlc_str longer = {0};
  dlc_str_addf(&longer, "resize([%lld, %lld])", (long long)p->info.shape[1], (long long)p->info.shape[2]);
  cli_say(p->console, DLC_LOG_INFO, "pictures go through %s first", dlc_str_get(&longer));
  if (p->transforms) dlc_str_addf(&longer, " %s", text);
  dlc_pipeline_free(p->transforms);
  code = cli_read_transforms(&p->job, origin, dlc_str_get(&longer), &p->transforms);
  dlc_str_free(&longer);
  return code;
}

static int open_predictor(prediction *p, const cli_options *o)
{
  int code = read_transforms(p, o);
  if (code != CLI_OK) return code;
  const dlc_predictor_config config = {.model = p->job.model,
                                       .weights = p->weights,
                                       .info = &p->info,
                                       .transforms = p->transforms,
                                       .machine = p->job.machine,
                                       .finder = p->job.finder,
                                       .sink = &p->job.sink,
                                       .batch_size = (uint32_t)o->batch_size};
  return dlc_predictor_open(&config, &p->predictor) < 0 ? CLI_FAILED : CLI_OK;
}

/* ---- called while it runs ---- */

static dlc_status on_sample(void *ctx, const char *name, const float *probabilities)
{
  prediction *p = ctx;
  return cli_predictions_add(&p->rows, p->prefix, name, probabilities);
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
  dlc_status status = dlc_predict(p->predictor, &config);
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

static int predict(prediction *p, cli_options *o)
{
  int code = check_subject(o);
  if (code == CLI_OK) code = find_weights(p, o);
  if (code == CLI_OK) code = cli_job_open(&p->job, o, p->console);
  if (code == CLI_OK) code = read_model(p, o);
  if (code == CLI_OK) code = cli_job_backend(&p->job);
  if (code == CLI_OK) code = open_predictor(p, o);
  if (code != CLI_OK) return code;
  cli_stop_install();
  const int64_t topk = o->topk < p->info.n_classes ? o->topk : p->info.n_classes;
  p->rows = (cli_predictions){.info = &p->info, .topk = (uint32_t)topk};
  code = o->arguments.n ? cli_each_input(&p->job, p->info.shape[0], use_input, p) : use_dataset(p, o);
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
  dlc_predictor_close(p.predictor);
  dlc_pipeline_free(p.transforms);
  cli_predictions_free(&p.rows);
  cli_job_close(&p.job);
  dlc_weights_info_free(&p.info);
  free(p.weights);
  return code;
}
