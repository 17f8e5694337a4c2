/* One step as one graph of ordinary nodes. */
#include "train/step_graph.h"
#include "base/status.h"
#include "dlcore/ops.h"
#include "train/confusion.h"
#include <stdlib.h>

static void stage(const dlc_step_config *c, const char *name, dlc_graph_build *g)
{
  if (c->on_stage) c->on_stage(c->ctx, name, dlc_graph_view(g));
}

static uint32_t type_of(const dlc_step_config *c)
{
  return c->dtype == DLC_F64 ? DLC_F64 : DLC_F32;
}

/* Floats come as the transforms made them. */
static dlc_status add_floats(const dlc_step_config *c, dlc_graph_build *g, uint32_t *x)
{
  const dlc_cast attr = {type_of(c)};
  uint32_t out[DLC_MAX_OUT];
  if (attr.dtype == DLC_F32) return DLC_OK;
  DLC_TRY(dlc_graph_emit(g, "cast", "cast", &attr, x, 1, out));
  *x = out[0];
  return DLC_OK;
}

/* Bytes are normalised by a node. */
static dlc_status add_input(const dlc_step_config *c, dlc_graph_build *g, uint32_t *x)
{
  const dlc_sample_format *f = &c->input->format;
  const int64_t shape[4] = {c->batch, f->channels, f->height, f->width};
  uint32_t in[3], out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_INPUT, DLC_ROLE_INPUT, f->dtype, 4, shape, &in[0]));
  *x = in[0];
  if (f->dtype != DLC_U8) return add_floats(c, g, x);
  DLC_TRY(dlc_graph_value(g, DLC_NAME_MEAN, DLC_ROLE_STATE, type_of(c), 1, &f->channels, &in[1]));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_STD, DLC_ROLE_STATE, type_of(c), 1, &f->channels, &in[2]));
  DLC_TRY(dlc_graph_emit(g, "normalize", "normalize", NULL, in, 3, out));
  *x = out[0];
  return DLC_OK;
}

/* x and labels become mixtures of each sample and the one before. */
static dlc_status add_mix(const dlc_step_config *c, dlc_graph_build *g, uint32_t *x, uint32_t labels,
                          uint32_t *other_labels)
{
  const int64_t one = 1, four = 4;
  uint32_t in[3] = {*x}, out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_MIX_SHARE, DLC_ROLE_STEP_SCALAR, type_of(c), 1, &one, &in[1]));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_MIX_BOX, DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &four, &in[2]));
  DLC_TRY(dlc_graph_emit(g, "mix", "mix", NULL, in, 3, out));
  *x = out[0];
  DLC_TRY(dlc_graph_emit(g, "mix", "roll", NULL, &labels, 1, out));
  *other_labels = out[0];
  return DLC_OK;
}

static dlc_status one_loss(const dlc_step_config *c, dlc_graph_build *g, const uint32_t *in, uint32_t n_in,
                           uint32_t *loss)
{
  const dlc_method *method = c->method;
  uint32_t out[DLC_MAX_OUT];
  if (method && method->loss) DLC_TRY(dlc_graph_node(g, "loss", method->loss, method->loss_attr, in, n_in, out));
  else DLC_TRY(dlc_graph_emit(g, "loss", "cross_entropy", NULL, in, n_in, out));
  *loss = out[0];
  return DLC_OK;
}

/* What a model with more outputs than the data has classes says of these. */
static dlc_status known_classes(const dlc_step_config *c, dlc_graph_build *g, const char *name, uint32_t rows,
                                uint32_t *known)
{
  const dlc_slice classes = {.dim = 1, .begin = 0, .end = c->classes};
  uint32_t out[DLC_MAX_OUT] = {rows};
  if (dlc_value_at(dlc_graph_view(g), rows)->dim[1] > c->classes)
    DLC_TRY(dlc_graph_emit(g, name, "slice", &classes, &rows, 1, out));
  *known = out[0];
  return DLC_OK;
}

