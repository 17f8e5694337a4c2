/* Where every value of one graph lives: computed once, from lifetimes. */
#ifndef DLC_RUN_PLAN_H
#define DLC_RUN_PLAN_H
#include "dlcore/graph.h"
#include <stdbool.h>

typedef struct dlc_place {
  uint32_t root;    /* the value whose memory this one uses (itself, or through views and updates another) */
  bool kept;        /* root only: lives across steps, found by name */
  const char *name; /* root only, kept: the name it is kept under */
  size_t bytes;     /* root only */
  size_t offset;    /* root only, not kept: in the arena */
} dlc_place;

typedef struct dlc_plan {
  dlc_place *places; /* one a value */
  size_t arena_bytes;
  size_t unplanned_bytes; /* if nothing shared memory */
} dlc_plan;

enum { DLC_TENSOR_ALIGN = 64 };
static inline size_t dlc_align(size_t n)
{
  return (n + DLC_TENSOR_ALIGN - 1) & ~(size_t)(DLC_TENSOR_ALIGN - 1);
}

dlc_status dlc_plan_make(const dlc_graph *g, dlc_plan *plan);
void dlc_plan_free(dlc_plan *plan);

#endif
