/* The commands. Each returns an exit code and has reported what went wrong. */
#ifndef DLCORE_APP_COMMANDS_H
#define DLCORE_APP_COMMANDS_H
#include "console.h"

/* `started`: seconds of CLOCK_MONOTONIC when the process began. Also returns 128 + N after signal N. */
int cli_train(cli_options *o, cli_console *c, double started);
int cli_summary(cli_options *o, cli_console *c);
int cli_plugins(cli_options *o, cli_console *c);
int cli_predict(cli_options *o, cli_console *c);
int cli_eval(cli_options *o, cli_console *c);
int cli_plot(cli_options *o, cli_console *c);
int cli_data(cli_options *o, cli_console *c);

#endif
