/* Matrix products for the small and oddly shaped ones of a training step, where a BLAS spends more on packing and
 * dispatch than on the product. A tile of C stays in registers while the sum runs: ROWS x COLS vectors, as many as the
 * instruction set has registers for. Rows and columns are dealt out evenly over the tiles, so that none is a leftover
 * of one. */
#include "kernels.h"

enum { ROWS = 6, COLS = VEC_REGISTERS == 32 ? 4 : 2 };

/* The tiles: one function for each size, made by inlining with constants. */
#define EACH_COLS(make, rows) make(rows, 1) make(rows, 2) make(rows, 3) make(rows, 4)
#define EACH_SIZE(make)                                                                                                \
  EACH_COLS(make, 1) EACH_COLS(make, 2) EACH_COLS(make, 3) EACH_COLS(make, 4) EACH_COLS(make, 5) EACH_COLS(make, 6)

/* ---- products ---- */

typedef struct tile {
  const cpu_product *p;
  const float *a[ROWS];
  float *c[ROWS];
  const float *b;
  const float *row_bias, *col_bias; /* of the tile's first row and column */
  vec_mask last;                    /* the lanes of the last vector */
} tile;

INLINE void start_tile(const tile *t, int rows, int cols, vec acc[ROWS][COLS])
{
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) {
      vec_mask m = j == cols - 1 ? t->last : vec_first(VEC);
      if (t->p->add) acc[i][j] = vec_load_part(t->c[i] + j * VEC, m);
      else if (t->row_bias) acc[i][j] = vec_all(t->row_bias[i]);
      else acc[i][j] = t->col_bias ? vec_load_part(t->col_bias + j * VEC, m) : vec_all(0);
    }
}

