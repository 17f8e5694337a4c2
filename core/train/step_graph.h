/* From a model to the graphs that are run: the training step (forward, loss, backward, update), the update alone, the
 * evaluation, the prediction. [main] */
#ifndef DLC_TRAIN_STEP_GRAPH_H
#define DLC_TRAIN_STEP_GRAPH_H
#include "graph/model.h"
#include "train/input.h"
#include "train/method.h"
#include "train/update_graph.h"

/* Names under which the machine keeps what goes in and out of a step; those of the update: update_graph.h. Where no
 * type is said it is the one that the model computes in. */
#define DLC_NAME_INPUT         "input"              /* u8 or f32 [batch, C, H, W] */
#define DLC_NAME_LABELS        "labels"             /* i32 [batch] */
#define DLC_NAME_MEAN          "input.mean"         /* [C] */
#define DLC_NAME_STD           "input.std"          /* [C] */
#define DLC_NAME_LOSS          "loss"               /* [1], mean over the batch */
#define DLC_NAME_CORRECT       "correct"            /* [1], number of samples */
#define DLC_NAME_CORRECT_TOP5  "correct.top5"       /* [1], in evaluation, of more than five classes */
#define DLC_NAME_OUTPUTS       "outputs"            /* [batch, outputs], what the network gives */
#define DLC_NAME_LOG_PROBS     "log_probs"          /* [batch, classes] */
#define DLC_NAME_CLASS_WEIGHTS "loss.class_weights" /* f32 [classes] */
#define DLC_NAME_MIX_SHARE     "mix.share"          /* [1]; of pixels outside of the box: see the op mix */
#define DLC_NAME_MIX_BOX       "mix.box"            /* i64 [4] */
#define DLC_NAME_LABEL_SHARE   "mix.label_share"    /* [1], weight of a sample's own label */

typedef struct dlc_step_config {
  const dlc_model *model;
  const dlc_input *input;
  int64_t classes;
  const dlc_method *method; /* NULL: cross-entropy, and nothing to train */
  uint32_t dtype;           /* that the model computes in: DLC_F64, else DLC_F32 */
  bool training;            /* with gradients and, unless they are accumulated, the update */
  const char *prefix;       /* before the names of the model's tensors; NULL: nothing */
  dlc_op_finder finder;
  int64_t batch;
  /* Called with the graph at the stages forward, loss, backward, update. Optional. */
  void (*on_stage)(void *ctx, const char *stage, const dlc_graph *g);
  void *ctx;
} dlc_step_config;

/* The forward graph with a log_softmax at its end; no labels, no update. Owners as below. */
dlc_status dlc_predict_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters);
/* *g is the caller's; `parameters` too (dlc_model_graph_free). */
dlc_status dlc_step_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters);
/* What the steps of an accumulation end with: the update by the sums, of the parameters of a step's graph `of`. */
dlc_status dlc_apply_graph(const dlc_step_config *config, const dlc_graph *of, const dlc_model_graph *parameters,
                           dlc_graph_build **g);

#endif
