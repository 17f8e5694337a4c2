/* Files from a source into a folder, for those who want them there. Every step goes from an open folder to a name in it
 * without following links, so nothing outside can be reached, whatever is put into the folder meanwhile. */
#include "base/file.h"
#include "base/status.h"
#include "data/source.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIGABYTE (UINT64_C(1) << 30)

typedef struct extraction {
  dlc_source *source;
  const dlc_extract_config *config;
  dlc_extract_result *result;
  int root; /* the folder */
  uint8_t *buffer;
  size_t room;
} extraction;

/* ---- limits ---- */

static dlc_status total_bytes(const extraction *x, const dlc_entry *entries, uint32_t n, uint64_t *total)
{
  *total = 0;
  for (uint32_t i = 0; i < n; i++) {
    const dlc_entry *e = dlc_entry_at(entries, i);
    if (!dlc_entry_path_ok(e->path))
      return dlc_fail(DLC_INVALID, "%s: an entry's name cannot be trusted: nothing is extracted", x->source->origin);
    if (e->bytes < 0 || (uint64_t)e->bytes > UINT64_MAX / 2 - *total)
      return dlc_fail(DLC_INVALID, "%s: '%s' has an impossible size", x->source->origin, e->path);
    *total += (uint64_t)e->bytes;
  }
  return DLC_OK;
}

static dlc_status check_limits(const extraction *x, uint32_t n, uint64_t total)
{
  const dlc_extract_config *c = x->config;
  const char *origin = x->source->origin;
  uint64_t most = c->max_bytes ? c->max_bytes : 64 * GIGABYTE;
  uint32_t entries = c->max_entries ? c->max_entries : DLC_SOURCE_MAX_ENTRIES,
           ratio = c->max_ratio ? c->max_ratio : 250;
  struct stat st;
  if (n > entries) return dlc_fail(DLC_INVALID, "%s: %u files, at most %u are extracted", origin, n, entries);
  if (total > most)
    return dlc_fail(DLC_INVALID, "%s: %" PRIu64 " bytes of files, at most %" PRIu64 " are extracted", origin, total,
                    most);
  if (stat(origin, &st) == 0 && S_ISREG(st.st_mode) && total > GIGABYTE / 4 && total / ratio > (uint64_t)st.st_size)
    return dlc_fail(DLC_INVALID, "%s: its %lld bytes unpack to %" PRIu64 ", more than %u times as many: not extracted",
                    origin, (long long)st.st_size, total, ratio);
  return DLC_OK;
}

static dlc_status check_space(const extraction *x, uint64_t total)
{
  struct statvfs disk;
  if (x->config->existing != DLC_EXISTING_REFUSE || fstatvfs(x->root, &disk) != 0) return DLC_OK;
  uint64_t there = (uint64_t)disk.f_bavail * disk.f_frsize;
  if (total <= there) return DLC_OK;
  return dlc_fail(DLC_IO, "%s: %" PRIu64 " MB are free, %" PRIu64 " MB are needed", x->config->folder, there / 1000000,
                  total / 1000000);
}

/* ---- folders ---- */

/* Opens the folder that `path` lies in, making what is missing; *name: the rest of the path. -1: errno says why. */
static int open_parent(int root, const char *path, const char **name)
{
  char part[NAME_MAX + 1];
  int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
  for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
    size_t n = (size_t)(slash - path);
    int below = -1;
    if (n < sizeof part) {
      memcpy(part, path, n);
      part[n] = '\0';
      if (mkdirat(fd, part, 0777) == 0 || errno == EEXIST)
        below = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } else {
      errno = ENAMETOOLONG;
    }
    int error = errno;
    close(fd);
    errno = error;
    fd = below;
  }
  *name = path;
  return fd;
}

