/* Paths, and whole files that are read. */
#include "base/file.h"
#include "base/status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool dlc_path_exists(const char *path)
{
  return access(path, F_OK) == 0;
}

bool dlc_path_is_dir(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static dlc_status make_dir(const char *path)
{
  struct stat st;
  if (mkdir(path, 0777) == 0) return DLC_OK;
  int error = errno;
  if (stat(path, &st) != 0) error = error == EEXIST ? errno : error;
  else if (S_ISDIR(st.st_mode)) return DLC_OK;
  return dlc_fail(DLC_IO, "cannot make the folder %s: %s", path, strerror(error));
}

dlc_status dlc_make_dirs(const char *path)
{
  char *prefix = strdup(path);
  if (!prefix) return dlc_fail_nomem();
  dlc_status status = DLC_OK;
  for (char *c = prefix + 1; *prefix && *c && status == DLC_OK; c++) {
    if (*c != '/') continue;
    *c = '\0';
    status = make_dir(prefix);
    *c = '/';
  }
  if (status == DLC_OK) status = make_dir(path);
  free(prefix);
  return status;
}

/* ---- reading ---- */

typedef struct content {
  char *data; /* room for capacity bytes and a NUL */
  size_t length, capacity;
} content;

static dlc_status grow(content *c, size_t capacity)
{
  char *data = realloc(c->data, capacity + 1);
  if (!data) return dlc_fail_nomem();
  c->data = data;
  c->capacity = capacity;
  return DLC_OK;
}

static dlc_status read_all(int fd, const char *path, size_t limit, content *c)
{
  for (;;) {
    if (c->length == c->capacity) DLC_TRY(grow(c, 2 * c->capacity));
    ssize_t n = read(fd, c->data + c->length, c->capacity - c->length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
    if (n == 0) break;
    c->length += (size_t)n;
    if (c->length > limit) return dlc_fail(DLC_INVALID, "%s is larger than the %zu bytes allowed", path, limit);
  }
  c->data[c->length] = '\0';
  return DLC_OK;
}

dlc_status dlc_read_file(const char *path, size_t limit, char **data, size_t *length)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
  struct stat st;
  content c = {0};
  dlc_status status = DLC_OK;
  if (fstat(fd, &st) != 0) status = dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
  else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
    status = dlc_fail(DLC_INVALID, "%s has %lld bytes, at most %zu are allowed", path, (long long)st.st_size, limit);
  if (status == DLC_OK) status = grow(&c, S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size + 1 : 4096);
  if (status == DLC_OK) status = read_all(fd, path, limit, &c);
  close(fd);
  if (status != DLC_OK) {
    free(c.data);
    return status;
  }
  *data = c.data;
  *length = c.length;
  return DLC_OK;
}
