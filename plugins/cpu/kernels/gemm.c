/* Matrix products for the small and oddly shaped ones of a training step, where a BLAS spends more on packing and
 * dispatch than on the product. A tile of C stays in registers while the sum runs: ROWS x COLS vectors, as many as the
 * instruction set has registers for. Rows and columns are dealt out evenly over the tiles, so that none is a leftover
 * of one. */
#include "kernels.h"

enum { ROWS = 6, COLS = VEC_REGISTERS == 32 ? 4 : 2 };

/* The tiles: one function for each size, made by inlining with constants. Every loop over a tile is unrolled in full,
 * or the compiler would keep the tile in memory. */
#define EACH_COLS(make, rows) make(rows, 1) make(rows, 2) make(rows, 3) make(rows, 4)
#define EACH_SIZE(make)                                                                                                \
  EACH_COLS(make, 1) EACH_COLS(make, 2) EACH_COLS(make, 3) EACH_COLS(make, 4) EACH_COLS(make, 5) EACH_COLS(make, 6)

/* ---- products ---- */

typedef struct tile {
  const cpu_product *p;
  const float *a[ROWS];
  float *c[ROWS];
  const float *b;
  const float *row_bias; /* of the tile's first row */
  vec_mask last;         /* the lanes of the last vector */
} tile;

enum start { FROM_C, FROM_BIAS, FROM_ZERO };

INLINE void start_tile(const tile *t, int rows, int cols, enum start start, vec acc[ROWS][COLS])
{
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) {
      const vec_mask m = j == cols - 1 ? t->last : vec_first(VEC);
      if (start == FROM_C) acc[i][j] = vec_load_part(t->c[i] + j * VEC, m);
      else acc[i][j] = vec_all(start == FROM_BIAS ? t->row_bias[i] : 0);
    }
}

INLINE void run_tile(const tile *t, int rows, int cols)
{
  vec acc[ROWS][COLS];
  if (t->p->add) start_tile(t, rows, cols, FROM_C, acc);
  else if (t->row_bias) start_tile(t, rows, cols, FROM_BIAS, acc);
  else start_tile(t, rows, cols, FROM_ZERO, acc);
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

/* Deals n out over the fewest pieces of at most `size`: the first `larger` pieces hold one more than the others. */
typedef struct deal {
  int64_t pieces, each, larger;
} deal;

static deal deal_out(int64_t n, int64_t size)
{
  const int64_t pieces = (n + size - 1) / size;
  return (deal){pieces, n / pieces, n % pieces};
}

static int64_t piece_size(const deal *d, int64_t i)
{
  return d->each + (i < d->larger);
}

void cpu_multiply(const cpu_product *p)
{
  const deal panels = deal_out((p->cols + VEC - 1) / VEC, COLS), bands = deal_out(p->rows, ROWS);
  for (int64_t panel = 0, n = 0; panel < panels.pieces; panel++) {
    const int64_t vectors = piece_size(&panels, panel), left = p->cols - n - (vectors - 1) * VEC;
    tile t = {.p = p, .b = p->b + n, .last = vec_first(left < VEC ? left : VEC)};
    for (int64_t band = 0, m = 0; band < bands.pieces; band++) {
      const int64_t rows = piece_size(&bands, band);
      for (int64_t i = 0; i < rows; i++) {
        t.a[i] = p->a + (p->a_rows ? p->a_rows[m + i] : (m + i) * p->a_row);
        t.c[i] = p->c + (p->c_rows ? p->c_rows[m + i] : (m + i) * p->c_row) + n;
      }
      if (p->row_bias) t.row_bias = p->row_bias + m;
      tiles[(rows - 1) * 4 + (vectors - 1)](&t);
      m += rows;
    }
    n += vectors * VEC;
  }
}

/* ---- dot products ---- */

typedef struct dots_tile {
  const cpu_dots *d;
  const float *a[ROWS], *b[COLS];
  float *c;
  const float *col_bias;
} dots_tile;

static const float zeros[COLS];

/* The vectors at a[i] + at_a and b[j] + at_b, times each other. */
INLINE void add_dots(const dots_tile *t, int rows, int cols, int64_t at_a, int64_t at_b, vec_mask m,
                     vec acc[ROWS][COLS])
{
  vec right[COLS];
#pragma GCC unroll 4
  for (int j = 0; j < cols; j++) right[j] = vec_load_part(t->b[j] + at_b, m);
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
    vec left = vec_load_part(t->a[i] + at_a, m);
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) acc[i][j] = vec_fma(left, right[j], acc[i][j]);
  }
}

INLINE void run_dots(const dots_tile *t, int rows, int cols)
{
  vec acc[ROWS][COLS];
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) acc[i][j] = vec_all(0);
  const cpu_dots *d = t->d;
  const int64_t whole = d->length / VEC * VEC;
  const vec_mask rest = vec_first(d->length - whole);
  for (int64_t part = 0, part_a = 0, part_b = 0; part < d->parts; part++, part_a += d->a_part, part_b += d->b_part) {
#pragma GCC unroll 4
    for (int64_t l = 0; l < whole; l += VEC) add_dots(t, rows, cols, part_a + l, part_b + l, vec_first(VEC), acc);
    if (whole < d->length) add_dots(t, rows, cols, part_a + whole, part_b + whole, rest, acc);
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
    float *c = t->c + i * d->c_row;
    const float *add = d->add ? c : t->col_bias ? t->col_bias : zeros;
    if (cols == 4) {
      vec_sum_four(acc[i], add, c);
      continue;
    }
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) c[j] = vec_sum(acc[i][j]) + add[j];
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

/* Bands first to last - 1, whose rows begin with `row`, by all panels. */
static void run_bands(const cpu_dots *d, const deal *bands, int64_t first, int64_t last, int64_t row)
{
  const deal panels = deal_out(d->cols, COLS);
  for (int64_t panel = 0, n = 0; panel < panels.pieces; panel++) {
    const int64_t cols = piece_size(&panels, panel);
    dots_tile t = {.d = d};
    for (int64_t j = 0; j < cols; j++) t.b[j] = d->b + (d->b_rows ? d->b_rows[n + j] : (n + j) * d->b_row);
    if (d->col_bias) t.col_bias = d->col_bias + n;
    for (int64_t band = first, m = row; band < last; band++) {
      const int64_t rows = piece_size(bands, band);
      for (int64_t i = 0; i < rows; i++) t.a[i] = d->a + (m + i) * d->a_row;
      t.c = d->c + m * d->c_row + n;
      dots[(rows - 1) * 4 + (cols - 1)](&t);
      m += rows;
    }
    n += cols;
  }
}

/* Floats of the rows that every panel meets in turn: a quarter of a small second-level cache. */
enum { BLOCK_FLOATS = 1 << 14 };

void cpu_dot_products(const cpu_dots *d)
{
  const deal bands = deal_out(d->rows, ROWS);
  const int64_t fit = BLOCK_FLOATS / (ROWS * d->parts * d->length), block = fit > 1 ? fit : 1;
  for (int64_t first = 0, row = 0; first < bands.pieces; first += block) {
    const int64_t last = first + block < bands.pieces ? first + block : bands.pieces;
    run_bands(d, &bands, first, last, row);
    for (int64_t band = first; band < last; band++) row += piece_size(&bands, band);
  }
}
