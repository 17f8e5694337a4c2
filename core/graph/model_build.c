/* From the list of layers to nodes: each layer's parameters are what its op says they are. */
#include "base/names.h"
#include "base/shape.h"
#include "base/status.h"
#include "base/str.h"
#include "graph/build.h"
#include "graph/builder.h"
#include "graph/model_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct builder {
  const dlc_model *model;
  dlc_graph_build *g;
  const dlc_model_use *use;
  uint32_t current; /* value id of what the last layer gave */
  uint32_t param_capacity;
  dlc_model_graph *out;
} builder;

/* file:line: layer `conv1`: ... before the reason that is there */
static dlc_status in_layer(const builder *b, const dlc_layer_text *layer, unsigned line, dlc_status status)
{
  return dlc_fail_in(status, "%s:%u: layer `%s`", b->model->origin, line, layer->name);
}

static dlc_status set_arg(const builder *b, const dlc_op *op, const dlc_layer_arg *arg, void *attr)
{
  char classes[24];
  const char *words[DLC_ARG_WORDS];
  snprintf(classes, sizeof classes, "%lld", (long long)b->use->classes);
  for (uint32_t i = 0; i < arg->count; i++) words[i] = strcmp(arg->words[i], "classes") ? arg->words[i] : classes;
  if (*arg->name) return dlc_attr_set(op, attr, arg->name, words, arg->count);
  if (op->n_attrs == 0) return dlc_fail(DLC_INVALID, "%s takes no arguments", op->name);
  return dlc_attr_set(op, attr, dlc_attr_at(op, 0)->name, words, arg->count);
}

static dlc_status read_attr(const builder *b, const dlc_layer_text *layer, const dlc_op *op, void *attr)
{
  const char *missing;
  if (dlc_attr_defaults(op, attr, &missing) < 0) return in_layer(b, layer, layer->line, DLC_INVALID);
  for (uint32_t i = 0; i < layer->n_args; i++)
    if (set_arg(b, op, &layer->args[i], attr) < 0) return in_layer(b, layer, layer->args[i].line, DLC_INVALID);
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_at(op, i);
    bool given = a->def != NULL;
    for (uint32_t k = 0; k < layer->n_args; k++)
      given |= *layer->args[k].name ? dlc_name_equal(layer->args[k].name, a->name) : i == 0;
    if (!given) {
      dlc_fail(DLC_INVALID, "%s needs `%s`", op->name, a->name);
      return in_layer(b, layer, layer->line, DLC_INVALID);
    }
  }
  return DLC_OK;
}

