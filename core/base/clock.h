/* The time that durations are measured by. */
#ifndef DLC_BASE_CLOCK_H
#define DLC_BASE_CLOCK_H
#include <stdint.h>

/* Of CLOCK_MONOTONIC. */
double dlc_seconds(void);
int64_t dlc_nanoseconds(void);

#endif
