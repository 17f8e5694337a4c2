/* --dataset and --data-dir: which dataset is meant, and opening it. */
#include "base/names.h"
#include "base/status.h"
#include "data/dataset.h"
#include "data/limited.h"
#include "job.h"
#include <stdlib.h>
#include <string.h>

/* What is tried on --data-dir, in this order: the more a dataset wants to find, the earlier. */
static const char *const by_content[] = {"idx", "cifar", "imagefolder"};
enum { N_BY_CONTENT = sizeof by_content / sizeof *by_content };

/* --limit-per-class is an option of datasets that need not look at the other pictures then; NULL where it is none. */
static const dlc_option *limit_option(const dlc_dataset *ds)
{
  for (uint32_t i = 0; i < ds->n_options; i++)
    if (dlc_name_equal(dlc_option_at(ds->options, i)->name, "limit-per-class")) return dlc_option_at(ds->options, i);
  return NULL;
}

static int read_options(cli_job *job, const dlc_dataset *ds, const char *options)
{
  const int64_t limit = job->options->limit_per_class;
  const dlc_option *option = limit_option(ds);
  dlc_str text = {0};
  if (options) dlc_str_add(&text, options);
  if (limit > 0 && option) dlc_str_addf(&text, "%s%s=%lld", options ? "," : "", option->name, (long long)limit);
  free(job->dataset_values);
  job->dataset_values = NULL;
  int code = cli_read_options("--dataset", ds->name, ds->options, ds->n_options,
                              text.length ? dlc_str_get(&text) : NULL, &job->dataset_values);
  dlc_str_free(&text);
  return code;
}

/* *absent: the data set is not there, which is no mistake of its files. */
static int open_dataset(cli_job *job, const char *spec, bool *absent)
{
  const void *object = NULL;
  const dlc_host *host = NULL;
  const char *options;
  int code = cli_find_object(job, "--dataset", DLC_IFACE_DATASET, spec, &object, &host, &options);
  *absent = code == CLI_USAGE;
  if (code != CLI_OK) return code;
  const dlc_dataset *ds = job->dataset = object;
  code = read_options(job, ds, options);
  if (code != CLI_OK) return code;
  if (job->options->data_dir && !job->source &&
      dlc_source_open(job->registry, job->options->data_dir, &job->source) < 0) {
    dlc_fail_in(DLC_IO, "--data-dir");
    return CLI_FAILED;
  }
  dlc_status status = ds->open(ds, host, job->source, job->dataset_values, &job->data);
  *absent = status == DLC_NOT_FOUND;
  if (status < 0) {
    dlc_fail_in(status, "dataset %s", ds->name);
    return CLI_FAILED;
  }
  const int64_t limit = job->options->limit_per_class;
  status = dlc_dataset_describe(ds, job->data, &job->info);
  if (status >= 0 && limit > 0 && !limit_option(ds)) {
    status = dlc_dataset_limit(ds, job->data, limit, &job->dataset, &job->data);
    if (status >= 0) job->info = job->dataset->info(job->data);
  }
  return status < 0 ? CLI_FAILED : CLI_OK;
}

/* The first dataset that finds its files; damaged ones are an error, not somebody else's. */
static int open_by_content(cli_job *job)
{
  int code = CLI_FAILED;
  for (size_t i = 0; i < N_BY_CONTENT; i++) {
    bool absent;
    job->options->dataset = by_content[i];
    code = open_dataset(job, by_content[i], &absent);
    if (code == CLI_OK) job->options->dataset = job->dataset->name;
    if (code == CLI_OK || (!absent && (i + 1 < N_BY_CONTENT || !job->source))) return code;
  }
  dlc_fail_in(DLC_NOT_FOUND, "%s holds no full set of idx or CIFAR files (--dataset idx or cifar says why)",
              job->options->data_dir);
  return code;
}

int cli_job_dataset(cli_job *job)
{
  cli_options *o = job->options;
  bool absent;
  if (strcmp(o->dataset, "auto")) return open_dataset(job, o->dataset, &absent);
  if (o->data_dir) return open_by_content(job);
  o->dataset = "fashion-mnist";
  int code = open_dataset(job, o->dataset, &absent);
  if (code == CLI_OK || !absent) return code;
  cli_say(job->console, DLC_LOG_WARN, "fashion-mnist is not here, so this is about generated shapes (%s)",
          dlc_reason());
  o->dataset = "shapes";
  return open_dataset(job, o->dataset, &absent);
}

/* ---- what is said of it ---- */

static void say_splits(const cli_job *job)
{
  const dlc_dataset_info *info = job->info;
  dlc_str line = {0};
  dlc_str_addf(&line, "dataset   %s:", job->dataset->name);
  for (uint32_t i = 0; i < info->n_splits; i++) {
    const dlc_split *split = dlc_split_at(info, i);
    dlc_str_addf(&line, " %lld %s%s,", (long long)split->count, split->name, split->labels ? "" : " without labels");
  }
  if (info->height)
    dlc_str_addf(&line, " %lldx%lldx%lld", (long long)info->channels, (long long)info->height, (long long)info->width);
  else dlc_str_addf(&line, " %s, of many sizes", info->channels == 1 ? "grey" : "colour");
  if (DLC_HAS(info, origin)) dlc_str_addf(&line, " (%s)", info->origin);
  cli_say(job->console, DLC_LOG_INFO, "%s", dlc_str_get(&line));
  dlc_str_free(&line);
}

int64_t *cli_count_classes(const dlc_dataset_info *info, const dlc_split *split)
{
  int64_t *counts = calloc(info->n_classes + 1, sizeof *counts);
  for (int64_t i = 0; counts && split->labels && i < split->count; i++) counts[split->labels[i]]++;
  return counts;
}

/* "2, 1000 each: cat, dog"; "2: cat (1000), dog (900)" */
static void say_classes(const cli_job *job, const int64_t *counts)
{
  enum { SHOWN = 12 };
  const dlc_dataset_info *info = job->info;
  const uint32_t shown = info->n_classes <= SHOWN ? info->n_classes : SHOWN - 2;
  int64_t least = INT64_MAX, most = 0;
  for (uint32_t i = 0; i < info->n_classes; i++) {
    if (counts[i] < least) least = counts[i];
    if (counts[i] > most) most = counts[i];
  }
  dlc_str line = {0};
  dlc_str_addf(&line, "classes   %u", info->n_classes);
  if (least == most) dlc_str_addf(&line, ", %lld each", (long long)most);
  else if (shown < info->n_classes) dlc_str_addf(&line, ", %lld to %lld each", (long long)least, (long long)most);
  for (uint32_t i = 0; i < shown; i++) {
    dlc_str_addf(&line, "%s %s", i ? "," : ":", info->class_names[i]);
    if (least != most) dlc_str_addf(&line, " (%lld)", (long long)counts[i]);
  }
  if (shown < info->n_classes) dlc_str_add(&line, ", ...");
  cli_say(job->console, DLC_LOG_INFO, "%s", dlc_str_get(&line));
  dlc_str_free(&line);
}

void cli_say_dataset(const cli_job *job)
{
  const int train = dlc_split_find(job->info, "train");
  say_splits(job);
  int64_t *counts = train < 0 ? NULL : cli_count_classes(job->info, dlc_split_at(job->info, (uint32_t)train));
  if (counts) say_classes(job, counts);
  free(counts);
}
