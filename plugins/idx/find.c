/* Where the four files of a data set lie: every spelling and folder layout in which they are handed around. [main] */
#include "idx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without --data-dir a data set must be in a folder of its own name, so that no other set is taken for it. "~" stands
 * for the home folder; Keras keeps Fashion-MNIST there in idx files. */
static const char *const usual_places[] = {"data", ".", "~/.keras/datasets", "/usr/share/datasets", NULL};
static const char *const own_folders[] = {"", "raw", NULL};

static const char *const image_endings[] = {"-idx3-ubyte",    "-idx3-ubyte.gz", ".idx3-ubyte",
                                            ".idx3-ubyte.gz", "-idx4-ubyte",    "-idx4-ubyte.gz",
                                            ".idx4-ubyte",    ".idx4-ubyte.gz", NULL};
static const char *const label_endings[] = {"-idx1-ubyte", "-idx1-ubyte.gz", ".idx1-ubyte", ".idx1-ubyte.gz", NULL};

/* The search so far: the folders looked at, and the first one that had some of the files. */
typedef struct idx_search {
  const dlc_host *h;
  const idx_kind *kind;
  idx_files best;     /* complete, or the first partial one */
  int n_found;        /* files in it */
  dlc_source *source; /* the one that is being searched */
  char *odd;          /* owned: the path in `source` of something that is there, but is no file */
} idx_search;

void idx_files_free(idx_files *files)
{
  free(files->folder);
  for (int i = 0; i < IDX_FILES; i++) free(files->name[i]);
  if (files->own) files->own->close(files->own);
  memset(files, 0, sizeof *files);
}