/* Whether something is there, be it a link to nothing. Never makes a folder. */
static bool exists(int root, const char *path)
{
  struct stat st;
  return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static dlc_status check_existing(const extraction *x, const dlc_entry *entries, uint32_t n)
{
  if (x->config->existing != DLC_EXISTING_REFUSE) return DLC_OK;
  for (uint32_t i = 0; i < n; i++)
    if (exists(x->root, dlc_entry_at(entries, i)->path))
      return dlc_fail(DLC_INVALID, "%s/%s: exists already; nothing is extracted", x->config->folder,
                      dlc_entry_at(entries, i)->path);
  return DLC_OK;
}

/* ---- one file ---- */

static dlc_status cannot_write(const extraction *x, const dlc_entry *e, int error)
{
  return dlc_fail(DLC_IO, "%s/%s: %s", x->config->folder, e->path,
                  error == ELOOP || error == ENOTDIR ? "a link or file is in the place of a folder" : strerror(error));
}

static dlc_status get_content(extraction *x, const dlc_entry *e, const void **content)
{
  dlc_source *s = x->source;
  *content = DLC_HAS(s, bytes) ? s->bytes(s, e) : NULL;
  if (*content) return DLC_OK;
  if ((uint64_t)e->bytes >= x->room) {
    free(x->buffer);
    x->room = (size_t)e->bytes + (size_t)e->bytes / 4 + 4096;
    x->buffer = malloc(x->room);
    if (!x->buffer) {
      x->room = 0;
      return dlc_fail_nomem();
    }
  }
  *content = x->buffer;
  return s->read(s, e, x->buffer);
}

static int write_all(int fd, const char *bytes, size_t n)
{
  while (n > 0) {
    ssize_t written = write(fd, bytes, n);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    n -= (size_t)written;
  }
  return 0;
}

/* Under another name first, so that a file is whole when it has its own. Returns an errno. */
static int write_file(const extraction *x, int folder, const char *name, const void *content, size_t n)
{
  char temporary[64];
  snprintf(temporary, sizeof temporary, ".dlcore-extract.%ld.tmp", (long)getpid());
  (void)unlinkat(folder, temporary, 0); /* of a process of this number that was killed */
  int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = write_all(fd, content, n);
  if (close(fd) != 0 && !error) error = errno;
  unsigned flags = x->config->existing == DLC_EXISTING_REPLACE ? 0 : RENAME_NOREPLACE;
  if (!error && renameat2(folder, temporary, folder, name, flags) != 0) {
    error = errno;
    /* Not every file system knows the flag; what is there was looked for before. */
    if (error == EINVAL && flags) error = renameat(folder, temporary, folder, name) == 0 ? 0 : errno;
  }
  if (error) (void)unlinkat(folder, temporary, 0);
  return error;
}

static dlc_status extract_one(extraction *x, const dlc_entry *e)
{
  if (x->config->existing == DLC_EXISTING_KEEP && exists(x->root, e->path)) {
    x->result->kept++;
    return DLC_OK;
  }
  const void *content;
  const char *name;
  DLC_TRY(get_content(x, e, &content));
  int folder = open_parent(x->root, e->path, &name);
  if (folder < 0) return cannot_write(x, e, errno);
  int error = write_file(x, folder, name, content, (size_t)e->bytes);
  close(folder);
  if (error) return cannot_write(x, e, error);
  x->result->written++;
  x->result->bytes += (uint64_t)e->bytes;
  return DLC_OK;
}

/* ---- all of them ---- */

static dlc_status extract_all(extraction *x, const dlc_entry *entries, uint32_t n)
{
  const dlc_extract_config *c = x->config;
  for (uint32_t i = 0; i < n; i++) {
    DLC_TRY(extract_one(x, dlc_entry_at(entries, i)));
    if (c->progress) c->progress(c->ctx, i + 1, n);
  }
  return DLC_OK;
}

dlc_status dlc_source_extract(dlc_source *s, const dlc_extract_config *config, dlc_extract_result *result)
{
  extraction x = {.source = s, .config = config, .result = result};
  const dlc_entry *entries;
  uint32_t n;
  uint64_t total;
  *result = (dlc_extract_result){0};
  DLC_TRY(s->list(s, &entries, &n));
  DLC_TRY(total_bytes(&x, entries, n, &total));
  DLC_TRY(check_limits(&x, n, total));
  DLC_TRY(dlc_make_dirs(config->folder));
  x.root = open(config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (x.root < 0) return dlc_fail(DLC_IO, "%s: %s", config->folder, strerror(errno));
  dlc_status status = check_space(&x, total);
  if (status == DLC_OK) status = check_existing(&x, entries, n);
  if (status == DLC_OK) status = extract_all(&x, entries, n);
  free(x.buffer);
  close(x.root);
  return status;
}
