/* The plugin's own declarations: CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning Multiple Layers of Features from Tiny
 * Images", 2009) as Python pickles or in the binary version.
 *
 *   kinds.c    the data sets, their four layouts and what they say about their labels
 *   find.c     where the files of a data set lie: in a source, in the usual places
 *   pickle.c   the restricted pickle reader (with pickle.h, opcodes.c)
 *   batch.c    what a pickle must mean to be a batch or the class names
 *   binary.c   the same of the binary version
 *   load.c     all files into two blocks of samples
 *   plugin.c   what dlcore calls
 *
 * Files are decoded by several threads at once, and host->fail() keeps a reason for its own thread only: so what runs
 * on the pool writes its reason into a cifar_reason, which the control thread hands on. */
#ifndef CIFAR_H
#define CIFAR_H
#include <dlcore/plugin.h>

enum {
  CIFAR_CHANNELS = 3,
  CIFAR_SIDE = 32,
  CIFAR_PIXELS = CIFAR_CHANNELS * CIFAR_SIDE * CIFAR_SIDE, /* bytes of a picture, channel by channel */
  CIFAR_MAX_CLASSES = 100,
  CIFAR_MAX_BATCHES = 6, /* train and test */
  CIFAR_MAX_FILES = CIFAR_MAX_BATCHES + 1,
  CIFAR_MAX_BYTES = 1 << 30 /* of a file; the largest real one has 155 MB */
};

/* ---- kinds.c ---- */

/* One way of labelling the pictures. */
typedef struct cifar_labels {
  uint32_t n_classes;
  const char *key, *names_key; /* in the pickles */
  const char *names_file;      /* of the binary version */
  uint32_t byte;               /* which byte of a record */
} cifar_labels;

/* A data set in one of its two versions. */
typedef struct cifar_layout {
  const char *title; /* "CIFAR-10" */
  uint32_t kind;     /* 10, 100 */
  int binary;
  const char *folder;          /* that the files are in, in the archive */
  const char *archives[3];     /* file names under which it is handed around; NULL-terminated */
  const char *md5;             /* of the first of them; NULL: not known */
  uint32_t n_train, n_batches; /* the last batch is the test split */
  const char *files[CIFAR_MAX_BATCHES];
  const char *meta;              /* NULL: as the labels say */
  const cifar_labels *labels[2]; /* the usual ones; those of labels=coarse, or NULL */
  uint32_t record_labels;        /* binary: bytes before the pixels ... */
  uint8_t record_classes[2];     /* ... each below this */
  const float *mean, *std;
} cifar_layout;

extern const cifar_layout cifar_layouts[];
extern const uint32_t cifar_n_layouts;

typedef struct cifar_dataset {
  dlc_dataset base; /* first: dlcore hands back a pointer to it */
  uint32_t kind;    /* 10, 100; 0: either */
} cifar_dataset;

extern const cifar_dataset cifar_datasets[];
extern const uint32_t cifar_n_datasets;

/* ---- plugin.c ---- */
dlc_status cifar_open(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                      dlc_data **data);
void cifar_close(dlc_data *data);
const dlc_dataset_info *cifar_info(dlc_data *data);

/* ---- reasons ---- */
typedef struct cifar_reason {
  char text[1024];
} cifar_reason;

/* Keeps the reason and returns `code`. */
dlc_status cifar_fail(cifar_reason *why, dlc_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- find.c ---- */

/* The files of one data set. Entries and folder are valid until the source is closed. */
typedef struct cifar_files {
  const cifar_layout *layout;
  const cifar_labels *labels;
  dlc_source *source;
  int owned;                        /* the source was opened here */
  char *folder;                     /* owned: path in the source, "" for its top */
  dlc_entry entry[CIFAR_MAX_FILES]; /* the batches, then the class names */
} cifar_files;

/* `source` NULL: look in the usual places. On failure nothing is left in *files. */
dlc_status cifar_find(const dlc_host *h, uint32_t kind, dlc_source *source, int coarse, cifar_files *files);
void cifar_files_free(cifar_files *files);

/* ---- batch.c, binary.c: the content of one file. Reasons do not name the file ---- */

/* Pictures as they lie in a file. */
typedef struct cifar_batch {
  int64_t count;
  const uint8_t *pixels; /* of the first picture, in the file's bytes */
  size_t stride;         /* from picture to picture */
  int32_t *labels;       /* owned: free() */
} cifar_batch;

/* On failure nothing is left in *batch. */
dlc_status cifar_read_batch(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_batch *batch,
                            cifar_reason *why);
dlc_status cifar_read_records(const uint8_t *bytes, size_t n, const cifar_layout *layout, const cifar_labels *labels,
                              cifar_batch *batch, cifar_reason *why);

typedef struct cifar_names {
  char name[CIFAR_MAX_CLASSES][64];
} cifar_names;

dlc_status cifar_read_meta(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_names *names,
                           cifar_reason *why);
dlc_status cifar_read_lines(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_names *names,
                            cifar_reason *why);
/* Takes the name of class k, which must be short and printable: it goes to terminals and logs. */
dlc_status cifar_take_name(cifar_names *names, uint32_t k, const uint8_t *bytes, size_t n, cifar_reason *why);

/* ---- load.c ---- */
typedef struct cifar_split {
  uint8_t *samples; /* owned */
  int32_t *labels;  /* owned */
  int64_t count;
} cifar_split;

typedef struct cifar_images {
  cifar_split split[2]; /* train, test */
  cifar_names names;
} cifar_images;

/* Decodes all files on the host's threads. On failure nothing is left in *images. */
dlc_status cifar_load(const dlc_host *h, const cifar_files *files, cifar_images *images);
void cifar_images_free(cifar_images *images);

#endif
