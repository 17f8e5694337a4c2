/* Three channels are most of what is ever split, so they have a kernel of their own: 16 pixels at a time. */
#include "data/planes.h"
#include "transforms/variants.h"
#include <string.h>

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) bytes16 load(const uint8_t *p)
{
  bytes16 v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* Byte j of the result comes from a, b or c, as j % 3 is 0, 1 or 2. */
static inline __attribute__((always_inline)) bytes16 mix(bytes16 a, bytes16 b, bytes16 c)
{
  const bytes16 ab = __builtin_shufflevector(a, b, 0, 17, 2, 3, 20, 5, 6, 23, 8, 9, 26, 11, 12, 29, 14, 15);
  return __builtin_shufflevector(ab, c, 0, 1, 18, 3, 4, 21, 6, 7, 24, 9, 10, 27, 12, 13, 30, 15);
}

DLC_KERNEL_BODY void dlc_planes_split3_body(const uint8_t *in, uint8_t *planes, size_t n)
{
  uint8_t *r = planes, *g = planes + n, *b = planes + 2 * n;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const bytes16 x = load(in + 3 * i), y = load(in + 3 * i + 16), z = load(in + 3 * i + 32);
    /* The bytes of a channel lie at different places of x, y and z: first all into one vector, then in order. */
    const bytes16 reds = mix(x, z, y), greens = mix(y, x, z), blues = mix(z, y, x);
    const bytes16 r16 = __builtin_shufflevector(reds, reds, 0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14, 1, 4, 7, 10, 13);
    const bytes16 g16 = __builtin_shufflevector(greens, greens, 1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14);
    const bytes16 b16 = __builtin_shufflevector(blues, blues, 2, 5, 8, 11, 14, 1, 4, 7, 10, 13, 0, 3, 6, 9, 12, 15);
    memcpy(r + i, &r16, sizeof r16);
    memcpy(g + i, &g16, sizeof g16);
    memcpy(b + i, &b16, sizeof b16);
  }
  for (; i < n; i++) {
    r[i] = in[3 * i];
    g[i] = in[3 * i + 1];
    b[i] = in[3 * i + 2];
  }
}

DLC_KERNEL(dlc_planes_split3, (const uint8_t *in, uint8_t *planes, size_t n), (in, planes, n))

void dlc_planes_split(const uint8_t *pixels, uint8_t *planes, size_t n, size_t channels)
{
  if (channels == 1) memcpy(planes, pixels, n);
  else if (channels == 3) dlc_planes_split3(pixels, planes, n);
  else
    for (size_t c = 0; c < channels; c++)
      for (size_t i = 0; i < n; i++) planes[c * n + i] = pixels[i * channels + c];
}

void dlc_planes_join(const uint8_t *planes, uint8_t *pixels, size_t n, size_t channels)
{
  for (size_t c = 0; c < channels; c++)
    for (size_t i = 0; i < n; i++) pixels[i * channels + c] = planes[c * n + i];
}

void dlc_planes_split_f32(const float *pixels, float *planes, size_t n, size_t channels)
{
  for (size_t c = 0; c < channels; c++)
    for (size_t i = 0; i < n; i++) planes[c * n + i] = pixels[i * channels + c];
}
