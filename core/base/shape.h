/* Shapes and data types as text: "f32", "[64, 6, 24, 24]". */
#ifndef DLC_BASE_SHAPE_H
#define DLC_BASE_SHAPE_H
#include "dlcore/graph.h"

const char *dlc_dtype_name(uint32_t dtype);

typedef struct dlc_shape_name {
  char text[DLC_MAX_RANK * 22 + 8];
} dlc_shape_name;
dlc_shape_name dlc_name_shape(uint32_t rank, const int64_t *dim);

#endif
