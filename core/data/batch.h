/* One batch: read by one thread with its own sampler, under the policy for bad pictures. Inside of the loader. */
#ifndef DLC_DATA_BATCH_H
#define DLC_DATA_BATCH_H
#include "data/loader.h"

/* A sample that could not be read as it should; reasons are owned. */
typedef struct dlc_bad_sample {
  uint32_t index; /* in the split */
  char *reason;
} dlc_bad_sample;

typedef struct dlc_batch {
  void *samples; /* not owned here */
  int32_t *labels;
  uint32_t n;
  dlc_bad_sample *bad; /* owned, with room for bad_capacity */
  uint32_t n_bad, bad_capacity;
} dlc_batch;

/* What is the same for every batch of an epoch. */
typedef struct dlc_batch_plan {
  const dlc_loader_config *config;
  const dlc_split *split;
  size_t sample_bytes;
  const uint32_t *order; /* positions in the subset */
  uint32_t epoch;
} dlc_batch_plan;

uint32_t dlc_batch_count(const dlc_batch_plan *plan, uint32_t number);
/* Fills samples, labels, n and bad. */
dlc_status dlc_batch_read(const dlc_batch_plan *plan, dlc_sampler *sampler, uint32_t number, dlc_batch *batch);
/* Forgets the bad samples; keeps the room. */
void dlc_batch_clear(dlc_batch *batch);

#endif
