/* Ops that treat every element alike: relu, relu_grad, add, multiply, normalize, fill. Cut into pieces of many
 * elements; the compiler turns the loops into vectors. */
#include "kernels.h"

typedef struct elementwise {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  void (*task)(void *arg, uint32_t i);
  float value;              /* fill */
  int64_t channels, planes; /* normalize: planes of count / planes elements */
} elementwise;

typedef struct call {
  const elementwise *e;
  const void *const *in;
  void *const *out;
} call;

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const elementwise *e = state;
  call c = {e, in, out};
  cpu_run(e->device, e->tasks, e->task, &c);
  return DLC_OK;
}

/* `bytes`: read and written an element. */
static elementwise *prepare(const dlc_device *device, const dlc_value *like, double bytes,
                            void (*task)(void *arg, uint32_t i), dlc_kernel *k)
{
  elementwise *e = cpu_state(device, k, sizeof *e);
  if (!e) return NULL;
  e->device = device;
  e->count = dlc_count(like);
  e->tasks = cpu_task_count(bytes * (double)e->count, CPU_GRAIN_BYTES, e->count);
  e->task = task;
  k->launch = launch;
  return e;
}

static void relu_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict x = c->in[0];
  float *restrict y = c->out[0];
  cpu_range r = cpu_piece(c->e->count, c->e->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = x[j] < 0 ? 0 : x[j];
}

dlc_status cpu_relu(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), 8, relu_task, k) ? DLC_OK : DLC_NOMEM;
}

static void relu_grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict dy = c->in[0], *restrict y = c->in[1];
  float *restrict dx = c->out[0];
  cpu_range r = cpu_piece(c->e->count, c->e->tasks, i);
  int64_t j = r.begin;
  for (; j + VEC <= r.end; j += VEC) vec_store(dx + j, vec_select(vec_load(y + j) > 0, vec_load(dy + j), vec_all(0)));
  for (; j < r.end; j++) dx[j] = y[j] > 0 ? dy[j] : 0;
}

dlc_status cpu_relu_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), 12, relu_grad_task, k) ? DLC_OK : DLC_NOMEM;
}

static void add_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict a = c->in[0], *restrict b = c->in[1];
  float *restrict y = c->out[0];
  cpu_range r = cpu_piece(c->e->count, c->e->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = a[j] + b[j];
}

dlc_status cpu_add(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), 12, add_task, k) ? DLC_OK : DLC_NOMEM;
}

static void times_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict a = c->in[0], *restrict b = c->in[1];
  float *restrict y = c->out[0];
  cpu_range r = cpu_piece(c->e->count, c->e->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = a[j] * b[j];
}

dlc_status cpu_times(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), 12, times_task, k) ? DLC_OK : DLC_NOMEM;
}

static void fill_task(void *arg, uint32_t i)
{
  const call *c = arg;
  float *y = c->out[0];
  cpu_range r = cpu_piece(c->e->count, c->e->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = c->e->value;
}

dlc_status cpu_fill(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_fill *a = node->attr;
  elementwise *e = prepare(device, cpu_out(g, node, 0), 4, fill_task, k);
  if (!e) return DLC_NOMEM;
  e->value = (float)a->value;
  return DLC_OK;
}

/* (x / 255 - mean) / std as x * scale + shift. */
static void normalize_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const elementwise *e = c->e;
  const uint8_t *x = c->in[0];
  const float *mean = c->in[1], *std = c->in[2];
  const int64_t plane = e->count / e->planes;
  cpu_range r = cpu_piece(e->planes, e->tasks, i);
  for (int64_t p = r.begin; p < r.end; p++) {
    const double m = mean[p % e->channels], s = std[p % e->channels];
    const float scale = (float)(1 / (255 * s)), shift = (float)(-m / s);
    const uint8_t *restrict from = x + p * plane;
    float *restrict to = (float *)c->out[0] + p * plane;
    for (int64_t j = 0; j < plane; j++) to[j] = (float)from[j] * scale + shift;
  }
}

dlc_status cpu_normalize(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0);
  elementwise *e = prepare(device, x, 5, normalize_task, k);
  if (!e) return DLC_NOMEM;
  e->channels = x->dim[1];
  e->planes = x->dim[0] * x->dim[1];
  if (e->tasks > e->planes) e->tasks = (uint32_t)e->planes;
  return DLC_OK;
}
