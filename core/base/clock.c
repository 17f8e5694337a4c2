/* The time that durations are measured by. */
#include "base/clock.h"
#include <time.h>

int64_t dlc_nanoseconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double dlc_seconds(void)
{
  return (double)dlc_nanoseconds() * 1e-9;
}
