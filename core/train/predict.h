/* Trained weights at work: logarithms of the classes' probabilities, for every sample of a split or of a part of it.
 * Logarithms, because a loss is made of them: a probability of 1e-60 is 0 in a float, and its loss 138. [main] */
#ifndef DLC_TRAIN_PREDICT_H
#define DLC_TRAIN_PREDICT_H
#include "base/log.h"
#include "data/loader.h"
#include "graph/graph.h"
#include "graph/model.h"
#include "run/program.h"
#include "train/weights_info.h"

typedef struct dlc_predictor dlc_predictor;

/* Nothing is owned; all but `weights` outlives the predictor. */
typedef struct dlc_predictor_config {
  const dlc_model *model;
  const char *weights;          /* safetensors: every tensor of the model must be in it */
  const dlc_weights_info *info; /* its own: classes, shape, normalisation */
  dlc_pipeline *transforms;     /* changed: the graph does its normalisation if it did while training; NULL: none */
  dlc_machine *machine;         /* nothing is committed on it yet */
  dlc_op_finder finder;
  const dlc_sink *sink;
  uint32_t batch_size;
} dlc_predictor_config;

dlc_status dlc_predictor_open(const dlc_predictor_config *config, dlc_predictor **predictor);
void dlc_predictor_close(dlc_predictor *p);
/* How many numbers the network gives; there may be more than classes. */
uint32_t dlc_predictor_outputs(const dlc_predictor *p);

typedef struct dlc_prediction {
  const char *name;       /* of the sample */
  uint32_t index;         /* its own in the split */
  const float *outputs;   /* what the network gives, before any softmax */
  const float *log_probs; /* [classes] */
} dlc_prediction;

typedef struct dlc_predict_config {
  const dlc_dataset *dataset;
  dlc_data *data;
  uint32_t split;
  const dlc_subset *subset;   /* of the split; NULL: all of it */
  const dlc_threads *threads; /* that read and transform */
  int on_bad;                 /* DLC_BAD_...; a sample that cannot be read at all is never replaced, but left out */
  /* For every sample, in the order of the split. A status below 0 ends everything. */
  dlc_status (*on_sample)(void *ctx, const dlc_prediction *p);
  void (*on_bad_sample)(void *ctx, const char *name, const char *reason); /* optional */
  bool (*on_batch)(void *ctx, uint32_t done, uint32_t count);             /* optional; false: stop */
  void *ctx;
} dlc_predict_config;

/* DLC_END when on_batch stopped it; DLC_INVALID with the sample's name when the network gives no numbers for it. */
dlc_status dlc_predict(dlc_predictor *p, const dlc_predict_config *config);

#endif
