/* Weighted sums down the columns of a picture, in 32-bit integers; see resample_kernels.h. */
#include "transforms/resample_kernels.h"
#include "transforms/variants.h"

/* A constant number of taps is unrolled, and the loop over the columns becomes vectors. */
DLC_KERNEL_BODY void column_of(const uint8_t *in, size_t stride, uint8_t *out, size_t n, const int32_t *weight,
                               int count)
{
  for (size_t i = 0; i < n; i++) {
    int32_t sum = DLC_WEIGHT_HALF;
    for (int k = 0; k < count; k++) sum += in[(size_t)k * stride + i] * weight[k];
    out[i] = dlc_weighted_byte(sum);
  }
}

enum { STRETCH = 64 };

/* Any number of taps, in stretches whose sums stay in the first cache. */
DLC_KERNEL_BODY void column_any(const uint8_t *in, size_t stride, uint8_t *out, size_t n, const int32_t *weight,
                                int count)
{
  int32_t sum[STRETCH];
  for (size_t i = 0; i < n; i += STRETCH) {
    const size_t some = n - i < STRETCH ? n - i : STRETCH;
    for (size_t j = 0; j < some; j++) sum[j] = DLC_WEIGHT_HALF;
    for (int k = 0; k < count; k++)
      for (size_t j = 0; j < some; j++) sum[j] += in[(size_t)k * stride + i + j] * weight[k];
    for (size_t j = 0; j < some; j++) out[i + j] = dlc_weighted_byte(sum[j]);
  }
}

DLC_KERNEL_BODY void dlc_resample_column_body(const uint8_t *in, size_t stride, uint8_t *restrict out, size_t n,
                                              const int32_t *weight, int count)
{
  const int32_t w[4] = {weight[0], count > 1 ? weight[1] : 0, count > 2 ? weight[2] : 0, count > 3 ? weight[3] : 0};
  switch (count) {
  case 1: column_of(in, stride, out, n, w, 1); break;
  case 2: column_of(in, stride, out, n, w, 2); break;
  case 3: column_of(in, stride, out, n, w, 3); break;
  case 4: column_of(in, stride, out, n, w, 4); break;
  default: column_any(in, stride, out, n, weight, count); break;
  }
}
DLC_KERNEL(dlc_resample_column,
           (const uint8_t *in, size_t stride, uint8_t *out, size_t n, const int32_t *weight, int count),
           (in, stride, out, n, weight, count))
