/* Windows row by row: what lies inside in one copy, what lies outside pixel by pixel. See crop.h. */
#include "transforms/crop.h"
#include "transforms/rules.h"
#include <string.h>

/* The line or column that is seen at `i`; -1: none, zeros. */
static int64_t source_of(int64_t i, int64_t n, int padding_mode)
{
  if (i >= 0 && i < n) return i;
  if (padding_mode == DLC_PAD_ZERO) return -1;
  return i < 0 ? -i : 2 * (n - 1) - i;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
  return v < low ? low : v > high ? high : v;
}

dlc_status dlc_crop(const dlc_transform_call *call, const dlc_region *window, int padding_mode)
{
  const dlc_image *in = call->in, *out = call->out;
  const int64_t top = window->top, left = window->left;
  if (top == 0 && left == 0 && in->height == out->height && in->width == out->width) return dlc_keep(call);
  const size_t pixel = dlc_pixel_bytes(in), stride = (size_t)in->width * pixel, row = (size_t)out->width * pixel;
  /* Columns [begin, end) of the window show the picture. */
  const int64_t begin = clamp(-left, 0, out->width), end = clamp(in->width - left, begin, out->width);
  uint8_t *to = out->data;
  for (int64_t y = 0; y < out->height; y++, to += row) {
    const int64_t line = source_of(top + y, in->height, padding_mode);
    if (line < 0) {
      memset(to, 0, row);
      continue;
    }
    const uint8_t *from = (const uint8_t *)in->data + (size_t)line * stride;
    if (end > begin)
      memcpy(to + (size_t)begin * pixel, from + (size_t)(left + begin) * pixel, (size_t)(end - begin) * pixel);
    for (int64_t x = 0; x < out->width; x++) {
      if (x == begin && end > begin) x = end;
      if (x == out->width) break;
      const int64_t column = source_of(left + x, in->width, padding_mode);
      if (column < 0) memset(to + (size_t)x * pixel, 0, pixel);
      else memcpy(to + (size_t)x * pixel, from + (size_t)column * pixel, pixel);
    }
  }
  return DLC_OK;
}
