/* How a run learns: --opt, --loss, --sched, groups of parameters and the rest, read into a dlc_method. */
#include "base/parse.h"
#include "base/status.h"
#include "data/dataset.h"
#include "graph/attr.h"
#include "job.h"
#include "train/train.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* `label`, as "--opt", begins the reason. */
static int usage(dlc_status status, const char *label)
{
  if (status >= 0) return CLI_OK;
  dlc_fail_in(status, "%s", label);
  return status == DLC_NOMEM ? CLI_FAILED : CLI_USAGE;
}

/* An op of that kind by "NAME:k=v,...", and its attributes in memory of the job. */
static int read_op(cli_job *job, const char *label, const char *spec, uint32_t kind, const char *expected,
                   const dlc_op **op, void **attr)
{
  const char *text;
  const void *object = NULL;
  int code = cli_find_object(job, label, DLC_IFACE_OP, spec, &object, NULL, &text);
  if (code != CLI_OK) return code;
  *op = object;
  if ((*op)->kind != kind) return usage(dlc_fail(DLC_INVALID, "%s is an op, but no %s", (*op)->name, expected), label);
  *attr = dlc_arena_alloc(&job->memory, (*op)->attr_size ? (*op)->attr_size : 1);
  if (!*attr) return usage(dlc_fail_nomem(), label);
  const dlc_attr_table table = dlc_attrs_of(*op);
  return usage(dlc_attrs_read(&table, *attr, text ? text : ""), label);
}

/* An option of its own for an attribute: --momentum, --weight-decay, --label-smoothing. */
static int set_from_option(const dlc_op *op, void *attr, const char *label, const char *attribute, double value)
{
  char text[40];
  if (isnan(value)) return CLI_OK;
  snprintf(text, sizeof text, "%.17g", value);
  const char *word = text;
  return usage(dlc_attr_set(op, attr, attribute, &word, 1), label);
}

static int read_optimizer(cli_job *job)
{
  const cli_options *o = job->options;
  dlc_method *m = &job->method;
  void *attr = NULL;
  int code = read_op(job, "--opt", o->opt, DLC_OP_OPTIMIZER, "optimizer such as sgd or adam", &m->optimizer, &attr);
  if (code == CLI_OK) code = set_from_option(m->optimizer, attr, "--momentum", "momentum", o->momentum);
  if (code == CLI_OK) code = set_from_option(m->optimizer, attr, "--weight-decay", "weight_decay", o->weight_decay);
  m->optimizer_attr = attr;
  return code;
}

int cli_read_loss(cli_job *job, const char *label, const char *spec, const dlc_op **op, void **attr)
{
  return read_op(job, label, spec, DLC_OP_LOSS, "loss such as cross_entropy", op, attr);
}

/* --loss and --label-smoothing as one text, kept with the weights. */
static char *loss_text(cli_job *job)
{
  const cli_options *o = job->options;
  char number[40];
  if (isnan(o->label_smoothing)) return dlc_arena_strdup(&job->memory, o->loss);
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(number, sizeof number, "%.*g", digits, o->label_smoothing);
    if (strtod(number, NULL) == o->label_smoothing) break;
  }
  return dlc_arena_printf(&job->memory, "%s%slabel_smoothing=%s", o->loss, strchr(o->loss, ':') ? "," : ":", number);
}

static int read_loss(cli_job *job)
{
  dlc_method *m = &job->method;
  void *attr = NULL;
  int code = cli_read_loss(job, "--loss", job->options->loss, &m->loss, &attr);
  if (code == CLI_OK)
    code = set_from_option(m->loss, attr, "--label-smoothing", "label_smoothing", job->options->label_smoothing);
  m->loss_attr = attr;
  job->loss_text = loss_text(job);
  return job->loss_text || code != CLI_OK ? code : usage(dlc_fail_nomem(), "--loss");
}

static int read_schedule(cli_job *job)
{
  const cli_options *o = job->options;
  dlc_schedule *s = &job->method.schedule;
  *s = (dlc_schedule){
      .by_step = strcmp(o->sched_by, "step") == 0, .warmup_epochs = o->warmup_epochs, .warmup_lr = o->warmup_lr};
  return usage(dlc_schedule_read(o->sched, s), "--sched");
}

/* A momentum that the schedule moves stands for the optimizer's attribute, which must not be 0 then: an optimizer
 * without one has no state for it. */
static int read_momentum(cli_job *job)
{
  const dlc_method *m = &job->method;
  const double first = dlc_schedule_momentum(&m->schedule, 0, 1, INT32_MAX); /* of a long run */
  const char *name = "beta1";
  for (uint32_t i = 0; i < m->optimizer->n_attrs; i++)
    if (strcmp(dlc_attr_at(m->optimizer, i)->name, "momentum") == 0) name = "momentum";
  return m->optimizer->flags & DLC_OP_MOMENTUM
             ? set_from_option(m->optimizer, (void *)m->optimizer_attr, "--sched", name, first)
             : CLI_OK;
}

