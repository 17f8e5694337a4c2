/* Which way a path is opened: a folder here, a file by the plugin that knows its content. */
#include "data/source.h"
#include "base/status.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096 };
static const char archive_plugin[] = "archive";

/* ---- what nobody opens ---- */

/* Formats that people hand around, so that the reason can say what came. */
static const char *format_name(const uint8_t *head, size_t n)
{
  static const struct {
    const char *name, *begin;
    size_t length;
  } formats[] = {{"a zip archive", "PK", 2},
                 {"gzip data", "\x1f\x8b", 2},
                 {"xz data",
                  "\xfd"
                  "7zXZ",
                  5},
                 {"zstd data", "\x28\xb5\x2f\xfd", 4},
                 {"bzip2 data", "BZh", 3},
                 {"a 7z archive", "7z\xbc\xaf", 4},
                 {"a rar archive", "Rar!", 4},
                 {"a JPEG picture", "\xff\xd8\xff", 3},
                 {"a PNG picture", "\x89PNG", 4},
                 {"a web page, not an archive: the download went wrong", "<", 1}};
  if (n == 0) return "an empty file";
  if (n >= 262 && memcmp(head + 257, "ustar", 5) == 0) return "a tar archive";
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (n >= formats[i].length && memcmp(head, formats[i].begin, formats[i].length) == 0) return formats[i].name;
  return "a file of unknown kind";
}

/* Why the plugin that reads archives is not there, when it is not. */
static void add_missing_plugin(dlc_registry *r, dlc_str *s)
{
  const dlc_plugin_file *file;
  for (uint32_t i = 0; (file = dlc_registry_file(r, i)); i++) {
    const char *slash = strrchr(file->path, '/');
    if (strcmp(slash ? slash + 1 : file->path, "dlcore-archive.so") != 0) continue;
    if (file->plugin) return;
    if (file->reason) {
      dlc_str_addf(s, "; %s, which reads archives, is not taken: %s", file->path, file->reason);
      return;
    }
  }
  dlc_str_add(s, "; the plugin dlcore-archive.so, which reads archives, was not found");
}

static dlc_status nobody_reads(dlc_registry *r, const char *path, const uint8_t *head, size_t n)
{
  dlc_str s = {0};
  const dlc_source_type *type;
  dlc_str_addf(&s, "%s: %s; expected a folder", path, format_name(head, n));
  for (uint32_t i = 0; (type = dlc_registry_object(r, DLC_IFACE_SOURCE, i, NULL)); i++)
    dlc_str_addf(&s, ", %s", type->name);
  add_missing_plugin(r, &s);
  dlc_fail(DLC_UNSUPPORTED, "%s", dlc_str_get(&s));
  dlc_str_free(&s);
  return DLC_UNSUPPORTED;
}

/* ---- who opens it ---- */

/* O_NONBLOCK: a pipe must not stop us. */
static dlc_status read_head(const char *path, uint8_t *head, size_t *n)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return dlc_fail(DLC_IO, "%s: %s", path, strerror(errno));
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    close(fd);
    return dlc_fail(DLC_INVALID, "%s: neither a folder nor a regular file", path);
  }
  ssize_t got = 0;
  for (*n = 0; *n < HEAD_BYTES; *n += (size_t)got) {
    got = read(fd, head + *n, HEAD_BYTES - *n);
    if (got < 0 && errno == EINTR) got = 0;
    else if (got <= 0) break;
  }
  int error = errno;
  close(fd);
  return got < 0 ? dlc_fail(DLC_IO, "%s: %s", path, strerror(error)) : DLC_OK;
}

static const dlc_source_type *find_type(dlc_registry *r, const char *path, const uint8_t *head, size_t n,
                                        const dlc_host **host)
{
  const dlc_source_type *type;
  for (uint32_t i = 0; (type = dlc_registry_object_of(r, archive_plugin, DLC_IFACE_SOURCE, i, host)); i++)
    if (type->match(path, head, n)) return type;
  dlc_registry_load_all(r);
  for (uint32_t i = 0; (type = dlc_registry_object(r, DLC_IFACE_SOURCE, i, host)); i++)
    if (type->match(path, head, n)) return type;
  return NULL;
}

/* A plugin wrote it: what every reader relies on is tested once. Closes what is not fit to be used. */
static dlc_status check_source(dlc_source *s, const char *path, const char *type)
{
  if (s && s->size >= offsetof(dlc_source, bytes) && s->origin && s->find && s->list && s->read && DLC_HAS(s, close))
    return DLC_OK;
  if (s && DLC_HAS(s, close)) s->close(s);
  return dlc_fail(DLC_INTERNAL, "%s: the reader of %s gave a source with a field missing", path, type);
}

dlc_status dlc_source_open(dlc_registry *r, const char *path, dlc_source **source)
{
  struct stat st;
  uint8_t head[HEAD_BYTES];
  size_t n = 0;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return dlc_folder_open(path, dlc_registry_sink(r), source);
  DLC_TRY(read_head(path, head, &n));
  const dlc_host *host = NULL;
  const dlc_source_type *type = find_type(r, path, head, n, &host);
  if (!type) return nobody_reads(r, path, head, n);
  dlc_fail(DLC_INTERNAL, "%s: the reader of %s gave no reason", path, type->name);
  DLC_TRY(type->open(type, host, path, source));
  return check_source(*source, path, type->name);
}

/* ---- the service ---- */

static dlc_status service_open(const dlc_sources *s, const char *path, dlc_source **source)
{
  return dlc_source_open(((const dlc_source_service *)s)->registry, path, source);
}

dlc_status dlc_source_serve(dlc_source_service *service, dlc_registry *r)
{
  service->table = (dlc_sources){.size = sizeof service->table, .open = service_open};
  service->registry = r;
  return dlc_registry_add_service(r, DLC_SERVICE_SOURCES, &service->table);
}
