/* Finds the splits, then the classes of the train split, then everybody's label. */
#include "layout.h"
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cat.0.jpg, american_bulldog_12.png: letters, then perhaps a separator, then a number. */
#define USUAL_NAME "^([A-Za-z]([A-Za-z_-]*[A-Za-z])?)[._-]?[0-9]+\\."

/* A picture on its way to a split. */
typedef struct picture {
  uint32_t entry;
  int32_t label;
  const char *path; /* of the entry */
  img_span class;   /* in the path; no text: names tell none */
} picture;

/* Counted, and the first of them, for a message. */
typedef struct left_out {
  uint32_t count;
  const char *first;
} left_out;

typedef struct finder {
  const dlc_host *h;
  const img_layout_config *config;
  img_layout *layout;
  picture *pictures; /* all that could be taken, by path */
  uint32_t n;
  img_span base[IMG_SPLITS]; /* the folders' paths with their last '/'; no text: no such split */
  regex_t rule;
  int by_rule;   /* classes from names, whatever the folders are */
  int by_folder; /* of the train split */
  left_out hidden, others, strays;
} finder;

static void leave_out(left_out *what, const char *path)
{
  if (what->count++ == 0) what->first = path;
}

static int below(const char *path, img_span folder)
{
  return strncmp(path, folder.text, folder.length) == 0;
}

/* The first part of the path below `folder`; *is_folder: more follows. */
static img_span first_part(const char *path, img_span folder, int *is_folder)
{
  const char *start = path + folder.length, *slash = strchr(start, '/');
  *is_folder = slash != NULL;
  return (img_span){start, (uint32_t)(slash ? (size_t)(slash - start) : strlen(start))};
}

/* FOLDER/ and the part after it. */
static img_span descend(img_span folder, img_span part)
{
  return (img_span){part.text - folder.length, folder.length + part.length + 1};
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* ---- which files ---- */

static dlc_status take_pictures(finder *f)
{
  f->pictures = malloc((f->config->n ? f->config->n : 1) * sizeof *f->pictures);
  if (!f->pictures) return f->h->fail(f->h, DLC_NOMEM, "out of memory: a list of %u files", f->config->n);
  for (uint32_t i = 0; i < f->config->n; i++) {
    const char *path = dlc_entry_at(f->config->entries, i)->path;
    if (img_is_hidden(path)) leave_out(&f->hidden, path);
    else if (!img_is_picture(path)) leave_out(&f->others, path);
    else f->pictures[f->n++] = (picture){.entry = i, .path = path};
  }
  if (f->n > 0) return DLC_OK;
  return f->h->fail(f->h, DLC_INVALID, "%s: no picture: no file is called .jpg, .jpeg, .png, .ppm or .pgm",
                    f->config->origin);
}

/* ---- where the splits are ---- */

/* What lies directly in a folder. Parts are of some picture's path. */
typedef struct contents {
  uint32_t files, folders;
  img_span folder; /* the first one */
} contents;

static contents look_into(const finder *f, img_span folder)
{
  contents c = {0};
  img_span last = {0};
  for (uint32_t i = 0; i < f->n; i++) {
    int is_folder;
    if (!below(f->pictures[i].path, folder)) continue;
    img_span part = first_part(f->pictures[i].path, folder, &is_folder);
    if (!is_folder) {
      c.files++;
    } else if (c.folders == 0 || img_span_compare(part, last) != 0) { /* a folder's files are neighbours */
      if (c.folders++ == 0) c.folder = part;
      last = part;
    }
  }
  return c;
}

/* train/train/..., as some archives have it, is train/. */
static img_span unwrap_twin(const finder *f, img_span base, int split)
{
  for (;;) {
    contents c = look_into(f, base);
    if (c.files > 0 || c.folders != 1 || img_split_of(c.folder) != split) return base;
    base = descend(base, c.folder);
  }
}

/* Whether the folders of `root` are splits. Beside folders that are none, "train" is one only if it has folders itself:
 * else it may be a class next to "bus" and "car". */
static dlc_status try_root(finder *f, img_span root, int *found)
{
  int foreign = 0;
  img_span base[IMG_SPLITS] = {{0}};
  *found = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    int is_folder;
    if (!below(f->pictures[i].path, root)) continue;
    img_span part = first_part(f->pictures[i].path, root, &is_folder);
    int split = img_split_of(part);
    if (!is_folder) continue;
    foreign |= split < 0;
    if (split < 0) continue;
    img_span folder = descend(root, part);
    if (base[split].text && img_span_compare(base[split], folder) != 0)
      return f->h->fail(f->h, DLC_INVALID, "%s: both %.*s and %.*s could be the %s split", f->config->origin,
                        (int)base[split].length, base[split].text, (int)folder.length, folder.text,
                        img_split_names[split]);
    base[split] = folder;
  }
  if (!base[IMG_TRAIN].text || (foreign && look_into(f, base[IMG_TRAIN]).folders == 0)) return DLC_OK;
  for (int i = 0; i < IMG_SPLITS; i++)
    if (base[i].text) f->base[i] = unwrap_twin(f, base[i], i);
  *found = 1;
  return DLC_OK;
}

