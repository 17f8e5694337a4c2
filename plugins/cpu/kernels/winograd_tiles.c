/* The linear steps of winograd.h. In one dimension each is a small matrix, whose zeros and ones the compiler sees; in
 * two, it is done to columns and then to rows. */
#include "winograd.h"

enum { TILE = WINOGRAD_TILE, MAX_KERNEL = 5, MAX_SIDE = MAX_KERNEL + TILE - 1 };

typedef struct steps {
  int kernel, side;
  float input[MAX_SIDE][MAX_SIDE], weight[MAX_SIDE][MAX_KERNEL], output[TILE][MAX_SIDE];
} steps;

static const steps three = {
    .kernel = 3,
    .side = 4,
    .input = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    .weight = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}},
    .output = {{1, 1, 1, 0}, {0, 1, -1, -1}},
};

/* The linear steps are evaluations of polynomials at points and back (Toom and Cook): at 0, 1, -1 and infinity for
 * three, at 0, A, -A, B, -B and infinity for five. With A = 1 and B = 2, as in the literature, rounding errors would be
 * three times those of plain sums; with these they are 1.3 times. */
#define A   0.625f
#define B   1.5f
#define N_0 (A * A * B * B) /* the products of a point's differences from the others */
#define N_A (2 * A * A * (A * A - B * B))
#define N_B (2 * B * B * (B * B - A * A))
static const steps five = {
    .kernel = 5,
    .side = 6,
    .input = {{A * A * B * B, 0, -A *A - B *B, 0, 1, 0},
              {0, -A *B *B, -B *B, A, 1, 0},
              {0, A *B *B, -B *B, -A, 1, 0},
              {0, -B *A *A, -A *A, B, 1, 0},
              {0, B *A *A, -A *A, -B, 1, 0},
              {0, A *A *B *B, 0, -A *A - B *B, 0, 1}},
    .weight = {{1 / N_0, 0, 0, 0, 0},
               {1 / N_A, A / N_A, A *A / N_A, A *A *A / N_A, A *A *A *A / N_A},
               {1 / N_A, -A / N_A, A *A / N_A, -A *A *A / N_A, A *A *A *A / N_A},
               {1 / N_B, B / N_B, B *B / N_B, B *B *B / N_B, B *B *B *B / N_B},
               {1 / N_B, -B / N_B, B *B / N_B, -B *B *B / N_B, B *B *B *B / N_B},
               {0, 0, 0, 0, 1}},
    .output = {{1, 1, 1, 1, 1, 0}, {0, A, -A, B, -B, 1}},
};

/* Sum of m[k * m_step] * in[k * in_step], k < n. */
INLINE vec combine(const float *m, int m_step, const vec *in, int in_step, int n)
{
  vec sum = vec_all(0);
  bool first = true;
#pragma GCC unroll 6
  for (int k = 0; k < n; k++) {
    const float f = m[k * m_step];
    const vec v = in[k * in_step];
    if (f == 0) continue;
    if (first) sum = f == 1 ? v : (vec)(vec_all(f) * v);
    else if (f == 1) sum += v;
    else if (f == -1) sum -= v;
    else sum = vec_fma(vec_all(f), v, sum);
    first = false;
  }
  return sum;
}

/* ---- turning planes to pixels and back ---- */

