/* Lines for the user: which stream, which colour, and the copy in log.txt. */
#include "console.h"
#include "base/status.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool wants_color(const char *when, int fd)
{
  if (strcmp(when, "auto")) return strcmp(when, "always") == 0;
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb");
}

void cli_console_open(cli_console *c, const cli_options *o)
{
  const char *term = getenv("TERM");
  *c = (cli_console){.shown = o->quiet ? DLC_LOG_ERROR : o->verbose ? DLC_LOG_DEBUG : DLC_LOG_INFO};
  c->progress = o->progress && !o->quiet;
  c->redraw = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
  c->color_out = wants_color(o->color, STDOUT_FILENO);
  c->color_err = wants_color(o->color, STDERR_FILENO);
  if (c->redraw && setlocale(LC_CTYPE, "")) c->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  pthread_mutex_init(&c->lock, NULL);
}

void cli_console_close(cli_console *c)
{
  cli_progress_clear(c);
  if (c->log) fclose(c->log);
  c->log = NULL;
  dlc_str_free(&c->early);
  pthread_mutex_destroy(&c->lock);
}

/* The lock is held. A log that cannot be written is mentioned once; the run goes on. */
static void write_log(cli_console *c, const char *text)
{
  if (!c->log) {
    dlc_str_add(&c->early, text);
    return;
  }
  if (fputs(text, c->log) >= 0 && fflush(c->log) == 0) return;
  if (!c->log_failed) fprintf(stderr, "dlcore: warning: log.txt cannot be written: %s\n", strerror(errno));
  c->log_failed = true;
}

dlc_status cli_console_log_to(cli_console *c, const char *path, bool append)
{
  FILE *log = fopen(path, append ? "ae" : "we");
  if (!log) return dlc_fail(DLC_IO, "%s: %s", path, strerror(errno));
  if (fputs(dlc_str_get(&c->early), log) < 0 || fflush(log)) {
    dlc_status status = dlc_fail(DLC_IO, "%s: %s", path, strerror(errno));
    fclose(log);
    return status;
  }
  pthread_mutex_lock(&c->lock);
  c->log = log;
  dlc_str_free(&c->early);
  pthread_mutex_unlock(&c->lock);
  return DLC_OK;
}

static void take_away(cli_console *c)
{
  if (c->drawn) fputs("\r\033[K", stderr);
  c->drawn = false;
}

void cli_progress_clear(cli_console *c)
{
  pthread_mutex_lock(&c->lock);
  take_away(c);
  fflush(stderr);
  pthread_mutex_unlock(&c->lock);
}

static const char *level_word(int level)
{
  return level >= DLC_LOG_ERROR ? "error: " : level == DLC_LOG_WARN ? "warning: " : "";
}

/* "dlcore: no such thing" and "dlcore: warning: not so fast". The lock is held. */
static void print_trouble(const cli_console *c, int level, const char *text)
{
  const char *on = !c->color_err ? "" : level == DLC_LOG_WARN ? "\033[33m" : "\033[31m";
  fflush(stdout);
  fprintf(stderr, "%sdlcore: %s%s%s\n", on, level == DLC_LOG_WARN ? "warning: " : "", *on ? "\033[0m" : "", text);
}

void cli_console_line(void *console, int level, const char *text)
{
  cli_console *c = console;
  char stamp[32];
  time_t now = time(NULL);
  struct tm local;
  strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
  pthread_mutex_lock(&c->lock);
  dlc_str line = {0};
  dlc_str_addf(&line, "%s %s%s\n", stamp, level_word(level), text);
  write_log(c, dlc_str_get(&line));
  dlc_str_free(&line);
  if (level >= c->shown) {
    take_away(c);
    if (level >= DLC_LOG_WARN) {
      print_trouble(c, level, text);
    } else {
      fflush(stderr);
      printf("%s\n", text);
      fflush(stdout);
    }
  }
  pthread_mutex_unlock(&c->lock);
}

void cli_say(cli_console *c, int level, const char *format, ...)
{
  char text[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  cli_console_line(c, level, text);
}

void cli_report(cli_console *c, int code)
{
  if (code == CLI_FAILED || code == CLI_USAGE) cli_console_line(c, DLC_LOG_ERROR, dlc_reason());
}
