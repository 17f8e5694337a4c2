/* One formula an op, of the shapes alone. */
#include "graph/flops.h"
#include "dlcore/op.h"
#include <string.h>

static double count(const dlc_value *v)
{
  return (double)dlc_count(v);
}

static double last(const dlc_value *v)
{
  return (double)v->dim[v->rank - 1];
}

/* Every element of y is a sum over one filter; so are the two gradients, turned round. */
static double convolution(const dlc_value *y, const dlc_value *weight)
{
  return 2 * count(y) * count(weight) / (double)weight->dim[0];
}

/* Of queries [N, T, D] with as many keys as `key` has tokens. */
static double product_with_keys(const dlc_value *query, const dlc_value *key)
{
  return 2 * count(query) * (double)key->dim[1];
}

double dlc_node_flops(const dlc_graph *g, uint32_t node)
{
  const dlc_node *n = dlc_node_at(g, node);
  const char *op = n->op->name;
  const dlc_value *in[2] = {NULL, NULL}, *out = dlc_value_at(g, n->out[0]);
  for (uint32_t i = 0; i < n->n_in && i < 2; i++) in[i] = dlc_value_at(g, n->in[i]);
  if (strcmp(op, "conv2d") == 0) return convolution(out, in[1]);
  if (strcmp(op, "conv2d_grad_input") == 0) return convolution(in[0], in[1]);
  if (strcmp(op, "conv2d_grad_weight") == 0) return convolution(in[0], out);
  if (strcmp(op, "linear") == 0) return 2 * count(out) * last(in[0]);
  if (strcmp(op, "linear_grad_input") == 0) return 2 * count(out) * last(in[0]);
  if (strcmp(op, "linear_grad_weight") == 0) return 2 * count(in[0]) * last(out);
  if (strcmp(op, "attention") == 0) return 2 * product_with_keys(in[0], in[1]);
  if (strcmp(op, "attention_grad") == 0) return 4 * product_with_keys(in[0], in[1]);
  return 0;
}
