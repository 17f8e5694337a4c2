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

DLC_KERNEL_BODY void dlc_planes_split3_body(const uint8_t *in, uint8_t *planes, size_t n)
{
  uint8_t *r = planes, *g = planes + n, *b = planes + 2 * n;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const bytes16 x = load(in + 3 * i), y = load(in + 3 * i + 16), z = load(in + 3 * i + 32);
    /* What of a channel lies in x and y, and then the rest of it from z. */
    const bytes16 r2 = __builtin_shufflevector(x, y, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
    const bytes16 g2 = __builtin_shufflevector(x, y, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
    const bytes16 b2 = __builtin_shufflevector(x, y, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
    const bytes16 r3 = __builtin_shufflevector(r2, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
    const bytes16 g3 = __builtin_shufflevector(g2, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
    const bytes16 b3 = __builtin_shufflevector(b2, z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
    memcpy(r + i, &r3, sizeof r3);
    memcpy(g + i, &g3, sizeof g3);
    memcpy(b + i, &b3, sizeof b3);
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
