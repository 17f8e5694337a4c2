/* One CSV file that only ever holds whole rows: a row is one write() to the end, what a write leaves half done is cut
 * off again, and so is what a killed run left. */
#include "table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static dlc_status io_error(const dlc_host *h, const csv_table *t)
{
  return h->fail(h, DLC_IO, "%s: %s", t->path, strerror(errno));
}

/* The offset behind the last newline before `end`, 0 without one; -1: can't be read. */
static off_t after_last_row(int fd, off_t end)
{
  char block[4096];
  while (end > 0) {
    size_t n = end < (off_t)sizeof block ? (size_t)end : sizeof block;
    ssize_t got = pread(fd, block, n, end - (off_t)n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    const char *newline = memrchr(block, '\n', (size_t)got);
    if (newline) return end - (off_t)n + (newline - block) + 1;
    end -= (off_t)n;
  }
  return 0;
}

/* Without O_CREAT in `flags`, a file that is not there is none: fd stays -1. O_NONBLOCK: a pipe that nobody reads must
 * not stop the training. */
static dlc_status open_file(const dlc_host *h, csv_table *t, int flags)
{
  struct stat st;
  t->fd = open(t->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | flags, 0666);
  if (t->fd < 0 && errno == ENOENT && !(flags & O_CREAT)) return DLC_OK;
  if (t->fd < 0 || fstat(t->fd, &st) != 0) return io_error(h, t);
  t->regular = S_ISREG(st.st_mode);
  t->length = t->regular ? after_last_row(t->fd, st.st_size) : 0;
  if (t->length < 0) return io_error(h, t);
  if (t->length < st.st_size && t->regular && ftruncate(t->fd, t->length) != 0) return io_error(h, t);
  return DLC_OK;
}

static void drop(csv_table *t)
{
  if (t->fd >= 0) close(t->fd);
  free(t->path);
  *t = (csv_table){.fd = -1};
}

dlc_status csv_table_open(const dlc_host *h, csv_table *t, const char *folder, const char *name)
{
  *t = (csv_table){.fd = -1};
  if (asprintf(&t->path, "%s/%s", folder, name) < 0) {
    t->path = NULL;
    return h->fail(h, DLC_NOMEM, "out of memory");
  }
  dlc_status status = open_file(h, t, 0);
  if (status != DLC_OK) drop(t);
  return status;
}

dlc_status csv_table_cut(const dlc_host *h, csv_table *t, int64_t last)
{
  dlc_status status = DLC_OK;
  while (t->fd >= 0 && t->regular && t->length > 0) {
    char text[32] = "", *end;
    const off_t begin = after_last_row(t->fd, t->length - 1);
    if (begin < 0 || pread(t->fd, text, sizeof text - 1, begin) < 0) status = io_error(h, t);
    const long long number = strtoll(text, &end, 10);
    if (status != DLC_OK || end == text || *end != ',' || number <= last) break; /* the header has no number */
    t->length = begin;
  }
  if (status == DLC_OK && t->fd >= 0 && t->regular && ftruncate(t->fd, t->length) != 0) status = io_error(h, t);
  if (status != DLC_OK) drop(t);
  return status;
}

/* Renames the file to the first free of PATH.1, PATH.2, ... and closes it. */
static dlc_status keep_old(const dlc_host *h, csv_table *t)
{
  for (int i = 1; i < 10000; i++) {
    char *kept;
    if (asprintf(&kept, "%s.%d", t->path, i) < 0) return h->fail(h, DLC_NOMEM, "out of memory");
    struct stat st;
    int taken = lstat(kept, &st) == 0;
    int renamed = !taken && rename(t->path, kept) == 0;
    free(kept);
    if (taken) continue;
    if (!renamed) return io_error(h, t);
    close(t->fd);
    t->fd = -1;
    return DLC_OK;
  }
  return h->fail(h, DLC_IO, "%s: has other columns, and the names %s.1 to %s.9999 are taken", t->path, t->path,
                 t->path);
}

static int has_header(const csv_table *t, const char *header, size_t n)
{
  char *there = malloc(n);
  int same = there && pread(t->fd, there, n, 0) == (ssize_t)n && memcmp(there, header, n) == 0;
  free(there);
  return same;
}

dlc_status csv_table_title(const dlc_host *h, csv_table *t, const char *header, size_t n)
{
  if (t->fd >= 0 && t->length > 0) {
    if (has_header(t, header, n)) {
      t->titled = 1;
      return DLC_OK;
    }
    dlc_status status = keep_old(h, t);
    if (status != DLC_OK) return status;
  }
  if (t->fd < 0) {
    dlc_status status = open_file(h, t, O_CREAT);
    if (status != DLC_OK) return status;
  }
  dlc_status status = csv_table_append(h, t, header, n);
  t->titled = status == DLC_OK;
  return status;
}

dlc_status csv_table_append(const dlc_host *h, csv_table *t, const char *row, size_t n)
{
  size_t done = 0;
  while (done < n) { /* once, but for signals and a disk that fills up in the middle of the row */
    ssize_t wrote = write(t->fd, row + done, n - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      dlc_status status = io_error(h, t);
      if (t->regular && ftruncate(t->fd, t->length) != 0)
        return h->fail(h, DLC_IO, "%s: half a row was written, and it can't be cut off: %s", t->path, strerror(errno));
      return status;
    }
    done += (size_t)wrote;
  }
  t->length += (off_t)n;
  return DLC_OK;
}

dlc_status csv_table_close(const dlc_host *h, csv_table *t)
{
  dlc_status status = DLC_OK;
  if (t->fd >= 0 && close(t->fd) != 0) status = io_error(h, t);
  t->fd = -1;
  drop(t);
  return status;
}
