/* The graph as text, one line a node. */
#include "base/shape.h"
#include "graph/graph.h"

static void dump_attr(const dlc_attr *a, const void *attr, dlc_str *out)
{
  const void *at = (const char *)attr + a->offset;
  const int64_t *i = at;
  dlc_str_addf(out, "%s: ", a->name);
  switch (a->type) {
  case DLC_ATTR_FLOAT: dlc_str_addf(out, "%g", *(const double *)at); break;
  case DLC_ATTR_BOOL: dlc_str_add(out, *i ? "true" : "false"); break;
  case DLC_ATTR_PAIR: dlc_str_add(out, dlc_name_shape(2, i).text); break;
  case DLC_ATTR_PADDING: dlc_str_add(out, dlc_name_shape(4, i).text); break;
  default: dlc_str_addf(out, "%lld", (long long)*i); break;
  }
}

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
    dump_attr(dlc_attr_at(n->op, i), n->attr, out);
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
