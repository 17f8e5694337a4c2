/* Everything the user sees and log.txt keeps. Results and information go to stdout, warnings, errors and progress to
 * stderr; a redrawn line is taken away before anything else is written. One per process. */
#ifndef DLCORE_APP_CONSOLE_H
#define DLCORE_APP_CONSOLE_H
#include "base/log.h"
#include "base/str.h"
#include "options.h"
#include "train/train.h"
#include <pthread.h>
#include <stdio.h>

typedef struct cli_console {
  int shown;     /* lines below this level stay off the terminal */
  bool progress; /* progress lines are wanted */
  bool redraw;   /* stderr is a terminal: one line, redrawn; else a plain line now and then */
  bool utf8, color_out, color_err;
  bool drawn;       /* a redrawn line stands there */
  double last_draw; /* seconds of CLOCK_MONOTONIC */
  FILE *log;        /* log.txt, once there is a run folder */
  bool log_failed;
  dlc_str early; /* lines from before it */
  pthread_mutex_t lock;
} cli_console;

void cli_console_open(cli_console *c, const cli_options *o); /* [main] */
void cli_console_close(cli_console *c);                      /* [main] */
/* From here on lines also go to this file, those so far first. */
dlc_status cli_console_log_to(cli_console *c, const char *path, bool append);

/* A line of a level, as a dlc_sink's. [any] */
void cli_console_line(void *console, int level, const char *text);
void cli_say(cli_console *c, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The reason of a failed command (CLI_FAILED, CLI_USAGE), before anything is cleaned up. [main] */
void cli_report(cli_console *c, int code);

/* [main] Shows how far the run is: on a terminal at most ten times a second, elsewhere a line every ten seconds. */
void cli_progress(cli_console *c, const dlc_progress *p);
/* The same for what has no loss: "check 120/500". */
void cli_progress_count(cli_console *c, const char *what, uint32_t done, uint32_t count);
void cli_progress_clear(cli_console *c);

#endif