/* The folder that holds a "train", with the fewest folders above it. */
static dlc_status find_train(finder *f, int *found)
{
  for (uint32_t depth = 0, deeper = 1; deeper && !*found; depth++) {
    img_span last = {0};
    deeper = 0;
    for (uint32_t i = 0; i < f->n && !*found; i++) {
      img_span root = {f->pictures[i].path, 0}, part = {0};
      int is_folder = 1;
      for (uint32_t d = 0; d <= depth && is_folder; d++) {
        if (d > 0) root = descend(root, part);
        part = first_part(f->pictures[i].path, root, &is_folder);
      }
      if (!is_folder) continue;
      deeper = 1;
      if (img_split_of(part) != IMG_TRAIN || (last.text && img_span_compare(root, last) == 0)) continue;
      last = root;
      dlc_status status = try_root(f, root, found);
      if (status != DLC_OK) return status;
    }
  }
  return DLC_OK;
}

/* No "train": below the folders that only wrap another one, all is the train split. */
static dlc_status take_all(finder *f)
{
  img_span root = {f->pictures[0].path, 0};
  for (;;) {
    contents c = look_into(f, root);
    int split = c.folders > 0 ? img_split_of(c.folder) : -1;
    if (split >= 0 && split != IMG_TRAIN) {
      img_span folder = descend(root, c.folder);
      return f->h->fail(f->h, DLC_INVALID, "%s: there is %.*s and no train/ beside it", f->config->origin,
                        (int)folder.length, folder.text);
    }
    if (c.files > 0 || c.folders != 1) break;
    root = descend(root, c.folder);
  }
  f->base[IMG_TRAIN] = root;
  return DLC_OK;
}

/* ---- classes ---- */

static void class_by_rule(finder *f, picture *p)
{
  regmatch_t match[2];
  const char *name = base_name(p->path);
  p->class = (img_span){0};
  if (regexec(&f->rule, name, 2, match, 0) == 0 && match[1].rm_so >= 0 && match[1].rm_eo > match[1].rm_so)
    p->class = (img_span){name + match[1].rm_so, (uint32_t)(match[1].rm_eo - match[1].rm_so)};
}

/* Moves the pictures of a split to `out`, with what is known of their classes. */
static uint32_t gather(finder *f, int split, picture *out)
{
  img_span base = f->base[split];
  uint32_t n = 0;
  contents c = look_into(f, base);
  int by_folder = !f->by_rule && c.folders > 0;
  if (split == IMG_TRAIN) f->by_folder = by_folder;
  for (uint32_t i = 0; i < f->n; i++) {
    picture p = f->pictures[i];
    int is_folder;
    if (!below(p.path, base)) continue;
    p.class = first_part(p.path, base, &is_folder);
    if (by_folder && !is_folder) {
      leave_out(&f->strays, p.path);
      continue;
    }
    if (!by_folder) class_by_rule(f, &p);
    out[n++] = p;
  }
  return n;
}

static int by_class(const void *a, const void *b)
{
  return img_span_compare(((const picture *)a)->class, ((const picture *)b)->class);
}

static dlc_status no_class(finder *f, const picture *p, int split)
{
  const char *origin = f->config->origin;
  if (f->by_rule)
    return f->h->fail(f->h, DLC_INVALID, "%s/%s: label-regex '%s' finds no class in the name", origin, p->path,
                      f->config->label_regex);
  return f->h->fail(
      f->h, DLC_INVALID,
      "%s/%s: no class to be seen; expected folders of classes%s, or names like cat.0.jpg (see label-regex)", origin,
      p->path, split == IMG_VAL ? " as in train" : "");
}

