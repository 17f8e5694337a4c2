/* The graph of a training step, weighed. */
#include "base/status.h"
#include "graph/flops.h"
#include "summary.h"
#include <stdlib.h>
#include <string.h>

/* "6x24x24": without the batch, which comes first. */
static void shape_text(const dlc_value *v, char *text, size_t size)
{
  size_t n = 0;
  text[0] = 0;
  for (uint32_t i = 1; i < v->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, "%s%lld", i > 1 ? "x" : "", (long long)v->dim[i]);
}

static cli_cost *cost_of(cli_costs *c, const char *layer)
{
  for (uint32_t i = 0; i < c->n; i++)
    if (strcmp(c->layers[i].layer, layer) == 0) return &c->layers[i];
  return &c->rest;
}

/* ---- layers, parameters, arithmetic ---- */

static void weigh_tensors(cli_costs *c, cli_cost *cost, const dlc_method *method, const dlc_value *v)
{
  c->parameter_bytes += dlc_bytes(v);
  if (v->role != DLC_ROLE_PARAMETER) {
    c->states += dlc_count(v);
    return;
  }
  cost->parameters += dlc_count(v);
  if (dlc_method_frozen(method, v->name)) c->frozen += dlc_count(v);
  else c->gradient_bytes += dlc_bytes(v);
}

static dlc_status weigh_layers(cli_costs *c, const dlc_graph *g, const dlc_model_graph *m, const dlc_method *method,
                               int64_t batch)
{
  c->layers = calloc(m->n_layers, sizeof *c->layers);
  if (!c->layers) return dlc_fail_nomem();
  c->n = m->n_layers;
  for (uint32_t i = 0; i < m->n_layers; i++) {
    const dlc_model_layer *layer = &m->layers[i];
    cli_cost *cost = &c->layers[i];
    *cost = (cli_cost){.layer = layer->name, .op = layer->op->name};
    shape_text(dlc_value_at(g, layer->output), cost->output, sizeof cost->output);
    for (uint32_t k = 0; k < layer->n_params; k++)
      weigh_tensors(c, cost, method, dlc_value_at(g, m->params[layer->first_param + k].value));
  }
  for (uint32_t i = 0; i < g->n_nodes; i++)
    cost_of(c, dlc_node_at(g, i)->name)->flops += dlc_node_flops(g, i) / (double)batch;
  return DLC_OK;
}

/* ---- what is trained ---- */

/* The values of the parameters that are, into `ids`. */
static uint32_t find_trained(const dlc_graph *g, const dlc_model_graph *m, const dlc_method *method, uint32_t *ids)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    if (v->role == DLC_ROLE_PARAMETER && !dlc_method_frozen(method, v->name)) ids[n++] = m->params[i].value;
  }
  return n;
}

static dlc_status weigh_optimizer(cli_costs *c, const dlc_host *host, const dlc_method *method, const dlc_value *value)
{
  for (uint32_t k = 0; DLC_HAS(method->optimizer, param); k++) {
    dlc_param p = {.size = sizeof p, .value = {.size = sizeof p.value}};
    dlc_status status = method->optimizer->param(host, method->optimizer_attr, &value, k, &p);
    if (status == DLC_END) break;
    if (status < 0) return status;
    c->optimizer_bytes += dlc_bytes(&p.value);
  }
  return DLC_OK;
}

/* The gradients of the parameters `ids`; grads has room for as many. */
static dlc_status differentiate(dlc_graph_build *g, uint32_t loss, const uint32_t *ids, uint32_t n, uint32_t *grads)
{
  DLC_TRY(dlc_graph_differentiate(g, loss, ids, n, grads));
  for (uint32_t i = 0; i < n; i++) /* an update would read it */
    if (grads[i] != DLC_NONE) DLC_TRY(dlc_graph_mark(g, grads[i], DLC_ROLE_OUTPUT, "gradient"));
  return dlc_graph_prune(g);
}

/* ---- memory ---- */

/* The value whose memory this one is. */
static void find_roots(const dlc_graph *g, uint32_t *root)
{
  for (uint32_t v = 0; v < g->n_values; v++) root[v] = v;
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    if (n->op->flags & DLC_OP_VIEW) root[n->out[0]] = root[n->in[0]];
  }
}

