/* The data types of the format, and the 16-bit floats as f32, which holds each of them exactly. */
#include "train/safetensors_types.h"
#include "dlcore/graph.h"
#include <string.h>

static void widen_bf16(const void *in, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, (const char *)in + 2 * i, sizeof half);
    const uint32_t bits = (uint32_t)half << 16;
    memcpy(&out[i], &bits, sizeof bits);
  }
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static float float_of_f16(uint16_t half)
{
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 0) return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f; /* zero and subnormal */
  const uint32_t biased = exponent == 31 ? 255 : exponent - 15 + 127, bits = sign | biased << 23 | fraction << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void widen_f16(const void *in, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, (const char *)in + 2 * i, sizeof half);
    out[i] = float_of_f16(half);
  }
}

static const dlc_file_type types[] = {
    {"F32", 4, DLC_F32, NULL},
    {"F64", 8, DLC_F64, NULL},
    {"I32", 4, DLC_I32, NULL},
    {"I64", 8, DLC_I64, NULL},
    {"U8", 1, DLC_U8, NULL},
    {"F16", 2, DLC_F32, widen_f16},
    {"BF16", 2, DLC_F32, widen_bf16},
    {"BOOL", 1, 0, NULL},
    {"I8", 1, 0, NULL},
    {"I16", 2, 0, NULL},
    {"U16", 2, 0, NULL},
    {"U32", 4, 0, NULL},
    {"U64", 8, 0, NULL},
    {"F8_E4M3", 1, 0, NULL},
    {"F8_E5M2", 1, 0, NULL},
    {"F8_E8M0", 1, 0, NULL},
    {"C64", 8, 0, NULL},
};

const dlc_file_type *dlc_file_type_find(const char *name)
{
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0) return &types[i];
  return NULL;
}
