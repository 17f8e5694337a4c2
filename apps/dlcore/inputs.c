/* INPUTs as datasets, through the dataset `imagefolder`. */
#include "inputs.h"
#include "base/status.h"
#include "data/dataset.h"
#include "picked.h"
#include <stdlib.h>
#include <string.h>

typedef struct opener {
  cli_job *job;
  int64_t channels;
  const dlc_dataset *dataset;
  const dlc_host *host;
  dlc_source *source;
  dlc_option_value *values;
  cli_input input;
} opener;

/* ---- pictures of a source ---- */

static void close_dataset(opener *op)
{
  if (op->input.data) op->dataset->close(op->input.data);
  op->input.data = NULL;
  free(op->values);
  op->values = NULL;
}

static int open_dataset(opener *op, bool unlabelled)
{
  char options[64];
  snprintf(options, sizeof options, "channels=%lld,unlabelled=%d", (long long)op->channels, unlabelled);
  close_dataset(op);
  int code = cli_read_options("predict", op->dataset->name, op->dataset->options, op->dataset->n_options, options,
                              &op->values);
  if (code != CLI_OK) return code;
  if (op->dataset->open(op->dataset, op->host, op->source, op->values, &op->input.data) < 0) return CLI_FAILED;
  return dlc_dataset_describe(op->dataset, op->input.data, &op->input.info) < 0 ? CLI_FAILED : CLI_OK;
}

/* Its split for predictions, where it is laid out as a data set; else every picture. */
static int open_pictures(opener *op, bool picked)
{
  const char *wanted = op->job->options->split;
  if (!picked && open_dataset(op, false) == CLI_OK) {
    const int split = dlc_split_find(op->input.info, wanted ? wanted : "test");
    op->input.split = (uint32_t)split;
    if (split >= 0) return CLI_OK;
  }
  if (wanted) {
    dlc_fail(DLC_INVALID, "--split: %s has no split '%s'", op->source->origin, wanted);
    return CLI_USAGE;
  }
  op->input.split = 0;
  const int code = open_dataset(op, true);
  if (code != CLI_OK && !picked) dlc_fail_in(DLC_INVALID, "an INPUT is read as pictures, other data by --data-dir");
  return code;
}

static int use_source(opener *op, bool picked, const char *prefix, int (*each)(void *ctx, const cli_input *input),
                      void *ctx)
{
  op->input.dataset = op->dataset;
  op->input.prefix = prefix;
  int code = open_pictures(op, picked);
  if (code == CLI_OK) code = each(ctx, &op->input);
  close_dataset(op);
  return code;
}

/* ---- arguments ---- */

static bool same_folder(const char *a, const char *b)
{
  const size_t n = cli_folder_length(a);
  return n == cli_folder_length(b) && strncmp(a, b, n) == 0;
}

/* A folder or archive is opened; *source stays NULL for a file of another kind, which must be a picture. */
static int open_container(cli_job *job, const char *path, dlc_source **source)
{
  *source = NULL;
  dlc_status status = dlc_source_open(job->registry, path, source);
  return status < 0 && status != DLC_UNSUPPORTED ? CLI_FAILED : CLI_OK;
}

/* The INPUT `first`, and those after it that are pictures of its folder; *next: the first that is left. */
static int use_inputs(opener *op, uint32_t first, uint32_t *next, int (*each)(void *ctx, const cli_input *input),
                      void *ctx)
{
  const cli_list *list = &op->job->options->arguments;
  const char *path = list->items[first];
  dlc_str prefix = {0};
  *next = first + 1;
  int code = open_container(op->job, path, &op->source);
  const bool picked = !op->source;
  if (code == CLI_OK && picked) {
    for (dlc_source *other = NULL; *next < list->n && same_folder(path, list->items[*next]); ++*next) {
      if (open_container(op->job, list->items[*next], &other) != CLI_OK || other) {
        if (other) other->close(other);
        break;
      }
    }
    dlc_str_addn(&prefix, path, cli_folder_length(path));
    if (cli_picked_open(list->items + first, *next - first, &op->job->sink, &op->source) < 0) code = CLI_FAILED;
  } else if (list->n > 1) {
    dlc_str_addf(&prefix, "%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/");
  }
  if (code == CLI_OK) code = use_source(op, picked, dlc_str_get(&prefix), each, ctx);
  if (op->source) op->source->close(op->source);
  op->source = NULL;
  dlc_str_free(&prefix);
  return code;
}

int cli_each_input(cli_job *job, int64_t channels, int (*each)(void *ctx, const cli_input *input), void *ctx)
{
  opener op = {.job = job, .channels = channels};
  const void *object = NULL;
  const char *options;
  int code = cli_find_object(job, "predict", DLC_IFACE_DATASET, "imagefolder", &object, &op.host, &options);
  op.dataset = object;
  for (uint32_t i = 0; code == CLI_OK && i < job->options->arguments.n;) code = use_inputs(&op, i, &i, each, ctx);
  return code;
}
