/* Convolutions of stride 1 with square kernels and many channels by minimal filtering (Winograd 1980; in two dimensions
 * Lavin and Gray 2016, arXiv:1509.09308).
 *
 * The output is cut into tiles of 2x2. The (K+1)x(K+1) inputs under a tile become as many numbers, its "points", each a
 * sum of some of the inputs; so do the weight's KxK elements. Where the points of both are multiplied with each other
 * and summed over the channels, the tile is again sums of what comes: with a 3x3 kernel, 16 products in place of 36.
 * For each point this is a product of matrices, [tiles, channels] * [channels, filters].
 *
 * All steps are done to vectors of neighbouring channels, so planes are turned to pixels on the way in, and back on the
 * way out. */
#ifndef CPU_WINOGRAD_H
#define CPU_WINOGRAD_H
#include "kernels.h"

enum { WINOGRAD_TILE = 2, WINOGRAD_CHANNELS = 16 }; /* channels come in multiples of that: of any vector's lanes */

/* A convolution from `channels` to `filters` planes. */
typedef struct winograd {
  int64_t kernel, side, points; /* side: kernel + 1; points: side * side */
  int64_t channels, filters;
  int64_t in[2], out[2], top, left; /* height, width; padding before */
  int64_t tiles[2];                 /* down, across */
  int64_t strip_width;              /* columns under a row of tiles */
} winograd;

/* Floats of the buffers that the functions below work in. */
#define cpu_winograd_rows_size  CPU_NAME(cpu_winograd_rows_size)
#define cpu_winograd_strip_size CPU_NAME(cpu_winograd_strip_size)
int64_t cpu_winograd_rows_size(const winograd *w);
int64_t cpu_winograd_strip_size(const winograd *w);

/* VEC channels of one row of tiles. Point i of tile t lies at points[i * point + t * tile], a vector. */
typedef struct tile_row {
  const winograd *w;
  int64_t row;
  float *points;
  int64_t point, tile;
  float *rows, *strip; /* buffers; the strip's columns outside of the picture are 0 */
} tile_row;

/* From the first of the planes x. */
#define cpu_winograd_input CPU_NAME(cpu_winograd_input)
void cpu_winograd_input(const tile_row *t, const float *x);
/* To the first of the planes y; `bias`: of the channels, or NULL. */
#define cpu_winograd_output CPU_NAME(cpu_winograd_output)
void cpu_winograd_output(const tile_row *t, const float *bias, float *y);
/* The transposed step of the output, for 3x3 kernels: from the gradient of y to that of the points. */
#define cpu_winograd_grad_output CPU_NAME(cpu_winograd_grad_output)
void cpu_winograd_grad_output(const tile_row *t, const float *dy);

/* VEC kernels that lie `next` floats apart; `turned`: by half a circle. Point i of them is a vector at
 * points[i * point]. */
#define cpu_winograd_weight CPU_NAME(cpu_winograd_weight)
void cpu_winograd_weight(const winograd *w, const float *weight, int64_t next, bool turned, float *points,
                         int64_t point);
/* The transposed step, for 3x3 kernels: from the gradient of the points to that of the weight. */
#define cpu_winograd_grad_weight_of CPU_NAME(cpu_winograd_grad_weight_of)
void cpu_winograd_grad_weight_of(const float *points, int64_t point, int64_t next, float *dw);

#endif