static dlc_status add_param(builder *b, const dlc_layer_text *layer, const dlc_param *p, uint32_t *id)
{
  dlc_str name = {0};
  if (!p->name) return dlc_fail(DLC_INVALID, "a parameter without a name");
  if (p->init < DLC_INIT_CONSTANT || p->init > DLC_INIT_NORMAL)
    return dlc_fail(DLC_INVALID, "parameter %s: unknown init %u", p->name, p->init);
  const uint32_t role = DLC_HAS(p, role) ? p->role : DLC_ROLE_PARAMETER;
  if (role != DLC_ROLE_PARAMETER && role != DLC_ROLE_STATE)
    return dlc_fail(DLC_INVALID, "parameter %s: role %u", p->name, role);
  dlc_str_addf(&name, "%s%s.%s", b->use->prefix ? b->use->prefix : "", layer->name, p->name);
  dlc_status status = dlc_str_ok(&name) ? dlc_graph_value(b->g, dlc_str_get(&name), role, p->value.dtype, p->value.rank,
                                                          p->value.dim, id)
                                        : dlc_fail_nomem();
  dlc_str_free(&name);
  if (status < 0) return status;
  if (b->out->n_params == b->param_capacity) {
    uint32_t larger = b->param_capacity ? 2 * b->param_capacity : 16;
    dlc_model_param *moved = realloc(b->out->params, larger * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    b->out->params = moved;
    b->param_capacity = larger;
  }
  b->out->params[b->out->n_params++] = (dlc_model_param){*id, p->init, p->a, p->b};
  return DLC_OK;
}

/* The data input and, after it, every parameter the op asks for. */
static dlc_status add_inputs(builder *b, const dlc_layer_text *layer, const dlc_op *op, const void *attr, uint32_t *in,
                             uint32_t *n_in)
{
  in[0] = b->current;
  *n_in = 1;
  if (!DLC_HAS(op, param)) return DLC_OK;
  for (uint32_t k = 0;; k++) {
    const dlc_value x = *dlc_value_at(dlc_graph_view(b->g), b->current);
    const dlc_value *xs[1] = {&x};
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    dlc_status status = op->param(dlc_graph_host(b->g), attr, xs, k, &p);
    if (status == DLC_END) return DLC_OK;
    if (status < 0) return status;
    if (*n_in == DLC_MAX_IN) return dlc_fail(DLC_INVALID, "%s has more than %d inputs", op->name, DLC_MAX_IN);
    DLC_TRY(add_param(b, layer, &p, &in[(*n_in)++]));
  }
}

/* One node of the op, or what the op makes of it. */
static dlc_status add_nodes(builder *b, const dlc_layer_text *layer, const dlc_op *op, const void *attr,
                            const uint32_t *in, uint32_t n_in, uint32_t *out)
{
  if (!DLC_HAS(op, build)) return dlc_graph_node(b->g, layer->name, op, attr, in, n_in, out);
  dlc_graph_builder rule = dlc_graph_builder_of(b->g, DLC_ROLE_ACTIVATION);
  rule.name = layer->name;
  out[0] = DLC_NONE;
  dlc_status status = op->build(&rule.table, attr, b->use->training, in, n_in, out);
  if (status >= 0 && out[0] >= dlc_graph_view(b->g)->n_values) status = dlc_fail(DLC_INTERNAL, "it gives no value");
  return status < 0 ? dlc_fail_in(status, "%s (%s)", layer->name, op->name) : DLC_OK;
}

static dlc_status build_layer(builder *b, const dlc_layer_text *layer)
{
  const dlc_op *op;
  uint32_t in[DLC_MAX_IN], n_in, out[DLC_MAX_OUT];
  dlc_status status = dlc_graph_find_op(b->g, layer->op, &op);
  if (status >= 0 && op->kind != DLC_OP_LAYER) status = dlc_fail(DLC_INVALID, "%s is not a layer", layer->op);
  if (status >= 0 && op->n_data != 1)
    status = dlc_fail(DLC_INVALID, "%s has %u data inputs; a list of layers gives one", layer->op, op->n_data);
  if (status < 0) return in_layer(b, layer, layer->line, status);
  void *attr = calloc(1, op->attr_size ? op->attr_size : 1);
  if (!attr) return dlc_fail_nomem();
  uint32_t first_param = b->out->n_params;
  status = read_attr(b, layer, op, attr);
  if (status >= 0) {
    status = add_inputs(b, layer, op, attr, in, &n_in);
    if (status < 0) dlc_fail_in(status, "%s (%s)", layer->name, op->name);
    else status = add_nodes(b, layer, op, attr, in, n_in, out);
    if (status < 0) dlc_fail_in(status, "%s:%u", b->model->origin, layer->line);
  }
  free(attr);
  if (status < 0) return status;
  b->current = out[0];
  b->out->layers[b->out->n_layers++] =
      (dlc_model_layer){layer->name, op, out[0], first_param, b->out->n_params - first_param};
  return DLC_OK;
}

static dlc_status check_logits(const builder *b)
{
  const dlc_graph *g = dlc_graph_view(b->g);
  const dlc_value *v = dlc_value_at(g, b->current);
  if (v->rank == 2 && v->dim[1] == b->use->classes) return DLC_OK;
  const dlc_layer_text *last = &b->model->layers[b->model->n_layers - 1];
  return dlc_fail(DLC_INVALID, "%s:%u: the last layer `%s` gives %s; expected [batch, %lld], a number for each class",
                  b->model->origin, last->line, last->name, dlc_name_shape(v->rank, v->dim).text,
                  (long long)b->use->classes);
}

dlc_status dlc_model_build(const dlc_model *model, dlc_graph_build *g, uint32_t input, const dlc_model_use *use,
                           dlc_model_graph *out)
{
  builder b = {.model = model, .g = g, .use = use, .current = input, .out = out};
  memset(out, 0, sizeof *out);
  out->layers = calloc(model->n_layers, sizeof *out->layers);
  dlc_status status = out->layers ? DLC_OK : dlc_fail_nomem();
  for (uint32_t i = 0; i < model->n_layers && status >= 0; i++) status = build_layer(&b, &model->layers[i]);
  if (status >= 0) status = check_logits(&b);
  out->logits = b.current;
  if (status < 0) dlc_model_graph_free(out);
  return status;
}

void dlc_model_graph_free(dlc_model_graph *m)
{
  free(m->params);
  free(m->layers);
  memset(m, 0, sizeof *m);
}
