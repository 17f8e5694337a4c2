/* layer_norm and its gradient: rows of neighbouring floats, whose statistics are summed in double. Tasks are pieces of
 * the rows. */
#include "kernels.h"
#include "vec_double.h"
#include <math.h>
#include <string.h>

typedef struct norm {
  const dlc_device *device;
  int64_t rows, length;
  double eps;
  bool affine;
  uint32_t tasks;
} norm;

typedef struct call {
  const norm *s;
  const float *dy, *x, *mean, *inv_std, *weight, *bias;
  float *y, *out_mean, *out_inv_std;
  float *sums; /* gradient: of each task, dweight and dbias */
} call;

static norm *prepare(const dlc_device *device, const dlc_layer_norm *a, const dlc_value *x, int64_t limit,
                     dlc_kernel *k)
{
  norm *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  *s = (norm){.device = device, .rows = 1, .eps = a->eps, .affine = a->affine};
  for (int64_t i = 0; i < x->rank - a->dims; i++) s->rows *= x->dim[i];
  s->length = dlc_count(x) / s->rows;
  if (limit > s->rows) limit = s->rows;
  s->tasks = cpu_task_count(8 * (double)dlc_count(x), CPU_GRAIN_BYTES, limit);
  return s;
}

/* ---- forward ---- */

static double sum_row(const float *x, int64_t n)
{
  vecd a = {0}, b = {0};
  double rest = 0;
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) {
    a += vecd_load(x + i);
    b += vecd_load(x + i + HALF);
  }
  for (; i < n; i++) rest += x[i];
  return vecd_sum(a + b) + rest;
}

static double sum_squares(const float *x, int64_t n, double mean)
{
  vecd a = {0}, b = {0};
  double rest = 0;
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) {
    const vecd low = vecd_load(x + i) - vecd_all(mean), high = vecd_load(x + i + HALF) - vecd_all(mean);
    a += low * low;
    b += high * high;
  }
  for (; i < n; i++) rest += (x[i] - mean) * (x[i] - mean);
  return vecd_sum(a + b) + rest;
}

static void normalise(const call *c, const float *x, float mean, float inv_std, float *y)
{
  const int64_t n = c->s->length;
  const vec m = vec_all(mean), s = vec_all(inv_std);
  for (int64_t i = 0; i < n; i += VEC) {
    const vec_mask part = vec_first(n - i < VEC ? n - i : VEC);
    vec xh = (vec_load_part(x + i, part) - m) * s;
    if (c->weight) xh = vec_fma(xh, vec_load_part(c->weight + i, part), vec_load_part(c->bias + i, part));
    vec_store_part(y + i, part, xh);
  }
}

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const norm *s = c->s;
  const cpu_range r = cpu_piece(s->rows, s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *x = c->x + row * s->length;
    const double mean = sum_row(x, s->length) / (double)s->length;
    const double var = sum_squares(x, s->length, mean) / (double)s->length;
    c->out_mean[row] = (float)mean;
    c->out_inv_std[row] = (float)(1 / sqrt(var + s->eps));
    normalise(c, x, c->out_mean[row], c->out_inv_std[row], c->y + row * s->length);
  }
}

static dlc_status forward_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const norm *s = state;
  call c = {.s = s, .x = in[0], .y = out[0], .out_mean = out[1], .out_inv_std = out[2]};
  if (s->affine) c.weight = in[1], c.bias = in[2];
  cpu_run(s->device, s->tasks, forward_task, &c);
  return DLC_OK;
}

dlc_status cpu_layer_norm(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = forward_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), INT64_MAX, k) ? DLC_OK : DLC_NOMEM;
}

/* ---- gradient: dweight and dbias are summed by task, and the tasks' sums in order ---- */

enum { MAX_TASKS = 64 };

/* dy * weight, of elements i and on */
INLINE vec weighted(const call *c, vec dy, int64_t i, vec_mask part)
{
  if (c->weight) dy *= vec_load_part(c->weight + i, part);
  return dy;
}

