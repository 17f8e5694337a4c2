/* Where the four files of a data set lie: every spelling and folder layout in which they are handed around. [main] */
#include "idx.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Without --data-dir a data set must be in a folder of its own name, so that no other set is taken for it. "~" stands
 * for the home folder; Keras keeps Fashion-MNIST there in idx files. */
static const char *const usual_places[] = {"data", ".", "~/.keras/datasets", "/usr/share/datasets", NULL};
static const char *const own_folders[] = {"", "raw", NULL};

/* The search so far: the folders looked at, and the first one that had some of the files. */
typedef struct idx_search {
  const dlc_host *h;
  const idx_kind *kind;
  idx_paths best; /* complete, or the first partial one */
  int n_found;    /* files in it */
  char *odd;      /* owned: a name that is there, but is no file */
  int odd_errno;
} idx_search;

void idx_paths_free(idx_paths *paths)
{
  free(paths->folder);
  for (int i = 0; i < IDX_FILES; i++) free(paths->file[i]);
  memset(paths, 0, sizeof *paths);
}

static char *join(const char *folder, const char *name)
{
  char *path;
  if (*name == 0) return strdup(folder);
  return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* 1: `path` is a file, 0: it is not there, -1: it is there, but can't be read as a file (errno). */
static int is_file(const char *path)
{
  struct stat st;
  if (stat(path, &st) == 0) {
    if (S_ISREG(st.st_mode)) return 1;
    errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    return -1;
  }
  return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
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

/* The path of file `which` in `folder`, or NULL: not there, or out of memory. */
static char *find_file(idx_search *s, const char *folder, int which)
{
  static const char *const image_endings[] = {"-idx3-ubyte",    "-idx3-ubyte.gz", ".idx3-ubyte",
                                              ".idx3-ubyte.gz", "-idx4-ubyte",    "-idx4-ubyte.gz",
                                              ".idx4-ubyte",    ".idx4-ubyte.gz", NULL};
  static const char *const label_endings[] = {"-idx1-ubyte", "-idx1-ubyte.gz", ".idx1-ubyte", ".idx1-ubyte.gz", NULL};
  char name[64];
  stem(s->kind, which, name);
  for (const char *const *ending = is_labels(which) ? label_endings : image_endings; *ending; ending++) {
    char *path;
    if (asprintf(&path, "%s/%s%s", folder, name, *ending) < 0) return NULL;
    int there = is_file(path);
    if (there > 0) return path;
    if (there < 0 && !s->odd) {
      s->odd_errno = errno;
      s->odd = path;
    } else {
      free(path);
    }
  }
  return NULL;
}

/* Looks into one folder; true when nothing better can be found. */
static int look_in(idx_search *s, const char *root, const char *below)
{
  idx_paths here = {.folder = join(root, below)};
  int found = 0;
  if (!here.folder) return 0;
  for (int i = 0; i < IDX_FILES; i++) {
    here.file[i] = find_file(s, here.folder, i);
    found += here.file[i] != NULL;
  }
  int better = found == IDX_FILES || (found > 0 && s->n_found == 0);
  if (better) {
    idx_paths_free(&s->best);
    s->best = here;
    s->n_found = found;
  } else {
    idx_paths_free(&here);
  }
  return found == IDX_FILES;
}

static int look_below(idx_search *s, const char *root, const char *const *folders)
{
  for (; *folders; folders++)
    if (look_in(s, root, *folders)) return 1;
  return 0;
}

static void look_in_usual_places(idx_search *s)
{
  const char *home = getenv("HOME");
  for (const char *const *place = usual_places; *place; place++) {
    int at_home = **place == '~';
    if (at_home && (!home || !*home)) continue;
    char *root = at_home ? join(home, *place + 2) : strdup(*place);
    int done = root && look_below(s, root, s->kind->folders);
    free(root);
    if (done) return;
  }
}

/* "a, b, c" */
static const char *list(const char *const *words, char text[256])
{
  size_t n = 0;
  for (text[0] = 0; *words && n < 256; words++) n += (size_t)snprintf(text + n, 256 - n, "%s%s", n ? ", " : "", *words);
  return text;
}

/* Nothing was found at all: where it was looked for, and where the files can be had. */
static dlc_status nothing_found(const idx_search *s, const char *data_dir)
{
  const dlc_host *h = s->h;
  const idx_kind *kind = s->kind;
  char name[IDX_FILES][64], folders[256], places[256], hint[128] = "";
  for (int i = 0; i < IDX_FILES; i++) stem(kind, i, name[i]);
  list(kind->folders, folders);
  if (kind->home) snprintf(hint, sizeof hint, " (they can be had from %s)", kind->home);
  if (data_dir)
    return h->fail(h, DLC_NOT_FOUND,
                   "no %s files in %s nor its folders raw, %s; expected %s-idx3-ubyte, %s-idx1-ubyte, %s-idx3-ubyte "
                   "and %s-idx1-ubyte, plain or .gz%s",
                   kind->title, data_dir, folders, name[0], name[1], name[2], name[3], hint);
  return h->fail(h, DLC_NOT_FOUND,
                 "no %s files: none of the folders %s with them in %s; give --data-dir DIR with %s-idx3-ubyte, "
                 "%s-idx1-ubyte, %s-idx3-ubyte and %s-idx1-ubyte, plain or .gz%s",
                 kind->title, folders, list(usual_places, places), name[0], name[1], name[2], name[3], hint);
}

/* The reason why the search did not end with four files. */
static dlc_status not_found(const idx_search *s, const char *data_dir)
{
  const dlc_host *h = s->h;
  char name[64];
  int missing = 0, there = 0;
  if (s->odd)
    return h->fail(h, DLC_IO, "%s: %s", s->odd, s->odd_errno == EINVAL ? "not a regular file" : strerror(s->odd_errno));
  if (s->n_found == 0) return nothing_found(s, data_dir);
  while (s->best.file[missing]) missing++;
  while (!s->best.file[there]) there++;
  return h->fail(h, DLC_NOT_FOUND, "%s: %s-idx%d-ubyte, plain or .gz, is missing beside %s", s->best.folder,
                 stem(s->kind, missing, name), is_labels(missing) ? 1 : 3, strrchr(s->best.file[there], '/') + 1);
}

static dlc_status check_folder(const dlc_host *h, const idx_kind *kind, const char *data_dir)
{
  struct stat st;
  if (!data_dir)
    return kind->home ? DLC_OK
                      : h->fail(h, DLC_INVALID, "data set %s has no usual place: say where it is with --data-dir",
                                kind->title);
  if (stat(data_dir, &st) != 0) return h->fail(h, DLC_IO, "data folder '%s': %s", data_dir, strerror(errno));
  if (!S_ISDIR(st.st_mode))
    return h->fail(h, DLC_IO, "data folder '%s': not a folder; expected the folder that holds the files", data_dir);
  return DLC_OK;
}

dlc_status idx_find(const dlc_host *h, const idx_kind *kind, const char *data_dir, idx_paths *paths)
{
  idx_search s = {.h = h, .kind = kind};
  memset(paths, 0, sizeof *paths);
  dlc_status status = check_folder(h, kind, data_dir);
  if (status != DLC_OK) return status;
  if (!data_dir) look_in_usual_places(&s);
  else if (!look_below(&s, data_dir, own_folders)) look_below(&s, data_dir, kind->folders);
  if (s.n_found == IDX_FILES) {
    *paths = s.best;
  } else {
    status = not_found(&s, data_dir);
    idx_paths_free(&s.best);
  }
  free(s.odd);
  return status;
}
