/* Where the files of a data set lie: in the source that the user gave, at any depth or in an archive of the usual name
 * at its top, or without one in the usual places. [main] */
#include "cifar.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "~" stands for the home folder, where Keras keeps its data sets. */
static const char *const usual_places[] = {"data", ".", "~/.keras/datasets", NULL};

typedef struct cifar_search {
  const dlc_host *h;
  const dlc_sources *sources; /* NULL: this host has none */
  uint32_t kind;              /* 0: any */
  int coarse;
  uint32_t most;        /* files of the fullest folder that was not complete */
  cifar_reason partial; /* what is missing there */
  uint32_t other;       /* the kind of a complete data set that was not asked for; 0: none */
} cifar_search;

void cifar_files_free(cifar_files *files)
{
  if (files->owned) files->source->close(files->source);
  free(files->folder);
  memset(files, 0, sizeof *files);
}

/* ---- in one source ---- */

static dlc_status out_of_memory(const cifar_search *s)
{
  return s->h->fail(s->h, DLC_NOMEM, "out of memory");
}

static int is_wanted(const cifar_search *s, const cifar_layout *layout)
{
  return !s->kind || s->kind == layout->kind;
}

static uint32_t n_files(const cifar_layout *layout)
{
  return layout->n_batches + 1;
}

static const cifar_labels *labels_of(const cifar_search *s, const cifar_layout *layout)
{
  return layout->labels[s->coarse && layout->labels[1] ? 1 : 0];
}

/* The i-th file's name: the batches, then the class names. */
static const char *file_name(const cifar_search *s, const cifar_layout *layout, uint32_t i)
{
  if (i < layout->n_batches) return layout->files[i];
  return layout->meta ? layout->meta : labels_of(s, layout)->names_file;
}

/* The last part of the first n characters of `path`. */
static const char *last_part(const char *path, size_t n)
{
  while (n > 0 && path[n - 1] != '/') n--;
  return path + n;
}

/* Whether a folder has the layout's own name. Elsewhere names like "train" may mean anything. */
static int has_own_name(const cifar_layout *layout, const char *folder)
{
  return strcmp(last_part(folder, strlen(folder)), layout->folder) == 0;
}

/* Fills files->entry with what `folder` ("" or ending in '/') has of the layout. */
static dlc_status find_files(const cifar_search *s, cifar_files *files, const char *folder, uint32_t *found)
{
  dlc_status status = DLC_OK;
  *found = 0;
  for (uint32_t i = 0; i < n_files(files->layout) && status == DLC_OK; i++) {
    char *path;
    files->entry[i] = (dlc_entry){.size = sizeof(dlc_entry)};
    if (asprintf(&path, "%s%s", folder, file_name(s, files->layout, i)) < 0) return out_of_memory(s);
    status = files->source->find(files->source, path, &files->entry[i]);
    free(path);
    if (status == DLC_OK) (*found)++;
    else files->entry[i].path = NULL;
    /* What has a name of a data set that nobody asked for may be anything. */
    if (status == DLC_NOT_FOUND || !is_wanted(s, files->layout)) status = DLC_OK;
  }
  return status;
}

/* Keeps in mind what is missing in the fullest of the incomplete folders. */
static void note_partial(cifar_search *s, const cifar_files *files, const char *folder, uint32_t found)
{
  uint32_t missing = 0, there = 0;
  if (found <= s->most || (found == 1 && !has_own_name(files->layout, folder))) return;
  while (files->entry[missing].path) missing++;
  while (!files->entry[there].path) there++;
  s->most = found;
  cifar_fail(&s->partial, DLC_NOT_FOUND, "%s%s%s: %s is missing beside %s", files->source->origin, *folder ? "/" : "",
             folder, file_name(s, files->layout, missing), file_name(s, files->layout, there));
}

/* Looks into one folder, which is a path of n characters. DLC_NOT_FOUND: it is not complete. */
static dlc_status look_in_folder(cifar_search *s, cifar_files *files, const char *path, size_t n)
{
  uint32_t found = 0;
  char *with_slash = strndup(path, n ? n + 1 : 0), *folder = strndup(path, n);
  dlc_status status = with_slash && folder ? find_files(s, files, with_slash, &found) : out_of_memory(s);
  if (status == DLC_OK && found == n_files(files->layout)) {
    files->folder = folder;
    folder = NULL;
  } else if (status == DLC_OK) {
    if (is_wanted(s, files->layout)) note_partial(s, files, folder, found);
    status = DLC_NOT_FOUND;
  }
  free(with_slash);
  free(folder);
  return status;
}

static int is_file_of(const cifar_search *s, const cifar_layout *layout, const char *name)
{
  for (uint32_t i = 0; i < n_files(layout); i++)
    if (strcmp(name, file_name(s, layout, i)) == 0) return 1;
  return 0;
}

/* The first complete folder of files->layout, in byte order of the paths. */
static dlc_status look_for_layout(cifar_search *s, cifar_files *files, const dlc_entry *entries, uint32_t n)
{
  dlc_status status = DLC_NOT_FOUND;
  for (uint32_t i = 0; i < n && status == DLC_NOT_FOUND; i++) {
    const char *path = dlc_entry_at(entries, i)->path, *name = last_part(path, strlen(path));
    size_t folder = name > path ? (size_t)(name - path) - 1 : 0;
    if (is_file_of(s, files->layout, name)) status = look_in_folder(s, files, path, folder);
  }
  return status;
}

