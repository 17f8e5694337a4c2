/* A logger: one JSON object a line, in log.jsonl of the run folder. Run
 *   dlcore --logger jsonl
 * A logger that fails is named once and then left alone; it never stops a training. */
#define _POSIX_C_SOURCE 200809L
#include <dlcore/plugin.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_STEPS };
static const dlc_option options[] = {{sizeof(dlc_option), DLC_OPTION_INT, "steps", "0", "0..1000000",
                                      "also a line every so many steps; 0: epochs only"}};

struct dlc_log {
  const dlc_host *host;
  FILE *file;
  int64_t steps;
};

/* A run that goes on repeats what came after its checkpoint: rows from there on are cut off. */
static int cut(FILE *file, const dlc_run_info *run)
{
  char line[4096], kind;
  long long epoch, step;
  long end = 0;
  while (fgets(line, sizeof line, file) && strchr(line, '\n') &&
         sscanf(line, "{\"kind\": \"%c%*[a-z]\", \"epoch\": %lld, \"step\": %lld", &kind, &epoch, &step) == 3 &&
         (kind == 'e' ? epoch <= run->epochs : step <= run->steps))
    end = ftell(file);
  return fseek(file, end, SEEK_SET) == 0 && ftruncate(fileno(file), end) == 0;
}

static dlc_status open_log(const dlc_logger *l, const dlc_host *h, const dlc_run_info *run,
                           const dlc_option_value *values, dlc_log **log)
{
  char path[4096];
  (void)l;
  snprintf(path, sizeof path, "%s/log.jsonl", run->dir);
  dlc_log *g = malloc(sizeof *g);
  if (!g) return h->fail(h, DLC_NOMEM, "jsonl: out of memory");
  *g = (dlc_log){h, NULL, values[OPTION_STEPS].i};
  const int goes_on = DLC_HAS(run, resumed) && (g->file = fopen(path, "r+")) != NULL;
  if (!goes_on) g->file = fopen(path, "w");
  if (!g->file || (goes_on && !cut(g->file, run))) {
    if (g->file) fclose(g->file);
    free(g);
    return h->fail(h, DLC_IO, "%s: %s", path, strerror(errno));
  }
  *log = g;
  return DLC_OK;
}

static dlc_status write_row(dlc_log *log, const dlc_row *row)
{
  if (row->kind == DLC_ROW_STEP && (log->steps == 0 || row->step % log->steps != 0)) return DLC_OK;
  fprintf(log->file, "{\"kind\": \"%s\", \"epoch\": %lld, \"step\": %lld", row->kind == DLC_ROW_STEP ? "step" : "epoch",
          (long long)row->epoch, (long long)row->step);
  for (uint32_t i = 0; i < row->n; i++) {
    if (isfinite(row->values[i])) fprintf(log->file, ", \"%s\": %.9g", row->names[i], row->values[i]);
    else fprintf(log->file, ", \"%s\": null", row->names[i]); /* JSON has no NaN */
  }
  fputs("}\n", log->file);
  if (fflush(log->file) != 0) return log->host->fail(log->host, DLC_IO, "log.jsonl: %s", strerror(errno));
  return DLC_OK;
}

static dlc_status close_log(dlc_log *log)
{
  dlc_status status = DLC_OK;
  if (fclose(log->file) != 0) status = log->host->fail(log->host, DLC_IO, "log.jsonl: %s", strerror(errno));
  free(log);
  return status;
}

static const dlc_logger logger = {.size = sizeof(dlc_logger),
                                  .name = "jsonl",
                                  .help = "JSON lines, one row a line",
                                  .options = options,
                                  .n_options = 1,
                                  .open = open_log,
                                  .write = write_row,
                                  .close = close_log};

static const void *get(const char *iface, uint32_t i)
{
  return strcmp(iface, DLC_IFACE_LOGGER) == 0 && i == 0 ? &logger : NULL;
}

static const dlc_plugin plugin = {DLC_PLUGIN("jsonl", "1.0.0", "MIT"), .get = get};

DLC_EXPORT const dlc_plugin *dlcore_plugin(void)
{
  return &plugin;
}
