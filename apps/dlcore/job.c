/* Finding and opening what the options name. */
#include "job.h"
#include "base/status.h"
#include "ops/ops.h"
#include "run/program.h"
#include "transforms/transforms.h"
#include <stdlib.h>
#include <string.h>

static dlc_status find_op(void *registry, const char *name, const dlc_op **op)
{
  const void *object = NULL;
  dlc_status status = dlc_registry_find(registry, DLC_IFACE_OP, name, &object, NULL);
  *op = object;
  return status;
}

int cli_job_open(cli_job *job, cli_options *o, cli_console *c)
{
  *job = (cli_job){.options = o, .console = c};
  job->sink = (dlc_sink){o->verbose ? DLC_LOG_DEBUG : DLC_LOG_INFO, cli_console_line, c};
  uint32_t threads = o->threads > 0 ? (uint32_t)o->threads : dlc_cpu_count();
  if (dlc_pool_open(threads < DLC_MAX_THREADS ? threads : DLC_MAX_THREADS, &job->pool) < 0) return CLI_FAILED;
  dlc_registry_config config = {.plugin_path = o->plugin_path, .pool = job->pool, .sink = &job->sink};
  if (dlc_registry_open(&config, &job->registry) < 0) return CLI_FAILED;
  for (const dlc_op *const *op = dlc_core_ops; *op; op++)
    if (dlc_registry_add(job->registry, DLC_IFACE_OP, *op) < 0) return CLI_FAILED;
  for (const dlc_transform *const *transform = dlc_core_transforms; *transform; transform++)
    if (dlc_registry_add(job->registry, DLC_IFACE_TRANSFORM, *transform) < 0) return CLI_FAILED;
  if (dlc_source_serve(&job->sources, job->registry) < 0) return CLI_FAILED;
  job->finder = (dlc_op_finder){find_op, job->registry, dlc_registry_host(job->registry)};
  return CLI_OK;
}

void cli_job_close(cli_job *job)
{
  dlc_arena_free(&job->memory);
  if (job->machine) dlc_machine_close(job->machine);
  if (job->model) dlc_model_free(job->model);
  free(job->model_path);
  dlc_pipeline_free(job->train_transforms);
  dlc_pipeline_free(job->eval_transforms);
  if (job->data) job->dataset->close(job->data);
  free(job->dataset_values);
  if (job->source) job->source->close(job->source);
  if (job->registry) dlc_registry_close(job->registry);
  if (job->pool) dlc_pool_close(job->pool);
}

/* ---- objects by "NAME:k=v,..." ---- */

int cli_find_object(cli_job *job, const char *option, const char *iface, const char *spec, const void **object,
                    const dlc_host **host, const char **options)
{
  size_t n = strcspn(spec, ":");
  *options = spec[n] && spec[n + 1] ? spec + n + 1 : NULL;
  char *name = strndup(spec, n);
  dlc_status status = name ? dlc_registry_find(job->registry, iface, name, object, host) : dlc_fail_nomem();
  free(name);
  if (status >= 0) return CLI_OK;
  dlc_fail_in(status, "%s", option);
  return status == DLC_NOT_FOUND ? CLI_USAGE : CLI_FAILED;
}

int cli_read_options(const char *option, const char *name, const dlc_option *table, uint32_t n, const char *text,
                     dlc_option_value **values)
{
  dlc_status status = dlc_options_read(name, table, n, text, values);
  if (status >= 0) return CLI_OK;
  dlc_fail_in(status, "%s", option);
  return CLI_USAGE;
}

/* ---- model ---- */

int cli_job_model(cli_job *job)
{
  int code = cli_find_file(CLI_MODEL_FILE, job->options->model, &job->model_path);
  if (code != CLI_OK) return code;
  return dlc_model_read(job->model_path, &job->model) < 0 ? CLI_FAILED : CLI_OK;
}

dlc_status cli_forward(cli_job *job, const int64_t chw[3], int64_t classes, dlc_graph_build **g, dlc_model_graph *m)
{
  const int64_t dim[4] = {1, chw[0], chw[1], chw[2]};
  uint32_t input;
  *g = NULL;
  *m = (dlc_model_graph){0};
  DLC_TRY(dlc_graph_new(&job->finder, g));
  DLC_TRY(dlc_graph_value(*g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  return dlc_model_build(job->model, *g, input, &(dlc_model_use){.classes = classes}, m);
}

int64_t cli_count_parameters(dlc_graph_build *g, const dlc_model_graph *m)
{
  int64_t n = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(dlc_graph_view(g), m->params[i].value);
    if (v->role == DLC_ROLE_PARAMETER) n += dlc_count(v);
  }
  return n;
}

/* ---- backend ---- */

static int open_machine(cli_job *job, const dlc_backend *backend, const dlc_host *host, const char *options)
{
  dlc_machine_config config = {backend, host, options, &job->sink};
  return dlc_machine_open(&config, &job->machine) < 0 ? CLI_FAILED : CLI_OK;
}

/* The best one that opens; each that does not is said. */
static int open_best_backend(cli_job *job)
{
  const dlc_host *host = NULL;
  const dlc_backend *b = NULL;
  while ((b = dlc_registry_best_backend(job->registry, b, &host))) {
    job->backend_name = job->options->backend = b->name;
    if (open_machine(job, b, host, NULL) == CLI_OK) return CLI_OK;
    cli_say(job->console, DLC_LOG_WARN, "%s", dlc_reason());
  }
  job->backend_name = job->options->backend = "reference";
  cli_say(job->console, DLC_LOG_WARN,
          "no backend starts here, so all runs slowly, on the reference kernels; `dlcore plugins` says why");
  return open_machine(job, NULL, dlc_registry_host(job->registry), NULL);
}

static int open_named_backend(cli_job *job, const char *spec)
{
  const void *object = NULL;
  const dlc_host *host = NULL;
  const char *options;
  int code = cli_find_object(job, "--backend", DLC_IFACE_BACKEND, spec, &object, &host, &options);
  if (code != CLI_OK) return code;
  const dlc_backend *backend = object;
  dlc_option_value *values = NULL;
  code = cli_read_options("--backend", backend->name, backend->options, backend->n_options, options, &values);
  free(values); /* checked here, so that a mistake is one of usage; the machine reads them again */
  if (code != CLI_OK) return code;
  job->backend_name = backend->name;
  return open_machine(job, backend, host, options);
}

int cli_job_backend(cli_job *job)
{
  const char *spec = job->options->backend;
  const bool automatic = strcmp(spec, "auto") == 0, doubles = strcmp(job->options->dtype, "float64") == 0;
  if (automatic && !doubles) return open_best_backend(job);
  if (!automatic && strcmp(spec, "reference")) return open_named_backend(job, spec);
  job->backend_name = job->options->backend = "reference";
  return open_machine(job, NULL, dlc_registry_host(job->registry), NULL);
}
