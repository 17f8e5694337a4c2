/* --resume: which run goes on, and with which options. */
#include "base/file.h"
#include "base/status.h"
#include "options.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHECKPOINTS "checkpoints"

static bool has_checkpoints(const char *run, struct stat *st)
{
  bool found = false;
  static const char *const names[] = {"last", "previous"};
  for (int i = 0; i < 2 && !found; i++) {
    dlc_str path = {0};
    dlc_str_addf(&path, "%s/" CHECKPOINTS "/%s.safetensors", run, names[i]);
    found = dlc_str_ok(&path) && stat(dlc_str_get(&path), st) == 0;
    dlc_str_free(&path);
  }
  return found;
}

static bool newer(const struct stat *a, const struct stat *b)
{
  if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
  return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* The run folder below `output` whose checkpoint was written last; NULL: none. */
static const char *newest_run(cli_options *o)
{
  DIR *dir = opendir(o->output);
  struct stat best = {0}, st;
  const char *found = NULL;
  for (struct dirent *e; dir && (e = readdir(dir));) {
    const char *run = *e->d_name == '.' ? NULL : dlc_arena_printf(&o->arena, "%s/%s", o->output, e->d_name);
    if (!run || !has_checkpoints(run, &st) || (found && !newer(&st, &best))) continue;
    found = run;
    best = st;
  }
  if (dir) closedir(dir);
  return found;
}

static const char *find_auto(cli_options *o)
{
  struct stat st;
  if (!o->name) return newest_run(o);
  const char *run = dlc_arena_printf(&o->arena, "%s/%s", o->output, o->name);
  return run && has_checkpoints(run, &st) ? run : NULL;
}

/* RUN of RUN/checkpoints/FILE; NULL: it is no such file. */
static const char *run_of_file(cli_options *o, const char *path)
{
  char *copy = dlc_arena_strdup(&o->arena, path), *slash = copy ? strrchr(copy, '/') : NULL;
  if (!slash) return NULL;
  *slash = 0;
  slash = strrchr(copy, '/');
  if (strcmp(slash ? slash + 1 : copy, CHECKPOINTS) != 0) return NULL;
  if (!slash) return ".";
  *slash = 0;
  return *copy ? copy : "/";
}

/* The path of a folder, which ends in the folder's name: not in "/", "." or "..". */
static char *named_path(cli_options *o, const char *run)
{
  char *copy = dlc_arena_strdup(&o->arena, run);
  for (size_t n = copy ? strlen(copy) : 0; n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = 0;
  const char *slash = copy ? strrchr(copy, '/') : NULL, *name = slash ? slash + 1 : copy;
  if (!copy || (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)) return copy;
  char *whole = realpath(copy, NULL);
  if (whole) copy = dlc_arena_strdup(&o->arena, whole);
  free(whole);
  return copy;
}

/* The run's options in the place of a configuration file's; then its folder is where the run goes on. */
static int take_run(cli_options *o, const char *run)
{
  char *config = dlc_arena_printf(&o->arena, "%s/config.yaml", run), *copy = named_path(o, run);
  if (!config || !copy) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  if (cli_options_forget_file(o) < 0 || cli_config_read(config, o) < 0) return CLI_USAGE;
  char *slash = strrchr(copy, '/');
  o->resumed_run = run;
  o->output = slash == copy ? "/" : slash ? copy : ".";
  o->name = slash ? slash + 1 : copy;
  if (slash) *slash = 0;
  return CLI_OK;
}

int cli_resume_find(cli_options *o)
{
  const bool any = strcmp(o->resume, "auto") == 0, folder = !any && dlc_path_is_dir(o->resume);
  struct stat st;
  if (!any && cli_option_typed(o, "name")) {
    dlc_fail(DLC_INVALID, "--name: the run of --resume %s goes on in its own folder", o->resume);
    return CLI_USAGE;
  }
  if (!any && !dlc_path_exists(o->resume)) {
    dlc_fail(DLC_INVALID, "--resume: there is no %s", o->resume);
    return CLI_USAGE;
  }
  if (folder && !has_checkpoints(o->resume, &st)) {
    dlc_fail(DLC_INVALID, "--resume: %s has no " CHECKPOINTS "/last.safetensors", o->resume);
    return CLI_USAGE;
  }
  const char *run = any ? find_auto(o) : folder ? o->resume : run_of_file(o, o->resume);
  if (any || folder) o->checkpoint = run ? dlc_arena_printf(&o->arena, "%s/" CHECKPOINTS, run) : NULL;
  else o->checkpoint = o->resume;
  if (any && !run) o->exist_ok = true; /* a folder without a checkpoint is one that was not worth much */
  return run ? take_run(o, run) : CLI_OK;
}