INLINE void turn(vec v[VEC])
{
#pragma GCC unroll 4
  for (int round = 1; round < VEC; round *= 2) {
    vec t[VEC];
#pragma GCC unroll 8
    for (int i = 0; i < VEC / 2; i++) {
      t[2 * i] = vec_zip_low(v[i], v[i + VEC / 2]);
      t[2 * i + 1] = vec_zip_high(v[i], v[i + VEC / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < VEC; i++) v[i] = t[i];
  }
}

/* to[i][lane] = from[lane * plane + i], i < n; fills whole squares of VEC. */
static void to_pixels(const float *from, int64_t plane, int64_t n, float *to)
{
  for (int64_t i = 0; i < n; i += VEC) {
    const vec_mask m = vec_first(n - i < VEC ? n - i : VEC);
    vec v[VEC];
#pragma GCC unroll 16
    for (int l = 0; l < VEC; l++) v[l] = vec_load_part(from + l * plane + i, m);
    turn(v);
#pragma GCC unroll 16
    for (int l = 0; l < VEC; l++) vec_store(to + (i + l) * VEC, v[l]);
  }
}

/* to[lane * plane + i] = from[i][lane], i < n; reads whole squares of VEC. */
static void to_planes(const float *from, int64_t n, float *to, int64_t plane)
{
  for (int64_t i = 0; i < n; i += VEC) {
    const vec_mask m = vec_first(n - i < VEC ? n - i : VEC);
    vec v[VEC];
#pragma GCC unroll 16
    for (int l = 0; l < VEC; l++) v[l] = vec_load(from + (i + l) * VEC);
    turn(v);
#pragma GCC unroll 16
    for (int l = 0; l < VEC; l++) vec_store_part(to + l * plane + i, m, v[l]);
  }
}

/* ---- rows of tiles ---- */

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

int64_t cpu_winograd_rows_size(const winograd *w)
{
  return (larger(w->side * w->in[1], TILE * w->out[1]) + VEC) * VEC;
}

int64_t cpu_winograd_strip_size(const winograd *w)
{
  return w->side * w->strip_width * VEC;
}

/* Rows first to first + n - 1 of planes of height x width, as far as they are inside, become pixels in `rows`. */
static cpu_range rows_inside(int64_t first, int64_t n, const int64_t size[2], const float *x, float *rows)
{
  const cpu_range r = {first > 0 ? first : 0, first + n < size[0] ? first + n : size[0]};
  if (r.begin < r.end) to_pixels(x + r.begin * size[1], size[0] * size[1], (r.end - r.begin) * size[1], rows);
  return r;
}

INLINE void input_of(const steps *s, const tile_row *t, const float *x)
{
  const winograd *w = t->w;
  const int64_t first = TILE * t->row - w->top, line = w->strip_width * VEC, end = w->strip_width - w->left;
  const cpu_range inside = rows_inside(first, s->side, w->in, x, t->rows);
  for (int64_t c = 0; c < w->in[1] && c < end; c++) {
    vec in[MAX_SIDE];
#pragma GCC unroll 6
    for (int i = 0; i < s->side; i++) {
      const int64_t row = first + i;
      const bool is_inside = row >= inside.begin && row < inside.end;
      in[i] = is_inside ? vec_load(t->rows + ((row - inside.begin) * w->in[1] + c) * VEC) : vec_all(0);
    }
#pragma GCC unroll 6
    for (int i = 0; i < s->side; i++)
      vec_store(t->strip + i * line + (c + w->left) * VEC, combine(s->input[i], 1, in, 1, s->side));
  }
  for (int64_t c = 0; c < w->tiles[1]; c++)
    for (int i = 0; i < s->side; i++) {
      vec in[MAX_SIDE];
#pragma GCC unroll 6
      for (int j = 0; j < s->side; j++) in[j] = vec_load(t->strip + i * line + (TILE * c + j) * VEC);
      float *to = t->points + i * s->side * t->point + c * t->tile;
#pragma GCC unroll 6
      for (int j = 0; j < s->side; j++) vec_store(to + j * t->point, combine(s->input[j], 1, in, 1, s->side));
    }
}

INLINE void output_of(const steps *s, const tile_row *t, const float *bias, float *y)
{
  const winograd *w = t->w;
  const int64_t width = w->out[1], row = TILE * t->row, n = w->out[0] - row < TILE ? w->out[0] - row : TILE;
  const vec start = bias ? vec_load(bias) : vec_all(0);
  for (int64_t c = 0; c < w->tiles[1]; c++) {
    vec half[TILE * MAX_SIDE];
#pragma GCC unroll 6
    for (int i = 0; i < s->side; i++) {
      vec in[MAX_SIDE];
#pragma GCC unroll 6
      for (int j = 0; j < s->side; j++) in[j] = vec_load(t->points + (i * s->side + j) * t->point + c * t->tile);
#pragma GCC unroll 2
      for (int j = 0; j < TILE; j++) half[j * s->side + i] = combine(s->output[j], 1, in, 1, s->side);
    }
#pragma GCC unroll 2
    for (int j = 0; j < TILE; j++)
      for (int i = 0; i < TILE && TILE * c + j < width; i++)
        vec_store(t->rows + (i * width + TILE * c + j) * VEC,
                  start + combine(s->output[i], 1, half + j * s->side, 1, s->side));
  }
  to_planes(t->rows, n * width, y + row * width, w->out[0] * width);
}

void cpu_winograd_grad_output(const tile_row *t, const float *dy)
{
  const steps *s = &three;
  const winograd *w = t->w;
  const int64_t width = w->out[1], row = TILE * t->row;
  const cpu_range inside = rows_inside(row, TILE, w->out, dy, t->rows);
  for (int64_t c = 0; c < w->tiles[1]; c++) {
    vec half[TILE * MAX_SIDE];
#pragma GCC unroll 2
    for (int j = 0; j < TILE; j++) {
      vec in[TILE];
#pragma GCC unroll 2
      for (int i = 0; i < TILE; i++) {
        const bool is_inside = row + i < inside.end && TILE * c + j < width;
        in[i] = is_inside ? vec_load(t->rows + (i * width + TILE * c + j) * VEC) : vec_all(0);
      }
#pragma GCC unroll 6
      for (int i = 0; i < s->side; i++) half[i * TILE + j] = combine(&s->output[0][i], MAX_SIDE, in, 1, TILE);
    }
#pragma GCC unroll 6
    for (int i = 0; i < s->side; i++)
#pragma GCC unroll 6
      for (int j = 0; j < s->side; j++)
        vec_store(t->points + (i * s->side + j) * t->point + c * t->tile,
                  combine(&s->output[0][j], MAX_SIDE, half + i * TILE, 1, TILE));
  }
}

/* ---- the weight ---- */

INLINE void weight_of(const steps *s, const float *weight, int64_t next, bool turned, float *points, int64_t point)
{
  const int n = s->kernel * s->kernel;
  float pixels[(MAX_KERNEL * MAX_KERNEL + VEC) * VEC];
  vec half[MAX_SIDE * MAX_KERNEL];
  to_pixels(weight, next, n, pixels);
#pragma GCC unroll 6
  for (int j = 0; j < s->kernel; j++) {
    vec in[MAX_KERNEL];
#pragma GCC unroll 6
    for (int i = 0; i < s->kernel; i++) {
      const int at = i * s->kernel + j;
      in[i] = vec_load(pixels + (turned ? n - 1 - at : at) * VEC);
    }
#pragma GCC unroll 6
    for (int i = 0; i < s->side; i++) half[i * s->kernel + j] = combine(s->weight[i], 1, in, 1, s->kernel);
  }
#pragma GCC unroll 6
  for (int i = 0; i < s->side; i++)
#pragma GCC unroll 6
    for (int j = 0; j < s->side; j++)
      vec_store(points + (i * s->side + j) * point, combine(s->weight[j], 1, half + i * s->kernel, 1, s->kernel));
}

void cpu_winograd_grad_weight_of(const float *points, int64_t point, int64_t next, float *dw)
{
  const steps *s = &three;
  float pixels[(3 * 3 + VEC) * VEC] = {0}; /* whole squares are read */
  vec half[MAX_KERNEL * MAX_SIDE];
#pragma GCC unroll 6
  for (int i = 0; i < s->side; i++) {
    vec in[MAX_SIDE];
#pragma GCC unroll 6
    for (int j = 0; j < s->side; j++) in[j] = vec_load(points + (i * s->side + j) * point);
#pragma GCC unroll 6
    for (int j = 0; j < s->kernel; j++) half[j * s->side + i] = combine(&s->weight[0][j], MAX_KERNEL, in, 1, s->side);
  }
#pragma GCC unroll 6
  for (int j = 0; j < s->kernel; j++)
#pragma GCC unroll 6
    for (int i = 0; i < s->kernel; i++)
      vec_store(pixels + (i * s->kernel + j) * VEC,
                combine(&s->weight[0][i], MAX_KERNEL, half + j * s->side, 1, s->side));
  to_planes(pixels, s->kernel * s->kernel, dw, next);
}

/* ---- by the kernel's size ---- */

void cpu_winograd_input(const tile_row *t, const float *x)
{
  if (t->w->kernel == 3) input_of(&three, t, x);
  else input_of(&five, t, x);
}

void cpu_winograd_output(const tile_row *t, const float *bias, float *y)
{
  if (t->w->kernel == 3) output_of(&three, t, bias, y);
  else output_of(&five, t, bias, y);
}

void cpu_winograd_weight(const winograd *w, const float *weight, int64_t next, bool turned, float *points,
                         int64_t point)
{
  if (w->kernel == 3) weight_of(&three, weight, next, turned, points, point);
  else weight_of(&five, weight, next, turned, points, point);
}
