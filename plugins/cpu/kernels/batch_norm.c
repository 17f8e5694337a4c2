/* batch_norm2d, its evaluation, the gradients of both, and its update. Statistics are summed in double, as PyTorch
 * does, in an order that the shape alone decides.
 *
 * Tasks are pieces of the channels, in blocks of neighbours that are about a kilobyte of an image: memory is read in
 * runs of that length, and the second pass over a block finds most of it in the cache. */
#include "kernels.h"
#include "vec_double.h"
#include <math.h>
#include <string.h>

typedef struct norm {
  const dlc_device *device;
  int64_t batch, channels, plane; /* plane: elements of one image's channel */
  int64_t block;                  /* channels */
  double eps;
  bool affine;
  bool constant; /* of a gradient: mean and var do not depend on x */
  uint32_t tasks;
} norm;

enum { BLOCK_FLOATS = 256, MAX_BLOCK = 64 };

/* `passes`: over memory, for the number of tasks. */
static norm *prepare(const dlc_device *device, const dlc_batch_norm2d *a, const dlc_value *x, double passes,
                     dlc_kernel *k)
{
  norm *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  *s = (norm){.device = device,
              .batch = x->dim[0],
              .channels = x->dim[1],
              .plane = x->dim[2] * x->dim[3],
              .eps = a->eps,
              .affine = a->affine};
  s->block = (BLOCK_FLOATS + s->plane - 1) / s->plane;
  if (s->block > MAX_BLOCK) s->block = MAX_BLOCK;
  const int64_t blocks = (s->channels + s->block - 1) / s->block;
  s->tasks = cpu_task_count(4 * passes * (double)dlc_count(x), CPU_GRAIN_BYTES, blocks);
  return s;
}

/* The channels of a task. */
static cpu_range channels_of(const norm *s, uint32_t i)
{
  const cpu_range r = cpu_piece((s->channels + s->block - 1) / s->block, s->tasks, i);
  return (cpu_range){r.begin * s->block, r.end * s->block < s->channels ? r.end * s->block : s->channels};
}

/* ---- forward ---- */

typedef struct call {
  const norm *s;
  const float *dy, *x, *mean, *var, *weight, *bias;
  float *y, *out_mean, *out_var; /* of the gradient: dx, dweight, dbias */
} call;

/* Two sums over one channel. */
typedef struct sums {
  vecd first[2], second[2];
  double first_rest, second_rest; /* of what does not fill a vector */
} sums;

static double sum_of(const vecd v[2], double rest)
{
  return vecd_sum(v[0] + v[1]) + rest;
}

/* Adds x - shift and its square. */
static void add_moments(sums *to, const float *x, int64_t n, double shift)
{
  sums s = *to;
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) {
    const vecd a = vecd_load(x + i) - vecd_all(shift), b = vecd_load(x + i + HALF) - vecd_all(shift);
    s.first[0] += a;
    s.first[1] += b;
    s.second[0] += a * a;
    s.second[1] += b * b;
  }
  for (; i < n; i++) {
    const double d = x[i] - shift;
    s.first_rest += d;
    s.second_rest += d * d;
  }
  *to = s;
}

/* One pass: the variance is that of x - shift, where shift is an element of the channel. So the two squares that are
 * subtracted are of the size of the variance, unless that element lies thousands of deviations away, and double has the
 * digits for that too. */
static void statistics(const call *c, cpu_range block)
{
  const norm *s = c->s;
  sums of[MAX_BLOCK];
  double shift[MAX_BLOCK];
  memset(of, 0, (size_t)(block.end - block.begin) * sizeof of[0]);
  for (int64_t j = block.begin; j < block.end; j++) {
    const float first = c->x[j * s->plane];
    shift[j - block.begin] = isfinite(first) ? first : 0;
  }
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t j = block.begin; j < block.end; j++)
      add_moments(&of[j - block.begin], c->x + (n * s->channels + j) * s->plane, s->plane, shift[j - block.begin]);
  const double count = (double)(s->batch * s->plane);
  for (int64_t j = block.begin; j < block.end; j++) {
    const sums *t = &of[j - block.begin];
    const double mean = sum_of(t->first, t->first_rest) / count;
    const double var = sum_of(t->second, t->second_rest) / count - mean * mean;
    c->out_mean[j] = (float)(mean + shift[j - block.begin]);
    c->out_var[j] = (float)(var < 0 ? 0 : var);
  }
}

