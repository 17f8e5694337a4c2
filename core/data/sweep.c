/* Lanes: each has a sampler and takes every n_lanes-th sample. */
#include "data/sweep.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

struct dlc_sweep {
  dlc_sample_config config;
  const dlc_subset *subset; /* NULL: the whole split */
  const dlc_threads *threads;
  dlc_sampler **lanes;
  uint32_t n_lanes, room;
  dlc_outcome *outcomes; /* [room] */
  /* of the current run */
  uint32_t first, n;
  dlc_sweep_task task;
  void *ctx;
};

dlc_status dlc_sweep_open(const dlc_sample_config *config, const dlc_subset *subset, const dlc_threads *threads,
                          uint32_t room, dlc_sweep **sweep)
{
  *sweep = NULL;
  dlc_sweep *s = calloc(1, sizeof *s);
  if (!s) return dlc_fail_nomem();
  *s = (dlc_sweep){.config = *config, .subset = subset, .threads = threads, .room = room};
  s->lanes = calloc(threads->count, sizeof(dlc_sampler *));
  s->outcomes = calloc((size_t)room + 1, sizeof *s->outcomes);
  dlc_status status = s->lanes && s->outcomes ? DLC_OK : dlc_fail_nomem();
  for (uint32_t i = 0; status >= 0 && i < threads->count; i++) {
    status = dlc_sampler_open(config, &s->lanes[i]);
    s->n_lanes += status >= 0;
  }
  if (status < 0) dlc_sweep_close(s);
  else *sweep = s;
  return status;
}

static void forget(dlc_sweep *s)
{
  for (uint32_t i = 0; i < s->n; i++) free(s->outcomes[i].reason);
  s->n = 0;
}

void dlc_sweep_close(dlc_sweep *s)
{
  if (!s) return;
  forget(s);
  for (uint32_t i = 0; i < s->n_lanes; i++) dlc_sampler_close(s->lanes[i]);
  free(s->lanes);
  free(s->outcomes);
  free(s);
}

/* The thread's reason, with the sample's name before it if it lacks it. */
static char *copy_reason(const dlc_sweep *s, uint32_t index, dlc_status status)
{
  char name[512];
  dlc_sample_name(&s->config, index, name, sizeof name);
  if (!strstr(dlc_reason(), name)) dlc_fail_in(status, "%s", name);
  return strdup(dlc_reason());
}

static void run_lane(void *arg, uint32_t lane)
{
  dlc_sweep *s = arg;
  for (uint32_t i = lane; i < s->n; i += s->n_lanes) {
    const uint32_t index = s->subset ? s->subset->index[s->first + i] : s->first + i;
    dlc_outcome *o = &s->outcomes[i];
    o->status = s->task(s->ctx, s->lanes[lane], index, i);
    o->reason = o->status < 0 ? copy_reason(s, index, o->status) : NULL;
  }
}

dlc_status dlc_sweep_run(dlc_sweep *s, uint32_t first, uint32_t n, dlc_sweep_task task, void *ctx,
                         const dlc_outcome **outcomes)
{
  forget(s);
  if (n > s->room) return dlc_fail(DLC_INVALID, "%u samples at once, %u were announced", n, s->room);
  s->first = first;
  s->n = n;
  s->task = task;
  s->ctx = ctx;
  s->threads->run(s->threads, s->n_lanes, run_lane, s);
  *outcomes = s->outcomes;
  for (uint32_t i = 0; i < n; i++)
    if (s->outcomes[i].status == DLC_NOMEM || (s->outcomes[i].status < 0 && !s->outcomes[i].reason))
      return dlc_fail_nomem();
  return DLC_OK;
}
