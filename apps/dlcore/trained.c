/* From --weights and --run to a network that can be run. */
#include "trained.h"
#include "base/file.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

static char *weights_of_run(const char *run)
{
  char *path;
  if (asprintf(&path, "%s/weights/best.safetensors", run) < 0) return NULL;
  if (dlc_path_exists(path)) return path;
  free(path);
  return asprintf(&path, "%s/weights/last.safetensors", run) < 0 ? NULL : path;
}

int cli_trained_find(cli_trained *t, const cli_options *o)
{
  t->path = o->weights ? strdup(o->weights) : weights_of_run(o->run);
  if (!t->path) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  return dlc_weights_info_read(t->path, &t->info) < 0 ? CLI_FAILED : CLI_OK;
}

/* The one that was typed, or the one that was trained. What the environment says of training is not meant here. */
static int read_model(const cli_trained *t, cli_job *job)
{
  if (cli_option_typed(job->options, "model")) return cli_job_model(job);
  dlc_status status = dlc_model_parse(t->info.model, strlen(t->info.model), t->path, &job->model);
  return status < 0 ? CLI_FAILED : CLI_OK;
}

/* Whether pictures of any size come out in one. */
static bool fixes_size(const cli_trained *t)
{
  const dlc_dataset_info any = {.size = sizeof any, .channels = t->info.shape[0]};
  dlc_sample_format format;
  return dlc_sample_format_make(&any, t->transforms, &format) >= 0;
}

/* The list of the weights, or the one that was typed. Weights of a data set whose pictures were all of one size say
 * nothing of others. */
static int read_transforms(cli_trained *t, cli_job *job, bool any_size)
{
  const bool typed = cli_option_typed(job->options, "eval-transforms");
  const char *text = typed ? job->options->eval_transforms : t->info.eval_transforms,
             *origin = typed ? "--eval-transforms" : t->path;
  int code = cli_read_transforms(job, origin, text, &t->transforms);
  if (code != CLI_OK || !any_size || fixes_size(t)) return code;
  dlc_str longer = {0};
  dlc_str_addf(&longer, "resize([%lld, %lld])", (long long)t->info.shape[1], (long long)t->info.shape[2]);
  cli_say(job->console, DLC_LOG_INFO, "pictures go through %s first", dlc_str_get(&longer));
  if (t->transforms) dlc_str_addf(&longer, " %s", text);
  dlc_pipeline_free(t->transforms);
  code = cli_read_transforms(job, origin, dlc_str_get(&longer), &t->transforms);
  dlc_str_free(&longer);
  return code;
}

int cli_trained_open(cli_trained *t, cli_job *job, bool any_size)
{
  int code = read_model(t, job);
  if (code == CLI_OK) code = cli_job_backend(job);
  if (code == CLI_OK) code = read_transforms(t, job, any_size);
  if (code != CLI_OK) return code;
  const dlc_predictor_config config = {.model = job->model,
                                       .weights = t->path,
                                       .info = &t->info,
                                       .transforms = t->transforms,
                                       .machine = job->machine,
                                       .finder = job->finder,
                                       .sink = &job->sink,
                                       .batch_size = (uint32_t)job->options->batch_size};
  return dlc_predictor_open(&config, &t->predictor) < 0 ? CLI_FAILED : CLI_OK;
}

void cli_trained_close(cli_trained *t)
{
  dlc_predictor_close(t->predictor);
  dlc_pipeline_free(t->transforms);
  dlc_weights_info_free(&t->info);
  free(t->path);
  *t = (cli_trained){0};
}