static dlc_status add_loss(const dlc_step_config *c, dlc_graph_build *g, uint32_t logits, uint32_t labels,
                           uint32_t other_labels, uint32_t *loss)
{
  const int64_t one = 1;
  const dlc_correct top5 = {DLC_TOP_K};
  uint32_t in[3] = {logits, labels}, n_in = 2, both[3], out[DLC_MAX_OUT];
  DLC_TRY(known_classes(c, g, "correct", logits, &in[0]));
  DLC_TRY(dlc_graph_emit(g, "correct", "correct", NULL, in, 2, out));
  DLC_TRY(dlc_graph_mark(g, out[0], DLC_ROLE_OUTPUT, DLC_NAME_CORRECT));
  if (!c->training && c->classes > DLC_TOP_K) {
    DLC_TRY(dlc_graph_emit(g, "correct", "correct", &top5, in, 2, out));
    DLC_TRY(dlc_graph_mark(g, out[0], DLC_ROLE_OUTPUT, DLC_NAME_CORRECT_TOP5));
  }
  in[0] = logits;
  if (c->method && c->method->class_weights)
    DLC_TRY(dlc_graph_value(g, DLC_NAME_CLASS_WEIGHTS, DLC_ROLE_STATE, DLC_F32, 1, &c->classes, &in[n_in++]));
  DLC_TRY(one_loss(c, g, in, n_in, loss));
  if (other_labels != DLC_NONE) {
    both[0] = *loss;
    in[1] = other_labels;
    DLC_TRY(one_loss(c, g, in, n_in, &both[1]));
    DLC_TRY(dlc_graph_value(g, DLC_NAME_LABEL_SHARE, DLC_ROLE_STEP_SCALAR, type_of(c), 1, &one, &both[2]));
    DLC_TRY(dlc_graph_emit(g, "loss", "lerp", NULL, both, 3, out));
    *loss = out[0];
  }
  return dlc_graph_mark(g, *loss, DLC_ROLE_OUTPUT, DLC_NAME_LOSS);
}

/* ---- training ---- */

static uint32_t find_trained(const dlc_method *method, const dlc_graph *g, const dlc_model_graph *m, uint32_t *ids)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    if (v->role == DLC_ROLE_PARAMETER && !dlc_method_frozen(method, v->name)) ids[n++] = m->params[i].value;
  }
  return n;
}

static dlc_status add_training(const dlc_step_config *c, dlc_graph_build *g, const dlc_model_graph *m, uint32_t loss)
{
  uint32_t *ids = calloc(2 * (size_t)m->n_params + 1, sizeof *ids);
  if (!ids) return dlc_fail_nomem();
  uint32_t *gradients = ids + m->n_params;
  const dlc_trained t = {find_trained(c->method, dlc_graph_view(g), m, ids), ids, gradients};
  dlc_status status = t.n ? dlc_graph_differentiate(g, loss, ids, t.n, gradients)
                          : dlc_fail(DLC_INVALID, "this model has no parameters to train%s",
                                     c->method->n_frozen ? " that are not frozen" : "");
  if (status >= 0) {
    stage(c, "backward", g);
    status = c->method->accumulate > 1 ? dlc_accumulate_append(g, &t) : dlc_update_append(c->method, g, m, &t);
  }
  free(ids);
  return status;
}

static dlc_status add_model(const dlc_step_config *c, dlc_graph_build *g, uint32_t x, dlc_model_graph *m)
{
  const dlc_initializer *init = c->method ? c->method->init : NULL;
  dlc_model_use use = {.classes = c->classes, .training = c->training, .prefix = c->prefix};
  dlc_init_rule rule = {.initializer = init ? *init : (dlc_initializer){0}};
  if (init) use.inits = &rule, use.n_inits = 1;
  if (c->method) use.eval = c->method->eval, use.n_eval = c->method->n_eval;
  DLC_TRY(dlc_model_build(c->model, g, x, &use, m));
  return dlc_graph_pool_before_relu(g);
}

