/* The graph as text, one line a node. */
#include "base/shape.h"
#include "graph/graph.h"

void dlc_graph_dump_node(const dlc_graph *g, uint32_t index, dlc_str *out)
{
  const dlc_node *n = dlc_node_at(g, index);
  for (uint32_t k = 0; k < n->n_out; k++) {
    const dlc_value *v = dlc_value_at(g, n->out[k]);
    dlc_str_addf(out, "%s%%%u %s%s", k ? ", " : "", n->out[k], dlc_dtype_name(v->dtype),
                 dlc_name_shape(v->rank, v->dim).text);
  }
  dlc_str_addf(out, " = %s(", n->op->name);
  for (uint32_t j = 0; j < n->n_in; j++) {
    const dlc_value *v = dlc_value_at(g, n->in[j]);
    dlc_str_addf(out, j ? ", %%%u" : "%%%u", n->in[j]);
    if (v->role != DLC_ROLE_ACTIVATION && v->role != DLC_ROLE_GRADIENT) dlc_str_addf(out, " %s", v->name);
  }
  dlc_str_add(out, ")");
  for (uint32_t i = 0; i < n->op->n_attrs; i++) {
    dlc_str_add(out, i ? ", " : " {");
    dlc_attr_dump(dlc_attr_at(n->op, i), n->attr, out);
  }
  if (n->op->n_attrs) dlc_str_add(out, "}");
  dlc_str_addf(out, "  # %s", n->name);
}

void dlc_graph_dump(const dlc_graph *g, dlc_str *out)
{
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    dlc_graph_dump_node(g, i, out);
    dlc_str_add(out, "\n");
  }
}
