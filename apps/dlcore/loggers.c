/* --logger: every one gets every row. */
#include "loggers.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

struct cli_logger {
  const dlc_logger *logger;
  const dlc_host *host;
  dlc_option_value *values; /* owned */
  dlc_log *log;             /* open; NULL: not, or no longer written to */
};

/* `--logger none` stands for no logger at all. */
int cli_loggers_find(cli_loggers *l, cli_job *job)
{
  const cli_list *specs = &job->options->logger;
  *l = (cli_loggers){.items = calloc(specs->n, sizeof *l->items)};
  if (!l->items) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  for (uint32_t i = 0; i < specs->n; i++) {
    if (strcmp(specs->items[i], "none") == 0) continue;
    struct cli_logger *item = &l->items[l->n];
    const void *object = NULL;
    const char *options;
    int code = cli_find_object(job, "--logger", DLC_IFACE_LOGGER, specs->items[i], &object, &item->host, &options);
    if (code != CLI_OK) return code;
    const dlc_logger *found = item->logger = object;
    code = cli_read_options("--logger", found->name, found->options, found->n_options, options, &item->values);
    if (code != CLI_OK) return code;
    l->n++;
  }
  return CLI_OK;
}

int cli_loggers_open(cli_loggers *l, const char *dir, bool resumed, const dlc_run *run)
{
  const char *slash = strrchr(dir, '/');
  dlc_run_info info = {.size = sizeof info, .dir = dir, .name = slash ? slash + 1 : dir, .resumed = resumed};
  if (resumed) dlc_run_position(run, &info.epochs, &info.steps);
  for (uint32_t i = 0; i < l->n; i++) {
    struct cli_logger *item = &l->items[i];
    dlc_status status = item->logger->open(item->logger, item->host, &info, item->values, &item->log);
    if (status >= 0) continue;
    item->log = NULL;
    dlc_fail_in(status, "logger %s", item->logger->name);
    return CLI_FAILED;
  }
  return CLI_OK;
}

static void close_one(struct cli_logger *item, cli_console *c)
{
  dlc_log *log = item->log;
  item->log = NULL;
  if (log && item->logger->close(log) < 0)
    cli_say(c, DLC_LOG_WARN, "logger %s did not end well: %s", item->logger->name, dlc_reason());
}

void cli_loggers_write(cli_loggers *l, const dlc_row *row, cli_console *c)
{
  for (uint32_t i = 0; i < l->n; i++) {
    struct cli_logger *item = &l->items[i];
    if (!item->log || item->logger->write(item->log, row) >= 0) continue;
    cli_say(c, DLC_LOG_WARN, "logger %s failed and is left alone from here on: %s", item->logger->name, dlc_reason());
    item->logger->close(item->log);
    item->log = NULL;
  }
}

void cli_loggers_close(cli_loggers *l, cli_console *c)
{
  for (uint32_t i = 0; i < l->n; i++) {
    close_one(&l->items[i], c);
    free(l->items[i].values);
  }
  free(l->items);
  *l = (cli_loggers){0};
}
