/* Whether the method suits the model: names that mean no parameter or layer, a loss that its outputs are not made for.
 */
#include "base/status.h"
#include "base/str.h"
#include "job.h"
#include <fnmatch.h>
#include <string.h>

static bool is_parameter(const dlc_graph *g, const dlc_model_graph *m, uint32_t i)
{
  return dlc_value_at(g, m->params[i].value)->role == DLC_ROLE_PARAMETER;
}

static bool matches_any(const dlc_graph *g, const dlc_model_graph *m, const char *glob)
{
  bool found = false;
  for (uint32_t i = 0; i < m->n_params; i++)
    found |= is_parameter(g, m, i) && fnmatch(glob, dlc_value_at(g, m->params[i].value)->name, 0) == 0;
  return found;
}

/* The first few parameters show how the model's names look. */
static dlc_status no_parameter(const dlc_graph *g, const dlc_model_graph *m, const char *option, const char *glob)
{
  dlc_str names = {0};
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    if (!is_parameter(g, m, i) || ++n > 4) continue;
    dlc_str_addf(&names, "%s%s", n > 1 ? ", " : "", dlc_value_at(g, m->params[i].value)->name);
  }
  const dlc_status status = dlc_fail(DLC_INVALID, "%s: no parameter is called '%s'; the model has %s%s", option, glob,
                                     n ? dlc_str_get(&names) : "none", n > 4 ? ", ..." : "");
  dlc_str_free(&names);
  return status;
}

static dlc_status check_eval_mode(const dlc_model_graph *m, const char *glob)
{
  bool found = false;
  for (uint32_t i = 0; i < m->n_layers; i++) found |= dlc_layer_matches(glob, m->layers[i].name, m->layers[i].op);
  return found ? DLC_OK
               : dlc_fail(DLC_INVALID,
                          "--eval-mode: no layer is called '%s' or of that kind; `dlcore summary` shows them", glob);
}

/* A model file that fixes its classes may have more outputs than the data has classes. */
static dlc_status check_class_weights(const cli_job *job, const dlc_graph *g, const dlc_model_graph *m)
{
  const int64_t outputs = dlc_value_at(g, m->logits)->dim[1];
  if (!job->method.class_weights || outputs == job->info->n_classes) return DLC_OK;
  return dlc_fail(
      DLC_INVALID,
      "--class-weights: %s has `classes: %lld`, dataset %s has %u; weights need a model with as many outputs "
      "as the data has classes",
      job->model_path, (long long)outputs, job->dataset->name, job->info->n_classes);
}

int cli_job_fits(const cli_job *job, const dlc_graph *g, const dlc_model_graph *m)
{
  const dlc_method *method = &job->method;
  dlc_status status = DLC_OK;
  for (uint32_t i = 0; i < method->n_frozen && status >= 0; i++)
    if (!matches_any(g, m, method->frozen[i])) status = no_parameter(g, m, "--freeze", method->frozen[i]);
  for (uint32_t i = 0; i < method->n_groups && status >= 0; i++)
    if (!matches_any(g, m, method->groups[i].match))
      status = no_parameter(g, m, "--param-group", method->groups[i].match);
  for (uint32_t i = 0; i < method->n_eval && status >= 0; i++) status = check_eval_mode(m, method->eval[i]);
  if (status >= 0) status = check_class_weights(job, g, m);
  const char *last = m->n_layers ? m->layers[m->n_layers - 1].op->name : "nothing";
  if (status >= 0 && strcmp(method->loss->name, "nll_loss") == 0 && strcmp(last, "log_softmax") != 0)
    cli_say(job->console, DLC_LOG_WARN, "nll_loss is made for log_softmax, and the model ends in %s", last);
  return status < 0 ? CLI_USAGE : CLI_OK;
}
