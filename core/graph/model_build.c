/* From the written-out list to layers in a graph: arguments are read by the table of the op. */
#include "base/names.h"
#include "base/shape.h"
#include "base/status.h"
#include "graph/model_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct builder {
  const dlc_model *model;
  dlc_graph_build *g;
  dlc_model_use use;    /* its inits: those of the layer at hand, then the general ones */
  dlc_init_rule *inits; /* the general ones: of whoever builds, then of the file; room for a layer's before them */
  uint32_t n_inits;
  int64_t classes;
  uint32_t input; /* value id */
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

/* A rule for a tensor that is not there is a slip. `layer` NULL: the rules of the file. */
static dlc_status check_inits(const builder *b, const dlc_init_rule *rules, uint32_t n, const char *layer)
{
  for (uint32_t i = 0; i < n; i++) {
    const char *kind = layer ? layer : rules[i].layer;
    if (!rules[i].matched)
      return dlc_model_fail(b->model, rules[i].line, rules[i].column, "`init`: %s%s%s has a %s",
                            kind ? "no `" : "no layer", kind ? kind : "", kind ? "`" : "",
                            rules[i].tensor ? rules[i].tensor : "weight of two dimensions or more");
  }
  return DLC_OK;
}

static dlc_status add_layer(builder *b, const dlc_layer_text *text, const dlc_op *op, const void *attr)
{
  uint32_t from[DLC_MAX_IN], shared[DLC_MAX_IN], out;
  dlc_layer layer = {.name = text->name,
                     .tensors = text->prefix,
                     .op = op,
                     .attr = attr,
                     .from = from,
                     .n_from = text->n_from,
                     .shared = shared};
  for (uint32_t i = 0; i < text->n_from; i++)
    from[i] = text->from[i] == DLC_NONE ? b->input : b->out->layers[text->from[i]].output;
  if (text->shared != DLC_NONE) {
    const dlc_model_layer *other = &b->out->layers[text->shared];
    if (other->n_params == 0) {
      dlc_fail(DLC_INVALID, "`%s` has no tensors to share", other->name);
      return in_layer(b, text, text->line, text->column, DLC_INVALID);
    }
    for (uint32_t k = 0; k < other->n_params; k++)
      shared[layer.n_shared++] = b->out->params[other->first_param + k].value;
  }
  b->use.inits = b->inits - text->n_inits;
  b->use.n_inits = b->n_inits + text->n_inits;
  if (text->n_inits) memcpy(b->use.inits, text->inits, text->n_inits * sizeof *text->inits);
  dlc_status status = dlc_layer_add(b->g, b->out, &b->use, &layer, &out);
  if (status < 0) return dlc_fail_in(status, "%s:%u:%u", b->model->origin, text->line, text->column);
  return check_inits(b, b->use.inits, text->n_inits, text->name);
}

static dlc_status build_layer(builder *b, const dlc_layer_text *layer)
{
  const dlc_op *op;
  dlc_status status = find_op(b, layer, &op);
  if (status >= 0) status = check_op(op, layer->n_from);
  if (status < 0) return in_layer(b, layer, layer->line, layer->column, status);
  void *attr = calloc(1, op->attr_size ? op->attr_size : 1);
  if (!attr) return dlc_fail_nomem();
  status = read_attr(b, layer, op, attr);
  if (status >= 0) status = add_layer(b, layer, op, attr);
  free(attr);
  return status;
}

static dlc_status check_logits(const builder *b)
{
  const dlc_value *v = dlc_value_at(dlc_graph_view(b->g), b->out->logits);
  const dlc_layer_text *last = &b->model->layers[b->model->output];
  const int64_t batch = dlc_value_at(dlc_graph_view(b->g), b->input)->dim[0];
  if (v->rank == 2 && v->dim[0] == batch && v->dim[1] == b->classes) return DLC_OK;
  if (v->rank == 2 && v->dim[0] != batch)
    return dlc_fail(DLC_INVALID, "%s:%u:%u: the last layer `%s` gives %s for a batch of %lld", b->model->origin,
                    last->line, last->column, last->name, dlc_name_shape(v->rank, v->dim).text, (long long)batch);
  return dlc_fail(DLC_INVALID,
                  "%s:%u:%u: the last layer `%s` gives %s; expected [batch, %lld], a number for each class",
                  b->model->origin, last->line, last->column, last->name, dlc_name_shape(v->rank, v->dim).text,
                  (long long)b->classes);
}

static dlc_status join_inits(builder *b, const dlc_model_use *use, dlc_init_rule **memory)
{
  const dlc_model *m = b->model;
  uint32_t own = 0;
  for (uint32_t i = 0; i < m->n_layers; i++) own = m->layers[i].n_inits > own ? m->layers[i].n_inits : own;
  b->n_inits = use->n_inits + m->n_inits;
  *memory = malloc(((size_t)own + b->n_inits + 1) * sizeof **memory);
  if (!*memory) return dlc_fail_nomem();
  b->inits = *memory + own;
  if (use->n_inits) memcpy(b->inits, use->inits, use->n_inits * sizeof *use->inits);
  if (m->n_inits) memcpy(b->inits + use->n_inits, m->inits, m->n_inits * sizeof *m->inits);
  return DLC_OK;
}

static dlc_status build_layers(builder *b)
{
  const dlc_model *m = b->model;
  for (uint32_t i = 0; i < m->n_layers; i++) DLC_TRY(build_layer(b, &m->layers[i]));
  b->out->logits = b->out->layers[m->output].output;
  if (!b->use.any_output) DLC_TRY(check_logits(b));
  return check_inits(b, b->inits + b->n_inits - m->n_inits, m->n_inits, NULL);
}

dlc_status dlc_model_build(const dlc_model *model, dlc_graph_build *g, uint32_t input, const dlc_model_use *use,
                           dlc_model_graph *out)
{
  builder b = {.model = model, .g = g, .use = *use, .input = input, .out = out};
  memset(out, 0, sizeof *out);
  b.classes = model->classes ? model->classes : use->classes;
  if (b.classes < use->classes)
    return dlc_fail(DLC_INVALID, "%s is made for %lld classes, %lld came", model->origin, (long long)b.classes,
                    (long long)use->classes);
  dlc_init_rule *memory;
  dlc_status status = join_inits(&b, use, &memory);
  if (status >= 0) status = build_layers(&b);
  free(memory);
  if (status < 0) dlc_model_graph_free(out);
  return status;
}
