/* Interface "dlcore.source/1": where files are read from. A folder and an archive look the same to a dataset. */
#ifndef DLCORE_SOURCE_H
#define DLCORE_SOURCE_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_SOURCE "dlcore.source/1"

/* One regular file in a source. */
typedef struct dlc_entry {
  uint32_t size;
  const char *path; /* relative, parts joined by '/', no "." or ".." part; belongs to the source */
  int64_t bytes;    /* of its content, uncompressed */
  uint64_t id;      /* the source's own */
} dlc_entry;

/* The i-th entry of a list, whatever size its author built it with (R1). */
static inline const dlc_entry *dlc_entry_at(const dlc_entry *entries, uint32_t i)
{
  return (const dlc_entry *)((const char *)entries + (size_t)i * entries->size);
}

/* An open source. Filled by whoever opened it; valid until close(). Entries never change once given. */
typedef struct dlc_source dlc_source;
struct dlc_source {
  uint32_t size;
  const char *origin; /* the path it was opened with, for messages; the source's own copy */
  /* [main] The file of exactly this path; DLC_NOT_FOUND (without a reason) where nothing is called so, DLC_IO where it
   * is no file that can be read. The caller sets entry->size, and no more than that is written. */
  dlc_status (*find)(dlc_source *s, const char *path, dlc_entry *entry);
  /* [main] All files, sorted by path in byte order, no path twice. The array belongs to the source: walk it with
   * dlc_entry_at(). */
  dlc_status (*list)(dlc_source *s, const dlc_entry **entries, uint32_t *n);
  /* [any] The whole content into `buffer`, which has room for entry->bytes. `entry` is one that this source gave.
   * Reasons name origin and path; DLC_IO also when the file is gone or has another size by now. */
  dlc_status (*read)(dlc_source *s, const dlc_entry *entry, void *buffer);
  /* [any] The content where it already lies in memory, or NULL: then read() it. Optional. */
  const void *(*bytes)(dlc_source *s, const dlc_entry *entry);
  void (*close)(dlc_source *s); /* [main] */
  /* [main] The content of `entry` is not needed any more: memory that holds it may go, and what bytes() gave with it.
   * read() may say DLC_IO from then on. Optional. */
  void (*release)(dlc_source *s, const dlc_entry *entry);
};

/* A way to open files as sources. */
typedef struct dlc_source_type dlc_source_type;
struct dlc_source_type {
  uint32_t size;
  const char *name; /* "zip" */
  const char *help; /* one line */
  /* [main] Whether a file that begins with these n bytes (as many as it has, at most 4096) is of this type. Decides by
   * content; the path is for formats without a signature. */
  int (*match)(const char *path, const uint8_t *head, size_t n);
  /* [main] */
  dlc_status (*open)(const dlc_source_type *type, const dlc_host *h, const char *path, dlc_source **source);
};

/* Service "dlcore.sources/1": for datasets that look in places of their own. */
#define DLC_SERVICE_SOURCES "dlcore.sources/1"
typedef struct dlc_sources dlc_sources;
struct dlc_sources {
  uint32_t size;
  /* [main] Opens a folder or an archive. The caller closes it. */
  dlc_status (*open)(const dlc_sources *s, const char *path, dlc_source **source);
};

#ifdef __cplusplus
}
#endif
#endif
