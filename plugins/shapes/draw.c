/* Draws one shape: not quite in the middle, of varying size, a little turned, bright on dark or dark on bright alike,
 * on a ground that changes from side to side, under noise. So the mean of a class shows nothing: of the default
 * pictures a linear model names about 15 % of unseen ones, LeNet 97 % after three epochs. Lengths are in 1/256 of a
 * pixel; within the shape's own frame 4096 is its outer radius. [any] */
#include "shapes.h"
#include <stdlib.h>

#define ONE 4096 /* of sines, and the outer radius of a shape */

const char *const shapes_names[SHAPES_CLASSES] = {"disc",  "ring", "square", "frame",     "triangle",
                                                  "cross", "star", "bar",    "half disc", "crescent"};

/* ---- the shapes: is the point (u, v) of the own frame inside? ---- */

static int in_disc(int32_t u, int32_t v)
{
  return u * u + v * v < 3500 * 3500;
}

static int in_ring(int32_t u, int32_t v)
{
  int32_t d = u * u + v * v;
  return d < 3700 * 3700 && d > 2200 * 2200;
}

static int in_square(int32_t u, int32_t v)
{
  return abs(u) < 2950 && abs(v) < 2950;
}

static int in_frame(int32_t u, int32_t v)
{
  return in_square(u, v) && (abs(u) > 1650 || abs(v) > 1650);
}

static int in_triangle(int32_t u, int32_t v)
{
  return v > -ONE / 2 && 7094 * abs(u) + ONE * v < ONE * ONE; /* 7094: sqrt(3) */
}

static int in_cross(int32_t u, int32_t v)
{
  return (abs(u) < 1050 && abs(v) < 3900) || (abs(v) < 1050 && abs(u) < 3900);
}

/* A pentagram: the points on the inner side of at least four of its five lines. */
static int in_star(int32_t u, int32_t v)
{
  static const int32_t normal[5][2] = {{0, 4096}, {3896, 1266}, {2408, -3314}, {-2408, -3314}, {-3896, 1266}};
  int inner = 0;
  for (int i = 0; i < 5; i++) inner += normal[i][0] * u + normal[i][1] * v < 1266 * ONE; /* 1266: cos 72 degrees */
  return inner >= 4;
}

static int in_bar(int32_t u, int32_t v)
{
  return abs(u) < 1100 && abs(v) < 3900;
}

static int in_half_disc(int32_t u, int32_t v)
{
  v -= 1500;
  return v < 0 && u * u + v * v < 3700 * 3700;
}

static int in_crescent(int32_t u, int32_t v)
{
  int32_t w = u - 2000;
  return u * u + v * v < 3800 * 3800 && w * w + v * v > 3000 * 3000;
}

static int (*const inside[SHAPES_CLASSES])(int32_t u, int32_t v) = {
    in_disc, in_ring, in_square, in_frame, in_triangle, in_cross, in_star, in_bar, in_half_disc, in_crescent};

/* ---- numbers ---- */

/* `angle` in 1/256 of a turn. */
static int32_t sine(uint32_t angle)
{
  static const int16_t quarter[65] = {0,    101,  201,  301,  401,  501,  601,  700,  799,  897,  995,  1092, 1189,
                                      1285, 1380, 1474, 1567, 1660, 1751, 1842, 1931, 2019, 2106, 2191, 2276, 2359,
                                      2440, 2520, 2598, 2675, 2751, 2824, 2896, 2967, 3035, 3102, 3166, 3229, 3290,
                                      3349, 3406, 3461, 3513, 3564, 3612, 3659, 3703, 3745, 3784, 3822, 3857, 3889,
                                      3920, 3948, 3973, 3996, 4017, 4036, 4052, 4065, 4076, 4085, 4091, 4095, 4096};
  uint32_t a = angle & 127, half = angle & 128;
  int32_t s = quarter[a <= 64 ? a : 128 - a];
  return half ? -s : s;
}

/* Uniform in [low, high]. */
static int32_t between(uint32_t word, int32_t low, int32_t high)
{
  return low + (int32_t)((uint64_t)word * (uint32_t)(high - low + 1) >> 32);
}

