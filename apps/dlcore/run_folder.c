/* The run folder: OUTPUT/NAME, or OUTPUT/<dataset>-<model>-<YYYYmmdd-HHMMSS>. */
#include "run_folder.h"
#include "base/file.h"
#include "base/status.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 1000 };

int cli_run_folder_check(const cli_options *o)
{
  if (!o->name || o->dry_run) return CLI_OK;
  if (strchr(o->name, '/') || strcmp(o->name, ".") == 0 || strcmp(o->name, "..") == 0) {
    dlc_fail(DLC_INVALID, "--name: expected the name of a folder, got '%s'; --output says where it is", o->name);
    return CLI_USAGE;
  }
  dlc_str path = {0};
  dlc_str_addf(&path, "%s/%s", o->output, o->name);
  struct stat st;
  bool there = lstat(dlc_str_get(&path), &st) == 0;
  const bool welcome = o->exist_ok || o->resumed_run;
  if (there && !welcome)
    dlc_fail(DLC_INVALID, "%s exists; give another --name, or --exist-ok to write into it", dlc_str_get(&path));
  dlc_str_free(&path);
  return there && !welcome ? CLI_USAGE : CLI_OK;
}

/* What may stand in a folder's name, of a name up to its options. */
static void add_word(dlc_str *s, const char *word)
{
  for (size_t i = 0; word[i] && word[i] != ':'; i++) {
    char c = isalnum((unsigned char)word[i]) || strchr("._-", word[i]) ? word[i] : '_';
    dlc_str_addn(s, &c, 1);
  }
}

static void default_name(const cli_options *o, const char *model, dlc_str *name)
{
  char stamp[32];
  time_t now = time(NULL);
  struct tm local;
  strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
  add_word(name, o->dataset);
  dlc_str_add(name, "-");
  add_word(name, model);
  dlc_str_addf(name, "-%s", stamp);
}

/* The topmost part of `path` that does not exist yet; NULL: all do. */
static char *first_missing(const char *path)
{
  char *copy = strdup(path);
  for (char *p = copy; p && *p;) {
    p += strspn(p, "/");
    p += strcspn(p, "/");
    char kept = *p;
    *p = 0;
    if (!dlc_path_exists(copy)) return copy;
    *p = kept;
  }
  free(copy);
  return NULL;
}

/* mkdir of the last part alone tells whether this run made it. */
static int make_last(const cli_options *o, const char *model, cli_run_folder *folder)
{
  dlc_str name = {0}, path = {0};
  int code = CLI_FAILED;
  if (o->name) dlc_str_add(&name, o->name);
  else default_name(o, model, &name);
  for (int i = 1; i <= TRIES; i++) {
    dlc_str_clear(&path);
    dlc_str_addf(&path, "%s/%s", o->output, dlc_str_get(&name));
    if (i > 1) dlc_str_addf(&path, "-%d", i);
    bool made = mkdir(dlc_str_get(&path), 0777) == 0;
    int error = errno;
    if (made || (error == EEXIST && (o->exist_ok || o->resumed_run) && dlc_path_is_dir(dlc_str_get(&path)))) {
      folder->path = strdup(dlc_str_get(&path));
      folder->made = made;
      if (folder->path) code = CLI_OK;
      else dlc_fail_nomem();
      break;
    }
    dlc_fail(DLC_IO, "run folder %s: %s", dlc_str_get(&path), strerror(error));
    if (error != EEXIST || o->name) break;
  }
  dlc_str_free(&name);
  dlc_str_free(&path);
  return code;
}

/* Two runs in one folder would write over each other. File systems without locks do without. */
static int lock(cli_run_folder *folder)
{
  folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->lock < 0 || flock(folder->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return CLI_OK;
  dlc_fail(DLC_INVALID, "run folder %s: another dlcore is writing into it", folder->path);
  return CLI_FAILED;
}

int cli_run_folder_make(const cli_options *o, const char *model, cli_run_folder *folder)
{
  *folder = (cli_run_folder){.topmost = first_missing(o->output)};
  int code = dlc_make_dirs(o->output) < 0 ? CLI_FAILED : make_last(o, model, folder);
  if (code == CLI_OK) code = lock(folder);
  if (code == CLI_OK) {
    char *weights = cli_run_folder_file(folder, "weights");
    if (!weights) {
      dlc_fail_nomem();
      code = CLI_FAILED;
    } else if (dlc_make_dirs(weights) < 0) {
      code = CLI_FAILED;
    }
    free(weights);
  }
  if (code != CLI_OK) cli_run_folder_undo(folder, o->output);
  return code;
}

char *cli_run_folder_file(const cli_run_folder *folder, const char *name)
{
  char *path = NULL;
  return folder->path && asprintf(&path, "%s/%s", folder->path, name) >= 0 ? path : NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
  (void)st, (void)type, (void)at;
  return remove(path);
}

static void cut_slashes(char *path)
{
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
}

void cli_run_folder_undo(cli_run_folder *folder, const char *output)
{
  if (folder->path && folder->made) nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  folder->made = false;
  char *parent = folder->topmost ? strdup(output) : NULL;
  if (parent) cut_slashes(parent);
  while (parent && strlen(parent) >= strlen(folder->topmost) && rmdir(parent) == 0) {
    char *slash = strrchr(parent, '/');
    if (!slash) break;
    *slash = 0;
    cut_slashes(parent);
  }
  free(parent);
}

void cli_run_folder_free(cli_run_folder *folder)
{
  if (folder->lock > 0) close(folder->lock);
  free(folder->path);
  free(folder->topmost);
  *folder = (cli_run_folder){0};
}
