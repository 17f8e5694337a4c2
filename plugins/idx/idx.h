/* The plugin's own declarations: data sets in the idx format of MNIST (a header of big-endian sizes, then bytes).
 *
 *   kinds.c   which data sets there are, with their folders, classes and class names
 *   find.c    where the four files of a data set lie
 *   file.c    one file's content, plain or .gz, checked
 *   load.c    four files into one data set: counts, labels, mean and deviation
 *   plugin.c  what dlcore calls
 *
 * Files are unpacked by several threads at once, and host->fail() keeps a reason for its own thread only: so what runs
 * on the pool writes its reason into an idx_reason, which the control thread hands on. */
#ifndef IDX_H
#define IDX_H
#include <dlcore/plugin.h>

#define IDX_MAX_CLASSES 256 /* labels are bytes */

enum { IDX_TRAIN_IMAGES, IDX_TRAIN_LABELS, IDX_TEST_IMAGES, IDX_TEST_LABELS, IDX_FILES };

/* ---- kinds.c ---- */
typedef struct idx_kind {
  const char *title;          /* in messages: "Fashion-MNIST" */
  const char *home;           /* where the files can be had; NULL: nowhere in particular */
  const char *const *folders; /* below a data folder, by falling preference; NULL-terminated */
  const char *variant;        /* EMNIST: files begin with "emnist-VARIANT-" */
  const char *const *names;   /* of the classes; NULL: "0", "1", ... */
  uint32_t n_classes;         /* 0: as many as the labels say */
  uint32_t first_label;       /* what the file calls class 0 */
  int transposed;             /* pictures lie in the file column by column */
  float mean, std;            /* of one channel; std 0: to be computed */
} idx_kind;

/* A data set as dlcore sees it, and what makes it differ from the others. */
typedef struct idx_dataset {
  dlc_dataset base; /* first: dlcore hands back a pointer to it */
  const idx_kind *kinds;
  uint32_t n_kinds; /* more than 1: option 0 names the variant */
} idx_dataset;

extern const idx_dataset idx_datasets[];
extern const uint32_t idx_n_datasets;

/* ---- plugin.c ---- */
dlc_status idx_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                    dlc_data **data);
void idx_close(dlc_data *data);
const dlc_dataset_info *idx_info(dlc_data *data);

/* ---- find.c ---- */
typedef struct idx_files {
  dlc_source *source;
  dlc_source *own;       /* `source`, when it was opened here and is closed by idx_files_free() */
  char *folder;          /* where in it, for messages: owned */
  char *name[IDX_FILES]; /* for messages: owned */
  dlc_entry file[IDX_FILES];
} idx_files;

/* `source`: NULL: the usual places are searched. On failure nothing is left in *files. */
dlc_status idx_find(const dlc_host *h, const idx_kind *kind, dlc_source *source, idx_files *files);
void idx_files_free(idx_files *files);

/* ---- file.c ---- */
typedef struct idx_reason {
  char text[2048];
} idx_reason;

/* Keeps the reason and returns `code`. */
dlc_status idx_fail(idx_reason *why, dlc_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

typedef struct idx_array {
  uint8_t *block; /* owned: free() */
  uint8_t *data;  /* in it, after the header: the product of dim[] bytes */
  uint32_t rank;  /* 1, 3 or 4 */
  int64_t dim[4];
} idx_array;

/* Memory for a file, to be freed with free(). */
uint8_t *idx_alloc(size_t n);
#define IDX_MAX_BYTES ((uint64_t)64 << 30) /* of one file in memory */

/* Checks the content of one file, labels (rank 1) or images (rank 3 or 4), unpacking it when it is gzip data. Takes
 * `content` (from idx_alloc()) over. On failure nothing is left in *array. */
dlc_status idx_read(const char *name, uint8_t *content, size_t n, int labels, idx_array *array, idx_reason *why);

/* ---- load.c ---- */
typedef struct idx_split {
  uint8_t *block; /* owned */
  uint8_t *samples;
  int32_t *labels; /* owned */
  int64_t count;
} idx_split;

typedef struct idx_images {
  idx_split split[2]; /* train, test */
  int64_t channels, height, width;
  uint32_t n_classes;
  float *mean, *std; /* owned, one a channel */
} idx_images;

/* Reads the four files, unpacks them on the host's threads. `classes`: how many there must be; 0: as many as the labels
 * say. On failure nothing is left in *images. */
dlc_status idx_load(const dlc_host *h, const idx_kind *kind, const idx_files *files, uint32_t classes,
                    idx_images *images);
void idx_images_free(idx_images *images);

#endif
