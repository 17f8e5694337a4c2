/* Generations and epochs of checkpoints: written, verified and put in their places, found again. */
#include "train/checkpoint_file.h"
#include "base/status.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char score_key[] = "dlcore.score";

static char *path_of(const char *folder, const char *name)
{
  char *path = NULL;
  return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static char *epoch_path(const char *folder, int64_t epoch)
{
  char name[64];
  snprintf(name, sizeof name, "epoch-%" PRId64 ".safetensors", epoch);
  return path_of(folder, name);
}

/* Under its temporary name, on the disk, and as it was meant when read again; removed after a failure. */
static dlc_status write_verified(const char *path, const dlc_checkpoint *c, dlc_atomic_file *f)
{
  DLC_TRY(dlc_atomic_open(f, path));
  dlc_status status = dlc_safetensors_put(f, c->tensors, c->n, c->metadata, c->n_metadata);
  if (status >= 0) status = dlc_atomic_sync(f);
  if (status >= 0) status = dlc_safetensors_check(f->temporary);
  if (status < 0) dlc_atomic_abort(f);
  return status;
}

/* ---- generations ---- */

static dlc_status write_last(const char *last, const char *previous, const dlc_checkpoint *c)
{
  dlc_atomic_file f;
  DLC_TRY(write_verified(last, c, &f));
  const bool good = dlc_safetensors_check(last) >= 0; /* else it must not push out one that is */
  return good ? dlc_atomic_commit_keeping(&f, previous) : dlc_atomic_commit(&f);
}

dlc_status dlc_checkpoint_write(const char *folder, const dlc_checkpoint *c)
{
  DLC_TRY(dlc_make_dirs(folder));
  dlc_remove_leftovers(folder);
  char *last = path_of(folder, "last.safetensors"), *previous = path_of(folder, "previous.safetensors");
  dlc_status status = last && previous ? write_last(last, previous, c) : dlc_fail_nomem();
  free(last);
  free(previous);
  return status;
}

/* ---- epochs ---- */

typedef struct epoch_file {
  int64_t epoch;
  double score;
} epoch_file;

typedef struct epoch_list {
  epoch_file *files;
  uint32_t n;
} epoch_list;

/* Of "epoch-N.safetensors"; -1 for any other name. */
static int64_t epoch_of(const char *name)
{
  int64_t epoch;
  char same[64];
  if (sscanf(name, "epoch-%" SCNd64, &epoch) != 1 || epoch < 0) return -1;
  snprintf(same, sizeof same, "epoch-%" PRId64 ".safetensors", epoch);
  return strcmp(name, same) == 0 ? epoch : -1;
}

static dlc_status list_folder(DIR *d, const char *folder, epoch_list *list)
{
  for (;;) {
    errno = 0;
    const struct dirent *e = readdir(d);
    if (!e && errno) return dlc_fail(DLC_IO, "cannot read %s: %s", folder, strerror(errno));
    if (!e) return DLC_OK;
    const int64_t epoch = epoch_of(e->d_name);
    if (epoch < 0) continue;
    epoch_file *files = realloc(list->files, (list->n + 1) * sizeof *files);
    if (!files) return dlc_fail_nomem();
    list->files = files;
    files[list->n++] = (epoch_file){.epoch = epoch, .score = NAN};
  }
}

static int latest_first(const void *a, const void *b)
{
  const int64_t x = ((const epoch_file *)a)->epoch, y = ((const epoch_file *)b)->epoch;
  return x > y ? -1 : x < y;
}

/* From the latest; none where there is no folder. The caller frees list->files in any case. */
static dlc_status list_epochs(const char *folder, epoch_list *list)
{
  *list = (epoch_list){0};
  DIR *d = opendir(folder);
  if (!d && errno == ENOENT) return DLC_OK;
  if (!d) return dlc_fail(DLC_IO, "cannot read %s: %s", folder, strerror(errno));
  dlc_status status = list_folder(d, folder, list);
  closedir(d);
  if (list->n) qsort(list->files, list->n, sizeof *list->files, latest_first);
  return status;
}

/* ---- the best epochs ---- */

static bool read_score(const char *folder, epoch_file *e)
{
  dlc_tensor_file file = {0};
  char *path = epoch_path(folder, e->epoch);
  const bool read = path && dlc_safetensors_read_header(path, &file) >= 0;
  const char *text = read ? dlc_metadata_find(&file, score_key) : NULL;
  if (text) e->score = strtod(text, NULL);
  dlc_safetensors_free(&file);
  free(path);
  return text != NULL;
}

static int best_first(const void *a, const void *b)
{
  const epoch_file *x = a, *y = b;
  if (isnan(x->score) != isnan(y->score)) return isnan(x->score) ? 1 : -1;
  if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
  return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

/* The epochs that have a score, with `own` among them, best first. A file that says nothing of its score, because it is
 * damaged or not ours, is left alone. */
static dlc_status rank_epochs(const char *folder, epoch_file own, epoch_list *list)
{
  DLC_TRY(list_epochs(folder, list));
  uint32_t n = 0;
  for (uint32_t i = 0; i < list->n; i++) {
    epoch_file *e = &list->files[i];
    if (e->epoch != own.epoch && read_score(folder, e)) list->files[n++] = *e;
  }
  epoch_file *files = realloc(list->files, (n + 1) * sizeof *files);
  if (!files) return dlc_fail_nomem();
  files[n++] = own;
  *list = (epoch_list){files, n};
  qsort(files, n, sizeof *files, best_first);
  return DLC_OK;
}

static dlc_status write_scored(const char *path, const dlc_checkpoint *c, double score)
{
  dlc_atomic_file f;
  char text[40];
  const char **metadata = malloc(2 * ((size_t)c->n_metadata + 1) * sizeof *metadata);
  if (!metadata) return dlc_fail_nomem();
  for (uint32_t i = 0; i < 2 * c->n_metadata; i++) metadata[i] = c->metadata[i];
  snprintf(text, sizeof text, "%.17g", score);
  metadata[2 * c->n_metadata] = score_key;
  metadata[2 * c->n_metadata + 1] = text;
  const dlc_checkpoint scored = {c->tensors, c->n, metadata, c->n_metadata + 1};
  dlc_status status = write_verified(path, &scored, &f);
  if (status >= 0) status = dlc_atomic_commit(&f);
  free(metadata);
  return status;
}

static dlc_status remove_file(const char *path)
{
  if (!path) return dlc_fail_nomem();
  if (unlink(path) == 0 || errno == ENOENT) return DLC_OK;
  return dlc_fail(DLC_IO, "cannot remove %s: %s", path, strerror(errno));
}

static dlc_status keep_epoch(const char *folder, const dlc_checkpoint *c, epoch_file e, bool kept, bool own)
{
  char *path = epoch_path(folder, e.epoch);
  dlc_status status = path ? DLC_OK : dlc_fail_nomem();
  if (status >= 0 && kept && own) status = write_scored(path, c, e.score);
  else if (status >= 0 && !kept) status = remove_file(path);
  free(path);
  return status;
}

dlc_status dlc_checkpoint_write_epoch(const char *folder, const dlc_checkpoint *c, int64_t epoch, double score,
                                      uint32_t keep)
{
  epoch_list list = {0};
  DLC_TRY(dlc_make_dirs(folder));
  dlc_status status = rank_epochs(folder, (epoch_file){epoch, score}, &list);
  /* In this order: what is worse goes when what is better is there. */
  for (uint32_t i = 0; i < list.n && status >= 0; i++)
    status = keep_epoch(folder, c, list.files[i], i < keep, list.files[i].epoch == epoch);
  free(list.files);
  return status;
}

/* ---- removing ---- */

static dlc_status remove_named(const char *folder, const char *name)
{
  char *path = path_of(folder, name);
  const dlc_status status = remove_file(path);
  free(path);
  return status;
}

dlc_status dlc_checkpoint_remove_all(const char *folder)
{
  epoch_list list;
  dlc_status status = list_epochs(folder, &list);
  for (uint32_t i = 0; i < list.n && status >= 0; i++) {
    char *path = epoch_path(folder, list.files[i].epoch);
    status = remove_file(path);
    free(path);
  }
  free(list.files);
  if (status >= 0) status = remove_named(folder, "previous.safetensors");
  return status < 0 ? status : remove_named(folder, "last.safetensors");
}

/* ---- finding ---- */

typedef struct search {
  const char *folder;
  char **path;
  dlc_tensor_file *file;
  dlc_str passed; /* why those before were passed over */
  bool any;       /* not all of them because they are not there */
} search;

/* DLC_END, having kept the reason, where the search goes on. */
static dlc_status pass_over(search *s, dlc_status status, bool missing)
{
  if (status == DLC_NOMEM) return status;
  dlc_str_addf(&s->passed, "%s%s", s->passed.length ? "; " : "", dlc_reason());
  s->any = s->any || !missing;
  return DLC_END;
}

/* Takes `path` over. */
static dlc_status try_path(search *s, char *path)
{
  if (!path) return dlc_fail_nomem();
  const bool missing = access(path, F_OK) != 0 && errno == ENOENT;
  dlc_status status = dlc_safetensors_read(path, s->file);
  if (status >= 0) *s->path = path;
  else {
    status = pass_over(s, status, missing);
    free(path);
  }
  return status;
}

static dlc_status try_epochs(search *s)
{
  epoch_list list;
  dlc_status status = list_epochs(s->folder, &list);
  status = status < 0 ? pass_over(s, status, false) : DLC_END;
  for (uint32_t i = 0; i < list.n && status == DLC_END; i++)
    status = try_path(s, epoch_path(s->folder, list.files[i].epoch));
  free(list.files);
  return status;
}

dlc_status dlc_checkpoint_find(const char *folder, const dlc_sink *sink, char **path, dlc_tensor_file *file)
{
  search s = {.folder = folder, .path = path, .file = file};
  *path = NULL;
  *file = (dlc_tensor_file){0};
  dlc_status status = try_path(&s, path_of(folder, "last.safetensors"));
  if (status == DLC_END) status = try_path(&s, path_of(folder, "previous.safetensors"));
  if (status == DLC_END) status = try_epochs(&s);
  if (status == DLC_END && !s.any) status = dlc_fail(DLC_NOT_FOUND, "no checkpoint in %s", folder);
  else if (status == DLC_END) status = dlc_fail(DLC_INVALID, "no checkpoint that is whole: %s", dlc_str_get(&s.passed));
  else if (status >= 0 && s.passed.length)
    dlc_say(sink, DLC_LOG_WARN, "%s; going on from %s", dlc_str_get(&s.passed), *path);
  dlc_str_free(&s.passed);
  return status;
}
