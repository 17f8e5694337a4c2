/* max_pool2d and its gradient. Tasks are pieces of the planes (one image's channel). */
#include "kernels.h"
#include <math.h>
#include <string.h>

typedef struct pool {
  const dlc_device *device;
  int64_t planes, height, width, out_height, out_width; /* height, width: of x, in the gradient too */
  int64_t kernel[2], stride[2], top, left;
  int64_t inner_begin, inner_end; /* output columns whose window lies inside the rows */
  uint32_t tasks;
} pool;

typedef struct call {
  const pool *p;
  const float *from;
  const uint8_t *from_index;
  float *to;
  uint8_t *to_index;
} call;

static cpu_range inside(int64_t first, int64_t n, int64_t extent) /* the k of [0, n) with 0 <= first + k < extent */
{
  return (cpu_range){first < 0 ? -first : 0, first + n > extent ? extent - first : n};
}

static pool *prepare(const dlc_device *device, const dlc_value *x, const dlc_value *y, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, dlc_kernel *k)
{
  pool *p = cpu_state(device, k, sizeof *p);
  if (!p) return NULL;
  *p = (pool){.device = device,
              .planes = x->dim[0] * x->dim[1],
              .height = x->dim[2],
              .width = x->dim[3],
              .out_height = y->dim[2],
              .out_width = y->dim[3],
              .kernel = {kernel[0], kernel[1]},
              .stride = {stride[0], stride[1]},
              .top = padding[0],
              .left = padding[1]};
  p->inner_begin = (p->left + p->stride[1] - 1) / p->stride[1];
  const int64_t room = p->width + p->left - p->kernel[1]; /* the largest ow * stride */
  p->inner_end = room < 0 ? 0 : room / p->stride[1] + 1;
  if (p->inner_end > p->out_width) p->inner_end = p->out_width;
  if (p->inner_begin > p->inner_end) p->inner_begin = p->inner_end;
  const double bytes = 4.0 * (double)dlc_count(x) + 5.0 * (double)dlc_count(y);
  p->tasks = cpu_task_count(bytes, CPU_GRAIN_BYTES, p->planes);
  return p;
}

/* ---- forward ---- */

/* v comes after `best` in its window: does it take its place? */
INLINE veci wins(vec v, vec best)
{
  return (v > best) | ((v != v) & (best == best));
}

/* n <= VEC neighbouring outputs of one row; `x` is the upper left corner of the first one's window, of which the rows
 * from `rows.begin` to `rows.end` count. Inlined with constants where it is hot. */
INLINE void pool_vector(const float *x, int64_t width, cpu_range rows, int64_t kernel_width, int64_t stride, int64_t n,
                        float *y, uint8_t *index)
{
  vec best = vec_load_every(x + rows.begin * width, stride, n);
  veci at = vec_alli((int32_t)(rows.begin * kernel_width));
  for (int64_t i = rows.begin; i < rows.end; i++)
    for (int64_t j = i == rows.begin ? 1 : 0; j < kernel_width; j++) {
      vec v = vec_load_every(x + i * width + j, stride, n);
      veci take = wins(v, best);
      best = vec_select(take, v, best);
      at = (take & vec_alli((int32_t)(i * kernel_width + j))) | (~take & at);
    }
  vec_store_part(y, vec_first(n), best);
  vec_store_bytes(index, n, at);
}

static void pool_one(const pool *p, const float *plane, int64_t oh, int64_t ow, float *y, uint8_t *index)
{
  const int64_t top = oh * p->stride[0] - p->top, left = ow * p->stride[1] - p->left;
  const cpu_range rows = inside(top, p->kernel[0], p->height), cols = inside(left, p->kernel[1], p->width);
  int64_t at = rows.begin * p->kernel[1] + cols.begin;
  float best = plane[(top + rows.begin) * p->width + left + cols.begin];
  for (int64_t i = rows.begin; i < rows.end; i++)
    for (int64_t j = cols.begin; j < cols.end; j++) {
      const float v = plane[(top + i) * p->width + left + j];
      if (!(v > best || (isnan(v) && !isnan(best)))) continue;
      best = v;
      at = i * p->kernel[1] + j;
    }
  *y = best;
  *index = (uint8_t)at;
}

