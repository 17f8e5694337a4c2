/* Signals that end a run. A handler has nothing but this flag to reach the run by. */
#include "stop.h"
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t received, save_asked;

static void on_signal(int signal_number)
{
  received = signal_number;
}

static void on_save(int signal_number)
{
  (void)signal_number;
  save_asked = 1;
}

void cli_stop_install(void)
{
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART}, old;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(signals[i], &action, NULL);
  const struct sigaction save = {.sa_handler = on_save, .sa_flags = SA_RESTART};
  if (sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(SIGUSR1, &save, NULL);
  /* Whoever reads our output may go; the run stays. */
  signal(SIGPIPE, SIG_IGN);
}

int cli_stop_signal(void)
{
  return received;
}

bool cli_save_asked(void)
{
  if (!save_asked) return false;
  save_asked = 0; /* one that comes just now means the checkpoint that is about to be written */
  return true;
}
