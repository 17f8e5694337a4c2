/* Models and recipes: a name stands for a file of the installation, anything with a '/' or .yaml for itself. */
#include "base/file.h"
#include "base/names.h"
#include "base/status.h"
#include "options.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_suffix(const char *text, const char *suffix)
{
  size_t n = strlen(text), m = strlen(suffix);
  return n > m && strcmp(text + n - m, suffix) == 0;
}

typedef struct kind {
  const char *option, *word, *folder;
} kind;
static const kind kinds[] = {
    [CLI_MODEL_FILE] = {"--model", "model", "models"}, [CLI_RECIPE_FILE] = {"--config", "recipe", "recipes"}};

/* The i-th folder of the kind: beside the program (an installation that was moved, or the build folder), then where it
 * was installed to. */
static bool shared_folder(const kind *k, unsigned i, dlc_str *folder)
{
  char program[4096];
  dlc_str_clear(folder);
  if (i == 0) {
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    for (int part = 0; part < 2; part++) { /* bin/dlcore */
      char *slash = strrchr(program, '/');
      if (slash) *slash = 0;
    }
    dlc_str_addf(folder, "%s/share/dlcore/%s", program, k->folder);
  } else if (i == 1) {
    dlc_str_addf(folder, DLCORE_DATA_DIR "/%s", k->folder);
  }
  return i <= 1 && dlc_str_ok(folder);
}

enum { NAMES_MAX = 256 };

static bool is_among(char *const *names, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

/* Appends the names of the files in one folder that are not there yet; they are the caller's to free. */
static size_t list_names(const char *folder, char **names, size_t n)
{
  DIR *dir = opendir(folder);
  if (!dir) return n;
  for (struct dirent *e; n < NAMES_MAX && (e = readdir(dir));) {
    if (!has_suffix(e->d_name, ".yaml")) continue;
    char *name = strndup(e->d_name, strlen(e->d_name) - 5);
    if (name && !is_among(names, n, name)) names[n++] = name;
    else free(name);
  }
  closedir(dir);
  return n;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int unknown_name(const kind *k, const char *name)
{
  char *names[NAMES_MAX];
  size_t n = 0;
  dlc_str folder = {0}, list = {0};
  for (unsigned i = 0; shared_folder(k, i, &folder); i++) n = list_names(dlc_str_get(&folder), names, n);
  qsort(names, n, sizeof *names, by_name);
  int near = dlc_nearest(name, (const char *const *)names, n);
  for (size_t i = 0; i < n; i++) dlc_str_addf(&list, "%s%s", i ? ", " : "", names[i]);
  if (near >= 0)
    dlc_fail(DLC_NOT_FOUND, "%s: there is no %s '%s'; did you mean '%s'?", k->option, k->word, name, names[near]);
  else
    dlc_fail(DLC_NOT_FOUND, "%s: there is no %s '%s'; there are: %s; a file is written ./%s or %s.yaml", k->option,
             k->word, name, n ? dlc_str_get(&list) : "none", name, name);
  for (size_t i = 0; i < n; i++) free(names[i]);
  dlc_str_free(&list);
  dlc_str_free(&folder);
  return CLI_USAGE;
}

int cli_find_file(int which, const char *name, char **path)
{
  const kind *k = &kinds[which];
  *path = NULL;
  if (strchr(name, '/') || has_suffix(name, ".yaml")) {
    *path = strdup(name);
  } else {
    dlc_str folder = {0};
    bool found = false;
    for (unsigned i = 0; !found && shared_folder(k, i, &folder); i++) {
      dlc_str_addf(&folder, "/%s.yaml", name);
      found = dlc_str_ok(&folder) && dlc_path_exists(dlc_str_get(&folder));
    }
    if (found) *path = strdup(dlc_str_get(&folder));
    dlc_str_free(&folder);
    if (!found) return unknown_name(k, name);
  }
  if (*path) return CLI_OK;
  dlc_fail_nomem();
  return CLI_FAILED;
}
