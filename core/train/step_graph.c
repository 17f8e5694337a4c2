/* One step as one graph of ordinary nodes. */
#include "train/step_graph.h"
#include "base/status.h"
#include "base/str.h"
#include <stdlib.h>

static void stage(const dlc_step_config *c, const char *name, dlc_graph_build *g)
{
  if (c->on_stage) c->on_stage(c->ctx, name, dlc_graph_view(g));
}

/* Bytes are normalised by a node; floats come as the transforms made them. */
static dlc_status add_input(const dlc_step_config *c, dlc_graph_build *g, uint32_t *x)
{
  const dlc_sample_format *f = &c->input->format;
  const int64_t shape[4] = {c->batch, f->channels, f->height, f->width};
  uint32_t in[3], out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_INPUT, DLC_ROLE_INPUT, f->dtype, 4, shape, &in[0]));
  *x = in[0];
  if (f->dtype != DLC_U8) return DLC_OK;
  DLC_TRY(dlc_graph_value(g, DLC_NAME_MEAN, DLC_ROLE_STATE, DLC_F32, 1, &f->channels, &in[1]));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_STD, DLC_ROLE_STATE, DLC_F32, 1, &f->channels, &in[2]));
  DLC_TRY(dlc_graph_emit(g, "normalize", "normalize", NULL, in, 3, out));
  *x = out[0];
  return DLC_OK;
}

static dlc_status add_loss(const dlc_step_config *c, dlc_graph_build *g, uint32_t logits, uint32_t *loss)
{
  uint32_t in[2] = {logits}, out[DLC_MAX_OUT];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_LABELS, DLC_ROLE_INPUT, DLC_I32, 1, &c->batch, &in[1]));
  DLC_TRY(dlc_graph_emit(g, "correct", "correct", NULL, in, 2, out));
  DLC_TRY(dlc_graph_mark(g, out[0], DLC_ROLE_OUTPUT, DLC_NAME_CORRECT));
  DLC_TRY(dlc_graph_emit(g, "loss", "cross_entropy", NULL, in, 2, out));
  *loss = out[0];
  return dlc_graph_mark(g, out[0], DLC_ROLE_OUTPUT, DLC_NAME_LOSS);
}

/* parameter, its states, gradient, learning rate, step -> parameter, states */
static dlc_status add_update(const dlc_step_config *c, dlc_graph_build *g, uint32_t parameter, uint32_t gradient,
                             const uint32_t scalars[2])
{
  uint32_t in[DLC_MAX_IN] = {parameter}, n_in = 1, out[DLC_MAX_OUT];
  const dlc_value value = *dlc_value_at(dlc_graph_view(g), parameter);
  const dlc_value *values[1] = {&value};
  while (DLC_HAS(c->optimizer, param)) {
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    dlc_str name = {0};
    dlc_status status = c->optimizer->param(dlc_graph_host(g), c->optimizer_attr, values, n_in - 1, &p);
    if (status == DLC_END) break;
    if (status < 0) return status;
    if (n_in + 3 >= DLC_MAX_IN) return dlc_fail(DLC_INVALID, "optimizer %s has too many states", c->optimizer->name);
    if (!p.name || p.init != DLC_INIT_CONSTANT || p.a != 0)
      return dlc_fail(DLC_UNSUPPORTED, "optimizer %s: state %u has no name, or does not begin with 0",
                      c->optimizer->name, n_in - 1);
    dlc_str_addf(&name, "__optim__/%s/%s", p.name, value.name);
    status = dlc_str_ok(&name) ? dlc_graph_value(g, dlc_str_get(&name), DLC_ROLE_STATE, p.value.dtype, p.value.rank,
                                                 p.value.dim, &in[n_in++])
                               : dlc_fail_nomem();
    dlc_str_free(&name);
    DLC_TRY(status);
  }
  in[n_in++] = gradient;
  in[n_in++] = scalars[0];
  in[n_in++] = scalars[1];
  return dlc_graph_node(g, value.name, c->optimizer, c->optimizer_attr, in, n_in, out);
}

static dlc_status add_updates(const dlc_step_config *c, dlc_graph_build *g, const uint32_t *trained,
                              const uint32_t *gradients, uint32_t n)
{
  const int64_t one = 1;
  uint32_t scalars[2];
  DLC_TRY(dlc_graph_value(g, DLC_NAME_LEARNING_RATE, DLC_ROLE_STEP_SCALAR, DLC_F32, 1, &one, &scalars[0]));
  DLC_TRY(dlc_graph_value(g, DLC_NAME_STEP, DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &one, &scalars[1]));
  for (uint32_t i = 0; i < n; i++)
    if (gradients[i] != DLC_NONE) DLC_TRY(add_update(c, g, trained[i], gradients[i], scalars));
  return DLC_OK;
}

static dlc_status add_training(const dlc_step_config *c, dlc_graph_build *g, const dlc_model_graph *m, uint32_t loss)
{
  uint32_t *ids = calloc(2 * (size_t)m->n_params + 1, sizeof *ids);
  if (!ids) return dlc_fail_nomem();
  uint32_t *gradients = ids + m->n_params, n = 0;
  for (uint32_t i = 0; i < m->n_params; i++)
    if (dlc_value_at(dlc_graph_view(g), m->params[i].value)->role == DLC_ROLE_PARAMETER) ids[n++] = m->params[i].value;
  dlc_status status = dlc_graph_differentiate(g, loss, ids, n, gradients);
  if (status >= 0) {
    stage(c, "backward", g);
    status = add_updates(c, g, ids, gradients, n);
  }
  free(ids);
  return status;
}

static dlc_status build(const dlc_step_config *c, dlc_graph_build *g, dlc_model_graph *m)
{
  uint32_t input, loss;
  DLC_TRY(add_input(c, g, &input));
  DLC_TRY(dlc_model_build(c->model, g, input, &(dlc_model_use){.classes = c->classes, .training = c->optimizer != NULL},
                          m));
  DLC_TRY(dlc_graph_pool_before_relu(g));
  stage(c, "forward", g);
  DLC_TRY(add_loss(c, g, m->logits, &loss));
  stage(c, "loss", g);
  if (c->optimizer) DLC_TRY(add_training(c, g, m, loss));
  DLC_TRY(dlc_graph_prune(g));
  if (c->optimizer) stage(c, "update", g);
  return DLC_OK;
}

static dlc_status build_prediction(const dlc_step_config *c, dlc_graph_build *g, dlc_model_graph *m)
{
  uint32_t input, out[DLC_MAX_OUT];
  DLC_TRY(add_input(c, g, &input));
  DLC_TRY(dlc_model_build(c->model, g, input, &(dlc_model_use){.classes = c->classes, .training = c->optimizer != NULL},
                          m));
  DLC_TRY(dlc_graph_pool_before_relu(g));
  DLC_TRY(dlc_graph_emit(g, "log_probs", "log_softmax", NULL, &m->logits, 1, out));
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
