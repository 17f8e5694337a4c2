/* --train-transforms and --eval-transforms. */
#include "base/status.h"
#include "job.h"
#include "transforms/pipeline.h"
#include <string.h>

/* What most networks for photos were trained with. */
static const char usual[] = "resize(256) center_crop(224) normalize(half)";

static dlc_status find_transform(void *registry, const char *name, const dlc_transform **transform)
{
  const void *object = NULL;
  dlc_status status = dlc_registry_find(registry, DLC_IFACE_TRANSFORM, name, &object, NULL);
  *transform = object;
  return status;
}

int cli_read_transforms(cli_job *job, const char *option, const char *text, dlc_pipeline **pipeline)
{
  const dlc_transform_finder finder = {find_transform, job->registry, dlc_registry_host(job->registry)};
  *pipeline = NULL;
  if (!text || strcmp(text, "none") == 0) return CLI_OK;
  dlc_status status = dlc_pipeline_parse(text, &finder, pipeline);
  if (status >= 0) return CLI_OK;
  dlc_fail_in(status, "%s", option);
  return status == DLC_NOMEM ? CLI_FAILED : CLI_USAGE;
}

int cli_job_transforms(cli_job *job)
{
  const cli_options *o = job->options;
  int code = cli_read_transforms(job, "--train-transforms", o->train_transforms, &job->train_transforms);
  if (code == CLI_OK) code = cli_read_transforms(job, "--eval-transforms", o->eval_transforms, &job->eval_transforms);
  return code;
}

int cli_job_usual_transforms(cli_job *job)
{
  cli_options *o = job->options;
  if (job->info->height || o->train_transforms || o->eval_transforms) return CLI_OK;
  o->train_transforms = o->eval_transforms = usual;
  cli_say(job->console, DLC_LOG_INFO, "transforms the pictures differ in size, so they go through %s", usual);
  return cli_job_transforms(job);
}

int cli_job_shape(cli_job *job)
{
  dlc_sample_format format;
  if (job->info->n_classes == 0) {
    dlc_fail(DLC_INVALID, "dataset %s: its pictures have no classes, so there is nothing to learn", job->dataset->name);
    return CLI_FAILED;
  }
  int code = cli_job_usual_transforms(job);
  if (code != CLI_OK) return code;
  dlc_status status = dlc_sample_format_make(job->info, job->eval_transforms, &format);
  if (status < 0) {
    dlc_fail_in(status, "--eval-transforms");
    return CLI_FAILED;
  }
  job->shape[0] = format.channels, job->shape[1] = format.height, job->shape[2] = format.width;
  return CLI_OK;
}