/* "*.bias:weight_decay=0,lr_scale=0.1": the optimizer's attributes, lr_scale and l1. */
static dlc_status read_group(cli_job *job, const char *text, dlc_param_group *group)
{
  const dlc_op *op = job->method.optimizer;
  const dlc_attr_table table = dlc_attrs_of(op);
  const size_t n = strcspn(text, ":");
  char *match = dlc_arena_printf(&job->memory, "%.*s", (int)n, text), *rest = dlc_arena_strdup(&job->memory, text + n);
  void *attr = dlc_arena_copy(&job->memory, job->method.optimizer_attr, op->attr_size ? op->attr_size : 1);
  if (!match || !rest || !attr) return dlc_fail_nomem();
  if (!*match || !text[n] || !text[n + 1])
    return dlc_fail(DLC_INVALID, "expected GLOB:name=value,.. as in '*.bias:weight_decay=0', got '%s'", text);
  *group = (dlc_param_group){.match = match, .attr = attr, .lr_scale = 1, .l1 = job->options->l1};
  char *state = NULL;
  for (char *pair = strtok_r(rest + 1, ",", &state); pair; pair = strtok_r(NULL, ",", &state)) {
    double *number = strncmp(pair, "lr_scale=", 9) == 0 ? &group->lr_scale
                     : strncmp(pair, "l1=", 3) == 0     ? &group->l1
                                                        : NULL;
    if (!number) DLC_TRY(dlc_attrs_change(&table, attr, pair));
    else if (!dlc_parse_float(strchr(pair, '=') + 1, number) || *number < 0)
      return dlc_fail(DLC_INVALID, "`%s`: expected a number of 0 or more", pair);
  }
  return DLC_OK;
}

static int read_groups(cli_job *job)
{
  const cli_list *list = &job->options->param_group;
  dlc_param_group *groups = dlc_arena_alloc(&job->memory, (list->n + 1) * sizeof *groups);
  dlc_status status = groups ? DLC_OK : dlc_fail_nomem();
  if (list->n > DLC_MAX_GROUPS)
    status = dlc_fail(DLC_INVALID, "%u groups, at most %d are possible", list->n, DLC_MAX_GROUPS);
  for (uint32_t i = 0; i < list->n && status >= 0; i++) status = read_group(job, list->items[i], &groups[i]);
  job->method.groups = groups;
  job->method.n_groups = list->n;
  return usage(status, "--param-group");
}

static int read_init(cli_job *job)
{
  const char *text = job->options->init;
  if (!text) return CLI_OK;
  dlc_initializer *init = dlc_arena_alloc(&job->memory, sizeof *init);
  job->method.init = init;
  return usage(init ? dlc_initializer_read(text, init) : dlc_fail_nomem(), "--init");
}

int cli_job_method(cli_job *job)
{
  const cli_options *o = job->options;
  int code = read_optimizer(job);
  if (code == CLI_OK) code = read_loss(job);
  if (code == CLI_OK) code = read_schedule(job);
  if (code == CLI_OK) code = read_momentum(job);
  if (code == CLI_OK) code = usage(dlc_method_check(&job->method), "--sched");
  if (code == CLI_OK) code = read_groups(job);
  if (code == CLI_OK) code = usage(dlc_watch_check(o->watch), "--watch");
  if (code == CLI_OK) code = read_init(job);
  dlc_method *m = &job->method;
  m->lr = o->lr;
  m->l1 = o->l1;
  m->mixup = o->mixup;
  m->cutmix = o->cutmix;
  m->frozen = o->freeze.items;
  m->n_frozen = o->freeze.n;
  m->eval = o->eval_mode.items;
  m->n_eval = o->eval_mode.n;
  m->clip_norm = o->clip_grad;
  m->accumulate = (uint32_t)o->accumulate;
  m->ema = o->model_ema;
  return code;
}

/* ---- class weights: as soon as the classes are known ---- */

/* All images over classes times the images of each: a class counts as much as any other. */
static dlc_status balance(const cli_job *job, float *weights)
{
  const int split = dlc_split_find(job->info, "train");
  const dlc_split *train = split >= 0 ? dlc_split_at(job->info, (uint32_t)split) : NULL;
  if (!train || !train->labels)
    return dlc_fail(DLC_INVALID, "balanced: dataset %s has no train split", job->dataset->name);
  for (int64_t i = 0; i < train->count; i++) weights[train->labels[i]]++;
  for (uint32_t k = 0; k < job->info->n_classes; k++)
    if (weights[k] > 0) weights[k] = (float)train->count / ((float)job->info->n_classes * weights[k]);
  return DLC_OK;
}

static dlc_status read_weights(const char *text, float *weights, uint32_t n)
{
  uint32_t count = 0;
  for (const char *at = text; *at && count <= n; count++) {
    char *end;
    const double value = strtod(at, &end);
    if (end == at || (*end && *end != ',') || !(value >= 0) || !isfinite(value))
      return dlc_fail(DLC_INVALID, "'%s': expected balanced, or a number of 0 or more for each class", text);
    if (count < n) weights[count] = (float)value;
    at = end + (*end == ',');
  }
  return count == n ? DLC_OK : dlc_fail(DLC_INVALID, "'%s' is not a number for each of %u classes", text, n);
}

int cli_job_class_weights(cli_job *job)
{
  const char *text = job->options->class_weights;
  const uint32_t n = job->info->n_classes;
  if (!text) return CLI_OK;
  float *weights = dlc_arena_alloc(&job->memory, n * sizeof *weights);
  if (!weights) return usage(dlc_fail_nomem(), "--class-weights");
  job->method.class_weights = weights;
  return usage(strcmp(text, "balanced") == 0 ? balance(job, weights) : read_weights(text, weights, n),
               "--class-weights");
}
