/* Paths and whole files. Reasons name the path and what the system said. */
#ifndef DLC_BASE_FILE_H
#define DLC_BASE_FILE_H
#include "dlcore/base.h"
#include <stdbool.h>

bool dlc_path_exists(const char *path);
bool dlc_path_is_dir(const char *path);
/* mkdir -p. */
dlc_status dlc_make_dirs(const char *path);
/* The whole file, NUL-terminated, at most `limit` bytes; the caller frees *data. */
dlc_status dlc_read_file(const char *path, size_t limit, char **data, size_t *length);

/* A file that appears whole or not at all: written under a temporary name in the same folder, synced, renamed. */
typedef struct dlc_atomic_file {
  int fd;
  char *path, *temporary;
} dlc_atomic_file;
dlc_status dlc_atomic_open(dlc_atomic_file *f, const char *path);
dlc_status dlc_atomic_write(dlc_atomic_file *f, const void *data, size_t n);
dlc_status dlc_atomic_commit(dlc_atomic_file *f); /* fsync, rename, fsync of the folder; closes either way */
void dlc_atomic_abort(dlc_atomic_file *f);        /* removes the temporary; harmless after commit */
/* All four in one. */
dlc_status dlc_write_file(const char *path, const void *data, size_t n);

#endif
