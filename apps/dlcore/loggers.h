/* The loggers of a run: found and checked first, opened when there is a run folder. [main] */
#ifndef DLCORE_APP_LOGGERS_H
#define DLCORE_APP_LOGGERS_H
#include "job.h"
#include "train/train.h"

typedef struct cli_loggers {
  struct cli_logger *items; /* owned */
  uint32_t n;
} cli_loggers;

/* Exit codes. */
int cli_loggers_find(cli_loggers *l, cli_job *job);
/* `run`: a new one, or one that goes on where it stands. */
int cli_loggers_open(cli_loggers *l, const char *dir, bool resumed, const dlc_run *run);
/* One that fails is reported once and left alone from then on. */
void cli_loggers_write(cli_loggers *l, const dlc_row *row, cli_console *c);
void cli_loggers_close(cli_loggers *l, cli_console *c);

#endif
