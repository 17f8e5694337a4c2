/* The safetensors format (github.com/huggingface/safetensors): named tensors in one file. What dlcore writes carries a
 * checksum of the whole file in its metadata, which other readers take for a text among others. [any] */
#ifndef DLC_TRAIN_SAFETENSORS_H
#define DLC_TRAIN_SAFETENSORS_H
#include "base/file.h"
#include "dlcore/graph.h"

typedef struct dlc_tensor {
  const char *name;
  uint32_t dtype, rank; /* dtype 0, only in what was read: a type that dlcore has no values of */
  int64_t dim[DLC_MAX_RANK];
  void *data; /* row-major, little endian */
} dlc_tensor;

static inline size_t dlc_tensor_bytes(const dlc_tensor *t)
{
  size_t bytes = t->dtype ? dlc_dtype_bytes(t->dtype) : 0;
  for (uint32_t i = 0; i < t->rank; i++) bytes *= (size_t)t->dim[i];
  return bytes;
}

typedef struct dlc_tensor_file {
  uint32_t n;
  dlc_tensor *tensors; /* sorted by name */
  const char **types;  /* by tensor: the type's name in the file. F16 and BF16 come as f32 */
  uint32_t n_metadata;
  const char **metadata; /* pairs key, value */
  void *memory;          /* owner of all names and data */
} dlc_tensor_file;

/* Writes the file whole or not at all. `metadata`: n_metadata pairs key, value. All texts are UTF-8. */
dlc_status dlc_safetensors_write(const char *path, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                                 uint32_t n_metadata);
/* The same into a file that the caller opened and commits. */
dlc_status dlc_safetensors_put(dlc_atomic_file *f, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                               uint32_t n_metadata);

/* Checks everything before it believes anything, the checksum first. Free with dlc_safetensors_free(). */
dlc_status dlc_safetensors_read(const char *path, dlc_tensor_file *file);
/* The same of bytes in memory, malloc'ed, which are taken over in any case; `path` is what reasons call them. */
dlc_status dlc_safetensors_parse(const char *path, char *bytes, size_t length, dlc_tensor_file *file);
/* Names, shapes and metadata alone: no data, so the checksum stays unchecked. */
dlc_status dlc_safetensors_read_header(const char *path, dlc_tensor_file *file);
void dlc_safetensors_free(dlc_tensor_file *file);
/* NULL where there is none. */
const dlc_tensor *dlc_tensor_find(const dlc_tensor_file *file, const char *name);
const char *dlc_metadata_find(const dlc_tensor_file *file, const char *key);

/* Reads a file that dlcore wrote from one end to the other, in little memory, and compares its checksum. */
dlc_status dlc_safetensors_check(const char *path);

#endif
