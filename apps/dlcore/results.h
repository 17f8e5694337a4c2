/* results.json. [main] */
#ifndef DLCORE_APP_RESULTS_H
#define DLCORE_APP_RESULTS_H
#include "job.h"

/* Writes the file whole or not at all. Numbers that were not measured are null. */
dlc_status cli_results_write(const char *path, const cli_job *job, const dlc_results *r, uint32_t bad_images);
/* Largest resident set of the process so far. */
int64_t cli_peak_rss_bytes(void);

#endif
