/* What weights need to be used without the run that made them: kept in the metadata of their file. [main]
 *
 *   classes          JSON list of the class names
 *   model            the model file's text
 *   eval_transforms  the list as it is typed; missing: none
 *   criterion        the loss that was trained with, as "cross_entropy:label_smoothing=0.1"; missing: cross_entropy
 *   class_weights    JSON list: what each class counts in it; missing: all the same
 *   input_shape      JSON list: channels, height, width of what the network sees
 *   mean, std        JSON lists, by which bytes are normalised (x / 255 - mean, over std); missing: the transforms do
 * it */
#ifndef DLC_TRAIN_WEIGHTS_INFO_H
#define DLC_TRAIN_WEIGHTS_INFO_H
#include "train/safetensors.h"
#include <stdbool.h>

typedef struct dlc_weights_info {
  uint32_t n_classes;
  const char *const *classes;
  const char *model;
  const char *eval_transforms; /* NULL: none */
  const char *criterion;       /* NULL: cross_entropy */
  const float *class_weights;  /* [n_classes], or NULL */
  int64_t shape[3];
  bool bytes; /* the network normalises bytes itself, by mean and std */
  float mean[4], std[4];
  void *memory; /* owner of what was read; NULL where the caller owns it */
} dlc_weights_info;

/* DLC_NOT_FOUND where the file carries no such information, DLC_INVALID where it is not as described above. Reads the
 * header alone: damage to the tensors shows when they are read. */
dlc_status dlc_weights_info_read(const char *path, dlc_weights_info *info);
void dlc_weights_info_free(dlc_weights_info *info);

/* The pairs of key and value that say it. Keys are literals. */
enum { DLC_INFO_PAIRS = 10 };
typedef struct dlc_info_pairs {
  const char *text[2 * DLC_INFO_PAIRS];
  char *owned[DLC_INFO_PAIRS];
  uint32_t n;
} dlc_info_pairs;

/* The caller frees them, also after a failure. */
dlc_status dlc_info_pairs_make(const dlc_weights_info *info, dlc_info_pairs *pairs);
void dlc_info_pairs_free(dlc_info_pairs *pairs);
/* Writes the file whole or not at all. */
dlc_status dlc_weights_write(const char *path, const dlc_tensor *tensors, uint32_t n, const dlc_weights_info *info);

#endif