/* Activations that a node of the backward pass reads, of values that were there before it. */
static dlc_status weigh_memory(cli_costs *c, const dlc_graph *g, uint32_t n_forward_values)
{
  uint32_t *root = calloc(2 * (size_t)g->n_values + 1, sizeof *root);
  if (!root) return dlc_fail_nomem();
  uint32_t *kept = root + g->n_values;
  find_roots(g, root);
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    if (n->out[0] < n_forward_values) continue;
    for (uint32_t k = 0; k < n->n_in; k++)
      if (root[n->in[k]] < n_forward_values) kept[root[n->in[k]]] = 1;
  }
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    for (uint32_t k = 0; k < n->n_out && n->out[k] < n_forward_values; k++)
      if (kept[n->out[k]] && dlc_value_at(g, n->out[k])->role == DLC_ROLE_ACTIVATION)
        cost_of(c, n->name)->kept += dlc_bytes(dlc_value_at(g, n->out[k]));
  }
  free(root);
  return DLC_OK;
}

static dlc_status weigh_training(cli_costs *c, dlc_graph_build *g, const dlc_model_graph *m, const dlc_method *method,
                                 int64_t batch, uint32_t *ids)
{
  uint32_t in[2] = {m->logits}, out[DLC_MAX_OUT];
  const uint32_t n = find_trained(dlc_graph_view(g), m, method, ids);
  for (uint32_t i = 0; i < n; i++)
    DLC_TRY(weigh_optimizer(c, dlc_graph_host(g), method, dlc_value_at(dlc_graph_view(g), ids[i])));
  DLC_TRY(dlc_graph_pool_before_relu(g));
  DLC_TRY(dlc_graph_value(g, "labels", DLC_ROLE_INPUT, DLC_I32, 1, &batch, &in[1]));
  DLC_TRY(dlc_graph_emit(g, "loss", "cross_entropy", NULL, in, 2, out));
  const uint32_t n_forward_values = dlc_graph_view(g)->n_values;
  DLC_TRY(differentiate(g, out[0], ids, n, ids + m->n_params));
  const dlc_graph *view = dlc_graph_view(g);
  for (uint32_t i = 0; i < view->n_nodes; i++) c->training_flops += dlc_node_flops(view, i) / (double)batch;
  return weigh_memory(c, view, n_forward_values);
}

static dlc_status weigh(cli_costs *c, dlc_graph_build *g, const dlc_model_graph *m, const dlc_method *method,
                        int64_t batch)
{
  DLC_TRY(weigh_layers(c, dlc_graph_view(g), m, method, batch));
  if (c->refused) return DLC_OK;
  uint32_t *ids = calloc(2 * (size_t)m->n_params + 1, sizeof *ids);
  dlc_status status = ids ? weigh_training(c, g, m, method, batch, ids) : dlc_fail_nomem();
  free(ids);
  return status;
}

static dlc_status make(cli_job *job, const int64_t dim[4], const dlc_model_use *use, cli_costs *costs)
{
  dlc_graph_build *g;
  dlc_model_graph m = {0};
  uint32_t input;
  DLC_TRY(dlc_graph_new(&job->finder, &g));
  dlc_status status = dlc_graph_value(g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input);
  if (status >= 0) status = dlc_model_build(job->model, g, input, use, &m);
  if (status >= 0) status = weigh(costs, g, &m, &job->method, dim[0]);
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  if (status < 0) cli_costs_free(costs);
  return status;
}

/* A model whose only fault is its last layer can be looked at. */
dlc_status cli_costs_make(cli_job *job, const int64_t chw[3], int64_t classes, int64_t batch, cli_costs *costs)
{
  const int64_t dim[4] = {batch, chw[0], chw[1], chw[2]};
  dlc_model_use use = {.classes = classes, .training = true};
  *costs = (cli_costs){0};
  const dlc_status status = make(job, dim, &use, costs);
  if (status != DLC_INVALID) return status;
  costs->refused = strdup(dlc_reason());
  if (!costs->refused) return dlc_fail_nomem();
  use.any_output = true;
  return make(job, dim, &use, costs);
}

void cli_costs_free(cli_costs *costs)
{
  free(costs->layers);
  free(costs->refused);
  *costs = (cli_costs){0};
}
