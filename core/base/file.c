/* Paths and whole files. */
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
  if (mkdir(path, 0777) == 0) return DLC_OK;
  int error = errno;
  if (dlc_path_is_dir(path)) return DLC_OK;
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

/* ---- writing ---- */

static void forget(dlc_atomic_file *f)
{
  if (f->fd >= 0) close(f->fd);
  free(f->path);
  free(f->temporary);
  *f = (dlc_atomic_file){.fd = -1};
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* FOLDER/.NAME.PID-TRY.tmp, so that a listing does not show it and the final rename stays in one file system. */
static char *temporary_name(const char *path, int attempt)
{
  dlc_str s = {0};
  dlc_str_addn(&s, path, (size_t)(base_name(path) - path));
  dlc_str_addf(&s, ".%s.%ld-%d.tmp", base_name(path), (long)getpid(), attempt);
  if (dlc_str_ok(&s)) return s.text;
  dlc_str_free(&s);
  return NULL;
}

dlc_status dlc_atomic_open(dlc_atomic_file *f, const char *path)
{
  *f = (dlc_atomic_file){.fd = -1, .path = strdup(path)};
  if (!f->path) return dlc_fail_nomem();
  struct stat st;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a rename would replace the device or pipe itself */
    forget(f);
    return dlc_fail(DLC_IO, "cannot write %s: it is %s", path, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
  }
  int error = EEXIST; /* of a file that an earlier, killed process of this number left */
  for (int attempt = 0; error == EEXIST && attempt < 100; attempt++) {
    free(f->temporary);
    f->temporary = temporary_name(path, attempt);
    if (!f->temporary) {
      forget(f);
      return dlc_fail_nomem();
    }
    f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    error = f->fd < 0 ? errno : 0;
  }
  if (error == 0) return DLC_OK;
  forget(f);
  return dlc_fail(DLC_IO, "cannot write %s: %s", path, strerror(error));
}

dlc_status dlc_atomic_write(dlc_atomic_file *f, const void *data, size_t n)
{
  const char *p = data;
  while (n > 0) {
    ssize_t written = write(f->fd, p, n);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return dlc_fail(DLC_IO, "cannot write %s: %s", f->path, strerror(errno));
    p += written;
    n -= (size_t)written;
  }
  return DLC_OK;
}

/* Makes the rename itself survive a power cut. File systems that cannot sync a folder say so; nothing is lost then
 * that could have been kept. */
static void sync_folder(const char *path)
{
  size_t n = (size_t)(base_name(path) - path);
  char *folder = n ? strndup(path, n) : strdup(".");
  if (!folder) return;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

dlc_status dlc_atomic_commit(dlc_atomic_file *f)
{
  bool written = fsync(f->fd) == 0;
  int error = errno;
  if (close(f->fd) != 0 && written) {
    written = false;
    error = errno;
  }
  f->fd = -1;
  if (written && rename(f->temporary, f->path) != 0) {
    written = false;
    error = errno;
  }
  dlc_status status = DLC_OK;
  if (written) {
    sync_folder(f->path);
    forget(f);
  } else {
    status = dlc_fail(DLC_IO, "cannot write %s: %s", f->path, strerror(error));
    dlc_atomic_abort(f);
  }
  return status;
}

void dlc_atomic_abort(dlc_atomic_file *f)
{
  if (!f->temporary) return;
  unlink(f->temporary);
  forget(f);
}

dlc_status dlc_write_file(const char *path, const void *data, size_t n)
{
  dlc_atomic_file f;
  DLC_TRY(dlc_atomic_open(&f, path));
  dlc_status status = dlc_atomic_write(&f, data, n);
  if (status == DLC_OK) return dlc_atomic_commit(&f);
  dlc_atomic_abort(&f);
  return status;
}
