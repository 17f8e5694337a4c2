/* A model file's text, built on one small grey picture. */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H
#include "graph/model.h"
#include "rig.h"

typedef struct built {
  dlc_host host;
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model;
} built;

/* On [2, 1, side, side]. The text is m.yaml in reasons. */
static inline dlc_status build_model(built *b, const char *text, int64_t side, int64_t classes)
{
  const int64_t dim[] = {2, 1, side, side};
  uint32_t input;
  *b = (built){.host = rig_host(NULL)};
  const dlc_op_finder finder = rig_finder(&b->host);
  dlc_status status = dlc_model_parse(text, strlen(text), "m.yaml", &b->model);
  if (status < 0) return status;
  rig_ok(dlc_graph_new(&finder, &b->g));
  rig_ok(dlc_graph_value(b->g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  return dlc_model_build(b->model, b->g, input, &(dlc_model_use){.classes = classes, .training = true}, &b->m);
}

static inline void free_built(built *b)
{
  dlc_model_graph_free(&b->m);
  dlc_graph_free(b->g);
  dlc_model_free(b->model);
}

/* "conv1=conv2d(input) 1=relu(conv1)": every node with what it reads but parameters. */
static inline void show_nodes(dlc_graph_build *build, dlc_str *out)
{
  const dlc_graph *g = dlc_graph_view(build);
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    dlc_str_addf(out, "%s%s=%s(", i ? " " : "", n->name, n->op->name);
    for (uint32_t k = 0, shown = 0; k < n->n_in; k++) {
      const dlc_value *v = dlc_value_at(g, n->in[k]);
      if (v->role != DLC_ROLE_PARAMETER && v->role != DLC_ROLE_STATE)
        dlc_str_addf(out, shown++ ? ",%s" : "%s", v->name);
    }
    dlc_str_add(out, ")");
  }
}

#endif
