/* Adding a layer: its parameters are what its op says they are. */
#include "graph/layer.h"
#include "base/names.h"
#include "base/status.h"
#include "base/str.h"
#include "graph/builder.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

typedef struct adding {
  dlc_graph_build *g;
  dlc_model_graph *m;
  const dlc_model_use *use;
  const dlc_layer *layer;
} adding;

/* Room for one more element: arrays of 16, 32, 64... */
static dlc_status grow(void **array, uint32_t n, size_t element)
{
  if (n && (n < 16 || (n & (n - 1)))) return DLC_OK;
  void *moved = realloc(*array, (n ? 2 * (size_t)n : 16) * element);
  if (!moved) return dlc_fail_nomem();
  *array = moved;
  return DLC_OK;
}

static dlc_status check_new(const adding *a, const char *name)
{
  const dlc_graph *g = dlc_graph_view(a->g);
  const uint32_t hash = dlc_name_hash(name);
  for (uint32_t i = 0; i < a->m->n_params; i++)
    if (a->m->params[i].hash == hash && strcmp(dlc_value_at(g, a->m->params[i].value)->name, name) == 0)
      return dlc_fail(DLC_INVALID, "another layer has a tensor `%s`, too", name);
  return DLC_OK;
}

static dlc_status check_param(const dlc_param *p, uint32_t role)
{
  if (!p->name) return dlc_fail(DLC_INVALID, "a parameter without a name");
  if (p->init < DLC_INIT_CONSTANT || p->init > DLC_INIT_NORMAL)
    return dlc_fail(DLC_INVALID, "parameter %s: unknown init %u", p->name, p->init);
  if (role == DLC_ROLE_PARAMETER || role == DLC_ROLE_STATE) return DLC_OK;
  return dlc_fail(DLC_INVALID, "parameter %s: role %u", p->name, role);
}

static dlc_status choose_init(const adding *a, const dlc_param *p, uint32_t role, dlc_init *init)
{
  const dlc_init_rule *rule = NULL;
  *init = (dlc_init){.kind = p->init, .a = p->a, .b = p->b};
  if (role == DLC_ROLE_PARAMETER) rule = dlc_init_find(a->use->inits, a->use->n_inits, a->layer->op->name, p);
  if (!rule) return DLC_OK;
  const dlc_status status = dlc_initializer_of(&rule->initializer, &p->value, init);
  return status < 0 ? dlc_fail_in(status, "%s", p->name) : DLC_OK;
}

static dlc_status add_param(const adding *a, const dlc_param *p, uint32_t *id)
{
  const char *prefix = a->use->prefix, *tensors = a->layer->tensors;
  const uint32_t role = DLC_HAS(p, role) ? p->role : DLC_ROLE_PARAMETER;
  dlc_model_graph *m = a->m;
  dlc_str name = {0};
  dlc_init init;
  DLC_TRY(check_param(p, role));
  DLC_TRY(choose_init(a, p, role, &init));
  dlc_str_addf(&name, "%s%s%s%s", prefix ? prefix : "", tensors ? tensors : a->layer->name, tensors ? "" : ".",
               p->name);
  dlc_status status = dlc_str_ok(&name) ? check_new(a, dlc_str_get(&name)) : dlc_fail_nomem();
  if (status >= 0)
    status = dlc_graph_value(a->g, dlc_str_get(&name), prefix ? DLC_ROLE_STATE : role, p->value.dtype, p->value.rank,
                             p->value.dim, id);
  if (status >= 0) status = grow((void **)&m->params, m->n_params, sizeof *m->params);
  if (status >= 0) m->params[m->n_params++] = (dlc_model_param){*id, init, dlc_name_hash(dlc_str_get(&name))};
  dlc_str_free(&name);
  return status;
}

