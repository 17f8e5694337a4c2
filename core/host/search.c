/* Where plugins are looked for: the folders, each once, and the files dlcore-ID.so in them, sorted by name. Opens no
 * file. */
#include "base/status.h"
#include "base/str.h"
#include "host/registry.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "dlcore-"
#define SUFFIX ".so"
enum { MAX_FOLDERS = 256 };

/* Adds a folder unless it is there already under any name. */
static dlc_status add_folder(dlc_registry *r, const char *path, size_t length)
{
  if (length == 0) return DLC_OK;
  char *given = dlc_arena_printf(&r->arena, "%.*s", (int)length, path);
  if (!given) return dlc_fail_nomem();
  char *real = realpath(given, NULL);
  if (real) given = dlc_arena_strdup(&r->arena, real);
  free(real);
  if (!given) return dlc_fail_nomem();
  for (uint32_t i = 0; i < r->n_folders; i++)
    if (strcmp(r->folders[i], given) == 0) return DLC_OK;
  if (r->n_folders == MAX_FOLDERS) return dlc_fail(DLC_INVALID, "more than %d plugin folders", MAX_FOLDERS);
  r->folders[r->n_folders++] = given;
  return DLC_OK;
}

static dlc_status add_folders(dlc_registry *r, const char *list)
{
  while (list && *list) {
    size_t n = strcspn(list, ":");
    DLC_TRY(add_folder(r, list, n));
    list += n + (list[n] == ':');
  }
  return DLC_OK;
}

static dlc_status add_home_folder(dlc_registry *r)
{
  const char *home = getenv("HOME");
  if (!home || !*home) return DLC_OK;
  char *path = dlc_arena_printf(&r->arena, "%s/.local/lib/dlcore", home);
  return path ? add_folder(r, path, strlen(path)) : dlc_fail_nomem();
}

/* <program>/../lib/dlcore, after links, so that a link in ~/bin to an unpacked release works. */
static dlc_status add_program_folder(dlc_registry *r, const char *program)
{
  char *real = realpath(program ? program : "/proc/self/exe", NULL);
  if (!real) return DLC_OK;
  char *slash = strrchr(real, '/');
  *slash = '\0';
  slash = strrchr(real, '/');
  char *path = dlc_arena_printf(&r->arena, "%.*s/lib/dlcore", slash ? (int)(slash - real) : 0, real);
  free(real);
  return path ? add_folder(r, path, strlen(path)) : dlc_fail_nomem();
}

static int is_plugin_name(const struct dirent *entry)
{
  size_t n = strlen(entry->d_name), fixed = strlen(PREFIX) + strlen(SUFFIX);
  return n > fixed && strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
         strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
  return strcmp((*a)->d_name, (*b)->d_name);
}

static dlc_status add_file(dlc_registry *r, const char *folder, const char *name)
{
  dlc_candidate *files = realloc(r->files, (r->n_files + 1) * sizeof *files);
  if (!files) return dlc_fail_nomem();
  r->files = files;
  dlc_candidate *c = &files[r->n_files++];
  size_t id_length = strlen(name) - strlen(PREFIX) - strlen(SUFFIX);
  *c = (dlc_candidate){.file.path = dlc_arena_printf(&r->arena, "%s/%s", folder, name),
                       .id = dlc_arena_printf(&r->arena, "%.*s", (int)id_length, name + strlen(PREFIX))};
  return c->file.path && c->id ? DLC_OK : dlc_fail_nomem();
}

/* A folder that the user named and that cannot be read is worth a line; a usual place that is not there is not. */
static dlc_status list_folder(dlc_registry *r, const char *folder, bool named)
{
  struct dirent **entries = NULL;
  int n = scandir(folder, &entries, is_plugin_name, by_name);
  if (n < 0) {
    if (errno == ENOMEM) return dlc_fail_nomem();
    if (named || errno != ENOENT) dlc_say(r->sink, DLC_LOG_WARN, "plugin folder %s: %s", folder, strerror(errno));
    return DLC_OK;
  }
  dlc_status status = DLC_OK;
  for (int i = 0; i < n; i++) {
    if (status == DLC_OK) status = add_file(r, folder, entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
  return status;
}

dlc_status dlc_search(dlc_registry *r, const dlc_registry_config *config)
{
  r->folders = dlc_arena_alloc(&r->arena, MAX_FOLDERS * sizeof *r->folders);
  if (!r->folders) return dlc_fail_nomem();
  DLC_TRY(add_folders(r, config->plugin_path));
  DLC_TRY(add_folders(r, getenv("DLCORE_PLUGIN_PATH")));
  uint32_t n_named = r->n_folders;
  DLC_TRY(add_home_folder(r));
  DLC_TRY(add_program_folder(r, config->program));
  DLC_TRY(add_folder(r, DLCORE_PLUGIN_DIR, strlen(DLCORE_PLUGIN_DIR)));
  for (uint32_t i = 0; i < r->n_folders; i++) DLC_TRY(list_folder(r, r->folders[i], i < n_named));
  return DLC_OK;
}
