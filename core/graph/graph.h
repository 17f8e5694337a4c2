/* A graph under construction: values, nodes, and the rules that keep them well formed. [main]
 * The graph owns its values, nodes, attributes and names (one arena). Ops are not owned. */
#ifndef DLC_GRAPH_GRAPH_H
#define DLC_GRAPH_GRAPH_H
#include "base/str.h"
#include "dlcore/op.h"
#include "graph/attr.h"

typedef struct dlc_graph_build dlc_graph_build;

/* How the graph finds an op by name: the registry in a run, a table in tests. */
typedef struct dlc_op_finder {
  dlc_status (*find)(void *ctx, const char *name, const dlc_op **op);
  void *ctx;
  const dlc_host *host; /* passed to the ops' rules */
} dlc_op_finder;

dlc_status dlc_graph_new(const dlc_op_finder *finder, dlc_graph_build **g);
void dlc_graph_free(dlc_graph_build *g);

/* The public, read-only view; valid until the next change. */
const dlc_graph *dlc_graph_view(dlc_graph_build *g);

/* A value that no node computes (input, parameter, state, step scalar). */
dlc_status dlc_graph_value(dlc_graph_build *g, const char *name, uint32_t role, uint32_t dtype, uint32_t rank,
                           const int64_t *dim, uint32_t *id);
/* The op called `name`; the reason names the nearest one. */
dlc_status dlc_graph_find_op(const dlc_graph_build *g, const char *name, const dlc_op **op);
const dlc_host *dlc_graph_host(const dlc_graph_build *g);

/* Appends a node: checks the inputs, lets the op infer (and normalise its attributes), creates the outputs. Values and
 * node are named after `name` (the layer). `attr` NULL: all defaults. `out` has room for DLC_MAX_OUT ids. */
dlc_status dlc_graph_node(dlc_graph_build *g, const char *name, const dlc_op *op, const void *attr, const uint32_t *in,
                          uint32_t n_in, uint32_t *out);
/* The same, by the op's name. */
dlc_status dlc_graph_emit(dlc_graph_build *g, const char *name, const char *op, const void *attr, const uint32_t *in,
                          uint32_t n_in, uint32_t *out);
/* What an op draws random numbers by (dlc_builder.random): the step scalar DLC_NAME_RANDOM, and the next stream. */
#define DLC_NAME_RANDOM "random" /* i64 [3] */
dlc_status dlc_graph_random(dlc_graph_build *g, uint32_t *key, int64_t *stream);
/* Names a value and gives it a role (for outputs that are read back, gradients). */
dlc_status dlc_graph_mark(dlc_graph_build *g, uint32_t value, uint32_t role, const char *name);

/* Appends the nodes of d(loss)/d(wanted[i]) for every i; grads[i] = DLC_NONE where the loss does not depend on it.
 * `loss` has one element. Only what leads from a wanted value to the loss is differentiated. */
dlc_status dlc_graph_differentiate(dlc_graph_build *g, uint32_t loss, const uint32_t *wanted, uint32_t n_wanted,
                                   uint32_t *grads);

/* Removes nodes whose outputs nobody needs: not an output, not an update, not read by a node that stays. Value ids do
 * not change. */
dlc_status dlc_graph_prune(dlc_graph_build *g);

/* Exchanges relu -> max_pool2d for max_pool2d -> relu wherever the pool is the relu's only reader: the same numbers
 * from a relu of a quarter of the size. Before differentiation. */
dlc_status dlc_graph_pool_before_relu(dlc_graph_build *g);

/* One line a node: `%7 f32[64, 6, 24, 24] = conv2d(%0 input, %1 conv1.weight) {kernel_size: [5, 5]}  # conv1`. */
void dlc_graph_dump(const dlc_graph *g, dlc_str *out);
void dlc_graph_dump_node(const dlc_graph *g, uint32_t node, dlc_str *out); /* without the newline */

/* ---- attributes of an op ---- */
static inline dlc_attr_table dlc_attrs_of(const dlc_op *op)
{
  return (dlc_attr_table){op->name, op->attrs, op->n_attrs};
}

static inline dlc_status dlc_attr_defaults(const dlc_op *op, void *attr, const char **missing)
{
  const dlc_attr_table table = dlc_attrs_of(op);
  return dlc_attrs_defaults(&table, attr, missing);
}

static inline dlc_status dlc_attr_set(const dlc_op *op, void *attr, const char *name, const char *const *words,
                                      uint32_t count)
{
  const dlc_attr_table table = dlc_attrs_of(op);
  return dlc_attrs_set(&table, attr, name, words, count);
}

#endif
