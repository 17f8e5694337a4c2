/* The directory at the end of a zip (PKWARE's APPNOTE 6.3.9, sections 4.3.12 to 4.3.16 and 4.5.3). Nothing in it is
 * believed: every range is held against the file. [main]
 *
 *   ... entries ... | directory: one record an entry | (zip64: record, locator) | end record, comment */
#include "archive.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  END_BYTES = 22,
  LOCATOR_BYTES = 20, /* zip64 */
  END64_BYTES = 56,
  RECORD_BYTES = 46,
  LOCAL_BYTES = 30,
  MAX_COMMENT = 65535,
  DEFLATE_MOST = 1032 /* bytes from one: 258 from 2 bits */
};
#define MAX_DIRECTORY ((uint64_t)2 << 30)

typedef struct directory {
  const dlc_host *h;
  const ar_file *file;
  uint64_t offset, bytes, entries;
} directory;

static uint16_t u16(const uint8_t *p)
{
  return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
  return u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const uint8_t *p)
{
  return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static dlc_status damaged(const directory *d, const char *what)
{
  return d->h->fail(d->h, DLC_INVALID, "%s: a damaged zip archive: %s", d->file->path, what);
}

/* ---- the end ---- */

static dlc_status in_parts(const directory *d)
{
  return d->h->fail(d->h, DLC_UNSUPPORTED, "%s: one part of a zip archive in several; join them first (zip -s 0)",
                    d->file->path);
}

static dlc_status check_parts(const directory *d, uint64_t disk, uint64_t directory_disk, uint64_t entries_here)
{
  return disk == 0 && directory_disk == 0 && entries_here == d->entries ? DLC_OK : in_parts(d);
}

/* The first part of several says so at its beginning. */
static dlc_status no_end(const directory *d)
{
  uint8_t head[4] = {0};
  dlc_status status = d->file->size < sizeof head ? DLC_OK : ar_file_read(d->h, d->file, 0, head, sizeof head);
  if (status != DLC_OK) return status;
  if (u32(head) == 0x08074b50) return in_parts(d);
  return d->h->fail(d->h, DLC_INVALID, "%s: a zip archive that was cut short: the directory at its end is missing",
                    d->file->path);
}

/* Sizes beyond 32 bits stand in a second record, before the end record at `end`. */
static dlc_status read_end64(directory *d, uint64_t end)
{
  uint8_t locator[LOCATOR_BYTES], record[END64_BYTES];
  if (end < LOCATOR_BYTES + END64_BYTES) return damaged(d, "its zip64 record is missing");
  dlc_status status = ar_file_read(d->h, d->file, end - LOCATOR_BYTES, locator, sizeof locator);
  if (status != DLC_OK) return status;
  uint64_t at = u64(locator + 8);
  if (u32(locator) != 0x07064b50 || at > end - LOCATOR_BYTES - END64_BYTES)
    return damaged(d, "its zip64 record is missing");
  status = ar_file_read(d->h, d->file, at, record, sizeof record);
  if (status != DLC_OK) return status;
  if (u32(record) != 0x06064b50) return damaged(d, "its zip64 record is missing");
  d->entries = u64(record + 32);
  d->bytes = u64(record + 40);
  d->offset = u64(record + 48);
  return check_parts(d, u32(record + 16), u32(record + 20), u64(record + 24));
}

static dlc_status read_end_at(directory *d, const uint8_t *record, uint64_t end)
{
  d->entries = u16(record + 10);
  d->bytes = u32(record + 12);
  d->offset = u32(record + 16);
  int wide = d->entries == UINT16_MAX || d->bytes == UINT32_MAX || d->offset == UINT32_MAX;
  dlc_status status = wide ? read_end64(d, end) : check_parts(d, u16(record + 4), u16(record + 6), u16(record + 8));
  if (status != DLC_OK) return status;
  if (d->offset > end || d->bytes > end - d->offset) return damaged(d, "its directory lies outside of the file");
  if (d->bytes > MAX_DIRECTORY) return damaged(d, "its directory has more than 2 GiB");
  if (d->entries > d->bytes / RECORD_BYTES) return damaged(d, "its directory is too short for its entries");
  return DLC_OK;
}

/* The end record is the last thing in the file, but for a comment of any content. */
static dlc_status find_end(directory *d)
{
  uint64_t size = d->file->size;
  size_t n = size < END_BYTES + MAX_COMMENT ? (size_t)size : END_BYTES + MAX_COMMENT;
  uint8_t *tail = malloc(n + 1);
  if (!tail) return d->h->fail(d->h, DLC_NOMEM, "%s: out of memory", d->file->path);
  dlc_status status = ar_file_read(d->h, d->file, size - n, tail, n);
  size_t left = n < END_BYTES ? 0 : n - END_BYTES + 1; /* places to look at */
  while (status == DLC_OK && left > 0) {
    const uint8_t *record = tail + left - 1;
    if (u32(record) == 0x06054b50 && u16(record + 20) == n - END_BYTES - (left - 1)) break;
    left--;
  }
  if (status == DLC_OK && left > 0) status = read_end_at(d, tail + left - 1, size - n + left - 1);
  else if (status == DLC_OK) status = no_end(d);
  free(tail);
  return status;
}

/* ---- the records ---- */

/* One entry as the directory describes it. */
typedef struct record {
  const char *name;
  size_t name_length, bytes; /* of the record */
  uint64_t size;
  uint32_t attributes;
  ar_place place;
} record;

/* The wide values of a record's extra fields take the places of those that read all ones, in this order. */
static dlc_status read_wide(const directory *d, const uint8_t *extra, size_t n, record *r)
{
  uint64_t *const wide[] = {&r->size, &r->place.packed, &r->place.offset};
  for (; n >= 4; extra += 4 + u16(extra + 2)) {
    size_t length = u16(extra + 2), at = 0;
    if (length > n - 4) break; /* some writers pad: what is no field ends the list */
    n -= 4 + length;
    if (u16(extra) != 1) continue;
    for (int i = 0; i < 3; i++) {
      if (*wide[i] != UINT32_MAX) continue;
      if (at + 8 > length) return damaged(d, "a zip64 size is missing");
      *wide[i] = u64(extra + 4 + at);
      at += 8;
    }
    return DLC_OK;
  }
  return DLC_OK;
}

static dlc_status read_record(const directory *d, const uint8_t *p, uint64_t left, record *r)
{
  if (left < RECORD_BYTES || u32(p) != 0x02014b50) return damaged(d, "its directory ends too early");
  size_t extra_length = u16(p + 30), comment_length = u16(p + 32);
  *r = (record){.name = (const char *)p + RECORD_BYTES,
                .name_length = u16(p + 28),
                .size = u32(p + 24),
                .attributes = p[5] == 3 ? u32(p + 38) >> 16 : 0, /* written on Unix: the file's mode */
                .place = {.offset = u32(p + 42),
                          .packed = u32(p + 20),
                          .crc = u32(p + 16),
                          .method = u16(p + 10),
                          .flags = u16(p + 8) & 1 ? AR_ENCRYPTED : 0}};
  r->bytes = RECORD_BYTES + r->name_length + extra_length + comment_length;
  if (r->bytes > left) return damaged(d, "its directory ends too early");
  return read_wide(d, p + RECORD_BYTES + r->name_length, extra_length, r);
}

/* A claim that can't be true would have its reader allocate what it claims. */
static dlc_status check_record(const directory *d, const record *r)
{
  const ar_place *p = &r->place;
  uint64_t end = d->offset;
  if (p->offset > end || end - p->offset < LOCAL_BYTES + r->name_length ||
      p->packed > end - p->offset - LOCAL_BYTES - r->name_length)
    return d->h->fail(d->h, DLC_INVALID, "%s: a damaged zip archive: '%s' lies outside of it", d->file->path,
                      ar_printable(r->name, r->name_length).text);
  bool possible = r->size <= INT64_MAX;
  if (p->method == 0 && !(p->flags & AR_ENCRYPTED)) possible = r->size == p->packed;
  if (p->method == 8) possible = possible && r->size / DEFLATE_MOST <= p->packed;
  if (!possible)
    return d->h->fail(d->h, DLC_INVALID, "%s: a damaged zip archive: '%s' cannot have %llu bytes, packed in %llu",
                      d->file->path, ar_printable(r->name, r->name_length).text, (unsigned long long)r->size,
                      (unsigned long long)p->packed);
  return DLC_OK;
}

static dlc_status add(ar_listing *listing, const record *r)
{
  enum { TYPE = 0170000, LINK = 0120000 };
  if (r->name_length && r->name[r->name_length - 1] == '/') return DLC_OK; /* a folder */
  if ((r->attributes & TYPE) == LINK) {
    listing->n_links++;
    return DLC_OK;
  }
  return ar_listing_add(listing, r->name, r->name_length, r->size, &r->place);
}

/* Some writers on Windows part names with '\\', which the format forbids: where no name has a '/', that is meant. */
static void mend_names(const directory *d, uint8_t *bytes)
{
  record r;
  for (int mend = 0; mend < 2; mend++) {
    size_t at = 0;
    for (uint64_t i = 0; i < d->entries && read_record(d, bytes + at, d->bytes - at, &r) == DLC_OK;
         i++, at += r.bytes) {
      uint8_t *name = bytes + at + RECORD_BYTES;
      if (!mend && memchr(name, '/', r.name_length)) return;
      for (size_t k = 0; mend && k < r.name_length; k++)
        if (name[k] == '\\') name[k] = '/';
    }
  }
}

dlc_status zip_read_directory(const dlc_host *h, const ar_file *file, ar_listing *listing)
{
  directory d = {.h = h, .file = file};
  dlc_status status = find_end(&d);
  if (status != DLC_OK) return status;
  uint8_t *bytes = malloc((size_t)d.bytes + 1);
  if (!bytes)
    return h->fail(h, DLC_NOMEM, "%s: out of memory: a directory of %llu bytes", file->path,
                   (unsigned long long)d.bytes);
  status = ar_file_read(h, file, d.offset, bytes, (size_t)d.bytes);
  if (status == DLC_OK) mend_names(&d, bytes);
  size_t at = 0;
  for (uint64_t i = 0; i < d.entries && status == DLC_OK; i++) {
    record r;
    status = read_record(&d, bytes + at, d.bytes - at, &r);
    if (status == DLC_OK) status = check_record(&d, &r);
    if (status == DLC_OK) status = add(listing, &r);
    at += r.bytes;
  }
  free(bytes);
  return status;
}
