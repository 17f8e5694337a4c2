/* Where files are read from: folders here, archives through plugins of "dlcore.source/1". [main] but where said. */
#ifndef DLC_DATA_SOURCE_H
#define DLC_DATA_SOURCE_H
#include "dlcore/source.h"
#include "host/host.h"
#include <stdbool.h>

/* Limits of a folder's listing. */
enum { DLC_SOURCE_MAX_ENTRIES = 10 * 1000 * 1000, DLC_SOURCE_MAX_DEPTH = 64 };

/* Opens a folder, or a file through the plugin that knows its content: dlcore-archive.so is asked first, then all
 * others in search order. The source is closed with source->close() and must not outlive the registry. */
dlc_status dlc_source_open(dlc_registry *r, const char *path, dlc_source **source);
/* A folder. `sink` hears of what the listing leaves out; it may be NULL. */
dlc_status dlc_folder_open(const char *path, const dlc_sink *sink, dlc_source **source);

/* The service "dlcore.sources/1" for a registry's plugins. */
typedef struct dlc_source_service {
  dlc_sources table;
  dlc_registry *registry;
} dlc_source_service;
/* `service` is filled here, owned by the caller, and outlives the registry. */
dlc_status dlc_source_serve(dlc_source_service *service, dlc_registry *r);

/* ---- files from sources ---- */

enum { DLC_EXISTING_REFUSE, DLC_EXISTING_KEEP, DLC_EXISTING_REPLACE };

typedef struct dlc_extract_config {
  const char *folder; /* made when it is not there */
  int existing;       /* what becomes of files that are there; KEEP goes on with an extraction that was broken off */
  /* Against archives made to fill a disk; 0: 64 GiB, DLC_SOURCE_MAX_ENTRIES, 250. The ratio of unpacked to packed bytes
   * counts for archives that unpack to more than 256 MiB. */
  uint64_t max_bytes;
  uint32_t max_entries, max_ratio;
  void (*progress)(void *ctx, uint32_t done, uint32_t n); /* after each file; may be NULL */
  void *ctx;
} dlc_extract_config;

typedef struct dlc_extract_result {
  uint32_t written, kept;
  uint64_t bytes; /* written */
} dlc_extract_result;

/* Writes every entry below config->folder and nowhere else: links in it are not followed. Each file appears whole or
 * not at all. What a limit or an existing file forbids is known before anything is written; a failure after that
 * leaves the whole files that came before. */
dlc_status dlc_source_extract(dlc_source *s, const dlc_extract_config *config, dlc_extract_result *result);

/* Whether `path` is relative, without "." or ".." parts, empty parts and control characters. */
bool dlc_entry_path_ok(const char *path);

#endif
