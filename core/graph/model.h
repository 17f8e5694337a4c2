/* A model file: layers as YAML, and the forward graph they stand for. [main]
 *
 *   name: small-resnet               # optional; else the file's name
 *   classes: 10                      # optional: outputs, whatever the data set; else its number of classes
 *   init: {conv2d: kaiming_normal}   # optional: how tensors begin (model_init.c); else as PyTorch's layers do
 *   blocks:
 *     basic:                         # used as a layer is; every layer in it gets the name of the use before its own
 *       parameters: {channels: , stride: 1}     # without a default: must be given
 *       layers:
 *         - residual:                # layers(x) + x, or + shortcut(x)
 *             layers:
 *               - conv2d: {name: conv1, out_channels: $channels, kernel_size: 3, stride: $stride, padding: 1}
 *             shortcut: {name: downsample, layers: [conv2d: [...]]}
 *         - relu                     # all defaults
 *   layers:
 *     - sequence:                    # a named group: "layer1.0.conv1.weight"
 *         name: layer1
 *         layers:
 *           - basic: 64              # the first parameter of a block, the first attribute of an op
 *           - repeat: {times: 2, layers: [basic: 64]}     # as if written twice; $index counts from 0
 *     - parallel: {join: concat, branches: [[], [relu]]}  # an empty branch passes on what comes
 *     - linear: {name: a, out_features: 10, from: layer1.0}      # reads another than the layer before
 *     - linear: {name: b, share: a}                       # a's tensors and arguments
 *     - add: {from: [a, b]}          # `input`: what the block, or the model, gets
 *
 * A layer without a name is called by its position from 0, as in torch.nn.Sequential: its tensors are "0.weight".
 * residual and parallel without a name add nothing to the names in them, only to numbers. A layer called `.` has its
 * tensors in the group it stands in: "encoder.pos_embedding". The value `classes` is the number of outputs. No layer
 * says the size of what it reads. */
#ifndef DLC_GRAPH_MODEL_H
#define DLC_GRAPH_MODEL_H
#include "graph/layer.h"

typedef struct dlc_model dlc_model;

/* Reads it and writes blocks and repeats out; reasons carry file, line and column. Ops are looked up when the graph is
 * built. */
dlc_status dlc_model_read(const char *path, dlc_model **model);
/* The same from memory; `origin` stands for the path in reasons. */
dlc_status dlc_model_parse(const char *text, size_t length, const char *origin, dlc_model **model);
void dlc_model_free(dlc_model *model);
const char *dlc_model_name(const dlc_model *model); /* `name:`, else the file's name without .yaml */
const char *dlc_model_text(const dlc_model *model); /* what it was read from, up to a NUL */

/* Appends the layers to `g`, from the value `input` ([batch, C, H, W], f32). The last layer must give [batch, classes].
 * Reasons name file, line, column and layer, what came and what was expected. The tensors are the same, in the same
 * order, in training and in evaluation. */
dlc_status dlc_model_build(const dlc_model *model, dlc_graph_build *g, uint32_t input, const dlc_model_use *use,
                           dlc_model_graph *out);

#endif
