/* What becomes of bad pictures, see bad_files.h. */
#include "bad_files.h"
#include "base/status.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 10 };

int cli_bad_policy(const cli_options *o)
{
  if (strcmp(o->on_bad_image, "skip") == 0) return DLC_BAD_SKIP;
  return strcmp(o->on_bad_image, "warn") == 0 ? DLC_BAD_WARN : DLC_BAD_FAIL;
}

int cli_bad_files_begin(cli_bad_files *b, const cli_run_folder *folder)
{
  b->path = cli_run_folder_file(folder, "bad_files.txt");
  if (!b->path) dlc_fail_nomem();
  else if (unlink(b->path) && errno != ENOENT) dlc_fail(DLC_IO, "%s: %s", b->path, strerror(errno));
  else return CLI_OK;
  return CLI_FAILED;
}

/* A name from an archive may hold anything but NUL. */
static void put_plain(FILE *f, const char *text)
{
  for (; *text; text++) putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, f);
}

static bool write_line(cli_bad_files *b, const char *name, const char *reason)
{
  if (!b->file) b->file = fopen(b->path, "we");
  if (!b->file) return false;
  put_plain(b->file, name);
  putc('\t', b->file);
  put_plain(b->file, reason);
  putc('\n', b->file);
  return fflush(b->file) == 0;
}

void cli_bad_files_add(cli_bad_files *b, cli_console *c, const char *name, const char *reason)
{
  const char *lead = strstr(reason, name) ? "" : name;
  if (++b->count <= SHOWN)
    cli_say(c, DLC_LOG_WARN, "bad picture %s%s%s%s", lead, *lead ? ": " : "", reason,
            b->path && b->count == SHOWN ? " (the others are in bad_files.txt)" : "");
  if (!b->path || b->failed || write_line(b, name, reason)) return;
  b->failed = true;
  cli_say(c, DLC_LOG_WARN, "%s cannot be written: %s", b->path, strerror(errno));
}

void cli_bad_files_say(const cli_bad_files *b, cli_console *c)
{
  if (b->count)
    cli_say(c, DLC_LOG_WARN, "%u bad picture%s; %s names %s", b->count, b->count == 1 ? "" : "s", b->path,
            b->count == 1 ? "it" : "them");
}

void cli_bad_files_close(cli_bad_files *b)
{
  if (b->file) fclose(b->file);
  free(b->path);
  *b = (cli_bad_files){0};
}