static char *join(const char *folder, const char *name)
{
  char *path;
  if (*name == 0 || *folder == 0) return strdup(*name ? name : folder);
  return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int is_labels(int which)
{
  return which == IDX_TRAIN_LABELS || which == IDX_TEST_LABELS;
}

/* Writes the beginning of the file's name: "t10k-images", "emnist-letters-test-images". */
static const char *stem(const idx_kind *kind, int which, char name[64])
{
  int test = which == IDX_TEST_IMAGES || which == IDX_TEST_LABELS;
  const char *what = is_labels(which) ? "labels" : "images";
  if (kind->variant) snprintf(name, 64, "emnist-%s-%s-%s", kind->variant, test ? "test" : "train", what);
  else snprintf(name, 64, "%s-%s", test ? "t10k" : "train", what);
  return name;
}

/* ---- one folder ---- */

/* Finds file `which` in `folder` of the source; 0: not there, or out of memory. */
static int find_file(idx_search *s, const char *folder, int which, dlc_entry *entry)
{
  char name[64], file[96];
  stem(s->kind, which, name);
  for (const char *const *ending = is_labels(which) ? label_endings : image_endings; *ending; ending++) {
    snprintf(file, sizeof file, "%s%s", name, *ending);
    char *path = join(folder, file);
    if (!path) return 0;
    entry->size = sizeof *entry;
    dlc_status status = s->source->find(s->source, path, entry);
    if (status != DLC_OK && status != DLC_NOT_FOUND && !s->odd) s->odd = path;
    else free(path);
    if (status == DLC_OK) return 1;
  }
  return 0;
}

/* Looks into one folder of the source; true when nothing better can be found. */
static int look_in(idx_search *s, const char *below)
{
  idx_files here = {.source = s->source, .folder = join(s->source->origin, below)};
  int found = 0;
  if (!here.folder) return 0;
  for (int i = 0; i < IDX_FILES; i++) {
    if (!find_file(s, below, i, &here.file[i])) continue;
    here.name[i] = join(s->source->origin, here.file[i].path);
    found += here.name[i] != NULL;
  }
  int better = found == IDX_FILES || (found > 0 && s->n_found == 0);
  if (better) {
    idx_files_free(&s->best);
    s->best = here;
    s->n_found = found;
  } else {
    idx_files_free(&here);
  }
  return found == IDX_FILES;
}

static int look_below(idx_search *s, const char *const *folders)
{
  for (; *folders; folders++)
    if (look_in(s, *folders)) return 1;
  return 0;
}

/* ---- any folder ---- */

/* Whether `folder` is one of these, at any depth. */
static int is_among(const char *folder, size_t n, const char *const *folders)
{
  for (; *folders; folders++) {
    size_t length = strlen(*folders);
    if (length <= n && strncmp(folder + n - length, *folders, length) == 0 &&
        (length == n || folder[n - length - 1] == '/'))
      return 1;
  }
  return 0;
}

/* 2: the folder has the name of this data set, 1: of none, 0: of another one. */
static int suits(const idx_kind *kind, const char *folder, size_t n)
{
  if (is_among(folder, n, kind->folders)) return 2;
  for (uint32_t i = 0; i < idx_n_datasets; i++) {
    const idx_kind *other = &idx_datasets[i].kinds[0];
    if (kind->home && other->home && other->folders != kind->folders && is_among(folder, n, other->folders)) return 0;
  }
  return 1;
}

/* The length of the path's folder when its file is one with train images; otherwise -1. */
static ptrdiff_t folder_of_images(const idx_kind *kind, const char *path)
{
  char name[64];
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  size_t n = strlen(stem(kind, IDX_TRAIN_IMAGES, name));
  if (strncmp(base, name, n) != 0) return -1;
  for (const char *const *ending = image_endings; *ending; ending++)
    if (strcmp(base + n, *ending) == 0) return slash ? slash - path : 0;
  return -1;
}

/* Archives come wrapped in folders of any name and depth: takes the folder with this data set's name, or else the first
 * that has the files. */
static dlc_status look_everywhere(idx_search *s)
{
  const dlc_entry *entries;
  const char *best = NULL;
  ptrdiff_t length = 0;
  int grade = 0;
  uint32_t n = 0;
  dlc_status status = s->source->list(s->source, &entries, &n);
  if (status != DLC_OK) return status;
  for (uint32_t i = 0; i < n; i++) {
    const char *path = dlc_entry_at(entries, i)->path;
    ptrdiff_t folder = folder_of_images(s->kind, path);
    if (folder < 0 || suits(s->kind, path, (size_t)folder) <= grade) continue;
    best = path;
    length = folder;
    grade = suits(s->kind, path, (size_t)folder);
  }
  char *folder = best ? strndup(best, (size_t)length) : NULL;
  if (folder) look_in(s, folder);
  free(folder);
  return DLC_OK;
}

/* ---- no folder given ---- */

static void look_in_place(idx_search *s, const dlc_sources *sources, const char *root)
{
  dlc_source *source;
  if (sources->open(sources, root, &source) != DLC_OK) return;
  free(s->odd);
  s->odd = NULL;
  s->source = source;
  if (look_below(s, s->kind->folders)) s->best.own = source;
  else source->close(source);
}

static dlc_status look_in_usual_places(idx_search *s)
{
  const dlc_sources *sources = s->h->service(s->h, DLC_SERVICE_SOURCES);
  const char *home = getenv("HOME");
  if (!s->kind->home)
    return s->h->fail(s->h, DLC_INVALID, "data set %s has no usual place: say where it is with --data-dir",
                      s->kind->title);
  for (const char *const *place = usual_places; sources && *place && s->n_found < IDX_FILES; place++) {
    int at_home = **place == '~';
    if (at_home && (!home || !*home)) continue;
    char *root = at_home ? join(home, *place + 2) : strdup(*place);
    if (root) look_in_place(s, sources, root);
    free(root);
  }
  s->source = NULL;
  return DLC_OK;
}

/* ---- what is missing ---- */

/* "a, b, c" */
static const char *list(const char *const *words, char text[256])
{
  size_t n = 0;
  for (text[0] = 0; *words && n < 256; words++) n += (size_t)snprintf(text + n, 256 - n, "%s%s", n ? ", " : "", *words);
  return text;
}

/* Nothing was found at all: where it was looked for, and where the files can be had. */
static dlc_status nothing_found(const idx_search *s)
{
  const dlc_host *h = s->h;
  const idx_kind *kind = s->kind;
  char name[IDX_FILES][64], folders[256], places[256], hint[128] = "";
  for (int i = 0; i < IDX_FILES; i++) stem(kind, i, name[i]);
  list(kind->folders, folders);
  if (kind->home) snprintf(hint, sizeof hint, " (they can be had from %s)", kind->home);
  if (s->source)
    return h->fail(h, DLC_NOT_FOUND,
                   "no %s files in %s nor its folders raw, %s; expected %s-idx3-ubyte, %s-idx1-ubyte, %s-idx3-ubyte "
                   "and %s-idx1-ubyte, plain or .gz%s",
                   kind->title, s->source->origin, folders, name[0], name[1], name[2], name[3], hint);
  return h->fail(h, DLC_NOT_FOUND,
                 "no %s files: none of the folders %s with them in %s; give --data-dir DIR with %s-idx3-ubyte, "
                 "%s-idx1-ubyte, %s-idx3-ubyte and %s-idx1-ubyte, plain or .gz%s",
                 kind->title, folders, list(usual_places, places), name[0], name[1], name[2], name[3], hint);
}

/* The reason why the search did not end with four files. */
static dlc_status not_found(idx_search *s)
{
  char name[64];
  int missing = 0, there = 0;
  dlc_entry entry = {.size = sizeof entry};
  if (s->source && s->odd) return s->source->find(s->source, s->odd, &entry); /* its reason again */
  if (s->n_found == 0) return nothing_found(s);
  while (s->best.name[missing]) missing++;
  while (!s->best.name[there]) there++;
  return s->h->fail(s->h, DLC_NOT_FOUND, "%s: %s-idx%d-ubyte, plain or .gz, is missing beside %s", s->best.folder,
                    stem(s->kind, missing, name), is_labels(missing) ? 1 : 3, strrchr(s->best.name[there], '/') + 1);
}

dlc_status idx_find(const dlc_host *h, const idx_kind *kind, dlc_source *source, idx_files *files)
{
  idx_search s = {.h = h, .kind = kind, .source = source};
  dlc_status status = DLC_OK;
  memset(files, 0, sizeof *files);
  if (!source) status = look_in_usual_places(&s);
  else if (!look_below(&s, own_folders) && !look_below(&s, kind->folders)) status = look_everywhere(&s);
  if (status == DLC_OK && s.n_found < IDX_FILES) status = not_found(&s);
  if (status == DLC_OK) *files = s.best;
  else idx_files_free(&s.best);
  free(s.odd);
  return status;
}
