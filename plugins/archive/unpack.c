/* A compressed file into memory. gzip, the usual case, is libdeflate's: the whole file at once takes half of zlib's
 * time. The others are libarchive's. [main] */
#include "archive.h"
#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { GZIP_LEAST = 18, DEFLATE_MOST = 1032 /* bytes from one: 258 from 2 bits */ };

const char *ar_compression(const uint8_t *head, size_t n)
{
  if (n >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0) return "gzip";
  if (n >= 6 && memcmp(head,
                       "\xfd"
                       "7zXZ",
                       6) == 0)
    return "xz";
  if (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) return "zstd";
  if (n >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9') return "bzip2";
  return NULL;
}

/* What has been unpacked so far. */
typedef struct image {
  const dlc_host *h;
  const char *path;
  uint8_t *data; /* owned */
  size_t used, room, limit;
} image;

static dlc_status too_large(const image *m)
{
  return m->h->fail(m->h, DLC_NOMEM,
                    "%s: unpacks to more than the %zu MiB of memory allowed for it; unpack it to a .tar or a folder "
                    "first, or set DLCORE_ARCHIVE_MEMORY to more MiB",
                    m->path, m->limit >> 20);
}

/* Room for n bytes, in huge pages where the system has them: 186 MB are unpacked a tenth faster without their 45000
 * page faults. */
static dlc_status make_room(image *m, size_t n)
{
  const size_t huge = (size_t)2 << 20;
  void *data = NULL;
  if (n > m->limit) return too_large(m);
  n = (n + huge - 1) / huge * huge;
  if (posix_memalign(&data, huge, n) != 0)
    return m->h->fail(m->h, DLC_NOMEM, "%s: out of memory: %zu MiB to unpack it", m->path, n >> 20);
  (void)madvise(data, n, MADV_HUGEPAGE);
  if (m->used) memcpy(data, m->data, m->used);
  free(m->data);
  m->data = data;
  m->room = n;
  return DLC_OK;
}

static dlc_status grow(image *m)
{
  return make_room(m, m->room > m->limit / 2 && m->room < m->limit ? m->limit : 2 * m->room);
}

/* ---- gzip ---- */

static int is_zero(const uint8_t *p, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (p[i]) return 0;
  return 1;
}

/* The last four bytes of a member are its size modulo 2^32: right for the usual file of one member and up to 4 GiB, a
 * first guess for all others. */
static size_t guess(const uint8_t *packed, size_t n, size_t limit)
{
  const uint8_t *p = packed + n - 4;
  uint64_t size = p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
  uint64_t most = (uint64_t)n * DEFLATE_MOST;
  if (size > most) size = most;
  if (size < n) size = n;
  return size < limit ? (size_t)size + 1 : limit;
}

/* Every member; zeros after the last are a tape's padding. */
static dlc_status unpack_members(image *m, const uint8_t *packed, size_t n)
{
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  dlc_status status =
      inflater ? make_room(m, guess(packed, n, m->limit)) : m->h->fail(m->h, DLC_NOMEM, "%s: out of memory", m->path);
  for (size_t at = 0; status == DLC_OK && at < n && !(at > 0 && is_zero(packed + at, n - at));) {
    size_t in, out;
    enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(inflater, packed + at, n - at, m->data + m->used, m->room - m->used, &in, &out);
    if (result == LIBDEFLATE_SUCCESS) {
      at += in;
      m->used += out;
    } else if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      status = grow(m);
    } else {
      status = m->h->fail(m->h, DLC_INVALID,
                          at ? "%s: the last %zu bytes are not gzip data as those before"
                             : "%s: the gzip data (%zu bytes) is damaged or cut short",
                          m->path, n - at);
    }
  }
  libdeflate_free_decompressor(inflater);
  return status;
}

static dlc_status unpack_gzip(image *m, const ar_file *file)
{
  size_t n = (size_t)file->size;
  if (n < GZIP_LEAST)
    return m->h->fail(m->h, DLC_INVALID, "%s: the gzip data (%zu bytes) is damaged or cut short", m->path, n);
  uint8_t *packed = malloc(n); /* not mapped: a file that is cut while it is read must not end the process */
  if (!packed) return m->h->fail(m->h, DLC_NOMEM, "%s: out of memory: %zu bytes", m->path, n);
  dlc_status status = ar_file_read(m->h, file, 0, packed, n);
  if (status == DLC_OK) status = unpack_members(m, packed, n);
  free(packed);
  return status;
}

/* ---- the others ---- */

static dlc_status unpack_stream(image *m, struct archive *a)
{
  struct archive_entry *entry;
  /* Too little of a format's beginning is taken for no compression at all. */
  dlc_status status =
      archive_read_next_header(a, &entry) == ARCHIVE_OK && archive_filter_code(a, 0) != ARCHIVE_FILTER_NONE
          ? DLC_OK
          : DLC_INVALID;
  while (status == DLC_OK) {
    if (m->used == m->room) status = grow(m);
    if (status != DLC_OK) return status;
    la_ssize_t n = archive_read_data(a, m->data + m->used, m->room - m->used);
    if (n == 0) return DLC_OK;
    if (n > 0) m->used += (size_t)n;
    else status = DLC_INVALID;
  }
  const char *why = archive_error_string(a);
  return m->h->fail(m->h, DLC_INVALID, "%s: damaged or cut short: %s", m->path, why ? why : "too short");
}

static dlc_status unpack_other(image *m, const ar_file *file)
{
  struct archive *a = archive_read_new();
  dlc_status status = a ? make_room(m, (size_t)file->size * 2 < m->limit ? (size_t)file->size * 2 : m->limit) : DLC_OK;
  if (!a) return m->h->fail(m->h, DLC_NOMEM, "%s: out of memory", m->path);
  archive_read_support_filter_xz(a);
  archive_read_support_filter_zstd(a);
  archive_read_support_filter_bzip2(a);
  archive_read_support_format_raw(a);
  if (status == DLC_OK && archive_read_open_fd(a, file->fd, (size_t)1 << 18) != ARCHIVE_OK)
    status = m->h->fail(m->h, DLC_INVALID, "%s: damaged or cut short: %s", m->path, archive_error_string(a));
  if (status == DLC_OK) status = unpack_stream(m, a);
  archive_read_free(a);
  return status;
}

dlc_status ar_unpack(const dlc_host *h, const ar_file *file, uint64_t limit, uint8_t **data, size_t *size)
{
  image m = {.h = h, .path = file->path, .limit = limit < SIZE_MAX / 4 ? (size_t)limit : SIZE_MAX / 4};
  uint8_t head[6] = {0};
  if (file->size > m.limit) return too_large(&m);
  dlc_status status = ar_file_read(h, file, 0, head, file->size < sizeof head ? (size_t)file->size : sizeof head);
  const char *compression = ar_compression(head, sizeof head);
  if (status == DLC_OK && !compression)
    status = h->fail(h, DLC_INVALID, "%s: not compressed with gzip, xz, zstd or bzip2", file->path);
  if (status == DLC_OK) status = strcmp(compression, "gzip") == 0 ? unpack_gzip(&m, file) : unpack_other(&m, file);
  if (status != DLC_OK) {
    free(m.data);
    return status;
  }
  *data = m.data;
  *size = m.used;
  return DLC_OK;
}
