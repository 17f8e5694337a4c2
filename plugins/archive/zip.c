/* zip as a source. Entries are packed one by one, so any of them is read alone, by any thread: a pread and, where it is
 * deflated, libdeflate over the whole entry. */
#include "archive.h"
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

typedef struct zip_source {
  dlc_source base; /* first */
  const dlc_host *h;
  ar_file file;
  ar_listing listing;
} zip_source;

/* ---- one entry ---- */

static const char *method_name(uint32_t method)
{
  static const struct {
    uint32_t method;
    const char *name;
  } names[] = {{1, "shrink"}, {6, "implode"}, {9, "deflate64"}, {12, "bzip2"},         {14, "lzma"},
               {93, "zstd"},  {95, "xz"},     {98, "ppmd"},     {99, "AES encryption"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].method == method) return names[i].name;
  return "a method of its own";
}

static dlc_status check_readable(const zip_source *z, const dlc_entry *e, const ar_place *p)
{
  const dlc_host *h = z->h;
  if (p->flags & AR_ENCRYPTED)
    return h->fail(h, DLC_UNSUPPORTED, "%s: '%s' is encrypted: unpack it with its password first", z->file.path,
                   e->path);
  if (p->method == 0 || p->method == 8) return DLC_OK;
  return h->fail(h, DLC_UNSUPPORTED, "%s: '%s' is packed with %s (%u); only stored and deflated entries are read",
                 z->file.path, e->path, method_name(p->method), p->method);
}

static dlc_status damaged(const zip_source *z, const dlc_entry *e, const char *what)
{
  return z->h->fail(z->h, DLC_INVALID, "%s: '%s' is damaged: %s", z->file.path, e->path, what);
}

/* The data begins after the local header, whose names and extra fields may differ in length from the directory's. */
static dlc_status find_data(const zip_source *z, const dlc_entry *e, const ar_place *p, uint64_t *offset)
{
  uint8_t local[30];
  dlc_status status = ar_file_read(z->h, &z->file, p->offset, local, sizeof local);
  if (status != DLC_OK) return status;
  if (memcmp(local, "PK\3\4", 4) != 0) return damaged(z, e, "its header is not where the directory says");
  *offset = p->offset + sizeof local + (local[26] | (uint64_t)local[27] << 8) + (local[28] | (uint64_t)local[29] << 8);
  if (*offset > z->file.size || p->packed > z->file.size - *offset) return damaged(z, e, "it ends outside of the file");
  return DLC_OK;
}

static dlc_status inflate(const zip_source *z, const dlc_entry *e, const ar_place *p, uint64_t offset, void *to)
{
  uint8_t *packed = malloc((size_t)p->packed + 1);
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  dlc_status status = packed && inflater ? DLC_OK
                                         : z->h->fail(z->h, DLC_NOMEM, "%s: out of memory for '%s', %llu bytes packed",
                                                      z->file.path, e->path, (unsigned long long)p->packed);
  if (status == DLC_OK) status = ar_file_read(z->h, &z->file, offset, packed, (size_t)p->packed);
  if (status == DLC_OK && libdeflate_deflate_decompress(inflater, packed, (size_t)p->packed, to, (size_t)e->bytes,
                                                        NULL) != LIBDEFLATE_SUCCESS)
    status = damaged(z, e, "its deflate data does not unpack to its size");
  libdeflate_free_decompressor(inflater);
  free(packed);
  return status;
}

static dlc_status zip_read(dlc_source *s, const dlc_entry *e, void *buffer)
{
  const zip_source *z = (const zip_source *)s;
  const ar_place *p = &z->listing.places[e->id];
  uint64_t offset = 0;
  dlc_status status = check_readable(z, e, p);
  if (status == DLC_OK) status = find_data(z, e, p, &offset);
  if (status != DLC_OK) return status;
  status = p->method == 8 ? inflate(z, e, p, offset, buffer)
                          : ar_file_read(z->h, &z->file, offset, buffer, (size_t)e->bytes);
  if (status == DLC_OK && libdeflate_crc32(0, buffer, (size_t)e->bytes) != p->crc)
    status = damaged(z, e, "its checksum is wrong");
  return status;
}

/* ---- the source ---- */

static dlc_status zip_find(dlc_source *s, const char *path, dlc_entry *entry)
{
  return ar_listing_lookup(&((zip_source *)s)->listing, path, entry);
}

static dlc_status zip_list(dlc_source *s, const dlc_entry **entries, uint32_t *n)
{
  const ar_listing *listing = &((zip_source *)s)->listing;
  *entries = listing->entries;
  *n = listing->n;
  return DLC_OK;
}

static void zip_close(dlc_source *s)
{
  zip_source *z = (zip_source *)s;
  ar_listing_free(&z->listing);
  ar_file_close(&z->file);
  free(z);
}

static dlc_status zip_open(const dlc_source_type *type, const dlc_host *h, const char *path, dlc_source **source)
{
  (void)type;
  zip_source *z = calloc(1, sizeof *z);
  if (!z) return h->fail(h, DLC_NOMEM, "%s: out of memory", path);
  z->h = h;
  dlc_status status = ar_file_open(h, path, &z->file);
  z->listing = (ar_listing){.h = h, .origin = z->file.path};
  if (status == DLC_OK) status = zip_read_directory(h, &z->file, &z->listing);
  if (status == DLC_OK) status = ar_listing_finish(&z->listing);
  if (status != DLC_OK) {
    zip_close(&z->base);
    return status;
  }
  z->base = (dlc_source){.size = sizeof z->base,
                         .origin = z->file.path,
                         .find = zip_find,
                         .list = zip_list,
                         .read = zip_read,
                         .close = zip_close};
  *source = &z->base;
  return DLC_OK;
}

/* An entry, the end of an empty archive, or the mark of the first part of several; the last part has only its name (and
 * a web page in the place of an archive is named by dlcore). */
static int zip_match(const char *path, const uint8_t *head, size_t n)
{
  const char *dot = strrchr(path, '.');
  if (n < 4) return 0;
  if (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0 || memcmp(head, "PK\7\10", 4) == 0) return 1;
  return dot && strcmp(dot, ".zip") == 0 && *head != '<';
}

const dlc_source_type zip_type = {.size = sizeof zip_type,
                                  .name = "zip",
                                  .help = "zip archives (stored and deflated entries, zip64)",
                                  .match = zip_match,
                                  .open = zip_open};
