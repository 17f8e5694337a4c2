/* Where models are: a name stands for a file of the installation, anything with a '/' or .yaml for itself. */
#include "base/file.h"
#include "base/names.h"
#include "base/status.h"
#include "job.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_suffix(const char *text, const char *suffix)
{
  size_t n = strlen(text), m = strlen(suffix);
  return n > m && strcmp(text + n - m, suffix) == 0;
}

/* The i-th folder of models: beside the program (an installation that was moved, or the build folder), then where it
 * was installed to. */
static bool model_folder(unsigned i, dlc_str *folder)
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
    dlc_str_addf(folder, "%s/share/dlcore/models", program);
  } else if (i == 1) {
    dlc_str_add(folder, DLCORE_MODEL_DIR);
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

/* Appends the names of the models in one folder that are not there yet; they are the caller's to free. */
static size_t list_models(const char *folder, char **names, size_t n)
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

static int unknown_model(const char *model)
{
  char *names[NAMES_MAX];
  size_t n = 0;
  dlc_str folder = {0}, list = {0};
  for (unsigned i = 0; model_folder(i, &folder); i++) n = list_models(dlc_str_get(&folder), names, n);
  qsort(names, n, sizeof *names, by_name);
  int near = dlc_nearest(model, (const char *const *)names, n);
  for (size_t i = 0; i < n; i++) dlc_str_addf(&list, "%s%s", i ? ", " : "", names[i]);
  if (near >= 0) dlc_fail(DLC_NOT_FOUND, "--model: there is no model '%s'; did you mean '%s'?", model, names[near]);
  else
    dlc_fail(DLC_NOT_FOUND, "--model: there is no model '%s'; there are: %s; a file is written ./%s or %s.yaml", model,
             n ? dlc_str_get(&list) : "none", model, model);
  for (size_t i = 0; i < n; i++) free(names[i]);
  dlc_str_free(&list);
  dlc_str_free(&folder);
  return CLI_USAGE;
}

int cli_find_model(const char *model, char **path)
{
  *path = NULL;
  if (strchr(model, '/') || has_suffix(model, ".yaml")) {
    *path = strdup(model);
  } else {
    dlc_str folder = {0};
    bool found = false;
    for (unsigned i = 0; !found && model_folder(i, &folder); i++) {
      dlc_str_addf(&folder, "/%s.yaml", model);
      found = dlc_str_ok(&folder) && dlc_path_exists(dlc_str_get(&folder));
    }
    if (found) *path = strdup(dlc_str_get(&folder));
    dlc_str_free(&folder);
    if (!found) return unknown_model(model);
  }
  if (*path) return CLI_OK;
  dlc_fail_nomem();
  return CLI_FAILED;
}
