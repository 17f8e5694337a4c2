/* Interface "dlcore.dataset/2": labelled pictures by index. */
#ifndef DLCORE_DATASET_H
#define DLCORE_DATASET_H
#include "picture.h"
#include "source.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_DATASET "dlcore.dataset/2"

typedef struct dlc_data dlc_data; /* the plugin's own: an open dataset */

/* Everything here belongs to the plugin and lives until close(). */
typedef struct dlc_split {
  uint32_t size;
  const char *name; /* "train", "val" or "test" */
  int64_t count;
  const int32_t *labels; /* count labels, each in [0, n_classes); NULL: unlabelled, to predict on only */
  /* All samples one after the other, channel by channel and row-major, when they are in memory; else NULL and read() is
   * used. */
  const uint8_t *samples;
} dlc_split;

typedef struct dlc_dataset_info {
  uint32_t size;
  uint32_t n_classes;
  const char *const *class_names; /* n_classes of them */
  int64_t channels;               /* of every sample: 1 (grey) or 3 (RGB) */
  int64_t height, width;          /* of every sample; 0 when pictures differ in size */
  uint32_t n_splits;
  const dlc_split *splits; /* "train" is mandatory, but where all there is is an unlabelled "test", of no classes */
  /* Per channel, of the train split scaled to [0, 1]; what the input is normalised with. NULL: 0 and 1. */
  const float *mean, *std;
  const char *origin; /* where the data came from, one line for the log */
} dlc_dataset_info;

/* The i-th split, whatever size its author built it with (R1). */
static inline const dlc_split *dlc_split_at(const dlc_dataset_info *info, uint32_t i)
{
  return (const dlc_split *)((const char *)info->splits + (size_t)i * info->splits->size);
}

typedef struct dlc_dataset dlc_dataset;
struct dlc_dataset {
  uint32_t size;
  const char *name; /* what --dataset takes */
  const char *help; /* one line */
  const dlc_option *options;
  uint32_t n_options;
  /* [main] `source`: what the user gave with --data-dir, dlcore's own and open until close(); or NULL: then look in the
   * usual places (service "dlcore.sources/1"), and when nothing is there fail with where you looked and where the files
   * can be had. `values` follow `options`. */
  dlc_status (*open)(const dlc_dataset *ds, const dlc_host *h, dlc_source *source, const dlc_option_value *values,
                     dlc_data **data);
  void (*close)(dlc_data *data);                   /* [main] */
  const dlc_dataset_info *(*info)(dlc_data *data); /* [main] never NULL */
  /* [any] Reads picture `index` of the split numbered `split` into `picture`: reserve(), then the pixels. DLC_DAMAGED:
   * the file is not whole, and the picture holds what could be read. Reasons name the file. Optional where every split
   * has `samples`. */
  dlc_status (*read)(dlc_data *data, uint32_t split, int64_t index, dlc_picture *picture);
  /* [any] What the sample is called, "train/cats/cat.1.jpg", cut to n bytes with its NUL. Optional. */
  void (*sample_name)(dlc_data *data, uint32_t split, int64_t index, char *name, size_t n);
};

#ifdef __cplusplus
}
#endif
#endif