/* Fills *files with the first complete data set of `source`; DLC_NOT_FOUND (without a reason) where there is none. */
static dlc_status look_in_source(cifar_search *s, dlc_source *source, cifar_files *files)
{
  const dlc_entry *entries = NULL;
  uint32_t n = 0;
  dlc_status status = source->list(source, &entries, &n);
  if (status != DLC_OK) return status;
  for (uint32_t i = 0; i < cifar_n_layouts; i++) {
    cifar_files here = {.layout = &cifar_layouts[i], .labels = labels_of(s, &cifar_layouts[i]), .source = source};
    if (files->layout && files->layout->kind == here.layout->kind) continue;
    status = look_for_layout(s, &here, entries, n);
    if (status == DLC_NOT_FOUND) continue;
    if (status != DLC_OK) {
      free(files->folder);
      return status;
    }
    if (!is_wanted(s, here.layout)) {
      s->other = here.layout->kind;
      free(here.folder);
    } else if (files->layout) {
      free(here.folder);
      free(files->folder);
      return s->h->fail(s->h, DLC_INVALID, "%s holds both CIFAR-10 and CIFAR-100: say --dataset cifar10 or cifar100",
                        source->origin);
    } else {
      *files = here;
    }
  }
  return files->layout ? DLC_OK : DLC_NOT_FOUND;
}

/* ---- in places ---- */

/* Opens PLACE/NAME when it is there and looks into it. */
static dlc_status look_at(cifar_search *s, const char *place, const char *name, cifar_files *files)
{
  char *path;
  dlc_source *source = NULL;
  if (asprintf(&path, "%s/%s", place, name) < 0) return out_of_memory(s);
  dlc_status status = access(path, F_OK) == 0 ? s->sources->open(s->sources, path, &source) : DLC_NOT_FOUND;
  free(path);
  if (!source) return status;
  status = look_in_source(s, source, files);
  if (status == DLC_OK) files->owned = 1;
  else source->close(source);
  return status;
}

/* Folders (when asked for), then archives, in one place. */
static dlc_status look_in_place(cifar_search *s, const char *place, int folders, cifar_files *files)
{
  dlc_status status = DLC_NOT_FOUND;
  if (!s->sources) return status;
  for (int archives = !folders; archives < 2; archives++) {
    for (uint32_t i = 0; i < cifar_n_layouts; i++) {
      const cifar_layout *layout = &cifar_layouts[i];
      const char *const one[] = {layout->folder, NULL};
      if (!is_wanted(s, layout)) continue;
      for (const char *const *name = archives ? layout->archives : one; *name; name++) {
        status = look_at(s, place, *name, files);
        if (status != DLC_NOT_FOUND) return status;
      }
    }
  }
  return status;
}

static dlc_status look_in_usual_places(cifar_search *s, cifar_files *files)
{
  const char *home = getenv("HOME");
  dlc_status status = DLC_NOT_FOUND;
  for (const char *const *place = usual_places; *place && status == DLC_NOT_FOUND; place++) {
    char *path;
    if (**place == '~' && (!home || !*home)) continue;
    if (asprintf(&path, "%s%s", **place == '~' ? home : *place, **place == '~' ? *place + 1 : "") < 0)
      return out_of_memory(s);
    status = look_in_place(s, path, 1, files);
    free(path);
  }
  return status;
}

/* ---- the whole search ---- */

static const cifar_layout *first_layout(uint32_t kind)
{
  const cifar_layout *layout = cifar_layouts;
  while (kind && layout->kind != kind) layout++;
  return layout;
}

static dlc_status nothing_found(const cifar_search *s, const dlc_source *source)
{
  const dlc_host *h = s->h;
  const cifar_layout *layout = first_layout(s->kind);
  const char *title = s->kind ? layout->title : "CIFAR";
  if (s->most > 0) return h->fail(h, DLC_NOT_FOUND, "%s", s->partial.text);
  if (s->other)
    return h->fail(h, DLC_NOT_FOUND, "no %s files in %s, but those of CIFAR-%u: say --dataset cifar%u", title,
                   source ? source->origin : "the usual places", s->other, s->other);
  if (source)
    return h->fail(h, DLC_NOT_FOUND,
                   "no %s files in %s: expected a folder like %s with %s ... %s, or the binary version, or %s (md5 %s, "
                   "from www.cs.toronto.edu/~kriz/cifar.html)",
                   title, source->origin, layout->folder, layout->files[0], layout->meta, layout->archives[0],
                   layout->md5);
  return h->fail(h, DLC_NOT_FOUND,
                 "no %s files: neither folder %s nor %s in %s, %s, %s; give --data-dir FOLDER or ARCHIVE (%s, md5 %s, "
                 "can be had from www.cs.toronto.edu/~kriz/cifar.html)",
                 title, layout->folder, layout->archives[0], usual_places[0], usual_places[1], usual_places[2],
                 layout->archives[0], layout->md5);
}

dlc_status cifar_find(const dlc_host *h, uint32_t kind, dlc_source *source, int coarse, cifar_files *files)
{
  cifar_search s = {.h = h, .sources = h->service(h, DLC_SERVICE_SOURCES), .kind = kind, .coarse = coarse};
  memset(files, 0, sizeof *files);
  dlc_status status;
  if (source) {
    status = look_in_source(&s, source, files);
    if (status == DLC_NOT_FOUND) status = look_in_place(&s, source->origin, 0, files);
  } else {
    status = look_in_usual_places(&s, files);
  }
  if (status == DLC_NOT_FOUND) status = nothing_found(&s, source);
  if (status == DLC_OK && coarse && !files->layout->labels[1]) {
    status = h->fail(h, DLC_INVALID, "%s: %s has no coarse labels", files->source->origin, files->layout->title);
    cifar_files_free(files);
  }
  if (status != DLC_OK) memset(files, 0, sizeof *files);
  return status;
}
