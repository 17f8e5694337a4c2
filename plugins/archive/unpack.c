/* A compressed file into memory, a part at a time: what is packed and what comes of it would be too much together.
 * gzip is zlib's, because libarchive does not check its sums; the others are libarchive's. [main] */
#include "archive.h"
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

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

/* The last four bytes of a member are its size modulo 2^32: right for the usual file of one member and up to 4 GiB, a
 * first guess for all others. */
static size_t guess(const uint8_t end[4], uint64_t n, size_t limit)
{
  uint64_t size = end[0] | (uint64_t)end[1] << 8 | (uint64_t)end[2] << 16 | (uint64_t)end[3] << 24;
  uint64_t most = n * DEFLATE_MOST;
  if (size > most) size = most;
  if (size < n) size = n;
  return size < limit ? (size_t)size + 1 : limit;
}

/* The packed file, a part at a time. */
typedef struct feed {
  image *m;
  const ar_file *file;
  uint64_t at; /* what has been read */
  z_stream z;
  uint8_t part[1 << 18];
} feed;

/* Something to unpack is there, or the file has ended. */
static dlc_status refill(feed *f)
{
  const uint64_t left = f->file->size - f->at;
  const size_t n = left < sizeof f->part ? (size_t)left : sizeof f->part;
  if (f->z.avail_in > 0 || n == 0) return DLC_OK;
  dlc_status status = ar_file_read(f->m->h, f->file, f->at, f->part, n);
  f->at += n;
  f->z.next_in = f->part;
  f->z.avail_in = (uInt)n;
  return status;
}

static dlc_status bad_gzip(const feed *f, uint64_t begin)
{
  return f->m->h->fail(f->m->h, DLC_INVALID,
                       begin ? "%s: the last %" PRIu64 " bytes are not gzip data as those before"
                             : "%s: the gzip data (%" PRIu64 " bytes) is damaged or cut short",
                       f->m->path, f->file->size - begin);
}

static uint64_t position(const feed *f)
{
  return f->at - f->z.avail_in;
}

static dlc_status unpack_member(feed *f)
{
  image *m = f->m;
  const uint64_t begin = position(f);
  for (int result = Z_OK; result != Z_STREAM_END;) {
    dlc_status status = refill(f);
    if (status == DLC_OK && m->used == m->room) status = grow(m);
    if (status != DLC_OK) return status;
    const size_t room = m->room - m->used;
    const uInt most = room < UINT_MAX ? (uInt)room : UINT_MAX;
    f->z.next_out = m->data + m->used;
    f->z.avail_out = most;
    result = inflate(&f->z, Z_NO_FLUSH);
    m->used += most - f->z.avail_out;
    if (result == Z_MEM_ERROR) return m->h->fail(m->h, DLC_NOMEM, "%s: out of memory", m->path);
    if (result != Z_OK && result != Z_STREAM_END) return bad_gzip(f, begin);
  }
  return DLC_OK;
}

/* Zeros after the last member are a tape's padding. */
static dlc_status skip_padding(feed *f)
{
  const uint64_t begin = position(f);
  for (;;) {
    dlc_status status = refill(f);
    if (status != DLC_OK || f->z.avail_in == 0) return status;
    if (*f->z.next_in) return position(f) == begin ? DLC_OK : bad_gzip(f, begin);
    f->z.next_in++;
    f->z.avail_in--;
  }
}

/* Every member. */
static dlc_status unpack_members(feed *f)
{
  dlc_status status = DLC_OK;
  if (inflateInit2(&f->z, MAX_WBITS + 16) != Z_OK)
    return f->m->h->fail(f->m->h, DLC_NOMEM, "%s: out of memory", f->m->path);
  do {
    inflateReset(&f->z);
    status = unpack_member(f);
    if (status == DLC_OK) status = skip_padding(f);
  } while (status == DLC_OK && f->z.avail_in > 0);
  inflateEnd(&f->z);
  return status;
}

static dlc_status unpack_gzip(image *m, const ar_file *file)
{
  uint8_t end[4];
  if (file->size < GZIP_LEAST)
    return m->h->fail(m->h, DLC_INVALID, "%s: the gzip data (%" PRIu64 " bytes) is damaged or cut short", m->path,
                      file->size);
  feed *f = calloc(1, sizeof *f);
  if (!f) return m->h->fail(m->h, DLC_NOMEM, "%s: out of memory", m->path);
  f->m = m;
  f->file = file;
  dlc_status status = ar_file_read(m->h, file, file->size - sizeof end, end, sizeof end);
  if (status == DLC_OK) status = make_room(m, guess(end, file->size, m->limit));
  if (status == DLC_OK) status = unpack_members(f);
  free(f);
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
