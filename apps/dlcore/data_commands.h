/* The parts of `dlcore data`. Each opens what it needs on an open job and returns an exit code. [main] */
#ifndef DLCORE_APP_DATA_COMMANDS_H
#define DLCORE_APP_DATA_COMMANDS_H
#include "data/sweep.h"
#include "job.h"

int cli_data_info(cli_job *job);
int cli_data_check(cli_job *job);
int cli_data_grid(cli_job *job);

/* The task on every sample of a split, with progress; `each` hears of every sample in order, after its task. Tasks get
 * i < CLI_SWEEP_ROOM. A signal ends it with DLC_END. */
enum { CLI_SWEEP_ROOM = 256 };
dlc_status cli_sweep_split(cli_job *job, uint32_t split, const char *what, dlc_sweep_task task,
                           void (*each)(void *ctx, uint32_t index, uint32_t i, const dlc_outcome *outcome), void *ctx);

#endif
