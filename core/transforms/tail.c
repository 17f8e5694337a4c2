/* The end of a list that the network's graph can do instead: x / 255, and what is subtracted and divided by. */
#include "transforms/normalize.h"
#include "transforms/steps.h"

/* Steps of the tail: `to_float`, `normalize`, or both. */
static uint32_t tail_length(const dlc_pipeline *p)
{
  const uint32_t n = p->n_steps;
  if (n == 0) return 0;
  if (p->steps[n - 1].transform == &dlc_transform_to_float) return 1;
  if (p->steps[n - 1].transform != &dlc_transform_normalize) return 0;
  return n > 1 && p->steps[n - 2].transform == &dlc_transform_to_float ? 2 : 1;
}

bool dlc_pipeline_tail(const dlc_pipeline *p, int64_t channels, float mean[4], float std[4])
{
  const uint32_t tail = tail_length(p);
  if (tail == 0) return false;
  dlc_pipeline front = *p;
  front.n_steps -= tail;
  const dlc_image in = {.size = sizeof in, .dtype = DLC_U8, .channels = channels};
  dlc_image out;
  if (dlc_pipeline_shape(&front, &in, &out) < 0 || out.dtype != DLC_U8) return false;
  const dlc_step *last = &p->steps[p->n_steps - 1];
  for (int c = 0; c < 4; c++) {
    mean[c] = 0.0f;
    std[c] = 1.0f;
  }
  if (last->transform == &dlc_transform_normalize) dlc_normalize_numbers(last->attr, mean, std);
  return true;
}

void dlc_pipeline_drop_tail(dlc_pipeline *p)
{
  p->n_steps -= tail_length(p);
}

bool dlc_pipeline_is_tail(const dlc_pipeline *p)
{
  return p->n_steps > 0 && p->n_steps == tail_length(p);
}

bool dlc_pipeline_is_empty(const dlc_pipeline *p)
{
  return p->n_steps == 0;
}
