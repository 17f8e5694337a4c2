/* dlcore data: the data by itself, before anything is trained on it. */
#include "base/names.h"
#include "base/status.h"
#include "commands.h"
#include "data_commands.h"
#include "stop.h"
#include <string.h>

/* ---- what the parts share ---- */

dlc_status cli_sweep_split(cli_job *job, uint32_t split, const char *what, dlc_sweep_task task,
                           void (*each)(void *ctx, uint32_t index, uint32_t i, const dlc_outcome *outcome), void *ctx)
{
  const dlc_sample_config config = {.dataset = job->dataset, .data = job->data, .split = split};
  const uint32_t count = (uint32_t)dlc_split_at(job->info, split)->count;
  dlc_sweep *sweep;
  DLC_TRY(dlc_sweep_open(&config, NULL, dlc_pool_threads(job->pool), CLI_SWEEP_ROOM, &sweep));
  dlc_status status = DLC_OK;
  for (uint32_t first = 0; status >= 0 && first < count; first += CLI_SWEEP_ROOM) {
    const uint32_t left = count - first, n = left < CLI_SWEEP_ROOM ? left : CLI_SWEEP_ROOM;
    const dlc_outcome *outcomes;
    status = dlc_sweep_run(sweep, first, n, task, ctx, &outcomes);
    for (uint32_t i = 0; status >= 0 && i < n; i++) each(ctx, first + i, i, &outcomes[i]);
    cli_progress_count(job->console, what, first + n, count);
    if (status >= 0 && cli_stop_signal()) status = DLC_END;
  }
  dlc_sweep_close(sweep);
  cli_progress_clear(job->console);
  return status;
}

/* ---- extract ---- */

static void tell_extracted(void *ctx, uint32_t done, uint32_t n)
{
  cli_progress_count(ctx, "extract", done, n);
}

static int extract(cli_job *job)
{
  const cli_options *o = job->options;
  if (o->arguments.n != 3) {
    dlc_fail(DLC_INVALID, "expected dlcore data extract ARCHIVE DIR");
    return CLI_USAGE;
  }
  const dlc_extract_config config = {.folder = o->arguments.items[2],
                                     .existing = o->exist_ok ? DLC_EXISTING_KEEP : DLC_EXISTING_REFUSE,
                                     .progress = tell_extracted,
                                     .ctx = job->console};
  dlc_extract_result result = {0};
  if (dlc_source_open(job->registry, o->arguments.items[1], &job->source) < 0) return CLI_FAILED;
  dlc_status status = dlc_source_extract(job->source, &config, &result);
  cli_progress_clear(job->console);
  if (status < 0) return CLI_FAILED;
  cli_say(job->console, DLC_LOG_INFO, "%s: %u file%s, %.1f MiB%s", config.folder, result.written,
          result.written == 1 ? "" : "s", (double)result.bytes / (1 << 20),
          result.kept ? ", besides those that were there" : "");
  return CLI_OK;
}

/* ---- which part ---- */

static const struct part {
  const char *name;
  int (*run)(cli_job *job);
} parts[] = {{"info", cli_data_info}, {"check", cli_data_check}, {"grid", cli_data_grid}, {"extract", extract}};
enum { N_PARTS = sizeof parts / sizeof *parts };

static int find_part(const cli_options *o, const struct part **part)
{
  const char *names[N_PARTS], *given = o->arguments.n ? o->arguments.items[0] : "";
  for (size_t i = 0; i < N_PARTS; i++) {
    names[i] = parts[i].name;
    *part = &parts[i];
    if (strcmp(given, names[i])) continue;
    if ((*part)->run == extract || o->arguments.n == 1) return CLI_OK;
    dlc_fail(DLC_INVALID, "unexpected argument '%s'; where the data is says --data-dir", o->arguments.items[1]);
    return CLI_USAGE;
  }
  const int near = dlc_nearest(given, names, N_PARTS);
  dlc_fail(DLC_INVALID, "expected dlcore data info, check, grid or extract%s%s%s", near < 0 ? "" : "; did you mean '",
           near < 0 ? "" : names[near], near < 0 ? "" : "'?");
  return CLI_USAGE;
}

int cli_data(cli_options *o, cli_console *c)
{
  cli_job job = {0};
  const struct part *part;
  int code = find_part(o, &part);
  if (code == CLI_OK) code = cli_job_open(&job, o, c);
  if (code == CLI_OK) {
    cli_stop_install();
    code = part->run(&job);
  }
  cli_progress_clear(c);
  cli_report(c, code);
  cli_job_close(&job);
  return code;
}
