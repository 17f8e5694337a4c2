/* From a model to the graphs that are run: the training step (forward, loss, backward, update) and the evaluation. */
#ifndef DLC_TRAIN_STEP_GRAPH_H
#define DLC_TRAIN_STEP_GRAPH_H
#include "graph/model.h"
#include "train/input.h"

/* Names under which the machine keeps what goes in and out of a step. */
#define DLC_NAME_INPUT         "input"         /* u8 or f32 [batch, C, H, W] */
#define DLC_NAME_LABELS        "labels"        /* i32 [batch] */
#define DLC_NAME_MEAN          "input.mean"    /* f32 [C] */
#define DLC_NAME_STD           "input.std"     /* f32 [C] */
#define DLC_NAME_LOSS          "loss"          /* f32 [1], mean over the batch */
#define DLC_NAME_CORRECT       "correct"       /* f32 [1], number of samples */
#define DLC_NAME_LEARNING_RATE "lr"            /* f32 [1] */
#define DLC_NAME_STEP          "step"          /* i64 [1], counted from 1 */
#define DLC_NAME_LOG_PROBS     "log_probs"     /* f32 [batch, classes] */

typedef struct dlc_step_config {
  const dlc_model *model;
  const dlc_input *input;
  int64_t classes;
  const dlc_op *optimizer; /* NULL: an evaluation graph */
  const void *optimizer_attr;
  dlc_op_finder finder;
  int64_t batch;
  /* Called with the graph at the stages forward, loss, backward, update. Optional. */
  void (*on_stage)(void *ctx, const char *stage, const dlc_graph *g);
  void *ctx;
} dlc_step_config;

/* The forward graph with a log_softmax at its end; no labels, no optimizer. Owners as below. */
dlc_status dlc_predict_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters);
/* *g is the caller's; `parameters` too (dlc_model_graph_free). */
dlc_status dlc_step_graph(const dlc_step_config *config, dlc_graph_build **g, dlc_model_graph *parameters);

#endif
