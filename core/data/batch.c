/* Reading one batch. */
#include "data/batch.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

uint32_t dlc_batch_count(const dlc_batch_plan *p, uint32_t number)
{
  const uint32_t first = number * p->config->batch_size, left = p->config->subset->count - first;
  return left < p->config->batch_size ? left : p->config->batch_size;
}

void dlc_batch_clear(dlc_batch *b)
{
  while (b->n_bad) free(b->bad[--b->n_bad].reason);
}

/* Remembers the thread's reason. */
static dlc_status remember(dlc_batch *b, uint32_t index)
{
  if (b->n_bad == b->bad_capacity) {
    const uint32_t larger = b->bad_capacity ? 2 * b->bad_capacity : 8;
    dlc_bad_sample *moved = realloc(b->bad, larger * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    b->bad = moved;
    b->bad_capacity = larger;
  }
  char *reason = strdup(dlc_reason());
  if (!reason) return dlc_fail_nomem();
  b->bad[b->n_bad++] = (dlc_bad_sample){index, reason};
  return DLC_OK;
}

static dlc_status name_it(const dlc_batch_plan *p, uint32_t index, dlc_status status)
{
  char name[512];
  dlc_sample_name(&p->config->sample, index, name, sizeof name);
  return strstr(dlc_reason(), name) ? status : dlc_fail_in(status, "%s", name);
}

/* The sample at `position` of the subset, or, where it is bad and may be replaced, the next good one after it. */
static dlc_status read_one(const dlc_batch_plan *p, dlc_sampler *sampler, uint32_t position, dlc_batch *b, void *out,
                           int32_t *label)
{
  const dlc_subset *subset = p->config->subset;
  for (uint32_t tried = 0; tried < subset->count; tried++) {
    const uint32_t index = subset->index[(position + tried) % subset->count];
    dlc_status status = dlc_sampler_read(sampler, p->epoch, index, out);
    *label = p->split->labels ? p->split->labels[index] : -1;
    if (status >= 0) return DLC_OK;
    if (status == DLC_NOMEM || p->config->on_bad == DLC_BAD_FAIL) return name_it(p, index, status);
    const bool usable = status == DLC_DAMAGED && p->config->on_bad == DLC_BAD_WARN;
    DLC_TRY(remember(b, index));
    if (usable) return DLC_OK;
  }
  return dlc_fail_in(DLC_IO, "no sample of %s can be read", p->split->name);
}

dlc_status dlc_batch_read(const dlc_batch_plan *p, dlc_sampler *sampler, uint32_t number, dlc_batch *b)
{
  const uint32_t first = number * p->config->batch_size;
  b->n = dlc_batch_count(p, number);
  for (uint32_t i = 0; i < b->n; i++)
    DLC_TRY(read_one(p, sampler, p->order[first + i], b, (char *)b->samples + i * p->sample_bytes, &b->labels[i]));
  return DLC_OK;
}
