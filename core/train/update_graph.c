/* The nodes after the gradients. */
#include "train/update_graph.h"
#include "base/status.h"
#include "base/str.h"
#include "dlcore/ops.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t one = 1;

/* What parameters, gradients and the numbers of their update are. */
static uint32_t type_of(dlc_graph_build *g, const dlc_trained *t)
{
  return t->n ? dlc_value_at(dlc_graph_view(g), t->parameters[0])->dtype : DLC_F32;
}

/* A kept value called prefix + the value's name, of its type and shape. */
static dlc_status companion(dlc_graph_build *g, const char *prefix, uint32_t of, uint32_t *id)
{
  const dlc_value v = *dlc_value_at(dlc_graph_view(g), of);
  dlc_str name = {0};
  dlc_str_addf(&name, "%s%s", prefix, v.name);
  dlc_status status = dlc_str_ok(&name)
                          ? dlc_graph_value(g, dlc_str_get(&name), DLC_ROLE_STATE, v.dtype, v.rank, v.dim, id)
                          : dlc_fail_nomem();
  dlc_str_free(&name);
  return status;
}

/* ---- L1 ---- */

static dlc_status add_l1(const dlc_method *method, dlc_graph_build *g, const dlc_trained *t, uint32_t *gradients)
{
  for (uint32_t i = 0; i < t->n; i++) {
    const uint32_t in[2] = {t->parameters[i], gradients[i]};
    const uint32_t group = dlc_method_group(method, dlc_value_at(dlc_graph_view(g), in[0])->name);
    const dlc_l1_gradient attr = {group < method->n_groups ? method->groups[group].l1 : method->l1};
    uint32_t out[DLC_MAX_OUT];
    if (gradients[i] == DLC_NONE || attr.l1 == 0) continue;
    DLC_TRY(dlc_graph_emit(g, "l1", "l1_gradient", &attr, in, 2, out));
    gradients[i] = out[0];
  }
  return DLC_OK;
}

/* ---- clipping ---- */

static dlc_status clip(const dlc_method *method, dlc_graph_build *g, const dlc_trained *t, uint32_t *gradients)
{
  const dlc_clip_factor attr = {method->clip_norm};
  uint32_t total = DLC_NONE, out[DLC_MAX_OUT], factor;
  for (uint32_t i = 0; i < t->n; i++) {
    if (gradients[i] == DLC_NONE) continue;
    DLC_TRY(dlc_graph_emit(g, "clip", "square_sum", NULL, &gradients[i], 1, out));
    const uint32_t both[2] = {total, out[0]};
    if (total != DLC_NONE) DLC_TRY(dlc_graph_emit(g, "clip", "add", NULL, both, 2, out));
    total = out[0];
  }
  if (total == DLC_NONE) return DLC_OK;
  DLC_TRY(dlc_graph_emit(g, "clip", "clip_factor", &attr, &total, 1, out));
  factor = out[0];
  DLC_TRY(dlc_graph_mark(g, out[1], DLC_ROLE_OUTPUT, DLC_NAME_GRADIENT_NORM));
  for (uint32_t i = 0; i < t->n; i++) {
    const uint32_t in[2] = {gradients[i], factor};
    if (gradients[i] == DLC_NONE) continue;
    DLC_TRY(dlc_graph_emit(g, "clip", "scale", NULL, in, 2, out));
    gradients[i] = out[0];
  }
  return DLC_OK;
}

/* ---- the optimizer ---- */

typedef struct scalars {
  uint32_t dtype, lr, step, momentum; /* momentum: DLC_NONE where it is the optimizer's own */
  uint32_t group_lr[DLC_MAX_GROUPS];  /* DLC_NONE: not made yet */
} scalars;

static dlc_status learning_rate(const dlc_method *method, dlc_graph_build *g, scalars *s, uint32_t group, uint32_t *id)
{
  char name[32];
  *id = s->lr;
  if (group == method->n_groups || method->groups[group].lr_scale == 1) return DLC_OK;
  snprintf(name, sizeof name, DLC_NAME_GROUP_LR, group);
  if (s->group_lr[group] == DLC_NONE)
    DLC_TRY(dlc_graph_value(g, name, DLC_ROLE_STEP_SCALAR, s->dtype, 1, &one, &s->group_lr[group]));
  *id = s->group_lr[group];
  return DLC_OK;
}

static dlc_status add_state(const dlc_op *op, dlc_graph_build *g, const dlc_param *p, uint32_t k, const char *parameter,
                            uint32_t *id)
{
  dlc_str name = {0};
  if (!p->name || p->init != DLC_INIT_CONSTANT || p->a != 0)
    return dlc_fail(DLC_UNSUPPORTED, "optimizer %s: state %u has no name, or does not begin with 0", op->name, k);
  dlc_str_addf(&name, DLC_PREFIX_OPTIMIZER "%s/%s", p->name, parameter);
  dlc_status status = dlc_str_ok(&name) ? dlc_graph_value(g, dlc_str_get(&name), DLC_ROLE_STATE, p->value.dtype,
                                                          p->value.rank, p->value.dim, id)
                                        : dlc_fail_nomem();
  dlc_str_free(&name);
  return status;
}

