/* tar as a source, plain or compressed. libarchive reads the headers once, skipping the contents; what is noted is
 * where each content lies, in the file or in the unpacked image of it. */
#include "archive.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 512, WINDOW = 64 * 1024 };

typedef struct tar_source {
  dlc_source base; /* first */
  const dlc_host *h;
  ar_file file;
  uint8_t *image; /* owned: the unpacked file; NULL: it is not compressed */
  uint64_t size;  /* of the tar: of the image or the file */
  ar_listing listing;
} tar_source;

/* ---- what libarchive reads from ---- */

typedef struct reader {
  tar_source *t;
  uint64_t offset;
  uint8_t window[WINDOW];
} reader;

static la_ssize_t read_some(struct archive *a, void *ctx, const void **bytes)
{
  reader *r = ctx;
  uint64_t left = r->t->size - r->offset;
  size_t n = !r->t->image && left > WINDOW ? WINDOW : (size_t)left;
  *bytes = r->t->image ? r->t->image + r->offset : r->window;
  if (!r->t->image && ar_file_read(r->t->h, &r->t->file, r->offset, r->window, n) != DLC_OK) {
    archive_set_error(a, EIO, "it could not be read");
    return ARCHIVE_FATAL;
  }
  r->offset += n;
  return (la_ssize_t)n;
}

static la_int64_t skip_some(struct archive *a, void *ctx, la_int64_t n)
{
  reader *r = ctx;
  (void)a;
  uint64_t left = r->t->size - r->offset;
  if ((uint64_t)n > left) n = (la_int64_t)left;
  r->offset += (uint64_t)n;
  return n;
}

/* ---- the listing ---- */

/* Adds the entry whose header has just been read; its content begins at `offset`. *end: where it ends, as far as that
 * is known. */
static dlc_status add(tar_source *t, struct archive_entry *e, uint64_t offset, uint64_t *end)
{
  const char *path = archive_entry_pathname(e), *target = archive_entry_hardlink(e);
  ar_place place = {.offset = offset};
  *end = offset;
  if (!path) path = ""; /* not to be had: refused as a name */
  if (target) return ar_listing_add_link(&t->listing, path, target);
  if (archive_entry_filetype(e) == AE_IFLNK) t->listing.n_links++;
  if (archive_entry_filetype(e) != AE_IFREG) return DLC_OK;
  if (archive_entry_sparse_count(e) > 0) {
    place.flags = AR_SPARSE;
    *end = 0;
  } else {
    place.packed = (uint64_t)archive_entry_size(e);
    if (offset > t->size || place.packed > t->size - offset)
      return t->h->fail(t->h, DLC_INVALID,
                        "%s: a tar archive that was cut short: '%s' has %" PRIu64 " of %" PRIu64 " bytes", t->file.path,
                        ar_printable(path, strlen(path)).text, offset > t->size ? 0 : t->size - offset, place.packed);
    *end = offset + (place.packed + BLOCK - 1) / BLOCK * BLOCK;
  }
  return ar_listing_add(&t->listing, path, strlen(path), (uint64_t)archive_entry_size(e), &place);
}

/* A tar ends in blocks of zeros; one that was cut between two entries has none. */
static dlc_status check_end(const tar_source *t, uint64_t end)
{
  if (end == 0 || (end <= t->size && t->size - end >= BLOCK)) return DLC_OK;
  return t->h->fail(t->h, DLC_INVALID, "%s: a tar archive that was cut short: its end mark is missing", t->file.path);
}

static dlc_status read_headers(tar_source *t, struct archive *a)
{
  struct archive_entry *e;
  dlc_status status = DLC_OK;
  uint64_t end = 0;
  int result;
  while (status == DLC_OK && ((result = archive_read_next_header(a, &e)) == ARCHIVE_OK || result == ARCHIVE_WARN))
    status = add(t, e, (uint64_t)archive_filter_bytes(a, 0), &end);
  if (status != DLC_OK) return status;
  if (result == ARCHIVE_EOF) return check_end(t, end);
  const char *why = archive_error_string(a);
  return t->h->fail(t->h, DLC_INVALID, "%s: a tar archive that is damaged or was cut short: %s", t->file.path,
                    why ? why : "an unreadable header");
}

/* libarchive turns names into the thread's character set, which loses what is not in it: so names are UTF-8 here,
 * whatever the user's locale. */
static dlc_status index_entries(tar_source *t)
{
  reader *r = calloc(1, sizeof *r);
  struct archive *a = archive_read_new();
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale((locale_t)0);
  dlc_status status = r && a ? DLC_OK : t->h->fail(t->h, DLC_NOMEM, "%s: out of memory", t->file.path);
  if (utf8) uselocale(utf8);
  if (status == DLC_OK) {
    r->t = t;
    archive_read_support_format_tar(a);
    if (archive_read_open2(a, r, NULL, read_some, skip_some, NULL) != ARCHIVE_OK)
      status = t->h->fail(t->h, DLC_INVALID, "%s: %s", t->file.path, archive_error_string(a));
  }
  if (status == DLC_OK) status = read_headers(t, a);
  archive_read_free(a);
  uselocale(before);
  if (utf8) freelocale(utf8);
  free(r);
  return status;
}

/* ---- the source ---- */

static dlc_status tar_find(dlc_source *s, const char *path, dlc_entry *entry)
{
  return ar_listing_lookup(&((tar_source *)s)->listing, path, entry);
}

static dlc_status tar_list(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  const ar_listing *listing = &((tar_source *)s)->listing;
  *entries = listing->entries;
  *n = listing->n;
  return DLC_OK;
}

