/* Files that appear whole or not at all. While it is written, a file is called FOLDER/.NAME.PID-TRY.tmp and locked, so
 * that the next writer knows what a killed one left: those that nobody holds. The kernel drops a dead process's locks,
 * wherever it ran; the number alone says nothing to another container or machine. */
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".tmp";

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

/* Of the file; NULL when out of memory. */
static char *folder_of(const char *path)
{
  const size_t n = (size_t)(base_name(path) - path);
  return n ? strndup(path, n) : strdup("./");
}

static dlc_status cannot_write(const char *path, int error)
{
  return dlc_fail(DLC_IO, "cannot write %s: %s", path, strerror(error));
}

/* ---- temporaries ---- */

static char *temporary_name(const char *path, int attempt)
{
  dlc_str s = {0};
  dlc_str_addn(&s, path, (size_t)(base_name(path) - path));
  dlc_str_addf(&s, ".%s.%ld-%d%s", base_name(path), (long)getpid(), attempt, suffix);
  if (dlc_str_ok(&s)) return s.text;
  dlc_str_free(&s);
  return NULL;
}

static size_t digits_before(const char *text, size_t end)
{
  size_t n = 0;
  while (n < end && isdigit((unsigned char)text[end - 1 - n])) n++;
  return n;
}

/* Is `entry` the name of a temporary of the file `name`, or of any when that is NULL? */
static bool is_temporary(const char *entry, const char *name)
{
  size_t end = strlen(entry);
  if (entry[0] != '.' || end < sizeof suffix || strcmp(entry + end - strlen(suffix), suffix) != 0) return false;
  end -= strlen(suffix);
  const size_t attempt = digits_before(entry, end);
  end -= attempt;
  if (attempt == 0 || entry[end - 1] != '-') return false;
  const size_t pid = digits_before(entry, --end);
  end -= pid;
  if (pid == 0 || end < 3 || entry[end - 1] != '.') return false;
  return !name || (strlen(name) == end - 2 && strncmp(entry + 1, name, end - 2) == 0);
}

static void remove_unless_held(int folder, const char *entry)
{
  int fd = openat(folder, entry, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(folder, entry, 0);
  close(fd);
}

/* A folder that cannot be read keeps them: they are in nobody's way. */
static void remove_temporaries(const char *folder, const char *name)
{
  DIR *d = opendir(folder);
  if (!d) return;
  for (const struct dirent *e; (e = readdir(d)) != NULL;)
    if (is_temporary(e->d_name, name)) remove_unless_held(dirfd(d), e->d_name);
  closedir(d);
}

void dlc_remove_leftovers(const char *folder)
{
  remove_temporaries(folder, NULL);
}

/* Creates and locks f->temporary; EEXIST also where another writer took it for a leftover before it was locked. A file
 * system without locks keeps leftovers. */
static int create(dlc_atomic_file *f)
{
  struct stat st;
  do f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  while (f->fd < 0 && errno == EINTR);
  if (f->fd < 0) return errno;
  while (flock(f->fd, LOCK_EX) != 0 && errno == EINTR) continue;
  if (fstat(f->fd, &st) != 0 || st.st_nlink > 0) return 0;
  close(f->fd);
  f->fd = -1;
  return EEXIST;
}

static int create_temporary(dlc_atomic_file *f)
{
  int error = EEXIST;
  for (int attempt = 0; error == EEXIST && attempt < 100; attempt++) {
    free(f->temporary);
    f->temporary = temporary_name(f->path, attempt);
    error = f->temporary ? create(f) : ENOMEM;
  }
  return error;
}

/* ---- writing ---- */

dlc_status dlc_atomic_open(dlc_atomic_file *f, const char *path)
{
  *f = (dlc_atomic_file){.fd = -1, .path = strdup(path)};
  char *folder = folder_of(path);
  struct stat st;
  dlc_status status = DLC_OK;
  if (!f->path || !folder) status = dlc_fail_nomem();
  else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a rename would replace the device or pipe itself */
    status =
        dlc_fail(DLC_IO, "cannot write %s: it is %s", path, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
  if (status >= 0) {
    remove_temporaries(folder, base_name(path));
    const int error = create_temporary(f);
    if (error) status = error == ENOMEM ? dlc_fail_nomem() : cannot_write(path, error);
  }
  free(folder);
  if (status < 0) forget(f);
  return status;
}

dlc_status dlc_atomic_write(dlc_atomic_file *f, const void *data, size_t n)
{
  const char *p = data;
  while (n > 0) {
    ssize_t written = write(f->fd, p, n);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(f->path, errno);
    p += written;
    n -= (size_t)written;
  }
  return DLC_OK;
}

static int sync_fd(int fd)
{
  int result;
  do result = fsync(fd);
  while (result != 0 && errno == EINTR);
  return result;
}

dlc_status dlc_atomic_sync(dlc_atomic_file *f)
{
  return sync_fd(f->fd) == 0 ? DLC_OK : cannot_write(f->path, errno);
}

/* Makes the rename itself survive a power cut. A folder that cannot be synced, because of its file system or of
 * permissions, costs nothing that could have been kept. */
static dlc_status sync_folder(const char *path)
{
  char *folder = folder_of(path);
  if (!folder) return dlc_fail_nomem();
  int fd, error = 0;
  do fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd < 0 || sync_fd(fd) != 0) error = errno;
  if (fd >= 0) close(fd);
  free(folder);
  return error == 0 || error == EACCES || error == EINVAL || error == ENOTSUP ? DLC_OK : cannot_write(path, error);
}

/* f->path gets the second name `kept` before it goes to the new file: it is there at every instant. On a file system
 * without links it is missing for a moment. */
static int rename_keeping(const dlc_atomic_file *f, const char *kept)
{
  char *spare = temporary_name(kept, 0);
  if (!spare) return ENOMEM;
  const bool linked = link(f->path, spare) == 0;
  int error = 0;
  if (!linked && rename(f->path, kept) != 0 && errno != ENOENT) error = errno;
  if (error == 0 && rename(f->temporary, f->path) != 0) error = errno;
  if (error == 0 && linked && rename(spare, kept) != 0) error = errno;
  if (error && linked) unlink(spare);
  free(spare);
  return error;
}

dlc_status dlc_atomic_commit_keeping(dlc_atomic_file *f, const char *kept)
{
  dlc_status status = dlc_atomic_sync(f);
  if (status >= 0) {
    const int error = kept ? rename_keeping(f, kept) : rename(f->temporary, f->path) != 0 ? errno : 0;
    if (error) status = cannot_write(f->path, error);
  }
  if (status < 0) {
    dlc_atomic_abort(f);
    return status;
  }
  status = sync_folder(f->path);
  forget(f);
  return status;
}

dlc_status dlc_atomic_commit(dlc_atomic_file *f)
{
  return dlc_atomic_commit_keeping(f, NULL);
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