INLINE void run_tile(const tile *t, int rows, int cols)
{
  vec acc[ROWS][COLS];
  start_tile(t, rows, cols, acc);
  const int64_t *b_rows = t->p->b_rows, b_row = t->p->b_row, a_step = t->p->a_step, depth = t->p->depth;
  const float *b = t->b;
  for (int64_t k = 0, at = 0; k < depth; k++, at += a_step) {
    const float *line = b_rows ? t->b + b_rows[k] : b;
    b += b_row;
    vec right[COLS];
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++)
      right[j] = j == cols - 1 ? vec_load_part(line + j * VEC, t->last) : vec_load(line + j * VEC);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
      vec left = vec_all(t->a[i][at]);
#pragma GCC unroll 4
      for (int j = 0; j < cols; j++) acc[i][j] = vec_fma(left, right[j], acc[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++)
      if (j == cols - 1) vec_store_part(t->c[i] + j * VEC, t->last, acc[i][j]);
      else vec_store(t->c[i] + j * VEC, acc[i][j]);
}

#define MAKE(rows, cols)                                                                                               \
  static void tile_##rows##_##cols(const tile *t)                                                                      \
  {                                                                                                                    \
    run_tile(t, rows, cols < COLS ? cols : COLS);                                                                      \
  }
EACH_SIZE(MAKE)
#undef MAKE
#define MAKE(rows, cols) tile_##rows##_##cols,
static void (*const tiles[ROWS * 4])(const tile *t) = {EACH_SIZE(MAKE)};
#undef MAKE

static int64_t pieces(int64_t n, int64_t size)
{
  return (n + size - 1) / size;
}

void cpu_multiply(const cpu_product *p)
{
  const int64_t vectors = pieces(p->cols, VEC), panels = pieces(vectors, COLS), bands = pieces(p->rows, ROWS);
  for (int64_t panel = 0; panel < panels; panel++) {
    const int64_t v = vectors * panel / panels, v_end = vectors * (panel + 1) / panels, n = v * VEC;
    const int64_t left = p->cols - (v_end - 1) * VEC;
    tile t = {.p = p, .b = p->b + n, .last = vec_first(left < VEC ? left : VEC)};
    if (p->col_bias) t.col_bias = p->col_bias + n;
    for (int64_t band = 0; band < bands; band++) {
      const int64_t m = p->rows * band / bands, m_end = p->rows * (band + 1) / bands;
      for (int64_t i = m; i < m_end; i++) {
        t.a[i - m] = p->a + (p->a_rows ? p->a_rows[i] : i * p->a_row);
        t.c[i - m] = p->c + (p->c_rows ? p->c_rows[i] : i * p->c_row) + n;
      }
      if (p->row_bias) t.row_bias = p->row_bias + m;
      tiles[(m_end - m - 1) * 4 + (v_end - v - 1)](&t);
    }
  }
}

/* ---- dot products ---- */

typedef struct dots_tile {
  const cpu_dots *d;
  const float *a[ROWS], *b[COLS];
  float *c;
  const float *col_bias;
} dots_tile;

INLINE void run_dots(const dots_tile *t, int rows, int cols)
{
  vec acc[ROWS][COLS] = {0};
  const cpu_dots *d = t->d;
  const float *a[ROWS], *b[COLS];
  for (int i = 0; i < rows; i++) a[i] = t->a[i];
  for (int j = 0; j < cols; j++) b[j] = t->b[j];
  const vec_mask rest = vec_first(d->length % VEC);
  for (int64_t part = 0; part < d->parts; part++) {
    int64_t l = 0;
    for (; l + VEC <= d->length; l += VEC) {
      vec right[COLS];
#pragma GCC unroll 4
      for (int j = 0; j < cols; j++) right[j] = vec_load(b[j] + l);
#pragma GCC unroll 6
      for (int i = 0; i < rows; i++) {
        vec left = vec_load(a[i] + l);
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++) acc[i][j] = vec_fma(left, right[j], acc[i][j]);
      }
    }
    if (l < d->length) {
      vec right[COLS];
#pragma GCC unroll 4
      for (int j = 0; j < cols; j++) right[j] = vec_load_part(b[j] + l, rest);
#pragma GCC unroll 6
      for (int i = 0; i < rows; i++) {
        vec left = vec_load_part(a[i] + l, rest);
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++) acc[i][j] = vec_fma(left, right[j], acc[i][j]);
      }
    }
    for (int i = 0; i < rows; i++) a[i] += d->a_part;
    for (int j = 0; j < cols; j++) b[j] += d->b_part;
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) {
      float *c = t->c + i * d->c_row + j;
      *c = vec_sum(acc[i][j]) + (d->add ? *c : t->col_bias ? t->col_bias[j] : 0);
    }
}

#define MAKE(rows, cols)                                                                                               \
  static void dots_##rows##_##cols(const dots_tile *t)                                                                 \
  {                                                                                                                    \
    run_dots(t, rows, cols < COLS ? cols : COLS);                                                                      \
  }
EACH_SIZE(MAKE)
#undef MAKE
#define MAKE(rows, cols) dots_##rows##_##cols,
static void (*const dots[ROWS * 4])(const dots_tile *t) = {EACH_SIZE(MAKE)};
#undef MAKE

void cpu_dot_products(const cpu_dots *d)
{
  const int64_t bands = pieces(d->rows, ROWS), panels = pieces(d->cols, COLS);
  for (int64_t panel = 0; panel < panels; panel++) {
    const int64_t n = d->cols * panel / panels, n_end = d->cols * (panel + 1) / panels;
    dots_tile t = {.d = d};
    for (int64_t j = n; j < n_end; j++) t.b[j - n] = d->b + (d->b_rows ? d->b_rows[j] : j * d->b_row);
    if (d->col_bias) t.col_bias = d->col_bias + n;
    for (int64_t band = 0; band < bands; band++) {
      const int64_t m = d->rows * band / bands, m_end = d->rows * (band + 1) / bands;
      for (int64_t i = m; i < m_end; i++) t.a[i - m] = d->a + i * d->a_row;
      t.c = d->c + m * d->c_row + n;
      dots[(m_end - m - 1) * 4 + (n_end - n - 1)](&t);
    }
  }
}