/* The classes are those of the train split. */
static dlc_status find_classes(finder *f, const picture *train, uint32_t n)
{
  img_layout *l = f->layout;
  for (uint32_t i = 0; i < n; i++)
    if (!train[i].class.text) return no_class(f, &train[i], IMG_TRAIN);
  picture *sorted = malloc(n * sizeof *sorted);
  l->class_names = calloc(n, sizeof *l->class_names);
  dlc_status status = sorted && l->class_names ? DLC_OK : f->h->fail(f->h, DLC_NOMEM, "out of memory: classes");
  if (status == DLC_OK) {
    memcpy(sorted, train, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_class);
  }
  for (uint32_t i = 0; i < n && status == DLC_OK; i++) {
    if (i > 0 && by_class(&sorted[i - 1], &sorted[i]) == 0) continue;
    char *name = strndup(sorted[i].class.text, sorted[i].class.length);
    if (name) l->class_names[l->n_classes++] = name;
    else status = f->h->fail(f->h, DLC_NOMEM, "out of memory: classes");
  }
  free(sorted);
  if (status != DLC_OK || l->n_classes > 1) return status;
  return f->h->fail(f->h, DLC_INVALID, "%s: one class only, %s; at least two are needed", f->config->origin,
                    l->class_names[0]);
}

