/* The inside of a pipeline, between its parser and its runner. */
#ifndef DLC_TRANSFORMS_STEPS_H
#define DLC_TRANSFORMS_STEPS_H
#include "base/arena.h"
#include "transforms/pipeline.h"

typedef struct dlc_step {
  const dlc_transform *transform;
  void *attr; /* transform->attr_size bytes, in the arena */
} dlc_step;

struct dlc_pipeline {
  dlc_arena arena;
  const dlc_host *host;
  dlc_step *steps; /* in the arena */
  uint32_t n_steps;
};

#endif
