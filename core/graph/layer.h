/* A layer in a graph: the tensors that its op asks for, and the nodes that it is. Model files become layers; a program
 * that builds its network in code adds them itself (apps/embed). [main] */
#ifndef DLC_GRAPH_LAYER_H
#define DLC_GRAPH_LAYER_H
#include "graph/graph.h"
#include "graph/init.h"

/* One tensor that a layer owns: how to fill it before the first step. */
typedef struct dlc_model_param {
  uint32_t value; /* id in the graph; its role is PARAMETER, or STATE where it is not trained */
  dlc_init init;
  uint32_t hash; /* of its name */
} dlc_model_param;

/* One layer as `dlcore summary` shows it. Its nodes have its name. */
typedef struct dlc_model_layer {
  const char *name; /* valid as long as what it was built from */
  const dlc_op *op;
  uint32_t output;                /* value id */
  uint32_t first_param, n_params; /* in the parameter list; none where it shares another's */
} dlc_model_layer;

typedef struct dlc_model_graph {
  uint32_t logits; /* value id: [batch, classes], or more than `classes` where the file fixes their number */
  uint32_t n_params, n_layers;
  dlc_model_param *params; /* in order of the layers */
  dlc_model_layer *layers;
} dlc_model_graph; /* arrays owned by the caller: dlc_model_graph_free() */

typedef struct dlc_model_use {
  int64_t classes;
  bool training;        /* false: layers are built as they are in evaluation */
  bool any_output;      /* the last layer may give anything: the model is only looked at */
  const char *prefix;   /* before the names of all tensors, which are then states: a copy of the model; NULL: nothing */
  dlc_init_rule *inits; /* how tensors begin: by the first that matches, else as their op says. Marked where they do */
  uint32_t n_inits;
  const char *const *eval; /* shell patterns of layers that are built as in evaluation in training, too */
  uint32_t n_eval;
} dlc_model_use;

typedef struct dlc_layer {
  const char *name;
  const char *tensors; /* before the names of its tensors; NULL: the name and a dot */
  const dlc_op *op;    /* kind LAYER */
  const void *attr;
  const uint32_t *from; /* the values it reads */
  uint32_t n_from;
  const uint32_t *shared; /* another layer's tensors, in the place of its own; n_shared 0: none */
  uint32_t n_shared;
} dlc_layer;

/* Appends it to `g` and `m`, which begins as zeros. *out: the value that it gives. */
dlc_status dlc_layer_add(dlc_graph_build *g, dlc_model_graph *m, const dlc_model_use *use, const dlc_layer *layer,
                         uint32_t *out);

/* Whether a shell pattern stands for a layer: for its name, or for the kind of layer it is. */
bool dlc_layer_matches(const char *pattern, const char *name, const dlc_op *op);

void dlc_model_graph_free(dlc_model_graph *m);

#endif
