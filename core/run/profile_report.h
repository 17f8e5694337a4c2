/* What a profile has recorded, as a table and as a trace. Called when no thread records any more. [main] */
#ifndef DLC_RUN_PROFILE_REPORT_H
#define DLC_RUN_PROFILE_REPORT_H
#include "run/profile.h"

/* What one line of the table adds up. Phases, steps and data are lines of their own in all three. */
enum {
  DLC_PROFILE_BY_OP,
  DLC_PROFILE_BY_LAYER, /* forward, backward and update */
  DLC_PROFILE_BY_SHAPE  /* op and shapes of its inputs */
};
enum { DLC_PROFILE_SORT_TOTAL, DLC_PROFILE_SORT_SELF, DLC_PROFILE_SORT_CALLS, DLC_PROFILE_SORT_NAME };

typedef struct dlc_profile_view {
  int by, sort;
  uint32_t lines; /* at most; 0: all */
} dlc_profile_view;

/* The main thread's table as PyTorch prints it, then, where there are any, one of the other threads together. Shares
 * are of the time measured in the same table. Where there are convolutions and matrix products, a column more has their
 * GFLOP/s. */
dlc_status dlc_profile_table(const dlc_profile *profile, const dlc_profile_view *view, dlc_str *out);

typedef struct dlc_trace_info {
  uint64_t spans, left_out; /* left out: for lack of room */
} dlc_trace_info;

/* Writes the spans that were kept in the trace event format that Perfetto and chrome://tracing open, whole or not at
 * all. Times count from dlc_profile_open(). */
dlc_status dlc_profile_trace(dlc_profile *profile, const char *path, dlc_trace_info *info);

#endif
