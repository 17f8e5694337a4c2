/* The safetensors format (github.com/huggingface/safetensors): named tensors in one file. */
#ifndef DLC_TRAIN_SAFETENSORS_H
#define DLC_TRAIN_SAFETENSORS_H
#include "dlcore/graph.h"

typedef struct dlc_tensor {
  const char *name;
  uint32_t dtype, rank;
  int64_t dim[DLC_MAX_RANK];
  void *data; /* row-major, little endian */
} dlc_tensor;

static inline size_t dlc_tensor_bytes(const dlc_tensor *t)
{
  size_t bytes = dlc_dtype_bytes(t->dtype);
  for (uint32_t i = 0; i < t->rank; i++) bytes *= (size_t)t->dim[i];
  return bytes;
}

typedef struct dlc_tensor_file {
  uint32_t n;
  dlc_tensor *tensors; /* sorted by name */
  uint32_t n_metadata;
  const char **metadata; /* pairs key, value */
  void *memory;          /* owner of all names and data */
} dlc_tensor_file;

/* What the format calls the data types, by DLC_F32 to DLC_U8. */
extern const char *const dlc_safetensors_dtypes[DLC_U8 + 1];

/* Writes the file whole or not at all. `metadata`: n_metadata pairs key, value. */
dlc_status dlc_safetensors_write(const char *path, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                                 uint32_t n_metadata);
/* Checks everything before it believes anything. Free with dlc_safetensors_free(). */
dlc_status dlc_safetensors_read(const char *path, dlc_tensor_file *file);
void dlc_safetensors_free(dlc_tensor_file *file);

#endif
