/* max_pool2d and its gradient. Tasks are pieces of the planes (one image's channel). */
#include "kernels.h"
#include <math.h>
#include <string.h>

typedef struct pool {
  const dlc_device *device;
  int64_t planes, height, width, out_height, out_width; /* height, width: of x, in the gradient too */
  int64_t kernel[2], stride[2], top, left;
  int64_t inner_begin, inner_end; /* output columns whose window lies inside the rows */
  bool quarters;                  /* whole 2x2 windows, 2 apart: the usual case has loops of its own */
  uint32_t tasks;
  int64_t winner[256]; /* elements from the upper left corner of a window to its winner, by index */
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
  p->quarters = kernel[0] == 2 && kernel[1] == 2 && stride[0] == 2 && stride[1] == 2 && padding[0] == 0 &&
                padding[1] == 0 && 2 * y->dim[2] <= x->dim[2] && 2 * y->dim[3] <= x->dim[3];
  for (int i = 0; i < 256; i++) p->winner[i] = i / kernel[1] * p->width + i % kernel[1];
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
 * from `rows.begin` to `rows.end` count. */
static void pool_vector(const float *x, int64_t width, cpu_range rows, int64_t kernel_width, int64_t stride, int64_t n,
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
  vec_store_bytes(index, __builtin_convertvector(at, vecb), n);
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

#if defined(__AVX512F__)
/* The lanes where v takes the place of *best: it is greater, or not a number while *best is one. */
INLINE __mmask16 win(vec v, vec *best)
{
  const __mmask16 take = _mm512_cmp_ps_mask(*best, *best, _CMP_ORD_Q) & _mm512_cmp_ps_mask(v, *best, _CMP_NLE_UQ);
  *best = _mm512_mask_mov_ps(*best, take, v);
  return take;
}

/* The maxima of a vector of 2x2 windows: their upper and lower elements lie side by side in x and below. */
INLINE vec maxima(const vec x[2], const vec below[2], vecb *index)
{
  vec upper = vec_even(x[0], x[1]), lower = vec_even(below[0], below[1]);
  const __mmask16 upper_column = win(vec_odd(x[0], x[1]), &upper);
  const __mmask16 lower_column = win(vec_odd(below[0], below[1]), &lower);
  const __mmask16 row = win(lower, &upper), column = (row & lower_column) | (~row & upper_column);
  *index = (vecb)_mm_or_si128(_mm_maskz_set1_epi8(column, 1), _mm_maskz_set1_epi8(row, 2));
  return upper;
}
#else
INLINE vec maxima(const vec x[2], const vec below[2], vecb *index)
{
  const vec rest[3] = {vec_odd(x[0], x[1]), vec_even(below[0], below[1]), vec_odd(below[0], below[1])};
  vec best = vec_even(x[0], x[1]);
  veci at = {0};
  for (int j = 0; j < 3; j++) {
    const veci take = wins(rest[j], best);
    best = vec_select(take, rest[j], best);
    at = (take & vec_alli(j + 1)) | (~take & at);
  }
  *index = __builtin_convertvector(at, vecb);
  return best;
}
#endif

/* n neighbouring outputs of 2x2 windows, 2 apart; `x` and `below`: the two input rows. */
static void pool_2x2(const float *x, const float *below, int64_t n, float *y, uint8_t *index)
{
  for (int64_t i = 0; i < n; i += VEC) {
    const int64_t lanes = n - i < VEC ? n - i : VEC;
    vec v[2], w[2];
    vecb at;
    vec_load_pairs(x + 2 * i, lanes, v);
    vec_load_pairs(below + 2 * i, lanes, w);
    vec_store_part(y + i, vec_first(lanes), maxima(v, w, &at));
    vec_store_bytes(index + i, at, lanes);
  }
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
    pool_vector(x, p->width, rows, p->kernel[1], p->stride[1], n, y + ow, index + ow);
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
      const float *x = c->from + plane * p->height * p->width;
      if (p->quarters) {
        x += 2 * oh * p->width;
        pool_2x2(x, x + p->width, p->out_width, c->to + at, c->to_index + at);
      } else pool_row(p, x, oh, c->to + at, c->to_index + at);
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

/* Windows may overlap: every output adds to its winner. Whatever an index says, nothing outside of the plane is
 * written. */
static void scatter_one(const pool *p, int64_t oh, int64_t ow, float dy, uint8_t index, float *dx)
{
  const int64_t ih = oh * p->stride[0] - p->top + index / p->kernel[1];
  const int64_t iw = ow * p->stride[1] - p->left + index % p->kernel[1];
  if (ih >= 0 && ih < p->height && iw >= 0 && iw < p->width) dx[ih * p->width + iw] += dy;
}

/* The same for windows that lie inside of the image, where a table tells winners' places. */
static void scatter_inner(const pool *p, int64_t oh, const float *dy, const uint8_t *index, float *dx)
{
  const int64_t stride = p->stride[1], elements = p->kernel[0] * p->kernel[1];
  float *window = dx + (oh * p->stride[0] - p->top) * p->width - p->left;
  for (int64_t ow = p->inner_begin; ow < p->inner_end; ow++)
    if (index[ow] < elements) window[ow * stride + p->winner[index[ow]]] += dy[ow];
}

static void scatter_plane(const pool *p, const float *dy, const uint8_t *index, float *dx)
{
  memset(dx, 0, (size_t)(p->height * p->width) * sizeof *dx);
  for (int64_t oh = 0; oh < p->out_height; oh++, dy += p->out_width, index += p->out_width) {
    const int64_t top = oh * p->stride[0] - p->top;
    const bool inner = top >= 0 && top + p->kernel[0] <= p->height;
    const int64_t begin = inner ? p->inner_begin : p->out_width, end = inner ? p->inner_end : p->out_width;
    for (int64_t ow = 0; ow < begin; ow++) scatter_one(p, oh, ow, dy[ow], index[ow], dx);
    if (inner) scatter_inner(p, oh, dy, index, dx);
    for (int64_t ow = end; ow < p->out_width; ow++) scatter_one(p, oh, ow, dy[ow], index[ow], dx);
  }
}

/* The gradient of pool_2x2: writes both rows, 2 * n elements of each. */
#if defined(__AVX512F__)
static void scatter_2x2(const float *dy, const uint8_t *index, int64_t n, float *dx, float *below)
{
  for (int64_t i = 0; i < n; i += VEC) {
    const int64_t lanes = n - i < VEC ? n - i : VEC;
    const uint32_t both = (uint32_t)((1ull << 2 * lanes) - 1);
    const vec d = vec_load_part(dy + i, vec_first(lanes));
    const __m128i at = _mm_maskz_loadu_epi8(vec_first(lanes), index + i);
    vec won[4]; /* by each place in the window */
    for (int8_t j = 0; j < 4; j++) won[j] = _mm512_maskz_mov_ps(_mm_cmpeq_epi8_mask(at, _mm_set1_epi8(j)), d);
    vec_store_part(dx + 2 * i, (vec_mask)both, vec_zip_low(won[0], won[1]));
    vec_store_part(below + 2 * i, (vec_mask)both, vec_zip_low(won[2], won[3]));
    if (lanes <= VEC / 2) continue;
    vec_store_part(dx + 2 * i + VEC, (vec_mask)(both >> 16), vec_zip_high(won[0], won[1]));
    vec_store_part(below + 2 * i + VEC, (vec_mask)(both >> 16), vec_zip_high(won[2], won[3]));
  }
}
#else
static void scatter_2x2(const float *dy, const uint8_t *index, int64_t n, float *dx, float *below)
{
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) {
    vecb bytes;
    memcpy(&bytes, index + i, sizeof bytes);
    const veci at = __builtin_convertvector(bytes, veci);
    const vec d = vec_load(dy + i), zero = {0};
    vec won[4]; /* by each place in the window */
    for (int32_t j = 0; j < 4; j++) won[j] = vec_select(at == vec_alli(j), d, zero);
    vec_store(dx + 2 * i, vec_zip_low(won[0], won[1]));
    vec_store(dx + 2 * i + VEC, vec_zip_high(won[0], won[1]));
    vec_store(below + 2 * i, vec_zip_low(won[2], won[3]));
    vec_store(below + 2 * i + VEC, vec_zip_high(won[2], won[3]));
  }
  for (; i < n; i++) {
    dx[2 * i] = dx[2 * i + 1] = below[2 * i] = below[2 * i + 1] = 0;
    if (index[i] < 4) (index[i] < 2 ? dx : below)[2 * i + index[i] % 2] = dy[i];
  }
}
#endif

static void scatter_quarters(const pool *p, const float *dy, const uint8_t *index, float *dx)
{
  const int64_t n = p->out_width;
  for (int64_t oh = 0; oh < p->out_height; oh++, dy += n, index += n, dx += 2 * p->width) {
    scatter_2x2(dy, index, n, dx, dx + p->width);
    if (2 * n < p->width) dx[2 * n] = dx[p->width + 2 * n] = 0;
  }
  if (2 * p->out_height < p->height) memset(dx, 0, (size_t)p->width * sizeof *dx);
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const pool *p = c->p;
  cpu_range r = cpu_piece(p->planes, p->tasks, i);
  for (int64_t plane = r.begin; plane < r.end; plane++) {
    const int64_t at = plane * p->out_height * p->out_width;
    float *dx = c->to + plane * p->height * p->width;
    if (p->quarters) scatter_quarters(p, c->from + at, c->from_index + at, dx);
    else scatter_plane(p, c->from + at, c->from_index + at, dx);
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
