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
/* Removes what writers of this file that were killed left behind. */
dlc_status dlc_atomic_open(dlc_atomic_file *f, const char *path);
dlc_status dlc_atomic_write(dlc_atomic_file *f, const void *data, size_t n);
/* What was written is on the disk, under the name f->temporary. */
dlc_status dlc_atomic_sync(dlc_atomic_file *f);
dlc_status dlc_atomic_commit(dlc_atomic_file *f); /* sync, rename, fsync of the folder; closes either way */
/* The same; the file that was there is called `kept` afterwards. */
dlc_status dlc_atomic_commit_keeping(dlc_atomic_file *f, const char *kept);
void dlc_atomic_abort(dlc_atomic_file *f); /* removes the temporary; harmless after commit */
/* All of it in one. */
dlc_status dlc_write_file(const char *path, const void *data, size_t n);
/* Removes what any writer into this folder that was killed left behind. */
void dlc_remove_leftovers(const char *folder);

#endif
