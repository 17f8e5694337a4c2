/* A folder source of which only some files are listed. */
#include "picked.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

typedef struct picked {
  dlc_source base;    /* first */
  dlc_source *folder; /* owned */
  dlc_entry *entries; /* owned; sorted */
  uint32_t n;
} picked;

size_t cli_folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static dlc_status picked_find(dlc_source *s, const char *path, dlc_entry *entry)
{
  const picked *p = (const picked *)s;
  return p->folder->find(p->folder, path, entry);
}

static dlc_status picked_list(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  const picked *p = (const picked *)s;
  *entries = p->entries;
  *n = p->n;
  return DLC_OK;
}

static dlc_status picked_read(dlc_source *s, const dlc_entry *entry, void *buffer)
{
  const picked *p = (const picked *)s;
  return p->folder->read(p->folder, entry, buffer);
}

static void picked_close(dlc_source *s)
{
  picked *p = (picked *)s;
  if (p->folder) p->folder->close(p->folder);
  free(p->entries);
  free(p);
}

static int by_path(const void *a, const void *b)
{
  return strcmp(((const dlc_entry *)a)->path, ((const dlc_entry *)b)->path);
}

static dlc_status open_folder(picked *p, const char *path, const dlc_sink *sink)
{
  const size_t n = cli_folder_length(path);
  char *folder = n ? strndup(path, n > 1 ? n - 1 : 1) : strdup(".");
  dlc_status status = folder ? dlc_folder_open(folder, sink, &p->folder) : dlc_fail_nomem();
  free(folder);
  return status;
}

static dlc_status pick(picked *p, const char *const *paths, uint32_t n, const dlc_sink *sink)
{
  DLC_TRY(open_folder(p, paths[0], sink));
  p->base.origin = p->folder->origin;
  p->entries = calloc(n, sizeof *p->entries);
  if (!p->entries) return dlc_fail_nomem();
  for (uint32_t i = 0; i < n; i++) {
    p->entries[i].size = sizeof *p->entries;
    dlc_status status = p->folder->find(p->folder, paths[i] + cli_folder_length(paths[i]), &p->entries[i]);
    if (status == DLC_NOT_FOUND) dlc_fail(status, "%s: no such file", paths[i]);
    if (status < 0) return status;
  }
  qsort(p->entries, n, sizeof *p->entries, by_path);
  for (uint32_t i = 0; i < n; i++)
    if (i == 0 || by_path(&p->entries[i - 1], &p->entries[i])) p->entries[p->n++] = p->entries[i];
  return DLC_OK;
}

dlc_status cli_picked_open(const char *const *paths, uint32_t n, const dlc_sink *sink, dlc_source **source)
{
  *source = NULL;
  picked *p = calloc(1, sizeof *p);
  if (!p) return dlc_fail_nomem();
  p->base = (dlc_source){
      .size = sizeof p->base, .find = picked_find, .list = picked_list, .read = picked_read, .close = picked_close};
  dlc_status status = pick(p, paths, n, sink);
  if (status < 0) picked_close(&p->base);
  else *source = &p->base;
  return status;
}
