/* The data types that files in the safetensors format have. */
#ifndef DLC_TRAIN_SAFETENSORS_TYPES_H
#define DLC_TRAIN_SAFETENSORS_TYPES_H
#include <stddef.h>
#include <stdint.h>

typedef struct dlc_file_type {
  const char *name;
  uint32_t bytes;                                      /* of an element */
  uint32_t dtype;                                      /* what it is read as; 0: dlcore has no values of this type */
  void (*widen)(const void *in, float *out, size_t n); /* NULL: it is read as it is. `in` is not aligned */
} dlc_file_type;

/* NULL: there is no such type, or its elements are no whole bytes. */
const dlc_file_type *dlc_file_type_find(const char *name);

#endif
