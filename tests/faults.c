/* Stands in for what the core calls to work with files. Threads may call; begin and end are for one of them. */
#include "faults.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FDS = 4096 };

static fault current;
static char watched[PATH_MAX];
static atomic_bool on, without_disk;
static atomic_long calls;
static atomic_bool ours[MOST_FDS]; /* descriptors of files in the folder */

void faults_without_disk(void)
{
  atomic_store(&without_disk, true);
}

void faults_begin(const char *folder, fault f)
{
  current = f;
  snprintf(watched, sizeof watched, "%s", folder);
  atomic_store(&calls, 0);
  atomic_store(&on, true);
}

long faults_end(void)
{
  atomic_store(&on, false);
  return atomic_load(&calls);
}

__attribute__((constructor)) static void begin_by_environment(void)
{
  const char *text = getenv("DLCORE_FAULTS");
  char kind[16];
  fault f = {.at = 0};
  int end = 0;
  if (!text || sscanf(text, "%15[^:]:%ld:%n", kind, &f.at, &end) != 2 || end == 0) return;
  f.kind = strcmp(kind, "kill") == 0     ? FAULT_KILL
           : strcmp(kind, "half") == 0   ? FAULT_HALF_KILL
           : strcmp(kind, "ENOSPC") == 0 ? ENOSPC
                                         : EIO;
  faults_begin(text + end, f);
}

static bool is_ours(const char *path)
{
  return atomic_load(&on) && strncmp(path, watched, strlen(watched)) == 0;
}

static bool fd_is_ours(int fd)
{
  return atomic_load(&on) && fd >= 0 && fd < MOST_FDS && atomic_load(&ours[fd]);
}

static void remember(int fd, bool is)
{
  if (fd >= 0 && fd < MOST_FDS) atomic_store(&ours[fd], is);
}

/* Counts the call; true: it must fail, and errno is set. */
static bool fails(bool concerned)
{
  if (!concerned) return false;
  const long n = atomic_fetch_add(&calls, 1) + 1;
  if (n < current.at || (n > current.at && !current.ever_after)) return false;
  if (current.kind == FAULT_KILL) kill(getpid(), SIGKILL);
  if (current.kind < 0) return false;
  errno = current.kind;
  return true;
}

/* Of the call that fails() has just counted. */
static bool is_half(void)
{
  return (current.kind == FAULT_HALF || current.kind == FAULT_HALF_KILL) && atomic_load(&calls) == current.at;
}

#define REAL(name)                                                                                                     \
  static __typeof__(&name) real;                                                                                       \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

/* A call that returns -1 when it fails. */
#define STAND_IN(type, name, parameters, arguments, concerned)                                                         \
  type name parameters                                                                                                 \
  {                                                                                                                    \
    REAL(name);                                                                                                        \
    return fails(concerned) ? (type)-1 : real arguments;                                                               \
  }

#pragma GCC visibility push(default)

STAND_IN(int, access, (const char *path, int mode), (path, mode), is_ours(path))
STAND_IN(int, stat, (const char *path, struct stat *st), (path, st), is_ours(path))
STAND_IN(int, fstat, (int fd, struct stat *st), (fd, st), fd_is_ours(fd))
STAND_IN(int, mkdir, (const char *path, mode_t mode), (path, mode), is_ours(path))
STAND_IN(int, rename, (const char *from, const char *to), (from, to), is_ours(from) || is_ours(to))
STAND_IN(int, unlink, (const char *path), (path), is_ours(path))
STAND_IN(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags), fd_is_ours(fd))
STAND_IN(int, flock, (int fd, int how), (fd, how), fd_is_ours(fd))
STAND_IN(ssize_t, read, (int fd, void *data, size_t n), (fd, data, n), fd_is_ours(fd))

int fsync(int fd)
{
  REAL(fsync);
  if (fails(fd_is_ours(fd))) return -1;
  return atomic_load(&without_disk) ? 0 : real(fd);
}

int posix_fadvise(int fd, off_t from, off_t n, int advice)
{
  REAL(posix_fadvise);
  if (fails(fd_is_ours(fd))) return errno;
  return atomic_load(&without_disk) ? 0 : real(fd, from, n, advice);
}

int link(const char *from, const char *to)
{
  REAL(link);
  if (is_ours(from) && current.no_links) {
    errno = EPERM;
    return -1;
  }
  return fails(is_ours(from)) ? -1 : real(from, to);
}

int open(const char *path, int flags, ...)
{
  REAL(open);
  va_list args;
  va_start(args, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  const bool concerned = is_ours(path);
  if (fails(concerned)) return -1;
  const int fd = real(path, flags, mode);
  remember(fd, concerned);
  return fd;
}

int openat(int folder, const char *path, int flags, ...)
{
  REAL(openat);
  va_list args;
  va_start(args, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  const bool concerned = fd_is_ours(folder);
  if (fails(concerned)) return -1;
  const int fd = real(folder, path, flags, mode);
  remember(fd, concerned);
  return fd;
}

ssize_t write(int fd, const void *data, size_t n)
{
  REAL(write);
  const bool concerned = fd_is_ours(fd);
  if (fails(concerned)) return -1;
  if (!concerned || n < 2 || !is_half()) return real(fd, data, n);
  const ssize_t written = real(fd, data, n / 2);
  if (current.kind == FAULT_HALF_KILL) kill(getpid(), SIGKILL);
  return written;
}

/* The descriptor is gone, whatever close() says. */
int close(int fd)
{
  REAL(close);
  const bool failing = fails(fd_is_ours(fd));
  const int error = errno;
  remember(fd, false);
  const int result = real(fd);
  if (!failing) return result;
  errno = error;
  return -1;
}

DIR *opendir(const char *path)
{
  REAL(opendir);
  const bool concerned = is_ours(path);
  if (fails(concerned)) return NULL;
  DIR *d = real(path);
  if (d) remember(dirfd(d), concerned);
  return d;
}

struct dirent *readdir(DIR *d)
{
  REAL(readdir);
  return fails(fd_is_ours(dirfd(d))) ? NULL : real(d);
}

int closedir(DIR *d)
{
  REAL(closedir);
  remember(dirfd(d), false);
  return real(d);
}

#pragma GCC visibility pop
