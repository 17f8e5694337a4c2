/* The time that durations are measured by. */
#ifndef DLC_BASE_CLOCK_H
#define DLC_BASE_CLOCK_H

double dlc_seconds(void); /* CLOCK_MONOTONIC */

#endif
