/* Every sample of a split, or of a part of it, once, on all threads, with what became of each: for checks, statistics
 * and predictions, which want to know of every bad one, where a loader replaces it. */
#ifndef DLC_DATA_SWEEP_H
#define DLC_DATA_SWEEP_H
#include "data/loader.h"

typedef struct dlc_sweep dlc_sweep;

/* What became of one sample. */
typedef struct dlc_outcome {
  dlc_status status; /* the task's; DLC_DAMAGED: done, with a picture that is not whole */
  char *reason;      /* names the sample; NULL where all is well. The sweep's, until its next run */
} dlc_outcome;

/* [any] For sample `index`, the i-th of a run. `sampler` is this thread's alone during the call. */
typedef dlc_status (*dlc_sweep_task)(void *ctx, dlc_sampler *sampler, uint32_t index, uint32_t i);

/* `subset`: of config->split, outlives the sweep; NULL: all of it. Runs have at most `room` samples. [main] */
dlc_status dlc_sweep_open(const dlc_sample_config *config, const dlc_subset *subset, const dlc_threads *threads,
                          uint32_t room, dlc_sweep **sweep);
void dlc_sweep_close(dlc_sweep *s);
/* The task for samples first to first + n - 1 of the subset or split, in any order. *outcomes: n of them. A failing
 * task is no failure of the run. [main] */
dlc_status dlc_sweep_run(dlc_sweep *s, uint32_t first, uint32_t n, dlc_sweep_task task, void *ctx,
                         const dlc_outcome **outcomes);

#endif