static void pool_row(const pool *p, const float *plane, int64_t oh, float *y, uint8_t *index)
{
  const int64_t top = oh * p->stride[0] - p->top;
  const cpu_range rows = inside(top, p->kernel[0], p->height);
  int64_t ow = 0;
  for (; ow < p->inner_begin; ow++) pool_one(p, plane, oh, ow, y + ow, index + ow);
  for (int64_t n; ow < p->inner_end; ow += n) {
    n = p->inner_end - ow < VEC ? p->inner_end - ow : VEC;
    const float *x = plane + top * p->width + ow * p->stride[1] - p->left;
    if (p->kernel[0] == 2 && p->kernel[1] == 2 && p->stride[1] == 2 && rows.begin == 0 && rows.end == 2)
      pool_vector(x, p->width, (cpu_range){0, 2}, 2, 2, n, y + ow, index + ow);
    else pool_vector(x, p->width, rows, p->kernel[1], p->stride[1], n, y + ow, index + ow);
  }
  for (; ow < p->out_width; ow++) pool_one(p, plane, oh, ow, y + ow, index + ow);
}

static void pool_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const pool *p = c->p;
  cpu_range r = cpu_piece(p->planes, p->tasks, i);
  for (int64_t plane = r.begin; plane < r.end; plane++)
    for (int64_t oh = 0; oh < p->out_height; oh++) {
      const int64_t at = (plane * p->out_height + oh) * p->out_width;
      pool_row(p, c->from + plane * p->height * p->width, oh, c->to + at, c->to_index + at);
    }
}

static dlc_status pool_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const pool *p = state;
  call c = {.p = p, .from = in[0], .to = out[0], .to_index = out[1]};
  cpu_run(p->device, p->tasks, pool_task, &c);
  return DLC_OK;
}

dlc_status cpu_max_pool2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_max_pool2d *a = node->attr;
  k->launch = pool_launch;
  return prepare(device, cpu_in(g, node, 0), cpu_out(g, node, 0), a->kernel_size, a->stride, a->padding, k) ? DLC_OK
                                                                                                            : DLC_NOMEM;
}

/* ---- gradient ---- */

/* Windows may overlap: every output adds to its winner. An index that points out of the image has no winner. */
static void scatter_plane(const pool *p, const float *dy, const uint8_t *index, float *dx)
{
  memset(dx, 0, (size_t)(p->height * p->width) * sizeof *dx);
  for (int64_t oh = 0; oh < p->out_height; oh++)
    for (int64_t ow = 0; ow < p->out_width; ow++, dy++, index++) {
      const int64_t ih = oh * p->stride[0] - p->top + *index / p->kernel[1];
      const int64_t iw = ow * p->stride[1] - p->left + *index % p->kernel[1];
      if (ih >= 0 && ih < p->height && iw >= 0 && iw < p->width) dx[ih * p->width + iw] += *dy;
    }
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const pool *p = c->p;
  cpu_range r = cpu_piece(p->planes, p->tasks, i);
  for (int64_t plane = r.begin; plane < r.end; plane++) {
    const int64_t at = plane * p->out_height * p->out_width;
    scatter_plane(p, c->from + at, c->from_index + at, c->to + plane * p->height * p->width);
  }
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const pool *p = state;
  call c = {.p = p, .from = in[0], .from_index = in[1], .to = out[0]};
  cpu_run(p->device, p->tasks, grad_task, &c);
  return DLC_OK;
}

dlc_status cpu_max_pool2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_max_pool2d_grad *a = node->attr;
  k->launch = grad_launch;
  return prepare(device, cpu_out(g, node, 0), cpu_in(g, node, 0), a->kernel_size, a->stride, a->padding, k) ? DLC_OK
                                                                                                            : DLC_NOMEM;
}