/* y = (x - mean) * scale + bias */
static void normalise(const float *x, int64_t n, float mean, float scale, float bias, float *y)
{
  const vec m = vec_all(mean), s = vec_all(scale), b = vec_all(bias);
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) vec_store(y + i, vec_fma(vec_load(x + i) - m, s, b));
  if (i < n) {
    const vec_mask part = vec_first(n - i);
    vec_store_part(y + i, part, vec_fma(vec_load_part(x + i, part) - m, s, b));
  }
}

static float scale_of(const call *c, int64_t j, float var)
{
  return (float)((c->weight ? c->weight[j] : 1) / sqrt(var + c->s->eps));
}

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const norm *s = c->s;
  const cpu_range r = channels_of(s, i);
  for (int64_t first = r.begin; first < r.end; first += s->block) {
    const cpu_range block = {first, first + s->block < r.end ? first + s->block : r.end};
    float scale[MAX_BLOCK];
    statistics(c, block);
    for (int64_t j = block.begin; j < block.end; j++) scale[j - first] = scale_of(c, j, c->out_var[j]);
    for (int64_t n = 0; n < s->batch; n++)
      for (int64_t j = block.begin; j < block.end; j++) {
        const int64_t at = (n * s->channels + j) * s->plane;
        normalise(c->x + at, s->plane, c->out_mean[j], scale[j - first], c->bias ? c->bias[j] : 0, c->y + at);
      }
  }
}

static dlc_status forward_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const norm *s = state;
  call c = {.s = s, .x = in[0], .y = out[0], .out_mean = out[1], .out_var = out[2]};
  if (s->affine) c.weight = in[1], c.bias = in[2];
  cpu_run(s->device, s->tasks, forward_task, &c);
  return DLC_OK;
}

dlc_status cpu_batch_norm2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = forward_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), 3, k) ? DLC_OK : DLC_NOMEM;
}

/* ---- gradient ---- */

/* Adds dy, and dy * (x - mean). */
static void add_products(sums *to, const float *dy, const float *x, int64_t n, double mean)
{
  sums s = *to;
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) {
    const vecd a = vecd_load(dy + i), b = vecd_load(dy + i + HALF);
    s.first[0] += a;
    s.first[1] += b;
    s.second[0] += a * (vecd_load(x + i) - vecd_all(mean));
    s.second[1] += b * (vecd_load(x + i + HALF) - vecd_all(mean));
  }
  for (; i < n; i++) {
    s.first_rest += dy[i];
    s.second_rest += dy[i] * (x[i] - mean);
  }
  *to = s;
}

/* dx = scale * dy - (x - mean) * slope - shift */
typedef struct line {
  float mean, scale, slope, shift;
} line;

static void grad_plane(const float *dy, const float *x, int64_t n, line l, float *dx)
{
  const vec mean = vec_all(l.mean), scale = vec_all(l.scale), slope = vec_all(-l.slope), shift = vec_all(-l.shift);
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC)
    vec_store(dx + i, vec_fma(vec_load(dy + i), scale, vec_fma(vec_load(x + i) - mean, slope, shift)));
  if (i < n) {
    const vec_mask part = vec_first(n - i);
    const vec d = vec_fma(vec_load_part(x + i, part) - mean, slope, shift);
    vec_store_part(dx + i, part, vec_fma(vec_load_part(dy + i, part), scale, d));
  }
}

static void scale_plane(const float *dy, int64_t n, float scale, float *dx)
{
  const vec s = vec_all(scale);
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) vec_store(dx + i, vec_load(dy + i) * s);
  if (i < n) {
    const vec_mask part = vec_first(n - i);
    vec_store_part(dx + i, part, vec_load_part(dy + i, part) * s);
  }
}

