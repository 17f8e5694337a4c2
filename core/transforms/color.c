/* Colour kernels, in blocks that stay in the first cache: planes apart, loops without branches. See color.h. */
#include "transforms/color.h"
#include "transforms/variants.h"

enum { BLOCK = 128 };

typedef struct planes {
  int32_t r[BLOCK], g[BLOCK], b[BLOCK];
} planes;

DLC_KERNEL_BODY void split(const uint8_t *in, planes *p, int n)
{
  for (int i = 0; i < n; i++) {
    p->r[i] = in[3 * i];
    p->g[i] = in[3 * i + 1];
    p->b[i] = in[3 * i + 2];
  }
}

DLC_KERNEL_BODY void merge(const planes *p, uint8_t *out, int n)
{
  for (int i = 0; i < n; i++) {
    out[3 * i] = (uint8_t)p->r[i];
    out[3 * i + 1] = (uint8_t)p->g[i];
    out[3 * i + 2] = (uint8_t)p->b[i];
  }
}

/* 0.299 R + 0.587 G + 0.114 B in 16 bits, rounded. */
DLC_KERNEL_BODY int32_t luma(int32_t r, int32_t g, int32_t b)
{
  return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

/* Image.blend: in single precision, towards zero. */
DLC_KERNEL_BODY int32_t blend(int32_t grey, int32_t v, float factor)
{
  const float x = (float)grey + factor * (float)(v - grey);
  const float low = x > 0 ? x : 0;
  return (int32_t)(low < 255 ? low : 255);
}

DLC_KERNEL_BODY void dlc_color_luma_body(const uint8_t *in, uint8_t *out, size_t n)
{
  for (size_t i = 0; i < n; i++) out[i] = (uint8_t)luma(in[3 * i], in[3 * i + 1], in[3 * i + 2]);
}
DLC_KERNEL(dlc_color_luma, (const uint8_t *in, uint8_t *out, size_t n), (in, out, n))

uint64_t dlc_color_sum(const uint8_t *in, size_t n)
{
  uint64_t total = 0;
  while (n > 0) { /* 2^16 bytes stay below 2^32 */
    const size_t some = n < 65536 ? n : 65536;
    uint32_t sum = 0;
    for (size_t i = 0; i < some; i++) sum += in[i];
    total += sum;
    in += some;
    n -= some;
  }
  return total;
}

uint64_t dlc_color_luma_sum(const uint8_t *in, size_t n)
{
  uint8_t grey[4 * BLOCK];
  uint64_t total = 0;
  while (n > 0) {
    const size_t some = n < sizeof grey ? n : sizeof grey;
    dlc_color_luma(in, grey, some);
    total += dlc_color_sum(grey, some);
    in += 3 * some;
    n -= some;
  }
  return total;
}

DLC_KERNEL_BODY void dlc_color_blend_body(const uint8_t *in, uint8_t *out, size_t n, int grey, float factor)
{
  for (size_t i = 0; i < n; i++) out[i] = (uint8_t)blend(grey, in[i], factor);
}
DLC_KERNEL(dlc_color_blend, (const uint8_t *in, uint8_t *out, size_t n, int grey, float factor),
           (in, out, n, grey, factor))

DLC_KERNEL_BODY void saturate_block(planes *p, float factor)
{
  for (int i = 0; i < BLOCK; i++) {
    const int32_t grey = luma(p->r[i], p->g[i], p->b[i]);
    p->r[i] = blend(grey, p->r[i], factor);
    p->g[i] = blend(grey, p->g[i], factor);
    p->b[i] = blend(grey, p->b[i], factor);
  }
}

DLC_KERNEL_BODY int size_of_block(size_t n)
{
  return n < BLOCK ? (int)n : BLOCK;
}

DLC_KERNEL_BODY void dlc_color_saturate_body(const uint8_t *in, uint8_t *out, size_t n, float factor)
{
  planes p = {{0}, {0}, {0}};
  for (; n >= BLOCK; n -= BLOCK, in += 3 * BLOCK, out += 3 * BLOCK) {
    split(in, &p, BLOCK);
    saturate_block(&p, factor);
    merge(&p, out, BLOCK);
  }
  split(in, &p, size_of_block(n));
  saturate_block(&p, factor);
  merge(&p, out, size_of_block(n));
}
DLC_KERNEL(dlc_color_saturate, (const uint8_t *in, uint8_t *out, size_t n, float factor), (in, out, n, factor))

DLC_KERNEL_BODY int32_t least(int32_t a, int32_t b)
{
  return a < b ? a : b;
}

DLC_KERNEL_BODY int32_t most(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

/* Pillow's RGB -> HSV, with its mixture of single and double precision: a hue is rounded to a byte, and one step of it
 * moves a channel by up to 6. */
DLC_KERNEL_BODY void to_hsv(const planes *p, planes *hsv)
{
  for (int i = 0; i < BLOCK; i++) {
    const int32_t r = p->r[i], g = p->g[i], b = p->b[i];
    const int32_t max = most(r, most(g, b)), min = least(r, least(g, b)), range = max - min;
    /* The hue in sixths of a circle: base + (max - x) / range - (max - y) / range, where x or y is the least. */
    const int32_t red = -(r == max), green = ~red & -(g == max), blue = ~(red | green);
    const int32_t x = (b & red) | (r & green) | (g & blue), y = (g & red) | (b & green) | (r & blue);
    const int32_t base = (2 & green) | (4 & blue), least_x = -(x == min);
    const int32_t part_of_range = ((y - max) & least_x) | ((max - x) & ~least_x);
    const int32_t whole = base - 1 + (2 & least_x);
    const float sixths = (float)whole + (float)part_of_range / (float)most(range, 1);
    const double circle = (double)sixths * (1.0 / 6.0) + 1.0;
    const float part = (float)(circle - (double)(int32_t)circle);
    hsv->r[i] = (int32_t)((double)part * 255.0);
    hsv->g[i] = (int32_t)((double)((float)range / (float)most(max, 1)) * 255.0);
    hsv->b[i] = max;
  }
}

/* The values that a channel can have besides the largest, and the sector of the circle that says which has which. */
typedef struct sectors {
  int32_t low[BLOCK], falling[BLOCK], rising[BLOCK], k[BLOCK];
} sectors;

DLC_KERNEL_BODY void to_sectors(const planes *hsv, int turn, sectors *o)
{
  for (int i = 0; i < BLOCK; i++) {
    const int32_t max = hsv->b[i];
    const double position = (double)(((hsv->r[i] + turn) & 255) * 6) * (1.0 / 255.0), v = (double)max;
    const int32_t k = (int32_t)position;
    const float f = (float)(position - (double)k), s = (float)hsv->g[i] / 255.0f;
    o->low[i] = (int32_t)((float)max * (1.0f - s) + 0.5f);
    o->falling[i] = (int32_t)(v * (1.0 - (double)(s * f)) + 0.5);
    o->rising[i] = (int32_t)(v * (1.0 - (double)s * (1.0 - (double)f)) + 0.5);
    o->k[i] = k == 6 ? 0 : k;
  }
}

DLC_KERNEL_BODY void from_sectors(const sectors *in, const int32_t *max, planes *p)
{
  for (int i = 0; i < BLOCK; i++) {
    const int32_t k = in->k[i], low = in->low[i], v = max[i] - low;
    const int32_t falling = in->falling[i] - low, rising = in->rising[i] - low;
    p->r[i] = low + (v & (-(k == 0) | -(k == 5))) + (falling & -(k == 1)) + (rising & -(k == 4));
    p->g[i] = low + (v & (-(k == 1) | -(k == 2))) + (falling & -(k == 3)) + (rising & -(k == 0));
    p->b[i] = low + (v & (-(k == 3) | -(k == 4))) + (falling & -(k == 5)) + (rising & -(k == 2));
  }
}

/* In three loops, with masks for choices: a compiler that moves arithmetic into a branch keeps the loop scalar. */
DLC_KERNEL_BODY void turn_block(planes *p, int turn)
{
  planes hsv;
  sectors between;
  to_hsv(p, &hsv);
  to_sectors(&hsv, turn, &between);
  from_sectors(&between, hsv.b, p);
}

DLC_KERNEL_BODY void dlc_color_turn_hue_body(const uint8_t *in, uint8_t *out, size_t n, int turn)
{
  planes p = {{0}, {0}, {0}};
  for (; n >= BLOCK; n -= BLOCK, in += 3 * BLOCK, out += 3 * BLOCK) {
    split(in, &p, BLOCK);
    turn_block(&p, turn);
    merge(&p, out, BLOCK);
  }
  split(in, &p, size_of_block(n));
  turn_block(&p, turn);
  merge(&p, out, size_of_block(n));
}
DLC_KERNEL(dlc_color_turn_hue, (const uint8_t *in, uint8_t *out, size_t n, int turn), (in, out, n, turn))
