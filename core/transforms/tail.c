/* The end of a list that the network's graph can do instead: x / 255, and what is subtracted and divided by. */
#include "transforms/steps.h"
#include <string.h>

static bool ends_in(const dlc_pipeline *p, const char *name)
{
  return p->n_steps && strcmp(p->steps[p->n_steps - 1].transform->name, name) == 0;
}

bool dlc_pipeline_tail(const dlc_pipeline *p, int64_t channels, float *mean, float *std)
{
  if (!ends_in(p, "to_float")) return false;
  for (int64_t c = 0; c < channels; c++) {
    mean[c] = 0.0f;
    std[c] = 1.0f;
  }
  return true;
}

void dlc_pipeline_drop_tail(dlc_pipeline *p)
{
  p->n_steps--;
}