/* Sums up a block's channels: dweight, dbias, and what their dx is made of. */
static void grad_sums(const call *c, cpu_range block, line *lines)
{
  const norm *s = c->s;
  sums of[MAX_BLOCK];
  memset(of, 0, (size_t)(block.end - block.begin) * sizeof of[0]);
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t j = block.begin; j < block.end; j++) {
      const int64_t at = (n * s->channels + j) * s->plane;
      add_products(&of[j - block.begin], c->dy + at, c->x + at, s->plane, c->mean[j]);
    }
  const double count = (double)(s->batch * s->plane);
  for (int64_t j = block.begin; j < block.end; j++) {
    const sums *t = &of[j - block.begin];
    const double inv_std = 1 / sqrt(c->var[j] + s->eps), scale = (c->weight ? c->weight[j] : 1) * inv_std;
    const double dbias = sum_of(t->first, t->first_rest), products = sum_of(t->second, t->second_rest);
    lines[j - block.begin] = (line){c->mean[j], (float)scale, (float)(scale * inv_std * inv_std * products / count),
                                    (float)(scale * dbias / count)};
    c->out_mean[j] = (float)(products * inv_std);
    c->out_var[j] = (float)dbias;
  }
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const norm *s = c->s;
  const cpu_range r = channels_of(s, i);
  for (int64_t first = r.begin; first < r.end; first += s->block) {
    const cpu_range block = {first, first + s->block < r.end ? first + s->block : r.end};
    line lines[MAX_BLOCK];
    grad_sums(c, block, lines);
    for (int64_t n = 0; n < s->batch; n++)
      for (int64_t j = block.begin; j < block.end; j++) {
        const int64_t at = (n * s->channels + j) * s->plane;
        if (s->constant) scale_plane(c->dy + at, s->plane, lines[j - first].scale, c->y + at);
        else grad_plane(c->dy + at, c->x + at, s->plane, lines[j - first], c->y + at);
      }
  }
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const norm *s = state;
  call c = {.s = s, .dy = in[0], .x = in[1], .mean = in[2], .var = in[3], .weight = s->affine ? in[4] : NULL};
  c.y = out[0], c.out_mean = out[1], c.out_var = out[2];
  cpu_run(s->device, s->tasks, grad_task, &c);
  return DLC_OK;
}

dlc_status cpu_batch_norm2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = grad_launch;
  return prepare(device, node->attr, cpu_in(g, node, 0), 5, k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_batch_norm2d_eval_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  norm *s = prepare(device, node->attr, cpu_in(g, node, 0), 4, k);
  if (!s) return DLC_NOMEM;
  s->constant = true;
  k->launch = grad_launch;
  return DLC_OK;
}

/* ---- evaluation: tasks are pieces of the images' channels ---- */

static void eval_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const norm *s = c->s;
  const cpu_range r = cpu_piece(s->batch * s->channels, s->tasks, i);
  for (int64_t p = r.begin; p < r.end; p++) {
    const int64_t j = p % s->channels, at = p * s->plane;
    normalise(c->x + at, s->plane, c->mean[j], scale_of(c, j, c->var[j]), c->bias ? c->bias[j] : 0, c->y + at);
  }
}

static dlc_status eval_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const norm *s = state;
  call c = {.s = s, .x = in[0], .mean = in[1], .var = in[2], .y = out[0]};
  if (s->affine) c.weight = in[3], c.bias = in[4];
  cpu_run(s->device, s->tasks, eval_task, &c);
  return DLC_OK;
}

dlc_status cpu_batch_norm2d_eval(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0);
  norm *s = prepare(device, node->attr, x, 2, k);
  if (!s) return DLC_NOMEM;
  s->tasks = cpu_task_count(8 * (double)dlc_count(x), CPU_GRAIN_BYTES, s->batch * s->channels);
  k->launch = eval_launch;
  return DLC_OK;
}

/* ---- update ---- */

typedef struct update {
  int64_t channels;
  double momentum, unbiased;
} update;

static dlc_status update_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const update *s = state;
  const float *mean = in[3], *var = in[4];
  float *running_mean = out[0], *running_var = out[1];
  const double m = s->momentum;
  for (int64_t j = 0; j < s->channels; j++) {
    running_mean[j] = (float)((1 - m) * running_mean[j] + m * mean[j]);
    running_var[j] = (float)((1 - m) * running_var[j] + m * var[j] * s->unbiased);
  }
  ++*(int64_t *)out[2];
  return DLC_OK;
}

dlc_status cpu_batch_norm2d_update(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_batch_norm2d_update *a = node->attr;
  update *s = cpu_state(device, k, sizeof *s);
  if (!s) return DLC_NOMEM;
  *s = (update){cpu_in(g, node, 0)->dim[0], a->momentum, (double)a->count / (double)(a->count - 1)};
  k->launch = update_launch;
  return DLC_OK;
}
