/* dlcore summary: the layers of a model with the shapes they give and what they cost. */
#include "base/status.h"
#include "commands.h"
#include "summary.h"
#include <stdlib.h>
#include <string.h>

/* The shape of one picture and the number of classes: from --input and --classes, or from the dataset. */
typedef struct subject {
  int64_t chw[3], classes;
  const char *name; /* the dataset's, or NULL */
} subject;

static int read_subject(cli_job *job, subject *s)
{
  const cli_options *o = job->options;
  *s = (subject){.classes = o->classes};
  if (o->input) {
    long long c, h, w;
    int end = 0;
    int n = sscanf(o->input, "%lldx%lldx%lld%n", &c, &h, &w, &end);
    if (n == 3 && !o->input[end] && c > 0 && h > 0 && w > 0 && c <= 65536 && h <= 65536 && w <= 65536) {
      s->chw[0] = c, s->chw[1] = h, s->chw[2] = w;
      return CLI_OK;
    }
    dlc_fail(DLC_INVALID, "--input: expected channels x height x width, as in 1x28x28, got '%s'", o->input);
    return CLI_USAGE;
  }
  int code = cli_job_transforms(job);
  if (code == CLI_OK) code = cli_job_dataset(job);
  if (code == CLI_OK) code = cli_job_shape(job);
  if (code == CLI_OK)
    *s = (subject){{job->shape[0], job->shape[1], job->shape[2]}, job->info->n_classes, job->dataset->name};
  return code;
}

static int print_summary(cli_job *job, const subject *s)
{
  const int64_t batch = job->options->batch_size;
  cli_costs costs;
  if (cli_costs_make(job, s->chw, s->classes, batch, &costs) < 0) return CLI_FAILED;
  printf("%s%s%s: %lldx%lldx%lld, %lld classes\n\n", dlc_model_name(job->model), s->name ? " on " : "",
         s->name ? s->name : "", (long long)s->chw[0], (long long)s->chw[1], (long long)s->chw[2],
         (long long)s->classes);
  cli_costs_table(&costs);
  printf("\n");
  cli_costs_total(&costs, job->method.optimizer->name, batch);
  cli_costs_free(&costs);
  return CLI_OK;
}

int cli_summary(cli_options *o, cli_console *c)
{
  cli_job job;
  subject s;
  int code = cli_job_open(&job, o, c);
  if (code == CLI_OK) code = cli_job_model(&job);
  if (code == CLI_OK) code = cli_job_method(&job);
  if (code == CLI_OK) code = read_subject(&job, &s);
  if (code == CLI_OK) code = print_summary(&job, &s);
  cli_report(c, code);
  cli_job_close(&job);
  return code;
}
