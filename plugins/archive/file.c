/* The archive's file. It is held open, so that it can be moved or deleted while it is read. */
#include "archive.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: a pipe in the file's place must not stop us. */
dlc_status ar_file_open(const dlc_host *h, const char *path, ar_file *file)
{
  struct stat st;
  *file = (ar_file){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file->fd < 0) return h->fail(h, DLC_IO, "%s: %s", path, strerror(errno));
  if (fstat(file->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    ar_file_close(file);
    return h->fail(h, DLC_IO, "%s: not a regular file", path);
  }
  file->size = (uint64_t)st.st_size;
  file->path = strdup(path);
  if (file->path) return DLC_OK;
  ar_file_close(file);
  return h->fail(h, DLC_NOMEM, "%s: out of memory", path);
}

dlc_status ar_file_read(const dlc_host *h, const ar_file *file, uint64_t offset, void *to, size_t n)
{
  size_t done = 0;
  while (done < n) {
    ssize_t got = pread(file->fd, (char *)to + done, n - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return h->fail(h, DLC_IO, "%s: %s", file->path, strerror(errno));
    if (got == 0)
      return h->fail(h, DLC_IO, "%s: became shorter than the %llu bytes it had", file->path,
                     (unsigned long long)file->size);
    done += (size_t)got;
  }
  return DLC_OK;
}

void ar_file_close(ar_file *file)
{
  if (file->fd >= 0) close(file->fd);
  free(file->path);
  *file = (ar_file){.fd = -1};
}
