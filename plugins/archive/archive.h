/* The plugin's own declarations: archives read where they lie, nothing extracted to disk.
 *
 *   listing.c        names of entries: which are accepted, their order, looking one up
 *   file.c           the archive's file: exact reads at any place
 *   zip_directory.c  the directory at the end of a zip, read once
 *   zip.c            zip as a source: any entry from any thread
 *   unpack.c         a compressed file into memory
 *   tar.c            tar as a source: one pass for the listing, then any entry from any thread
 *   plugin.c         what dlcore calls
 *
 * libarchive reads a zip in one direction only and libzip from one thread only, so the zip directory is read here, and
 * libdeflate unpacks whole entries. tar and its many dialects are libarchive's. An open source never changes, but for
 * what is released: what is [any] needs no lock. */
#ifndef ARCHIVE_PLUGIN_H
#define ARCHIVE_PLUGIN_H
#include <dlcore/plugin.h>

#define AR_MAX_ENTRIES 10000000u /* about 1 GB of listing */
#define AR_MAX_NAME    4096      /* bytes of a path, its NUL included */

/* ---- listing.c ---- */

/* A name that no check has seen yet, fit for a message: one line, cut to its beginning. */
typedef struct ar_name {
  char text[128];
} ar_name;
ar_name ar_printable(const char *name, size_t length);

/* Where an entry lies, beside its dlc_entry. */
typedef struct ar_place {
  uint64_t offset; /* in the archive (or its unpacked image): of the data; zip: of the local header */
  uint64_t packed; /* bytes there */
  uint32_t crc;    /* zip: CRC-32 of the content */
  uint16_t method; /* zip: 0 stored, 8 deflate */
  uint16_t flags;  /* AR_ENCRYPTED, AR_SPARSE, AR_RELEASED */
} ar_place;
enum { AR_ENCRYPTED = 1, AR_SPARSE = 2, AR_RELEASED = 4 };

typedef struct ar_listing {
  const dlc_host *h;
  const char *origin;
  dlc_entry *entries; /* owned; entries[i].id is the index of its place */
  ar_place *places;   /* owned */
  char *names;        /* owned: all paths, each with its NUL; until ar_listing_finish() a path is an offset into it */
  size_t names_used, names_room;
  uint32_t n, room;
  uint64_t n_refused, n_links;
  ar_name refused; /* the first name that was refused */
} ar_listing;

/* Adds a regular file. `name`: as the archive has it. A name that is no plain relative path is counted and left out. */
dlc_status ar_listing_add(ar_listing *l, const char *name, size_t length, uint64_t bytes, const ar_place *place);
/* Adds a second name for an entry that is there (tar's hard links); one that is not there is counted as a link. */
dlc_status ar_listing_add_link(ar_listing *l, const char *name, const char *target);
/* Sorts, keeps the last of equal names, and says in one line each what was left out. */
dlc_status ar_listing_finish(ar_listing *l);
/* For a source's find(). */
dlc_status ar_listing_lookup(const ar_listing *l, const char *path, dlc_entry *entry);
void ar_listing_free(ar_listing *l);

/* ---- file.c ---- */
typedef struct ar_file {
  int fd;
  uint64_t size;
  char *path; /* owned */
} ar_file;

dlc_status ar_file_open(const dlc_host *h, const char *path, ar_file *file);
/* [any] Exactly n bytes from `offset`. */
dlc_status ar_file_read(const dlc_host *h, const ar_file *file, uint64_t offset, void *to, size_t n);
void ar_file_close(ar_file *file);

/* ---- zip_directory.c ---- */

/* Reads the whole directory into the listing. */
dlc_status zip_read_directory(const dlc_host *h, const ar_file *file, ar_listing *listing);

/* ---- unpack.c ---- */

/* What the first bytes of a file say it is compressed with; NULL: not compressed, as far as this plugin knows. */
const char *ar_compression(const uint8_t *head, size_t n);
/* The whole content of a compressed file in memory: *data is the caller's to free(). `limit`: the most it may have. */
dlc_status ar_unpack(const dlc_host *h, const ar_file *file, uint64_t limit, uint8_t **data, size_t *size);

/* ---- the types ---- */
extern const dlc_source_type zip_type, tar_type;

#endif
