/* --opt, --momentum and --weight-decay: an op of kind OPTIMIZER and its attributes. */
#include "base/status.h"
#include "job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "beta1=0.8,beta2=0.9" */
static dlc_status set_attributes(const dlc_op *op, void *attr, char *text)
{
  char *rest = NULL;
  for (char *pair = strtok_r(text, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
    char *equal = strchr(pair, '=');
    if (!equal || equal == pair) return dlc_fail(DLC_INVALID, "expected name=value, got '%s'", pair);
    *equal = 0;
    const char *word = equal + 1;
    DLC_TRY(dlc_attr_set(op, attr, pair, &word, 1));
  }
  return DLC_OK;
}

static dlc_status set_from_option(const cli_job *job, const char *option, const char *attribute, double value)
{
  if (isnan(value)) return DLC_OK;
  char text[40];
  snprintf(text, sizeof text, "%.17g", value);
  const char *word = text;
  dlc_status status = dlc_attr_set(job->optimizer, job->optimizer_attr, attribute, &word, 1);
  return status < 0 ? dlc_fail_in(status, "--%s", option) : DLC_OK;
}

/* Whether "beta1=0.8,beta2=0.9" sets this one. */
static bool sets(const char *text, const char *attribute)
{
  for (size_t n = strlen(attribute); text; text = strchr(text, ',')) {
    text += *text == ',';
    if (strncmp(text, attribute, n) == 0 && text[n] == '=') return true;
  }
  return false;
}

static dlc_status fill_attributes(cli_job *job, const char *text)
{
  const dlc_op *op = job->optimizer;
  const char *missing;
  DLC_TRY(dlc_attr_defaults(op, job->optimizer_attr, &missing));
  for (uint32_t i = 0; missing && i < op->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_at(op, i);
    if (!a->def && !sets(text, a->name))
      return dlc_fail(DLC_INVALID, "--opt: %s needs its `%s`: %s:%s=...", op->name, a->name, op->name, a->name);
  }
  char *pairs = text ? strdup(text) : NULL;
  if (text && !pairs) return dlc_fail_nomem();
  dlc_status status = pairs ? set_attributes(op, job->optimizer_attr, pairs) : DLC_OK;
  free(pairs);
  if (status < 0) return dlc_fail_in(status, "--opt");
  DLC_TRY(set_from_option(job, "momentum", "momentum", job->options->momentum));
  return set_from_option(job, "weight-decay", "weight_decay", job->options->weight_decay);
}

int cli_job_optimizer(cli_job *job)
{
  const char *text;
  const void *object = NULL;
  int code = cli_find_object(job, "--opt", DLC_IFACE_OP, job->options->opt, &object, NULL, &text);
  if (code != CLI_OK) return code;
  const dlc_op *op = job->optimizer = object;
  if (op->kind != DLC_OP_OPTIMIZER) {
    dlc_fail(DLC_INVALID, "--opt: %s is an op, but no optimizer such as sgd or adam", op->name);
    return CLI_USAGE;
  }
  job->optimizer_attr = calloc(1, op->attr_size ? op->attr_size : 1);
  if (!job->optimizer_attr) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  return fill_attributes(job, text) < 0 ? CLI_USAGE : CLI_OK;
}
