/* The inside of a run, for the files of this folder only: phases.c opens its data, programs.c its graphs, loop.c moves
 * it on, checkpoint.c writes it down and brings it back, run.c opens and closes it. [main] */
#ifndef DLC_TRAIN_RUN_STATE_H
#define DLC_TRAIN_RUN_STATE_H
#include "data/loader.h"
#include "train/input.h"
#include "train/parameters.h"
#include "train/train.h"

enum { DLC_PHASE_TRAIN, DLC_PHASE_VAL, DLC_PHASE_TEST, DLC_N_PHASES };

/* What a phase has measured in its epoch so far. */
typedef struct dlc_sums {
  double loss, weight;  /* weight: what the samples count in the loss, one each where classes have no weights */
  double correct, top5; /* top5: of more than five classes, and not of training */
  int64_t samples;
  uint32_t batches;
} dlc_sums;

/* One phase = one subset, its loader, and a program for the full and for the last partial batch. */
typedef struct dlc_phase {
  const char *name, *step_name; /* "train", "train step" */
  dlc_subset subset;
  dlc_loader *loader;
  uint32_t batch_size;
  dlc_program *full, *partial; /* NULL where no batch of that size occurs */
  dlc_metrics metrics;         /* of its last epoch */
  dlc_sums sums;
  bool started; /* its loader has begun the next epoch already */
} dlc_phase;

enum { DLC_WATCH_ACCURACY, DLC_WATCH_TOP5, DLC_WATCH_LOSS };
typedef struct dlc_watched {
  int phase; /* DLC_PHASE_... */
  int what;  /* DLC_WATCH_...; the lower the better is the loss alone */
} dlc_watched;

/* Which epoch was best so far. */
typedef struct dlc_watch {
  dlc_watched metric;
  double best;
  uint32_t best_epoch, bad_epochs; /* bad: since the best one */
} dlc_watch;

struct dlc_run {
  dlc_train_config config;
  dlc_track *track;        /* of the profile; NULL without */
  const char *checkpoints; /* folder; NULL: none are written */
  const dlc_dataset_info *info;
  dlc_input data_input;
  dlc_cache **caches; /* [n_splits]; NULL where pictures are in memory anyway */
  dlc_phase phases[DLC_N_PHASES];
  dlc_program *apply;        /* the update of accumulated gradients; NULL: the training steps do it */
  dlc_parameters parameters; /* of the model */
  dlc_parameters averages;   /* of its average; none without */
  dlc_parameters states;     /* of optimizer and average: what a checkpoint holds beside the parameters */
  /* where it stands */
  uint32_t epoch; /* in progress, counted from 1 */
  int64_t steps, batches, trained_images;
  int64_t kept_step; /* of the last checkpoint */
  double rate;       /* learning rate of the last step */
  dlc_schedule_state schedule;
  dlc_watch watch;
  uint32_t finished; /* epochs */
  double started, training_seconds, first_step;
  bool stopped, out_of_patience;
  /* the machine's fixed buffers; NULL where a run has no use for one */
  void *input;
  int32_t *labels;
  const void *loss, *correct, *correct_top5; /* these and the next: dlc_run_get, dlc_run_put */
  void *lr, *group_lr[DLC_MAX_GROUPS], *momentum, *ema_decay, *factor, *mix_share, *label_share;
  int64_t *step, *mix_box, *random;
};

/* A number that goes into a step or comes out of it, in the type that the run computes in. */
static inline double dlc_run_get(const dlc_run *r, const void *number)
{
  return r->config.dtype == DLC_F64 ? *(const double *)number : (double)*(const float *)number;
}

static inline void dlc_run_put(const dlc_run *r, void *number, double value)
{
  if (r->config.dtype == DLC_F64) *(double *)number = value;
  else *(float *)number = (float)value;
}

static inline dlc_phase *dlc_run_evaluated(dlc_run *r)
{
  dlc_phase *val = &r->phases[DLC_PHASE_VAL];
  return val->subset.count ? val : &r->phases[DLC_PHASE_TEST];
}

/* Batches of one epoch of a phase, and steps of one training epoch. */
uint32_t dlc_phase_batches(const dlc_run *r, const dlc_phase *p);
uint32_t dlc_run_epoch_steps(const dlc_run *r);

/* phases.c */
dlc_status dlc_phases_open(dlc_run *r);
void dlc_phases_close(dlc_run *r);
/* programs.c: graphs, programs, memory, the parameters' first values. */
dlc_status dlc_programs_open(dlc_run *r);
/* watch.c. After the phases: what is watched, DLC_INVALID where it is not measured after every epoch. */
dlc_status dlc_watch_open(dlc_run *r);
/* After an epoch: whether none was better. */
bool dlc_watch_epoch(dlc_run *r);
/* What the last epoch had; larger is better. */
double dlc_watch_score(const dlc_run *r);
/* run.c: what is written beside weights. */
void dlc_run_weights_info(const dlc_run *r, dlc_weights_info *info);
/* checkpoint.c */
dlc_status dlc_run_checkpoint(dlc_run *r, bool epoch_ended);

#endif