static dlc_status add_params(const adding *a, uint32_t *in, uint32_t *n_in)
{
  const dlc_layer *l = a->layer;
  for (uint32_t k = 0; DLC_HAS(l->op, param); k++) {
    dlc_value x[DLC_MAX_IN]; /* copies: adding a parameter moves the graph's own */
    const dlc_value *xs[DLC_MAX_IN];
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    for (uint32_t i = 0; i < l->n_from; i++) {
      x[i] = *dlc_value_at(dlc_graph_view(a->g), in[i]);
      xs[i] = &x[i];
    }
    dlc_status status = l->op->param(dlc_graph_host(a->g), l->attr, xs, k, &p);
    if (status == DLC_END) return DLC_OK;
    if (status < 0) return status;
    if (*n_in == DLC_MAX_IN) return dlc_fail(DLC_INVALID, "%s has more than %d inputs", l->op->name, DLC_MAX_IN);
    DLC_TRY(add_param(a, &p, &in[(*n_in)++]));
  }
  return DLC_OK;
}

/* The data and, after it, every tensor. */
static dlc_status add_inputs(const adding *a, uint32_t *in, uint32_t *n_in)
{
  const dlc_layer *l = a->layer;
  if (l->n_from + l->n_shared > DLC_MAX_IN)
    return dlc_fail(DLC_INVALID, "%s has more than %d inputs", l->op->name, DLC_MAX_IN);
  memcpy(in, l->from, l->n_from * sizeof *in);
  if (l->n_shared) memcpy(in + l->n_from, l->shared, l->n_shared * sizeof *in);
  *n_in = l->n_from + l->n_shared;
  return l->n_shared ? DLC_OK : add_params(a, in, n_in);
}

bool dlc_layer_matches(const char *pattern, const char *name, const dlc_op *op)
{
  return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, op->name, 0) == 0;
}

static bool is_training(const adding *a)
{
  bool training = a->use->training;
  for (uint32_t i = 0; i < a->use->n_eval && training; i++)
    training = !dlc_layer_matches(a->use->eval[i], a->layer->name, a->layer->op);
  return training;
}

/* One node of the op, or what the op makes of it. */
static dlc_status add_nodes(const adding *a, const uint32_t *in, uint32_t n_in, uint32_t *out)
{
  const dlc_layer *l = a->layer;
  if (!DLC_HAS(l->op, build)) return dlc_graph_node(a->g, l->name, l->op, l->attr, in, n_in, out);
  dlc_graph_builder rule = dlc_graph_builder_of(a->g, DLC_ROLE_ACTIVATION);
  rule.name = l->name;
  out[0] = DLC_NONE;
  dlc_status status = l->op->build(&rule.table, l->attr, is_training(a), in, n_in, out);
  if (status >= 0 && out[0] >= dlc_graph_view(a->g)->n_values) status = dlc_fail(DLC_INTERNAL, "it gives no value");
  if (status >= 0) return DLC_OK;
  const size_t n = strlen(l->name); /* a node that the op adds fails with the layer's name, too */
  const bool named = strncmp(dlc_reason(), l->name, n) == 0 && strncmp(dlc_reason() + n, " (", 2) == 0;
  return named ? status : dlc_fail_in(status, "%s (%s)", l->name, l->op->name);
}

dlc_status dlc_layer_add(dlc_graph_build *g, dlc_model_graph *m, const dlc_model_use *use, const dlc_layer *layer,
                         uint32_t *out)
{
  const adding a = {g, m, use, layer};
  const uint32_t first = m->n_params;
  uint32_t in[DLC_MAX_IN], n_in = 0, outs[DLC_MAX_OUT];
  dlc_status status = add_inputs(&a, in, &n_in);
  if (status < 0) return dlc_fail_in(status, "%s (%s)", layer->name, layer->op->name);
  DLC_TRY(add_nodes(&a, in, n_in, outs));
  DLC_TRY(grow((void **)&m->layers, m->n_layers, sizeof *m->layers));
  m->layers[m->n_layers++] = (dlc_model_layer){layer->name, layer->op, outs[0], first, m->n_params - first};
  *out = outs[0];
  return DLC_OK;
}

void dlc_model_graph_free(dlc_model_graph *m)
{
  free(m->params);
  free(m->layers);
  memset(m, 0, sizeof *m);
}
