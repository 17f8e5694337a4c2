/* From a list of files to labelled splits: which files are pictures, where the splits and classes are. Looks at names
 * only. [main]
 *
 * Layouts, below any number of wrapping folders:
 *   train/CLASS/...  val|valid|validation/CLASS/...  test/CLASS/... or test/FILES    splits by name, classes by folder
 *   CLASS/...                                                                        all is "train"
 *   train/cat.0.jpg ...  test/1.jpg ...                                              classes by a rule on names
 * (Kaggle) cat.0.jpg ...                                                                    all is "train", by the rule
 * Classes are sorted by byte order and so numbered; within a class, pictures are in byte order of their paths. A test
 * split without classes has no labels and is in the order of the numbers in its names. */
#ifndef IMAGEFOLDER_LAYOUT_H
#define IMAGEFOLDER_LAYOUT_H
#include <dlcore/plugin.h>

enum { IMG_TRAIN, IMG_VAL, IMG_TEST, IMG_SPLITS };

typedef struct img_split {
  uint32_t count;    /* 0: there is no such split */
  uint32_t *entries; /* indexes into the list of files */
  int32_t *labels;   /* NULL: unlabelled */
} img_split;

typedef struct img_layout {
  img_split splits[IMG_SPLITS];
  uint32_t n_classes;
  char **class_names; /* owned, as everything here */
} img_layout;

typedef struct img_layout_config {
  const char *origin;
  const dlc_entry *entries; /* sorted by path */
  uint32_t n;
  const char *label_regex; /* NULL: class folders, and where there are none, a usual name */
  int64_t limit_per_class; /* of each labelled split; 0: all */
  int unlabelled;          /* every picture is of the test split, wherever it lies */
} img_layout_config;

/* Logs what is left out. The paths in config->entries must live as long as they are used with the layout. */
dlc_status img_layout_find(const dlc_host *h, const img_layout_config *config, img_layout *layout);
void img_layout_free(img_layout *layout);

extern const char *const img_split_names[IMG_SPLITS];

/* ---- names.c: what names say ---- */

/* A part of a path, not NUL-terminated. */
typedef struct img_span {
  const char *text;
  uint32_t length;
} img_span;

int img_is_hidden(const char *path);  /* a part begins with '.' or is __MACOSX */
int img_is_picture(const char *path); /* by extension */
int img_split_of(img_span name);      /* IMG_TRAIN, IMG_VAL, IMG_TEST, or -1 */
int img_span_compare(img_span a, img_span b);
/* Orders 2.jpg before 10.jpg: runs of digits count as numbers. */
int img_natural_compare(const char *a, const char *b);

#endif
