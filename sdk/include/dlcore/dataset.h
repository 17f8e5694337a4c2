/* Interface "dlcore.dataset/1": labelled samples by index. */
#ifndef DLCORE_DATASET_H
#define DLCORE_DATASET_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_IFACE_DATASET "dlcore.dataset/1"

typedef struct dlc_data dlc_data; /* the plugin's own: an open dataset */

/* Everything here belongs to the plugin and lives until close(). */
typedef struct dlc_split {
  uint32_t size;
  const char *name; /* "train", "val" or "test" */
  int64_t count;
  const int32_t *labels;  /* count labels, each in [0, n_classes) */
  const uint8_t *samples; /* all samples one after the other, when they are in memory; else NULL and read() is used */
} dlc_split;

typedef struct dlc_dataset_info {
  uint32_t size;
  uint32_t n_classes;
  const char *const *class_names;  /* n_classes of them */
  int64_t channels, height, width; /* of every sample: bytes 0..255, channel by channel, row-major */
  uint32_t n_splits;
  const dlc_split *splits; /* "train" is mandatory */
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
  /* [main] `data_dir`: what the user gave, or NULL: then look in the usual places, and when nothing is there fail with
   * where you looked and where the files can be had. `values` follow `options`. Every file is checked here, in full. */
  dlc_status (*open)(const dlc_dataset *ds, const dlc_host *h, const char *data_dir, const dlc_option_value *values,
                     dlc_data **data);
  void (*close)(dlc_data *data);                   /* [main] */
  const dlc_dataset_info *(*info)(dlc_data *data); /* [main] never NULL */
  /* [any] Writes channels * height * width bytes of sample `index` of the split numbered `split`. Optional where every
   * split has `samples`. */
  dlc_status (*read)(dlc_data *data, uint32_t split, int64_t index, uint8_t *sample);
};

#ifdef __cplusplus
}
#endif
#endif
