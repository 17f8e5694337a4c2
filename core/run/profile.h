/* Where the time of a run goes. A profile has a track for each thread that takes part. On its track a thread begins and
 * ends spans, which nest: "train" holds "train step", which holds "next batch" and the nodes of the step's graph.
 *
 * Every span adds to the row of its name or node, from the first to the last: rows are complete. The spans themselves
 * are kept for a trace in the steps that were asked for, as long as there is room. Recording allocates nothing, takes
 * no lock and reads the clock once at each border; between two nodes that is one border.
 *
 * All times are those of the wall clock, in nanoseconds: a node's include the compute threads that it waits for.
 * Total is from begin to end; Self is total without the spans inside, so that Self of all rows of a thread adds up to
 * what was measured there. Nodes hold nothing: theirs are equal. */
#ifndef DLC_RUN_PROFILE_H
#define DLC_RUN_PROFILE_H
#include "base/str.h"
#include "dlcore/graph.h"

typedef struct dlc_profile dlc_profile;
typedef struct dlc_track dlc_track;
typedef struct dlc_profile_row dlc_profile_row;

typedef struct dlc_profile_config {
  int64_t first_step, last_step; /* of each name that dlc_track_step() is called with, counted from 1: kept as spans */
  uint32_t max_spans;            /* that are kept */
} dlc_profile_config;

dlc_status dlc_profile_open(const dlc_profile_config *config, dlc_profile **profile); /* [main] */
void dlc_profile_close(dlc_profile *profile);                                         /* [main] NULL is fine */

/* ---- recording: all of it does nothing where profile or track is NULL ---- */

dlc_track *dlc_profile_main(dlc_profile *profile); /* of the thread that opened it */
/* [main] Another thread's; `name` is copied. */
dlc_status dlc_profile_track(dlc_profile *profile, const char *name, dlc_track **track);

/* [the track's thread] `name` is a literal, or outlives the profile. */
void dlc_track_begin(dlc_track *track, const char *name);
void dlc_track_end(dlc_track *track);
/* [main] As begin; and says whether from here on spans of all threads are kept. Those that hold all others on the main
 * track, as "train", always are. */
void dlc_track_step(dlc_track *track, const char *name);

/* [main] The row of a node, the profile's own; what it shows is copied. */
dlc_status dlc_profile_add_node(dlc_profile *profile, const char *program, const dlc_graph *g, uint32_t node,
                                dlc_profile_row **row);
/* [main] A node that began at `begin` ends now: returns when that is. */
int64_t dlc_profile_node(dlc_profile *profile, dlc_profile_row *row, int64_t begin);

#endif
