/* A training run: step graph, loop, evaluation, results. Knows nothing of the command line or of the terminal. [main]
 */
#ifndef DLC_TRAIN_TRAIN_H
#define DLC_TRAIN_TRAIN_H
#include "base/log.h"
#include "data/loader.h"
#include "dlcore/logger.h"
#include "graph/graph.h"
#include "graph/model.h"
#include "run/program.h"
#include "train/method.h"
#include "train/safetensors.h"
#include <stdbool.h>

typedef struct dlc_progress dlc_progress;

typedef struct dlc_train_config {
  /* what: not owned, outlive the run */
  const dlc_model *model;
  const dlc_dataset *dataset;
  dlc_data *data;
  dlc_machine *machine;
  dlc_op_finder finder;
  const dlc_sink *sink;
  dlc_profile *profile; /* NULL: nothing is timed */
  /* how */
  uint32_t dtype; /* DLC_F64: everything but the pictures is float64; else float32 */
  dlc_method method;
  uint32_t epochs, batch_size, workers;
  uint32_t eval_batch_size; /* 0: batch_size */
  uint64_t seed;
  bool shuffle;
  double val_split;                                 /* fraction or count; 0: none */
  bool stratified;                                  /* the validation part has the same share of every class */
  dlc_pipeline *train_transforms, *eval_transforms; /* changed by the run; NULL: none */
  const char *eval_text;     /* what eval_transforms was read from, kept with the weights; NULL: none */
  const char *loss_text;     /* what method.loss and its attributes were, for the same; NULL: its name */
  size_t cache_bytes;        /* decoded pictures kept in memory take at most this; 0: none are kept */
  int on_bad;                /* DLC_BAD_... */
  uint32_t limit_batches;    /* 0: no limit; of every phase */
  uint32_t overfit_batches;  /* train on that many batches, always the same, and evaluate on them; 0: no */
  const char *init_from;     /* safetensors, or NULL */
  const char *watch;         /* what makes an epoch the best: see dlc_watch_check(); NULL: accuracy */
  uint32_t patience;         /* epochs without a better one that the run lets pass before it ends; 0: any number */
  uint32_t checkpoint_steps; /* one after so many steps, besides those after every epoch; 0: no */
  uint32_t checkpoint_keep;  /* the best epochs that keep one; 0: none */
  const char *dump_graph;    /* "forward", "loss", "backward", "update", "plan" (of the train step), or NULL */
  /* who is told; any may be NULL */
  void (*on_dump)(void *ctx, const char *text);
  /* After every batch; false stops the run, which then ends as interrupted, with a checkpoint. */
  bool (*on_batch)(void *ctx, const dlc_progress *progress);
  /* After every training step: whether a checkpoint is wanted now. */
  bool (*save_wanted)(void *ctx);
  /* After every training step and, with the evaluation, every epoch: the rows the loggers get. */
  void (*on_row)(void *ctx, const dlc_row *row);
  /* After every epoch, its row and before its checkpoint. `best`: no epoch was better, by what is watched. */
  void (*on_epoch)(void *ctx, uint32_t epoch, int64_t step, bool best);
  /* Once for every sample that could not be read as it should. */
  void (*on_bad_sample)(void *ctx, const char *name, const char *reason);
  void *ctx;
} dlc_train_config;

struct dlc_progress {
  const char *phase;        /* "train", "val" or "test" */
  uint32_t epoch, epochs;   /* epoch counted from 1 */
  uint32_t batch, batches;  /* done so far, of this phase */
  double loss, accuracy;    /* sample-weighted means of this phase so far */
  double images_per_second; /* of this phase so far */
  double seconds;           /* since the phase began */
  double wait_share;        /* share of it spent waiting for data */
  double lr;
};

typedef struct dlc_metrics {
  double loss, accuracy; /* sample-weighted means; NaN when nothing was measured */
  int64_t samples;
  double top5; /* accuracy; NaN in training, and where there are no more than five classes */
} dlc_metrics;

typedef struct dlc_results {
  dlc_metrics train, val, test; /* of the last epoch; test at the end of the run */
  uint32_t epochs;              /* finished */
  uint32_t best_epoch;          /* by what is watched; 0: none */
  double best;                  /* what it had */
  int64_t steps, parameters;
  double seconds_total;         /* since `started` of dlc_train_open */
  double images_per_second;     /* training images over the time spent in training phases */
  double seconds_to_first_step; /* until the first training step was done */
  bool interrupted;
  bool out_of_patience; /* it ended before its last epoch because none was better any more */
} dlc_results;

/* What can be watched, by name: accuracy, top5 and loss, of validation, else of test, or of one phase: train_loss,
 * val_accuracy (val_acc), .. Also what plateau and patience go by. */
dlc_status dlc_watch_check(const char *metric);

typedef struct dlc_run dlc_run;

/* Builds the graphs, plans, allocates, fills the parameters. `started`: dlc_seconds() when the process began, which
 * the results count from. */
dlc_status dlc_run_open(const dlc_train_config *config, double started, dlc_run **run);
/* Goes on where a checkpoint of this model and method stopped, after open. DLC_INVALID with what is not the same.
 * `path` is what reasons call it. */
dlc_status dlc_run_resume(dlc_run *run, const dlc_tensor_file *checkpoint, const char *path);
/* Checkpoints go to this folder from now on; NULL, as at first: none are written. `folder` outlives the run. */
void dlc_run_checkpoints(dlc_run *run, const char *folder);
/* Where the run stands: what a resumed run's loggers must know. */
void dlc_run_position(const dlc_run *run, int64_t *epochs, int64_t *steps);
/* The loop. DLC_INVALID with step, layer and value when the loss is not a number. */
dlc_status dlc_run_train(dlc_run *run, dlc_results *results);
/* Weights as they are evaluated (the average, if there is one), PyTorch's names and layouts, with what is needed to use
 * them (weights_info.h). */
dlc_status dlc_run_save(dlc_run *run, const char *path);
void dlc_run_close(dlc_run *run);

#endif