/* parameter, its states, gradient, learning rate, step, momentum? -> parameter, states */
static dlc_status update(const dlc_method *method, dlc_graph_build *g, scalars *s, uint32_t parameter,
                         uint32_t gradient)
{
  const dlc_op *op = method->optimizer;
  const dlc_value value = *dlc_value_at(dlc_graph_view(g), parameter);
  const dlc_value *values[1] = {&value};
  const uint32_t group = dlc_method_group(method, value.name);
  const void *attr = group < method->n_groups ? method->groups[group].attr : method->optimizer_attr;
  uint32_t in[DLC_MAX_IN] = {parameter}, n_in = 1, out[DLC_MAX_OUT];
  while (DLC_HAS(op, param)) {
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    dlc_status status = op->param(dlc_graph_host(g), attr, values, n_in - 1, &p);
    if (status == DLC_END) break;
    if (status < 0) return status;
    if (n_in + 4 >= DLC_MAX_IN) return dlc_fail(DLC_INVALID, "optimizer %s has too many states", op->name);
    DLC_TRY(add_state(op, g, &p, n_in - 1, value.name, &in[n_in]));
    n_in++;
  }
  in[n_in++] = gradient;
  DLC_TRY(learning_rate(method, g, s, group, &in[n_in++]));
  in[n_in++] = s->step;
  if (s->momentum != DLC_NONE) in[n_in++] = s->momentum;
  return dlc_graph_node(g, value.name, op, attr, in, n_in, out);
}

static dlc_status update_all(const dlc_method *method, dlc_graph_build *g, const dlc_trained *t,
                             const uint32_t *gradients)
{
  scalars s = {.dtype = type_of(g, t), .momentum = DLC_NONE};
  memset(s.group_lr, 0xff, sizeof s.group_lr);
  DLC_TRY(dlc_graph_value(g, DLC_NAME_LEARNING_RATE, DLC_ROLE_STEP_SCALAR, s.dtype, 1, &one, &s.lr));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_STEP, DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &one, &s.step));
  if (dlc_schedule_moves_momentum(&method->schedule))
    DLC_TRY(dlc_graph_value(g, DLC_NAME_MOMENTUM, DLC_ROLE_STEP_SCALAR, s.dtype, 1, &one, &s.momentum));
  for (uint32_t i = 0; i < t->n; i++)
    if (gradients[i] != DLC_NONE) DLC_TRY(update(method, g, &s, t->parameters[i], gradients[i]));
  return DLC_OK;
}

/* ---- the average ---- */

/* What `value` is after every update of it so far. */
static uint32_t latest(dlc_graph_build *g, uint32_t value)
{
  const dlc_graph *view = dlc_graph_view(g);
  for (uint32_t i = 0; i < view->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(view, i);
    for (uint32_t k = 0; k < n->n_out && (n->op->flags & DLC_OP_UPDATE); k++)
      if (n->in[k] == value) value = n->out[k];
  }
  return value;
}

/* Of every float tensor, running statistics included. */
static dlc_status average(dlc_graph_build *g, const dlc_model_graph *m, uint32_t dtype)
{
  uint32_t decay, out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_EMA_DECAY, DLC_ROLE_STEP_SCALAR, dtype, 1, &one, &decay));
  for (uint32_t i = 0; i < m->n_params; i++) {
    const uint32_t value = m->params[i].value;
    uint32_t in[3] = {0, latest(g, value), decay};
    if (dlc_value_at(dlc_graph_view(g), value)->dtype != dtype) continue;
    DLC_TRY(companion(g, DLC_PREFIX_EMA, value, &in[0]));
    DLC_TRY(dlc_graph_emit(g, "ema", "ema", NULL, in, 3, out));
  }
  return DLC_OK;
}

dlc_status dlc_update_append(const dlc_method *method, dlc_graph_build *g, const dlc_model_graph *m,
                             const dlc_trained *t)
{
  uint32_t *gradients = malloc(((size_t)t->n + 1) * sizeof *gradients);
  if (!gradients) return dlc_fail_nomem();
  if (t->n) memcpy(gradients, t->gradients, t->n * sizeof *gradients);
  dlc_status status = add_l1(method, g, t, gradients);
  if (status >= 0 && method->clip_norm > 0) status = clip(method, g, t, gradients);
  if (status >= 0) status = update_all(method, g, t, gradients);
  if (status >= 0 && method->ema > 0) status = average(g, m, type_of(g, t));
  free(gradients);
  return status;
}

/* ---- accumulation ---- */

dlc_status dlc_accumulate_append(dlc_graph_build *g, const dlc_trained *t)
{
  uint32_t factor, out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_FACTOR, DLC_ROLE_STEP_SCALAR, type_of(g, t), 1, &one, &factor));
  for (uint32_t i = 0; i < t->n; i++) {
    uint32_t in[3] = {0, t->gradients[i], factor};
    if (t->gradients[i] == DLC_NONE) continue;
    DLC_TRY(companion(g, DLC_PREFIX_GRADIENT, t->parameters[i], &in[0]));
    DLC_TRY(dlc_graph_emit(g, "accumulate", "accumulate", NULL, in, 3, out));
  }
  return DLC_OK;
}

static bool is_summed(const dlc_graph *of, const char *parameter)
{
  const size_t prefix = strlen(DLC_PREFIX_GRADIENT);
  for (uint32_t i = 0; i < of->n_values; i++) {
    const char *name = dlc_value_at(of, i)->name;
    if (strncmp(name, DLC_PREFIX_GRADIENT, prefix) == 0 && strcmp(name + prefix, parameter) == 0) return true;
  }
  return false;
}

dlc_status dlc_accumulated_values(dlc_graph_build *g, const dlc_graph *of, const uint32_t *parameters, uint32_t n,
                                  uint32_t *gradients)
{
  for (uint32_t i = 0; i < n; i++) {
    gradients[i] = DLC_NONE;
    if (is_summed(of, dlc_value_at(dlc_graph_view(g), parameters[i])->name))
      DLC_TRY(companion(g, DLC_PREFIX_GRADIENT, parameters[i], &gradients[i]));
  }
  return DLC_OK;
}