static uint8_t to_byte(int32_t x)
{
  return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* ---- one picture ---- */

/* Where the shape is: the own frame's coordinates of a point, 256 times finer, are origin + x * dx + y * dy, x and y in
 * half pixels. */
typedef struct shapes_form {
  int32_t left, right, top, bottom; /* pixels that it may touch */
  int32_t origin[2], dx[2], dy[2];
} shapes_form;

static void place(const uint32_t word[4], int32_t size, shapes_form *form)
{
  int32_t radius = between(word[0], size * 82, size * 110); /* 0.32 to 0.43 of the size */
  int32_t middle = size * 128, inside_by = middle - radius, away = size * 23 < inside_by ? size * 23 : inside_by;
  int32_t cx = between(word[1], middle - away, middle + away), cy = between(word[2], middle - away, middle + away);
  uint32_t angle = (uint32_t)between(word[3], -14, 14); /* up to 20 degrees */
  int32_t c = sine(angle + 64), s = sine(angle);
  form->dx[0] = c * 32768 / radius, form->dx[1] = -s * 32768 / radius;
  form->dy[0] = s * 32768 / radius, form->dy[1] = c * 32768 / radius;
  /* The middle of the first quarter pixel is 64 from the corner. */
  int64_t x = 64 - cx, y = 64 - cy;
  form->origin[0] = (int32_t)((c * x + s * y) * 256 / radius);
  form->origin[1] = (int32_t)((c * y - s * x) * 256 / radius);
  form->left = (cx - radius) / 256, form->right = (cx + radius + 255) / 256;
  form->top = (cy - radius) / 256, form->bottom = (cy + radius + 255) / 256;
}

/* How many of the pixel's four quarters are inside. */
static int coverage(const shapes_form *form, uint32_t shape, int32_t x, int32_t y)
{
  int covered = 0;
  for (int32_t i = 0; i < 4; i++) {
    int32_t px = 2 * x + (i & 1), py = 2 * y + (i >> 1);
    covered += inside[shape]((form->origin[0] + px * form->dx[0] + py * form->dy[0]) / 256,
                             (form->origin[1] + px * form->dx[1] + py * form->dy[1]) / 256);
  }
  return covered;
}

/* The light of one channel: what the picture has at a point without shape and noise, and what the shape adds. In 1/256
 * of a grey level; slopes are per pixel. */
typedef struct shapes_light {
  int32_t corner, slope_x, slope_y, contrast;
} shapes_light;

static shapes_light choose_light(const uint32_t slopes[4], const uint32_t levels[4], int32_t size)
{
  int32_t x = between(slopes[0], -40, 40) * 256 / size, y = between(slopes[1], -40, 40) * 256 / size;
  int32_t contrast = between(levels[0], 60, 150), ground = between(levels[1], 30, 225 - contrast);
  if (slopes[2] & 1) { /* dark on bright */
    ground = 255 - ground;
    contrast = -contrast;
  }
  return (shapes_light){
      .corner = ground * 256 - (x + y) * size / 2, .slope_x = x, .slope_y = y, .contrast = contrast * 256};
}

void shapes_draw(const dlc_random *random, const shapes_style *style, uint32_t split, uint32_t index, uint32_t shape,
                 uint8_t *picture)
{
  int32_t size = style->size;
  uint32_t where[4], slopes[4], levels[4], noise[4] = {0};
  uint32_t draw = 0;
  shapes_form form;
  random->words(style->seed, SHAPES_PURPOSE_FORM, split, index, 0, where);
  random->words(style->seed, SHAPES_PURPOSE_FORM, split, index, 1, slopes);
  place(where, size, &form);
  for (int32_t c = 0; c < style->channels; c++) {
    random->words(style->seed, SHAPES_PURPOSE_FORM, split, index, 2 + (uint32_t)c, levels);
    shapes_light light = choose_light(slopes, levels, size);
    for (int32_t y = 0; y < size; y++) {
      for (int32_t x = 0; x < size; x++) {
        int32_t i = y * size + x;
        if (i % 16 == 0) random->words(style->seed, SHAPES_PURPOSE_NOISE, split, index, draw++, noise);
        int32_t byte = (int32_t)(noise[i / 4 % 4] >> 8 * (i % 4) & 255) - 128;
        int32_t level = light.corner + light.slope_y * y + light.slope_x * x + byte * style->noise * 2;
        if (x >= form.left && x < form.right && y >= form.top && y < form.bottom)
          level += light.contrast / 4 * coverage(&form, shape, x, y);
        *picture++ = to_byte(level / 256);
      }
    }
  }
}
