/* From the written-out list of layers to nodes: each layer's parameters are what its op says they are. */
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
  int64_t classes;
  uint32_t input; /* value id */
  uint32_t param_capacity;
  dlc_model_graph *out;
} builder;

/* FILE:LINE:COLUMN: layer `conv1`: ... before the reason that is there */
static dlc_status in_layer(const builder *b, const dlc_layer_text *layer, unsigned line, unsigned column,
                           dlc_status status)
{
  return dlc_fail_in(status, "%s:%u:%u: layer `%s`", b->model->origin, line, column, layer->name);
}

static dlc_status set_arg(const builder *b, const dlc_op *op, const dlc_layer_arg *arg, void *attr)
{
  char classes[24];
  const char *words[DLC_ARG_WORDS];
  snprintf(classes, sizeof classes, "%lld", (long long)b->classes);
  for (uint32_t i = 0; i < arg->value.count; i++)
    words[i] = strcmp(arg->value.words[i], "classes") ? arg->value.words[i] : classes;
  if (*arg->name) return dlc_attr_set(op, attr, arg->name, words, arg->value.count);
  if (op->n_attrs == 0) return dlc_fail(DLC_INVALID, "%s takes no arguments", op->name);
  return dlc_attr_set(op, attr, dlc_attr_at(op, 0)->name, words, arg->value.count);
}

static dlc_status read_attr(const builder *b, const dlc_layer_text *layer, const dlc_op *op, void *attr)
{
  const char *missing;
  if (dlc_attr_defaults(op, attr, &missing) < 0) return in_layer(b, layer, layer->line, layer->column, DLC_INVALID);
  for (uint32_t i = 0; i < layer->n_args; i++) {
    const dlc_layer_arg *arg = &layer->args[i];
    if (set_arg(b, op, arg, attr) < 0) return in_layer(b, layer, arg->value.line, arg->value.column, DLC_INVALID);
  }
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_at(op, i);
    bool given = a->def != NULL;
    for (uint32_t k = 0; k < layer->n_args; k++)
      given |= *layer->args[k].name ? dlc_name_equal(layer->args[k].name, a->name) : i == 0;
    if (!given) {
      dlc_fail(DLC_INVALID, "%s needs `%s`", op->name, a->name);
      return in_layer(b, layer, layer->line, layer->column, DLC_INVALID);
    }
  }
  return DLC_OK;
}