/* Adds a row to dweight and dbias; gives the sums of g = dy * weight and of g * xh. */
static void add_row(const call *c, const float *dy, const float *x, float mean, float inv_std, float *sums,
                    double *g_sum, double *gx_sum)
{
  const int64_t n = c->s->length;
  const vec m = vec_all(mean), s = vec_all(inv_std);
  float *dweight = sums, *dbias = sums + n;
  vecd first[2] = {{0}}, second[2] = {{0}};
  for (int64_t i = 0; i < n; i += VEC) {
    const vec_mask part = vec_first(n - i < VEC ? n - i : VEC);
    const vec d = vec_load_part(dy + i, part), xh = (vec_load_part(x + i, part) - m) * s;
    vec_store_part(dweight + i, part, vec_fma(d, xh, vec_load_part(dweight + i, part)));
    vec_store_part(dbias + i, part, vec_load_part(dbias + i, part) + d);
    const vec g = weighted(c, d, i, part);
    float g_lanes[VEC], xh_lanes[VEC];
    vec_store(g_lanes, g); /* 0 beyond the end of the row */
    vec_store(xh_lanes, xh);
    for (int h = 0; h < 2; h++) {
      first[h] += vecd_load(g_lanes + h * HALF);
      second[h] += vecd_load(g_lanes + h * HALF) * vecd_load(xh_lanes + h * HALF);
    }
  }
  *g_sum = vecd_sum(first[0] + first[1]);
  *gx_sum = vecd_sum(second[0] + second[1]);
}

static void grad_row(const call *c, const float *dy, const float *x, float mean, float inv_std, float g_mean,
                     float gx_mean, float *dx)
{
  const int64_t n = c->s->length;
  const vec m = vec_all(mean), s = vec_all(inv_std), first = vec_all(g_mean), second = vec_all(-gx_mean);
  for (int64_t i = 0; i < n; i += VEC) {
    const vec_mask part = vec_first(n - i < VEC ? n - i : VEC);
    const vec d = vec_load_part(dy + i, part), xh = (vec_load_part(x + i, part) - m) * s;
    const vec g = weighted(c, d, i, part);
    vec_store_part(dx + i, part, vec_fma(xh, second, g - first) * s);
  }
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const norm *s = c->s;
  const cpu_range r = cpu_piece(s->rows, s->tasks, i);
  float *sums = c->sums + i * 2 * s->length;
  memset(sums, 0, (size_t)(2 * s->length) * sizeof *sums);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *dy = c->dy + row * s->length, *x = c->x + row * s->length;
    double g_sum, gx_sum;
    add_row(c, dy, x, c->mean[row], c->inv_std[row], sums, &g_sum, &gx_sum);
    grad_row(c, dy, x, c->mean[row], c->inv_std[row], (float)(g_sum / (double)s->length),
             (float)(gx_sum / (double)s->length), c->y + row * s->length);
  }
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const norm *s = state;
  call c = {.s = s, .dy = in[0], .x = in[1], .mean = in[2], .inv_std = in[3], .sums = workspace, .y = out[0]};
  if (s->affine) c.weight = in[4];
  cpu_run(s->device, s->tasks, grad_task, &c);
  float *sum = c.sums + s->tasks * 2 * s->length;
  cpu_sum_rows(c.sums, s->tasks, 2 * s->length, sum);
  memcpy(out[1], sum, (size_t)s->length * sizeof *sum);
  memcpy(out[2], sum + s->length, (size_t)s->length * sizeof *sum);
  return DLC_OK;
}

dlc_status cpu_layer_norm_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  norm *s = prepare(device, node->attr, cpu_in(g, node, 0), MAX_TASKS, k);
  if (!s) return DLC_NOMEM;
  k->workspace = (s->tasks + 1) * 2 * (size_t)s->length * sizeof(float);
  k->launch = grad_launch;
  return DLC_OK;
}
