/* The inside of a profile, for the files that record, print and draw it. */
#ifndef DLC_RUN_PROFILE_ROWS_H
#define DLC_RUN_PROFILE_ROWS_H
#include "base/arena.h"
#include "run/profile.h"
#include <stdatomic.h>

/* Everything that has one name on one thread, or one node of one program. */
struct dlc_profile_row {
  dlc_profile_row *next; /* of the track */
  dlc_track *track;
  const char *name; /* of a node: its layer */
  /* Of a node, else NULL: "train", "conv2d", "forward", "[[64, 1, 28, 28]]". */
  const char *program, *op, *part, *shapes;
  uint64_t calls;
  int64_t self, total; /* nanoseconds */
  double flops;        /* of one call: see dlc_node_flops() */
  uint32_t number;     /* counted over the profile when it is drawn */
};

enum { DLC_PROFILE_DEPTH = 16, DLC_PROFILE_NAMES = 32 };

typedef struct dlc_open_span {
  dlc_profile_row *row;
  int64_t begin, inside; /* inside: nanoseconds that ended spans within took */
} dlc_open_span;

struct dlc_track {
  dlc_track *next;
  dlc_profile *profile;
  const char *name;
  uint32_t number; /* 0: the main thread's */
  uint32_t depth;  /* of spans that have begun; may exceed what `open` holds */
  dlc_open_span open[DLC_PROFILE_DEPTH];
  dlc_profile_row *rows;                    /* all of them, the newest first */
  dlc_profile_row named[DLC_PROFILE_NAMES]; /* the memory of those that are no nodes */
  uint32_t n_named;
};

typedef struct dlc_span {
  int64_t begin, end; /* nanoseconds of CLOCK_MONOTONIC */
  const dlc_profile_row *row;
} dlc_span;

struct dlc_profile {
  dlc_profile_config config;
  dlc_arena arena; /* tracks, rows of nodes, their texts */
  int64_t opened;
  dlc_track *tracks; /* the main thread's first */
  dlc_track *last_track;
  dlc_span *spans;              /* [config.max_spans] */
  atomic_uint_fast64_t n_spans; /* that were to be kept; may exceed the room */
  atomic_bool keeping;
};

#endif
