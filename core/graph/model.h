/* A model file: a YAML list of layers, and the forward graph it stands for. [main]
 *
 *   name: lenet                      # optional
 *   layers:
 *     - conv2d: {name: conv1, out_channels: 6, kernel_size: 5}
 *     - relu                         # all defaults
 *     - max_pool2d: 2                # the op's first attribute
 *     - flatten
 *     - linear: {name: fc1, out_features: classes}    # `classes`: the dataset's number of classes
 *
 * A layer without a name is called by its position from 0, as in torch.nn.Sequential: its tensors are "0.weight". */
#ifndef DLC_GRAPH_MODEL_H
#define DLC_GRAPH_MODEL_H
#include "graph/graph.h"
#include <stdbool.h>

typedef struct dlc_model dlc_model;

/* Reads and checks the syntax; reasons carry file, line and column. Layers are looked up when the graph is built. */
dlc_status dlc_model_read(const char *path, dlc_model **model);
/* The same from memory; `origin` stands for the path in reasons. */
dlc_status dlc_model_parse(const char *text, size_t length, const char *origin, dlc_model **model);
void dlc_model_free(dlc_model *model);
const char *dlc_model_name(const dlc_model *model); /* `name:`, else the file's name without .yaml */
const char *dlc_model_text(const dlc_model *model); /* what it was read from, up to a NUL */

/* One tensor that a layer owns: how to fill it before the first step. */
typedef struct dlc_model_param {
  uint32_t value; /* id in the graph; its role is PARAMETER, or STATE where it is not trained */
  uint32_t init;  /* DLC_INIT_... */
  double a, b;
} dlc_model_param;

/* One layer as `dlcore summary` shows it. */
typedef struct dlc_model_layer {
  const char *name;
  const dlc_op *op;
  uint32_t output;                /* value id */
  uint32_t first_param, n_params; /* in the parameter list */
} dlc_model_layer;

typedef struct dlc_model_graph {
  uint32_t logits; /* value id: [batch, n_classes] */
  uint32_t n_params, n_layers;
  dlc_model_param *params; /* in order of the layers */
  dlc_model_layer *layers;
} dlc_model_graph; /* arrays owned by the caller: dlc_model_graph_free() */

typedef struct dlc_model_use {
  int64_t classes;
  bool training;      /* false: layers are built as they are in evaluation */
  const char *prefix; /* before the names of all tensors; NULL: nothing */
} dlc_model_use;

/* Appends the layers to `g`, from the value `input` ([batch, C, H, W], f32). The last layer must give [batch, classes].
 * Reasons name the file, line and layer, what came and what was expected. The tensors are the same, in the same order,
 * in training and in evaluation. */
dlc_status dlc_model_build(const dlc_model *model, dlc_graph_build *g, uint32_t input, const dlc_model_use *use,
                           dlc_model_graph *out);
void dlc_model_graph_free(dlc_model_graph *m);

#endif
