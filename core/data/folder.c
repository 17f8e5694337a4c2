/* A folder as a source. find() asks the file system; list() walks it once, following links to files and folders, as
 * people keep their data behind links. A folder that is inside of itself ends there. Files are opened relative to the
 * folder's descriptor, so the working folder may change. */
#include "base/arena.h"
#include "base/status.h"
#include "data/source.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct folder_source {
  dlc_source base; /* first */
  const dlc_sink *sink;
  int fd;
  bool listed;
  dlc_arena paths;
  dlc_entry *entries; /* owned */
  uint32_t n, room;
} folder_source;

bool dlc_entry_path_ok(const char *path)
{
  if (strlen(path) >= PATH_MAX) return false;
  for (const char *part = path;;) {
    size_t n = strcspn(part, "/");
    if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.')) return false;
    for (size_t i = 0; i < n; i++)
      if ((unsigned char)part[i] < ' ' || part[i] == 0x7f) return false;
    if (part[n] == '\0') return true;
    part += n + 1;
  }
}

/* ---- one file ---- */

/* The entry's own path is kept by the source only when list() made it; find() keeps a copy. */
static dlc_status folder_find(dlc_source *s, const char *path, dlc_entry *entry)
{
  folder_source *f = (folder_source *)s;
  struct stat st;
  if (!dlc_entry_path_ok(path)) return DLC_NOT_FOUND;
  if (fstatat(f->fd, path, &st, 0) != 0)
    return errno == ENOENT || errno == ENOTDIR ? DLC_NOT_FOUND
                                               : dlc_fail(DLC_IO, "%s/%s: %s", s->origin, path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return dlc_fail(DLC_IO, "%s/%s: %s", s->origin, path,
                    S_ISDIR(st.st_mode) ? strerror(EISDIR) : "not a regular file");
  const char *copy = dlc_arena_strdup(&f->paths, path);
  if (!copy) return dlc_fail_nomem();
  entry->path = copy;
  entry->bytes = (int64_t)st.st_size;
  entry->id = 0;
  return DLC_OK;
}

static dlc_status read_exactly(const folder_source *f, int fd, const dlc_entry *entry, void *buffer)
{
  const char *origin = f->base.origin, *path = entry->path;
  size_t done = 0, n = (size_t)entry->bytes;
  while (done < n) {
    ssize_t got = read(fd, (char *)buffer + done, n - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return dlc_fail(DLC_IO, "%s/%s: %s", origin, path, strerror(errno));
    if (got == 0)
      return dlc_fail(DLC_IO, "%s/%s: became shorter while it was read: %zu of %zu bytes", origin, path, done, n);
    done += (size_t)got;
  }
  return DLC_OK;
}

static dlc_status folder_read(dlc_source *s, const dlc_entry *entry, void *buffer)
{
  const folder_source *f = (const folder_source *)s;
  struct stat st;
  int fd = openat(f->fd, entry->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not stop us */
  if (fd < 0) return dlc_fail(DLC_IO, "%s/%s: %s", s->origin, entry->path, strerror(errno));
  dlc_status status;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
    status = dlc_fail(DLC_IO, "%s/%s: not a regular file", s->origin, entry->path);
  else if ((int64_t)st.st_size != entry->bytes)
    status = dlc_fail(DLC_IO, "%s/%s: has %lld bytes now, it had %lld when it was listed", s->origin, entry->path,
                      (long long)st.st_size, (long long)entry->bytes);
  else status = read_exactly(f, fd, entry, buffer);
  close(fd);
  return status;
}

/* ---- all files ---- */

/* The folders from the source's own down to the one that is being read. */
typedef struct level {
  const struct level *above;
  const char *path; /* "" at the top */
  dev_t device;
  ino_t inode;
  int depth;
} level;

static bool is_inside_itself(const level *l)
{
  for (const level *up = l->above; up; up = up->above)
    if (up->device == l->device && up->inode == l->inode) return true;
  return false;
}

static dlc_status add(folder_source *f, const char *path, int64_t bytes)
{
  if (f->n == DLC_SOURCE_MAX_ENTRIES)
    return dlc_fail(DLC_INVALID, "%s: more than the %d files allowed", f->base.origin, DLC_SOURCE_MAX_ENTRIES);
  if (f->n == f->room) {
    uint32_t room = f->room ? 2 * f->room : 256;
    dlc_entry *entries = realloc(f->entries, room * sizeof *entries);
    if (!entries) return dlc_fail_nomem();
    f->entries = entries;
    f->room = room;
  }
  f->entries[f->n++] = (dlc_entry){.size = sizeof(dlc_entry), .path = path, .bytes = bytes};
  return DLC_OK;
}

static dlc_status walk(folder_source *f, int fd, const level *here);

/* What cannot be read is said and left out; it must not keep the rest from being read. */
static dlc_status walk_into(folder_source *f, int parent, const char *name, const level *below)
{
  const char *origin = f->base.origin, *path = below->path;
  if (is_inside_itself(below)) {
    dlc_say(f->sink, DLC_LOG_WARN, "%s/%s: left out, it leads back to a folder that it is in", origin, path);
    return DLC_OK;
  }
  if (below->depth > DLC_SOURCE_MAX_DEPTH) {
    dlc_say(f->sink, DLC_LOG_WARN, "%s/%s: left out, more than %d folders deep", origin, path, DLC_SOURCE_MAX_DEPTH);
    return DLC_OK;
  }
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) return walk(f, fd, below);
  dlc_say(f->sink, DLC_LOG_WARN, "%s/%s: left out: %s", origin, path, strerror(errno));
  return DLC_OK;
}

static dlc_status visit(folder_source *f, int fd, const level *here, const char *name)
{
  struct stat st;
  if (!dlc_entry_path_ok(name)) {
    dlc_say(f->sink, DLC_LOG_WARN, "%s/%s: a file is left out for its unprintable name", f->base.origin, here->path);
    return DLC_OK;
  }
  if (fstatat(fd, name, &st, 0) != 0) {
    dlc_say(f->sink, DLC_LOG_WARN, "%s/%s%s%s: left out: %s", f->base.origin, here->path, *here->path ? "/" : "", name,
            errno == ENOENT ? "a link to nothing" : strerror(errno));
    return DLC_OK;
  }
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return DLC_OK;
  const char *path =
      *here->path ? dlc_arena_printf(&f->paths, "%s/%s", here->path, name) : dlc_arena_strdup(&f->paths, name);
  if (!path) return dlc_fail_nomem();
  if (S_ISREG(st.st_mode)) return add(f, path, (int64_t)st.st_size);
  level below = {here, path, st.st_dev, st.st_ino, here->depth + 1};
  return walk_into(f, fd, name, &below);
}

/* Closes fd. */
static dlc_status walk(folder_source *f, int fd, const level *here)
{
  DIR *folder = fdopendir(fd);
  if (!folder) {
    close(fd);
    return dlc_fail(DLC_IO, "%s/%s: %s", f->base.origin, here->path, strerror(errno));
  }
  dlc_status status = DLC_OK;
  const struct dirent *d;
  bool empty = true;
  while (status == DLC_OK && (errno = 0, d = readdir(folder))) {
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    empty = false;
    status = visit(f, fd, here, d->d_name);
  }
  if (status == DLC_OK && errno) status = dlc_fail(DLC_IO, "%s/%s: %s", f->base.origin, here->path, strerror(errno));
  else if (empty && *here->path) dlc_say(f->sink, DLC_LOG_WARN, "%s/%s: an empty folder", f->base.origin, here->path);
  closedir(folder);
  return status;
}

static int by_path(const void *a, const void *b)
{
  return strcmp(((const dlc_entry *)a)->path, ((const dlc_entry *)b)->path);
}

static dlc_status folder_list(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  folder_source *f = (folder_source *)s;
  if (!f->listed) {
    struct stat st;
    int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* with a position of its own */
    if (fd < 0) return dlc_fail(DLC_IO, "%s: %s", s->origin, strerror(errno));
    if (fstat(fd, &st) != 0) st = (struct stat){0};
    level top = {NULL, "", st.st_dev, st.st_ino, 0};
    f->n = 0;
    DLC_TRY(walk(f, fd, &top));
    if (f->n) qsort(f->entries, f->n, sizeof *f->entries, by_path);
    f->listed = true;
  }
  *entries = f->entries;
  *n = f->n;
  return DLC_OK;
}

/* ---- opening ---- */

static void folder_close(dlc_source *s)
{
  folder_source *f = (folder_source *)s;
  if (f->fd >= 0) close(f->fd);
  dlc_arena_free(&f->paths);
  free(f->entries);
  free(f);
}

dlc_status dlc_folder_open(const char *path, const dlc_sink *sink, dlc_source **source)
{
  folder_source *f = calloc(1, sizeof *f);
  if (!f) return dlc_fail_nomem();
  f->sink = sink;
  f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  const char *origin = dlc_arena_printf(&f->paths, "%.*s", (int)n, path);
  dlc_status status = DLC_OK;
  if (!origin) status = dlc_fail_nomem();
  else if (f->fd < 0) status = dlc_fail(DLC_IO, "%s: %s", path, strerror(errno));
  if (status != DLC_OK) {
    folder_close(&f->base);
    return status;
  }
  f->base = (dlc_source){.size = sizeof f->base,
                         .origin = origin,
                         .find = folder_find,
                         .list = folder_list,
                         .read = folder_read,
                         .close = folder_close};
  *source = &f->base;
  return DLC_OK;
}