static int32_t label_of(const img_layout *l, img_span class)
{
  uint32_t low = 0, high = l->n_classes;
  while (class.text && low < high) {
    uint32_t middle = (low + high) / 2;
    int order = img_span_compare(class, (img_span){l->class_names[middle], (uint32_t)strlen(l->class_names[middle])});
    if (order == 0) return (int32_t)middle;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return -1;
}

/* ---- labels ---- */

static int by_label(const void *a, const void *b)
{
  const picture *p = a, *q = b;
  if (p->label != q->label) return p->label < q->label ? -1 : 1;
  return (p->entry > q->entry) - (p->entry < q->entry);
}

static int by_number(const void *a, const void *b)
{
  const picture *p = a, *q = b;
  int order = img_natural_compare(p->path, q->path);
  return order ? order : (p->entry > q->entry) - (p->entry < q->entry);
}

/* Keeps the first pictures of each class; they are sorted by label. */
static uint32_t apply_limit(picture *p, uint32_t n, int64_t limit)
{
  uint32_t kept = 0;
  int64_t same = 0;
  for (uint32_t i = 0; i < n; i++) {
    same = i > 0 && p[i].label == p[i - 1].label ? same + 1 : 1;
    if (limit == 0 || same <= limit) p[kept++] = p[i]; /* only what was compared already is overwritten */
  }
  return kept;
}

static dlc_status unknown_class(finder *f, const picture *p, int split)
{
  char classes[160] = "";
  const img_layout *l = f->layout;
  size_t at = 0;
  if (!p->class.text) return no_class(f, p, split);
  for (uint32_t i = 0; i < l->n_classes && at < sizeof classes; i++)
    at += (size_t)snprintf(classes + at, sizeof classes - at, "%s%s", i ? ", " : "", l->class_names[i]);
  return f->h->fail(f->h, DLC_INVALID, "%s/%s: class '%.*s' of %s is not in train, which has %s%s", f->config->origin,
                    p->path, (int)p->class.length, p->class.text, img_split_names[split], classes,
                    at < sizeof classes ? "" : "...");
}

/* Labels the pictures of a split and brings them in order. *labelled: 0 for a test split whose names tell no class. */
static dlc_status label(finder *f, int split, picture *p, uint32_t n, int *labelled)
{
  uint32_t known = 0, missing = n;
  for (uint32_t i = 0; i < n; i++) {
    p[i].label = label_of(f->layout, p[i].class);
    if (p[i].label >= 0) known++;
    else if (missing == n) missing = i;
  }
  int in_folders = !f->by_rule && look_into(f, f->base[split]).folders > 0;
  *labelled = split != IMG_TEST || in_folders || known > 0;
  if (*labelled && missing < n) return unknown_class(f, &p[missing], split);
  if (n > 0) qsort(p, n, sizeof *p, *labelled ? by_label : by_number);
  return DLC_OK;
}

static dlc_status keep_split(finder *f, int split, const picture *p, uint32_t n, int labelled)
{
  img_split *s = &f->layout->splits[split];
  s->entries = malloc((n ? n : 1) * sizeof *s->entries);
  s->labels = labelled ? malloc((n ? n : 1) * sizeof *s->labels) : NULL;
  if (!s->entries || (labelled && !s->labels))
    return f->h->fail(f->h, DLC_NOMEM, "out of memory: a split of %u pictures", n);
  s->count = n;
  for (uint32_t i = 0; i < n; i++) {
    s->entries[i] = p[i].entry;
    if (labelled) s->labels[i] = p[i].label;
  }
  return DLC_OK;
}

static dlc_status fill_split(finder *f, int split, picture *room)
{
  int labelled = 1;
  uint32_t n = gather(f, split, room);
  dlc_status status = split == IMG_TRAIN ? find_classes(f, room, n) : DLC_OK;
  if (status == DLC_OK) status = label(f, split, room, n, &labelled);
  if (status != DLC_OK) return status;
  if (labelled) n = apply_limit(room, n, f->config->limit_per_class);
  return keep_split(f, split, room, n, labelled);
}

/* ---- what is told ---- */

static void tell(const finder *f, int level, const char *what, const left_out *left)
{
  char line[512];
  if (left->count == 0) return;
  snprintf(line, sizeof line, "%s: %u %s left out, the first is %s", f->config->origin, left->count, what, left->first);
  f->h->log(f->h, level, line);
}

/* Folders where a class could be, with files and without a picture. */
static void tell_empty_classes(const finder *f)
{
  char line[512];
  int n = 0;
  img_span base = f->base[IMG_TRAIN], last = {0};
  int at = snprintf(line, sizeof line, "%s: no picture in", f->config->origin);
  for (uint32_t i = 0; i < f->config->n && f->by_folder && (size_t)at < sizeof line; i++) {
    int is_folder;
    const char *path = dlc_entry_at(f->config->entries, i)->path;
    if (!below(path, base)) continue;
    img_span part = first_part(path, base, &is_folder);
    if (!is_folder || part.text[0] == '.' || below(part.text, (img_span){"__MACOSX/", 9}) ||
        (last.text && img_span_compare(part, last) == 0))
      continue;
    last = part;
    if (label_of(f->layout, part) >= 0) continue;
    at += snprintf(line + at, sizeof line - (size_t)at, "%s %.*s", n++ ? "," : "", (int)part.length, part.text);
  }
  if (n > 0) f->h->log(f->h, DLC_LOG_WARN, line);
}

static void tell_all(finder *f)
{
  tell(f, DLC_LOG_INFO, f->hidden.count == 1 ? "hidden file" : "hidden files", &f->hidden);
  tell(f, DLC_LOG_INFO, f->others.count == 1 ? "file of another kind" : "files of other kinds", &f->others);
  tell(f, DLC_LOG_WARN,
       f->strays.count == 1 ? "picture outside of splits and classes" : "pictures outside of splits and classes",
       &f->strays);
  tell_empty_classes(f);
}

/* ---- all of it ---- */

static dlc_status compile_rule(finder *f)
{
  const char *given = f->config->label_regex;
  f->by_rule = given != NULL;
  int error = regcomp(&f->rule, given ? given : USUAL_NAME, REG_EXTENDED);
  if (error) {
    char why[128];
    regerror(error, &f->rule, why, sizeof why);
    return f->h->fail(f->h, DLC_INVALID, "label-regex '%s': %s", given, why);
  }
  if (f->rule.re_nsub > 0) return DLC_OK;
  regfree(&f->rule);
  return f->h->fail(f->h, DLC_INVALID, "label-regex '%s': expected a group that is the class, as in '^(cat|dog)'",
                    given);
}

static dlc_status fill_splits(finder *f, picture *room)
{
  int found = 0;
  dlc_status status = find_train(f, &found);
  if (status == DLC_OK && !found) status = take_all(f);
  for (int split = 0; split < IMG_SPLITS && status == DLC_OK; split++)
    if (f->base[split].text) status = fill_split(f, split, room);
  for (uint32_t i = 0; i < f->n && status == DLC_OK; i++) {
    int inside = 0;
    for (int split = 0; split < IMG_SPLITS; split++)
      inside |= f->base[split].text && below(f->pictures[i].path, f->base[split]);
    if (!inside) leave_out(&f->strays, f->pictures[i].path);
  }
  return status;
}

static dlc_status find_all(finder *f)
{
  dlc_status status = take_pictures(f);
  if (status != DLC_OK) return status;
  if (f->config->unlabelled) {
    qsort(f->pictures, f->n, sizeof *f->pictures, by_number);
    return keep_split(f, IMG_TEST, f->pictures, f->n, 0);
  }
  picture *room = malloc(f->n * sizeof *room);
  status = room ? fill_splits(f, room) : f->h->fail(f->h, DLC_NOMEM, "out of memory: %u pictures", f->n);
  free(room);
  return status;
}

dlc_status img_layout_find(const dlc_host *h, const img_layout_config *config, img_layout *layout)
{
  finder f = {.h = h, .config = config, .layout = layout};
  memset(layout, 0, sizeof *layout);
  dlc_status status = compile_rule(&f);
  if (status != DLC_OK) return status;
  status = find_all(&f);
  if (status == DLC_OK) tell_all(&f);
  else img_layout_free(layout);
  free(f.pictures);
  regfree(&f.rule);
  return status;
}

void img_layout_free(img_layout *layout)
{
  for (int i = 0; i < IMG_SPLITS; i++) {
    free(layout->splits[i].entries);
    free(layout->splits[i].labels);
  }
  for (uint32_t i = 0; i < layout->n_classes; i++) free(layout->class_names[i]);
  free(layout->class_names);
  memset(layout, 0, sizeof *layout);
}
