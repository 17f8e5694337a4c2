/* From options to a profile, and from a profile to terminal and files. */
#include "profile.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/status.h"
#include "run/profile_report.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SPANS = 1000000 }; /* 24 bytes each while running, about 200 in profile.json */
static const char TABLE_FILE[] = "profile.txt", TRACE_FILE[] = "profile.json";

/* "A..B" */
static bool read_steps(const char *text, dlc_profile_config *config)
{
  char first[32];
  const char *dots = strstr(text, "..");
  if (!dots || snprintf(first, sizeof first, "%.*s", (int)(dots - text), text) >= (int)sizeof first) return false;
  return dlc_parse_int(first, &config->first_step) && dlc_parse_int(dots + 2, &config->last_step) &&
         config->first_step >= 1 && config->first_step <= config->last_step;
}

int cli_profile_open(const cli_options *o, dlc_profile **profile)
{
  dlc_profile_config config = {.max_spans = MAX_SPANS};
  *profile = NULL;
  if (!o->profile) return CLI_OK;
  if (!read_steps(o->profile_steps, &config)) {
    dlc_fail(DLC_INVALID, "--profile-steps: '%s' is not A..B with 1 <= A <= B", o->profile_steps);
    return CLI_USAGE;
  }
  return dlc_profile_open(&config, profile) < 0 ? CLI_FAILED : CLI_OK;
}

static void remove_file(const cli_run_folder *folder, const char *name)
{
  char *path = cli_run_folder_file(folder, name);
  if (path) unlink(path);
  free(path);
}

void cli_profile_begin(const cli_run_folder *folder)
{
  remove_file(folder, TABLE_FILE);
  remove_file(folder, TRACE_FILE);
}

static int choice(const char *text, const char *const *words, int n)
{
  for (int i = 0; i < n; i++)
    if (strcmp(text, words[i]) == 0) return i;
  return 0;
}

static dlc_profile_view view_of(const cli_options *o)
{
  static const char *const by[] = {"op", "layer", "shape"}, *const sort[] = {"total", "self", "calls", "name"};
  return (dlc_profile_view){
      .by = choice(o->profile_by, by, 3), .sort = choice(o->profile_sort, sort, 4), .lines = (uint32_t)o->profile_rows};
}

static dlc_status say_table(const dlc_profile *profile, const cli_options *o, cli_console *c)
{
  const dlc_profile_view view = view_of(o);
  dlc_str text = {0};
  dlc_status status = dlc_profile_table(profile, &view, &text);
  char *rest = text.text;
  for (char *line; status >= 0 && (line = strsep(&rest, "\n")) && rest;) cli_console_line(c, DLC_LOG_INFO, line);
  dlc_str_free(&text);
  return status;
}

static dlc_status write_table(const dlc_profile *profile, const cli_options *o, const char *path)
{
  dlc_profile_view view = view_of(o);
  dlc_str text = {0};
  view.lines = 0;
  dlc_status status = dlc_profile_table(profile, &view, &text);
  if (status >= 0) status = dlc_write_file(path, dlc_str_get(&text), text.length);
  dlc_str_free(&text);
  return status;
}

static dlc_status write_files(dlc_profile *profile, const cli_options *o, cli_console *c, const cli_run_folder *folder)
{
  dlc_trace_info info;
  char *table = cli_run_folder_file(folder, TABLE_FILE), *trace = cli_run_folder_file(folder, TRACE_FILE);
  dlc_status status = table && trace ? write_table(profile, o, table) : dlc_fail_nomem();
  if (status >= 0) status = dlc_profile_trace(profile, trace, &info);
  if (status >= 0)
    cli_say(c, DLC_LOG_INFO, "profile   %s; steps %s in %s, for ui.perfetto.dev", table, o->profile_steps, trace);
  if (status >= 0 && info.left_out)
    cli_say(c, DLC_LOG_WARN, "%s shows the first %llu of %llu spans; ask for fewer with --profile-steps", trace,
            (unsigned long long)info.spans, (unsigned long long)(info.spans + info.left_out));
  free(table);
  free(trace);
  return status;
}

void cli_profile_report(dlc_profile *profile, const cli_options *o, cli_console *c, const cli_run_folder *folder)
{
  if (!profile) return;
  dlc_status status = say_table(profile, o, c);
  if (status >= 0 && folder->path) status = write_files(profile, o, c, folder);
  if (status < 0) cli_say(c, DLC_LOG_WARN, "the profile is not saved: %s", dlc_reason());
}