static dlc_status check_new(const builder *b, const char *name)
{
  const dlc_graph *g = dlc_graph_view(b->g);
  for (uint32_t i = 0; i < b->out->n_params; i++)
    if (strcmp(dlc_value_at(g, b->out->params[i].value)->name, name) == 0)
      return dlc_fail(DLC_INVALID, "another layer has a tensor `%s`, too", name);
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
  dlc_str_addf(&name, "%s%s%s", b->use->prefix ? b->use->prefix : "", layer->prefix, p->name);
  dlc_status status = dlc_str_ok(&name) ? check_new(b, dlc_str_get(&name)) : dlc_fail_nomem();
  if (status >= 0)
    status = dlc_graph_value(b->g, dlc_str_get(&name), b->use->prefix ? DLC_ROLE_STATE : role, p->value.dtype,
                             p->value.rank, p->value.dim, id);
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

/* The tensors of the layer that this one shares. */
static dlc_status add_shared(const builder *b, const dlc_layer_text *layer, const dlc_op *op, uint32_t *in,
                             uint32_t *n_in)
{
  const dlc_model_layer *other = &b->out->layers[layer->shared];
  if (other->n_params == 0) return dlc_fail(DLC_INVALID, "`%s` has no tensors to share", other->name);
  if (*n_in + other->n_params > DLC_MAX_IN)
    return dlc_fail(DLC_INVALID, "%s has more than %d inputs", op->name, DLC_MAX_IN);
  for (uint32_t k = 0; k < other->n_params; k++) in[(*n_in)++] = b->out->params[other->first_param + k].value;
  return DLC_OK;
}

/* The data and, after it, every parameter the op asks for. */
static dlc_status add_inputs(builder *b, const dlc_layer_text *layer, const dlc_op *op, const void *attr, uint32_t *in,
                             uint32_t *n_in)
{
  for (*n_in = 0; *n_in < layer->n_from; ++*n_in) {
    const uint32_t from = layer->from[*n_in];
    in[*n_in] = from == DLC_NONE ? b->input : b->out->layers[from].output;
  }
  if (layer->shared != DLC_NONE) return add_shared(b, layer, op, in, n_in);
  if (!DLC_HAS(op, param)) return DLC_OK;
  for (uint32_t k = 0;; k++) {
    dlc_value x[DLC_MAX_IN];
    const dlc_value *xs[DLC_MAX_IN];
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    for (uint32_t i = 0; i < layer->n_from; i++) {
      x[i] = *dlc_value_at(dlc_graph_view(b->g), in[i]);
      xs[i] = &x[i];
    }
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

/* The op of that name; the reason names the nearest op or block. */
static dlc_status find_op(const builder *b, const dlc_layer_text *layer, const dlc_op **op)
{
  const char *names[128 + 4] = {"repeat", "residual", "parallel", "sequence"};
  uint32_t n = 4;
  dlc_status status = dlc_graph_find_op(b->g, layer->op, op);
  if (status != DLC_NOT_FOUND) return status;
  for (uint32_t i = 0; i < b->model->n_blocks && n < 132; i++) names[n++] = b->model->blocks[i].name;
  const int near = dlc_nearest(layer->op, names, n);
  return near < 0 ? status : dlc_fail(status, "no op or block `%s`; did you mean `%s`?", layer->op, names[near]);
}

static dlc_status check_op(const dlc_op *op, uint32_t n_from)
{
  if (op->kind != DLC_OP_LAYER) return dlc_fail(DLC_INVALID, "%s is not a layer", op->name);
  const bool more = (op->flags & DLC_OP_VARIADIC) != 0;
  if (n_from == op->n_data || (more && n_from > op->n_data)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s reads %u layer%s%s, %u came%s", op->name, op->n_data, op->n_data == 1 ? "" : "s",
                  more ? " or more" : "", n_from, n_from < op->n_data ? "; name them in `from: [a, b]`" : "");
}

static dlc_status build_with(builder *b, const dlc_layer_text *layer, const dlc_op *op, const void *attr, uint32_t *out)
{
  uint32_t in[DLC_MAX_IN], n_in;
  dlc_status status = add_inputs(b, layer, op, attr, in, &n_in);
  if (status < 0) dlc_fail_in(status, "%s (%s)", layer->name, op->name);
  else status = add_nodes(b, layer, op, attr, in, n_in, out);
  return status < 0 ? dlc_fail_in(status, "%s:%u:%u", b->model->origin, layer->line, layer->column) : DLC_OK;
}

static dlc_status build_layer(builder *b, const dlc_layer_text *layer)
{
  const dlc_op *op;
  uint32_t out[DLC_MAX_OUT];
  dlc_status status = find_op(b, layer, &op);
  if (status >= 0) status = check_op(op, layer->n_from);
  if (status < 0) return in_layer(b, layer, layer->line, layer->column, status);
  void *attr = calloc(1, op->attr_size ? op->attr_size : 1);
  if (!attr) return dlc_fail_nomem();
  const uint32_t first_param = b->out->n_params;
  status = read_attr(b, layer, op, attr);
  if (status >= 0) status = build_with(b, layer, op, attr, out);
  free(attr);
  if (status < 0) return status;
  b->out->layers[b->out->n_layers++] =
      (dlc_model_layer){layer->name, op, out[0], first_param, b->out->n_params - first_param};
  return DLC_OK;
}

static dlc_status check_logits(const builder *b)
{
  const dlc_value *v = dlc_value_at(dlc_graph_view(b->g), b->out->logits);
  const dlc_layer_text *last = &b->model->layers[b->model->output];
  if (v->rank == 2 && v->dim[1] == b->classes) return DLC_OK;
  return dlc_fail(DLC_INVALID,
                  "%s:%u:%u: the last layer `%s` gives %s; expected [batch, %lld], a number for each class",
                  b->model->origin, last->line, last->column, last->name, dlc_name_shape(v->rank, v->dim).text,
                  (long long)b->classes);
}

dlc_status dlc_model_build(const dlc_model *model, dlc_graph_build *g, uint32_t input, const dlc_model_use *use,
                           dlc_model_graph *out)
{
  builder b = {.model = model, .g = g, .use = use, .input = input, .out = out};
  memset(out, 0, sizeof *out);
  b.classes = model->classes ? model->classes : use->classes;
  if (b.classes < use->classes)
    return dlc_fail(DLC_INVALID, "%s is made for %lld classes, %lld came", model->origin, (long long)b.classes,
                    (long long)use->classes);
  out->layers = calloc(model->n_layers, sizeof *out->layers);
  dlc_status status = out->layers ? DLC_OK : dlc_fail_nomem();
  for (uint32_t i = 0; i < model->n_layers && status >= 0; i++) status = build_layer(&b, &model->layers[i]);
  if (status >= 0) {
    out->logits = out->layers[model->output].output;
    status = check_logits(&b);
  }
  if (status < 0) dlc_model_graph_free(out);
  return status;
}

void dlc_model_graph_free(dlc_model_graph *m)
{
  free(m->params);
  free(m->layers);
  memset(m, 0, sizeof *m);
}
