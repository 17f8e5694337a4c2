/* dlcore, the program: reads the options, runs one command, reports how it ended. */
#include "base/clock.h"
#include "base/status.h"
#include "commands.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* When the process began: now, less the processor time that loading it took. /proc/self/stat knows the time itself, but
 * in steps of 10 ms. */
static double process_start(void)
{
  struct timespec used;
  double now = dlc_seconds();
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)) return now;
  return now - (double)used.tv_sec - 1e-9 * (double)used.tv_nsec;
}

/* Who starts us may have closed standard input, output or error: the next files to be opened would get their numbers,
 * and with them what is printed. That remains an error. */
static void keep_standard_files(void)
{
  int fd;
  do fd = open("/dev/null", O_RDONLY);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

/* As after `dlcore eval | head`: nobody misses the rest. */
static bool reader_is_gone(void)
{
  struct pollfd out = {.fd = STDOUT_FILENO};
  return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

static int run(cli_options *o, cli_console *c, double started)
{
  switch (o->command) {
  case CLI_SUMMARY: return cli_summary(o, c);
  case CLI_PLUGINS: return cli_plugins(o, c);
  case CLI_PREDICT: return cli_predict(o, c);
  case CLI_EVAL: return cli_eval(o, c);
  case CLI_PLOT: return cli_plot(o, c);
  case CLI_DATA: return cli_data(o, c);
  default: return cli_train(o, c, started);
  }
}

int main(int argc, char **argv)
{
  double started = process_start();
  keep_standard_files();
  cli_options options;
  cli_console console;
  const char *warning;
  /* A full quota is an error of write(), not the end of the process. */
  signal(SIGXFSZ, SIG_IGN);
  int code = cli_options_parse(argc, argv, &options, &warning);
  if (code != CLI_OK) {
    fprintf(stderr, "dlcore: %s\n", dlc_reason());
  } else if (options.help) {
    cli_help(options.command);
  } else if (options.version) {
    puts("dlcore " DLCORE_VERSION);
  } else {
    cli_console_open(&console, &options);
    if (warning) cli_console_line(&console, DLC_LOG_WARN, warning);
    code = run(&options, &console, started);
    cli_console_close(&console);
  }
  /* A run does not depend on who reads it; of everything else the output is all there is. */
  bool output_matters =
      options.command != CLI_TRAIN || options.dump_graph || options.print_config || options.help || options.version;
  if (code == CLI_OK && output_matters && (fflush(stdout) || ferror(stdout))) {
    if (!reader_is_gone()) fputs("dlcore: standard output cannot be written\n", stderr);
    code = CLI_FAILED;
  }
  cli_options_free(&options);
  return code;
}
