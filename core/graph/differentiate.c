/* Reverse-mode differentiation on the graph: gradients are ordinary nodes, emitted by the ops themselves. */
#include "base/status.h"
#include "dlcore/ops.h"
#include "graph/build.h"
#include "graph/builder.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct walk {
  dlc_graph_builder builder; /* its name: the node being differentiated */
  dlc_graph_build *g;
  uint32_t n_values; /* values of the forward graph */
  bool *depends;     /* [n_values] on a wanted value */
  uint32_t *grads;   /* [n_values] id of the gradient, or DLC_NONE */
} walk;

static dlc_status emit(walk *w, const char *op, const void *attr, const uint32_t *in, uint32_t n_in, uint32_t *out)
{
  return w->builder.table.emit(&w->builder.table, op, attr, in, n_in, out);
}

static bool has_gradient(const dlc_value *v)
{
  return v->dtype == DLC_F32 || v->dtype == DLC_F64;
}

static void find_dependents(walk *w, const uint32_t *wanted, uint32_t n_wanted, uint32_t n_nodes)
{
  for (uint32_t i = 0; i < n_wanted; i++) w->depends[wanted[i]] = true;
  for (uint32_t i = 0; i < n_nodes; i++) {
    const dlc_node *n = &w->g->nodes[i];
    bool any = false;
    for (uint32_t j = 0; j < n->n_in; j++) any |= w->depends[n->in[j]];
    for (uint32_t k = 0; k < n->n_out && any; k++) w->depends[n->out[k]] |= has_gradient(&w->g->values[n->out[k]]);
  }
}

/* Adds `grad` to what has already arrived at `value`. */
static dlc_status accumulate(walk *w, uint32_t value, uint32_t grad)
{
  uint32_t out[DLC_MAX_OUT];
  if (dlc_count(&w->g->values[value]) != dlc_count(&w->g->values[grad]))
    return dlc_fail(DLC_INTERNAL, "the gradient of %s has another size than %s", w->g->values[value].name,
                    w->g->values[value].name);
  if (w->grads[value] == DLC_NONE) {
    w->grads[value] = grad;
    return DLC_OK;
  }
  const uint32_t both[2] = {w->grads[value], grad};
  DLC_TRY(emit(w, "add", NULL, both, 2, out));
  w->grads[value] = out[0];
  return DLC_OK;
}

static dlc_status differentiate_node(walk *w, uint32_t index)
{
  dlc_node n = w->g->nodes[index]; /* a copy: emitting moves the array */
  uint32_t grad_out[DLC_MAX_OUT], grad_in[DLC_MAX_IN];
  bool arrives = false, flows = false;
  for (uint32_t k = 0; k < n.n_out; k++) {
    grad_out[k] = w->grads[n.out[k]];
    arrives |= grad_out[k] != DLC_NONE;
  }
  for (uint32_t j = 0; j < n.n_in; j++) {
    grad_in[j] = DLC_NONE;
    flows |= w->depends[n.in[j]];
  }
  if (!arrives || !flows) return DLC_OK;
  w->builder.name = n.name;
  if (!DLC_HAS(n.op, grad)) return dlc_fail(DLC_INVALID, "%s: op %s has no gradient", n.name, n.op->name);
  dlc_status status = n.op->grad(&w->builder.table, &n, grad_out, grad_in);
  if (status < 0) return dlc_fail_in(status, "gradient of %s (%s)", n.name, n.op->name);
  for (uint32_t j = 0; j < n.n_in; j++) {
    if (grad_in[j] == DLC_NONE || !w->depends[n.in[j]]) continue;
    if (grad_in[j] >= w->g->n_values)
      return dlc_fail(DLC_INTERNAL, "gradient of %s (%s): value %u does not exist", n.name, n.op->name, grad_in[j]);
    DLC_TRY(accumulate(w, n.in[j], grad_in[j]));
  }
  return DLC_OK;
}

static dlc_status seed_and_walk(walk *w, uint32_t loss, uint32_t n_nodes)
{
  uint32_t out[DLC_MAX_OUT];
  const dlc_value *v = &w->g->values[loss];
  dlc_fill one = {.rank = v->rank, .value = 1.0, .dtype = v->dtype};
  for (uint32_t i = 0; i < v->rank; i++) one.dim[i] = v->dim[i];
  w->builder.name = "loss";
  if (dlc_count(v) != 1) return dlc_fail(DLC_INVALID, "the loss has more than one element");
  DLC_TRY(emit(w, "fill", &one, NULL, 0, out));
  w->grads[loss] = out[0];
  for (uint32_t i = n_nodes; i-- > 0;) DLC_TRY(differentiate_node(w, i));
  return DLC_OK;
}

dlc_status dlc_graph_differentiate(dlc_graph_build *g, uint32_t loss, const uint32_t *wanted, uint32_t n_wanted,
                                   uint32_t *grads)
{
  walk w = {.builder = dlc_graph_builder_of(g, DLC_ROLE_GRADIENT), .g = g};
  w.n_values = g->n_values;
  w.depends = calloc(g->n_values ? g->n_values : 1, sizeof *w.depends);
  w.grads = malloc((g->n_values ? g->n_values : 1) * sizeof *w.grads);
  dlc_status status = w.depends && w.grads ? DLC_OK : dlc_fail_nomem();
  if (status == DLC_OK) {
    memset(w.grads, 0xff, g->n_values * sizeof *w.grads);
    uint32_t n_nodes = g->n_nodes;
    find_dependents(&w, wanted, n_wanted, n_nodes);
    status = seed_and_walk(&w, loss, n_nodes);
    for (uint32_t i = 0; i < n_wanted && status == DLC_OK; i++) grads[i] = w.grads[wanted[i]];
  }
  free(w.depends);
  free(w.grads);
  return status;
}