static const void *tar_bytes(dlc_source *s, const dlc_entry *e)
{
  const tar_source *t = (const tar_source *)s;
  const ar_place *p = &t->listing.places[e->id];
  return t->image && !(p->flags & (AR_SPARSE | AR_RELEASED)) ? t->image + p->offset : NULL;
}

static dlc_status tar_read(dlc_source *s, const dlc_entry *e, void *buffer)
{
  const tar_source *t = (const tar_source *)s;
  const ar_place *p = &t->listing.places[e->id];
  if (p->flags & AR_SPARSE)
    return t->h->fail(t->h, DLC_UNSUPPORTED,
                      "%s: '%s' is stored as a sparse file, which is not read: pack it without -S", t->file.path,
                      e->path);
  if (p->flags & AR_RELEASED)
    return t->h->fail(t->h, DLC_IO, "%s: '%s' has been released: it was to be read once", t->file.path, e->path);
  if (!t->image) return ar_file_read(t->h, &t->file, p->offset, buffer, (size_t)e->bytes);
  memcpy(buffer, t->image + p->offset, (size_t)e->bytes);
  return DLC_OK;
}

/* Whole pages of the image go; other names of the same content (hard links) are released with it. */
static void tar_release(dlc_source *s, const dlc_entry *e)
{
  tar_source *t = (tar_source *)s;
  const ar_place *released = &t->listing.places[e->id];
  const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), offset = released->offset;
  const uint64_t begin = (offset + page - 1) / page * page, end = (offset + released->packed) / page * page;
  if (!t->image || (released->flags & (AR_SPARSE | AR_RELEASED)) || begin >= end) return;
  if (madvise(t->image + begin, end - begin, MADV_DONTNEED) != 0) return;
  for (uint32_t i = 0; i < t->listing.n; i++) {
    ar_place *p = &t->listing.places[t->listing.entries[i].id];
    if (p->offset == offset) p->flags |= AR_RELEASED;
  }
}

static void tar_close(dlc_source *s)
{
  tar_source *t = (tar_source *)s;
  ar_listing_free(&t->listing);
  ar_file_close(&t->file);
  free(t->image);
  free(t);
}

/* ---- opening ---- */

/* Whether a tar header stands here: its checksum tells, as old archives have no other mark. */
static int is_header(const uint8_t *p, size_t n)
{
  int64_t sum = 0, stated = 0;
  if (n < BLOCK) return 0;
  for (size_t i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? ' ' : p[i];
  for (size_t i = 148; i < 156; i++)
    if (p[i] >= '0' && p[i] <= '7') stated = stated * 8 + (p[i] - '0');
  return sum == stated && p[0] != 0;
}

static int is_empty_tar(const char *path, const uint8_t *p, size_t n)
{
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; i < n; i++)
    if (p[i]) return 0;
  return n >= 2 * BLOCK && dot && strcmp(dot, ".tar") == 0;
}

/* Half of the machine's memory, or what the user says. */
static uint64_t memory_limit(void)
{
  const char *set = getenv("DLCORE_ARCHIVE_MEMORY");
  char *end;
  unsigned long long megabytes = set ? strtoull(set, &end, 10) : 0;
  if (set && *set && *end == 0) return megabytes < UINT64_MAX >> 20 ? (uint64_t)megabytes << 20 : UINT64_MAX;
  return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
}

static dlc_status unpack(tar_source *t)
{
  uint8_t head[BLOCK];
  size_t n = t->file.size < sizeof head ? (size_t)t->file.size : sizeof head, size;
  t->size = t->file.size;
  dlc_status status = ar_file_read(t->h, &t->file, 0, head, n);
  const char *compression = ar_compression(head, n);
  if (status != DLC_OK || !compression) return status;
  status = ar_unpack(t->h, &t->file, memory_limit(), &t->image, &size);
  if (status != DLC_OK) return status;
  t->size = size;
  if (is_header(t->image, size) || is_empty_tar(".tar", t->image, size)) return DLC_OK;
  return t->h->fail(t->h, DLC_INVALID, "%s: %s data, but no tar archive is in it", t->file.path, compression);
}

static dlc_status tar_open(const dlc_source_type *type, const dlc_host *h, const char *path, dlc_source **source)
{
  (void)type;
  tar_source *t = calloc(1, sizeof *t);
  if (!t) return h->fail(h, DLC_NOMEM, "%s: out of memory", path);
  t->h = h;
  dlc_status status = ar_file_open(h, path, &t->file);
  t->listing = (ar_listing){.h = h, .origin = t->file.path};
  if (status == DLC_OK) status = unpack(t);
  if (status == DLC_OK) status = index_entries(t);
  if (status == DLC_OK) status = ar_listing_finish(&t->listing);
  if (status != DLC_OK) {
    tar_close(&t->base);
    return status;
  }
  t->base = (dlc_source){.size = sizeof t->base,
                         .origin = t->file.path,
                         .find = tar_find,
                         .list = tar_list,
                         .read = tar_read,
                         .bytes = tar_bytes,
                         .close = tar_close,
                         .release = tar_release};
  *source = &t->base;
  return DLC_OK;
}

static int tar_match(const char *path, const uint8_t *head, size_t n)
{
  return ar_compression(head, n) || is_header(head, n) || is_empty_tar(path, head, n);
}

const dlc_source_type tar_type = {.size = sizeof tar_type,
                                  .name = "tar",
                                  .help =
                                      "tar archives, plain or compressed (gzip, xz, zstd, bzip2: into memory, at most "
                                      "half of it or DLCORE_ARCHIVE_MEMORY MiB)",
                                  .match = tar_match,
                                  .open = tar_open};
