/* dlcore summary: the layers of a model with the shapes they give and the parameters they own. */
#include "base/status.h"
#include "commands.h"
#include "job.h"
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

/* "6x24x24": without the batch, which comes first. */
static void shape_text(const dlc_value *v, char *text, size_t size)
{
  size_t n = 0;
  text[0] = 0;
  for (uint32_t i = 1; i < v->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, "%s%lld", i > 1 ? "x" : "", (long long)v->dim[i]);
}

static void print_row(const char *layer, const char *type, const char *output, const char *parameters)
{
  printf("%-16s %-14s %-16s %12s\n", layer, type, output, parameters);
}

static void print_layers(const dlc_graph *g, const dlc_model_graph *m)
{
  char shape[128], count[32];
  print_row("layer", "type", "output", "parameters");
  for (uint32_t i = 0; i < m->n_layers; i++) {
    const dlc_model_layer *layer = &m->layers[i];
    int64_t n = 0;
    for (uint32_t k = 0; k < layer->n_params; k++)
      n += dlc_count(dlc_value_at(g, m->params[layer->first_param + k].value));
    shape_text(dlc_value_at(g, layer->output), shape, sizeof shape);
    snprintf(count, sizeof count, "%lld", (long long)n);
    print_row(layer->name, layer->op->name, shape, count);
  }
}

static int print_summary(cli_job *job, const subject *s)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_status status = cli_forward(job, s->chw, s->classes, &g, &m);
  if (status >= 0) {
    int64_t total = cli_count_parameters(g, &m);
    char count[32], memory[32];
    snprintf(count, sizeof count, "%lld", (long long)total);
    snprintf(memory, sizeof memory, "%.1f KiB", (double)total * sizeof(float) / 1024);
    printf("%s%s%s: %lldx%lldx%lld, %lld classes\n\n", dlc_model_name(job->model), s->name ? " on " : "",
           s->name ? s->name : "", (long long)s->chw[0], (long long)s->chw[1], (long long)s->chw[2],
           (long long)s->classes);
    print_layers(dlc_graph_view(g), &m);
    print_row("total", "", memory, count);
  }
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  return status < 0 ? CLI_FAILED : CLI_OK;
}

int cli_summary(cli_options *o, cli_console *c)
{
  cli_job job;
  subject s;
  int code = cli_job_open(&job, o, c);
  if (code == CLI_OK) code = cli_job_model(&job);
  if (code == CLI_OK) code = read_subject(&job, &s);
  if (code == CLI_OK) code = print_summary(&job, &s);
  cli_report(c, code);
  cli_job_close(&job);
  return code;
}
