/* Shapes and data types as text. */
#include "base/shape.h"
#include <stdio.h>

const char *dlc_dtype_name(uint32_t dtype)
{
  switch (dtype) {
  case DLC_F32: return "f32";
  case DLC_F64: return "f64";
  case DLC_I32: return "i32";
  case DLC_I64: return "i64";
  case DLC_U8: return "u8";
  default: return "of an unknown type";
  }
}

dlc_shape_name dlc_name_shape(uint32_t rank, const int64_t *dim)
{
  dlc_shape_name s = {"["};
  size_t n = 1;
  for (uint32_t i = 0; i < rank && i < DLC_MAX_RANK; i++)
    n += (size_t)snprintf(s.text + n, sizeof s.text - n, "%s%lld", i ? ", " : "", (long long)dim[i]);
  snprintf(s.text + n, sizeof s.text - n, "]");
  return s;
}