static dlc_status build(const dlc_step_config *c, dlc_graph_build *g, dlc_model_graph *m)
{
  uint32_t x, labels, other_labels = DLC_NONE, loss;
  DLC_TRY(add_input(c, g, &x));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_LABELS, DLC_ROLE_INPUT, DLC_I32, 1, &c->batch, &labels));
  if (c->training && dlc_method_mixes(c->method)) DLC_TRY(add_mix(c, g, &x, labels, &other_labels));
  DLC_TRY(add_model(c, g, x, m));
  stage(c, "forward", g);
  DLC_TRY(add_loss(c, g, m->logits, labels, other_labels, &loss));
  stage(c, "loss", g);
  if (c->training) DLC_TRY(add_training(c, g, m, loss));
  DLC_TRY(dlc_graph_prune(g));
  if (c->training) stage(c, "update", g);
  return DLC_OK;
}

static dlc_status build_prediction(const dlc_step_config *c, dlc_graph_build *g, dlc_model_graph *m)
{
  uint32_t x, out[DLC_MAX_OUT];
  DLC_TRY(add_input(c, g, &x));
  DLC_TRY(add_model(c, g, x, m));
  DLC_TRY(dlc_graph_emit(g, "log_probs", "log_softmax", NULL, &m->logits, 1, out));
  DLC_TRY(dlc_graph_mark(g, m->logits, DLC_ROLE_OUTPUT, DLC_NAME_OUTPUTS));
  DLC_TRY(known_classes(c, g, "log_probs", out[0], &out[0]));
  DLC_TRY(dlc_graph_mark(g, out[0], DLC_ROLE_OUTPUT, DLC_NAME_LOG_PROBS));
  return dlc_graph_prune(g);
}

static dlc_status make(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters,
                       dlc_status (*fill)(const dlc_step_config *c, dlc_graph_build *g, dlc_model_graph *m))
{
  *parameters = (dlc_model_graph){0};
  DLC_TRY(dlc_graph_new(&config->finder, g));
  dlc_status status = fill(config, *g, parameters);
  if (status >= 0) return DLC_OK;
  dlc_model_graph_free(parameters);
  dlc_graph_free(*g);
  *g = NULL;
  return status;
}

dlc_status dlc_step_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters)
{
  return make(config, g, parameters, build);
}

dlc_status dlc_predict_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters)
{
  return make(config, g, parameters, build_prediction);
}

/* ---- the update alone ---- */

/* The model's tensors without its layers. */
static dlc_status copy_tensors(const dlc_graph *of, const dlc_model_graph *from, dlc_graph_build *g,
                               dlc_model_graph *to)
{
  *to = (dlc_model_graph){.params = calloc((size_t)from->n_params + 1, sizeof *to->params)};
  if (!to->params) return dlc_fail_nomem();
  for (; to->n_params < from->n_params; to->n_params++) {
    const dlc_value *v = dlc_value_at(of, from->params[to->n_params].value);
    DLC_TRY(dlc_graph_value(g, v->name, v->role, v->dtype, v->rank, v->dim, &to->params[to->n_params].value));
  }
  return DLC_OK;
}

static dlc_status add_apply(const dlc_method *method, dlc_graph_build *g, const dlc_graph *of, const dlc_model_graph *m)
{
  uint32_t *ids = calloc(2 * (size_t)m->n_params + 1, sizeof *ids);
  if (!ids) return dlc_fail_nomem();
  const dlc_trained t = {find_trained(method, dlc_graph_view(g), m, ids), ids, ids + m->n_params};
  dlc_status status = dlc_accumulated_values(g, of, ids, t.n, ids + m->n_params);
  if (status >= 0) status = dlc_update_append(method, g, m, &t);
  free(ids);
  return status;
}

dlc_status dlc_apply_graph(const dlc_step_config *config, const dlc_graph *of, const dlc_model_graph *parameters,
                           dlc_graph_build **g)
{
  dlc_model_graph m;
  DLC_TRY(dlc_graph_new(&config->finder, g));
  dlc_status status = copy_tensors(of, parameters, *g, &m);
  if (status >= 0) status = add_apply(config->method, *g, of, &m);
  dlc_model_graph_free(&m);
  if (status >= 0) return DLC_OK;
  dlc_graph_free(*g);
  *g = NULL;
  return status;
}
