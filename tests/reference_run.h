/* Runs a graph on the reference kernels, every value in double whatever its type in the graph: no f32 is involved.
 * For tests only; one thread. */
#ifndef TEST_REFERENCE_RUN_H
#define TEST_REFERENCE_RUN_H
#include "base/status.h"
#include "graph/graph.h"
#include "ops/ops.h"
#include <stdlib.h>
#include <string.h>

static inline dlc_status find_core_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (const dlc_op *const *o = dlc_core_ops; *o; o++)
    if (strcmp((*o)->name, name) == 0) {
      *op = *o;
      return DLC_OK;
    }
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static inline dlc_op_finder core_op_finder(void)
{
  return (dlc_op_finder){.find = find_core_op};
}

typedef struct reference_run {
  const dlc_graph *g; /* not owned; must not change any more */
  double **data;      /* [n_values], owned; zeroed at first */
} reference_run;

static inline void reference_free(reference_run *r)
{
  for (uint32_t v = 0; r->data && v < r->g->n_values; v++) free(r->data[v]);
  free(r->data);
  r->data = NULL;
}

static inline dlc_status reference_open(const dlc_graph *g, reference_run *r)
{
  *r = (reference_run){g, calloc(g->n_values, sizeof *r->data)};
  if (!r->data) return dlc_fail_nomem();
  for (uint32_t v = 0; v < g->n_values; v++) {
    r->data[v] = calloc((size_t)dlc_count(dlc_value_at(g, v)), sizeof **r->data);
    if (!r->data[v]) return reference_free(r), dlc_fail_nomem();
  }
  return DLC_OK;
}

static inline dlc_status reference_node(reference_run *r, uint32_t index)
{
  const dlc_node *n = dlc_node_at(r->g, index);
  const dlc_value *iv[DLC_MAX_IN], *ov[DLC_MAX_OUT];
  const double *in[DLC_MAX_IN];
  double *out[DLC_MAX_OUT];
  for (uint32_t i = 0; i < n->n_in; i++) {
    iv[i] = dlc_value_at(r->g, n->in[i]);
    in[i] = r->data[n->in[i]];
  }
  for (uint32_t i = 0; i < n->n_out; i++) {
    ov[i] = dlc_value_at(r->g, n->out[i]);
    out[i] = r->data[n->out[i]];
  }
  if (n->op->flags & DLC_OP_VIEW) {
    memcpy(out[0], in[0], (size_t)dlc_count(iv[0]) * sizeof *out[0]);
    return DLC_OK;
  }
  dlc_call call = {sizeof call, n->n_in, n->n_out, NULL, n->attr, iv, in, ov, out};
  return n->op->reference(&call);
}

/* Runs the first n_nodes nodes. */
static inline dlc_status reference_nodes(reference_run *r, uint32_t n_nodes)
{
  for (uint32_t i = 0; i < n_nodes; i++) DLC_TRY(reference_node(r, i));
  return DLC_OK;
}

/* Appends loss = sum(weights * value) as nodes of core ops: what any gradient can be taken of. `weights` receives the
 * id of the values to fill, as many as `value` has elements; they are the gradient of the loss with respect to it. */
static inline dlc_status append_weighted_sum(dlc_graph_build *g, uint32_t value, uint32_t *weights, uint32_t *loss)
{
  uint32_t out[DLC_MAX_OUT];
  const int64_t row[2] = {1, dlc_count(dlc_value_at(dlc_graph_view(g), value))};
  const dlc_reshape as_row = {2, {1, row[1]}}, as_loss = {1, {1}};
  const dlc_linear one_feature = {.out_features = 1, .bias = 0};
  DLC_TRY(dlc_graph_value(g, "weights", DLC_ROLE_INPUT, DLC_F32, 2, row, weights));
  DLC_TRY(dlc_graph_emit(g, "row", "reshape", &as_row, &value, 1, out));
  DLC_TRY(dlc_graph_emit(g, "sum", "linear", &one_feature, (uint32_t[]){out[0], *weights}, 2, out));
  DLC_TRY(dlc_graph_emit(g, "loss", "reshape", &as_loss, (uint32_t[]){out[0]}, 1, out));
  *loss = out[0];
  return DLC_OK;
}

#endif
