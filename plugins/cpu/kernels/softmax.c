/* softmax, log_softmax and their gradients: row by row over the last dimension. */
#include "kernels.h"
#include "vec_exp.h"
#include <math.h>

typedef struct rows {
  const dlc_device *device;
  int64_t rows, classes;
  uint32_t tasks;
  void (*task)(void *arg, uint32_t i);
} rows;

typedef struct call {
  const rows *s;
  const float *a, *b; /* the inputs */
  float *y;
} call;

/* Flops of an exponential and what goes with it, roughly. */
#define FLOPS_PER_ELEMENT 40.0

static rows *prepare(const dlc_device *device, const dlc_value *x, void (*task)(void *arg, uint32_t i), dlc_kernel *k)
{
  rows *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  s->device = device;
  s->classes = x->dim[x->rank - 1];
  s->rows = dlc_count(x) / s->classes;
  s->tasks = cpu_task_count(FLOPS_PER_ELEMENT * (double)dlc_count(x), CPU_GRAIN_FLOPS, s->rows);
  s->task = task;
  return s;
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const rows *s = state;
  call c = {.s = s, .a = in[0], .y = out[0]};
  cpu_run(s->device, s->tasks, s->task, &c);
  return DLC_OK;
}

static dlc_status launch_grad(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const rows *s = state;
  call c = {.s = s, .a = in[0], .b = in[1], .y = out[0]};
  cpu_run(s->device, s->tasks, s->task, &c);
  return DLC_OK;
}

static float row_max(const float *x, int64_t n)
{
  vec m = vec_all(-INFINITY);
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) m = vec_max(vec_load(x + i), m);
  float largest = vec_largest(m);
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

/* y = exp(x - max), where y may be NULL; gives back the sum. */
static float exp_row(const float *x, int64_t n, float max, float *y)
{
  vec sum = {0};
  for (int64_t i = 0; i < n; i += VEC) {
    const int64_t lanes = n - i < VEC ? n - i : VEC;
    vec_mask part = vec_first(lanes);
    vec e = vec_exp(vec_load_part(x + i, part) - vec_all(max));
    if (lanes < VEC) e = vec_keep_first(e, lanes);
    if (y) vec_store_part(y + i, part, e);
    sum += e;
  }
  return vec_sum(sum);
}

void cpu_log_softmax_row(const float *x, int64_t n, float *y)
{
  const float max = row_max(x, n), log_sum = (float)log((double)exp_row(x, n, max, NULL));
  for (int64_t i = 0; i < n; i++) y[i] = x[i] - max - log_sum;
}

static void softmax_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const int64_t n = c->s->classes;
  cpu_range r = cpu_piece(c->s->rows, c->s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *x = c->a + row * n;
    float *y = c->y + row * n;
    const float sum = exp_row(x, n, row_max(x, n), y);
    for (int64_t j = 0; j < n; j++) y[j] /= sum;
  }
}

static void log_softmax_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const int64_t n = c->s->classes;
  cpu_range r = cpu_piece(c->s->rows, c->s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) cpu_log_softmax_row(c->a + row * n, n, c->y + row * n);
}

dlc_status cpu_softmax(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = launch;
  return prepare(device, cpu_in(g, node, 0), softmax_task, k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_log_softmax(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = launch;
  return prepare(device, cpu_in(g, node, 0), log_softmax_task, k) ? DLC_OK : DLC_NOMEM;
}

/* dx = y * (dy - sum(dy * y)) */
static void softmax_grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const int64_t n = c->s->classes;
  cpu_range r = cpu_piece(c->s->rows, c->s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *dy = c->a + row * n, *y = c->b + row * n;
    float *dx = c->y + row * n;
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)dy[j] * y[j];
    for (int64_t j = 0; j < n; j++) dx[j] = y[j] * (dy[j] - (float)sum);
  }
}

/* dx = dy - exp(y) * sum(dy) */
static void log_softmax_grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const int64_t n = c->s->classes;
  cpu_range r = cpu_piece(c->s->rows, c->s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *dy = c->a + row * n, *y = c->b + row * n;
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += dy[j];
    for (int64_t j = 0; j < n; j += VEC) {
      vec_mask part = vec_first(n - j < VEC ? n - j : VEC);
      vec e = vec_exp(vec_load_part(y + j, part));
      vec_store_part(c->y + row * n + j, part, vec_load_part(dy + j, part) - e * vec_all((float)sum));
    }
  }
}

dlc_status cpu_softmax_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = launch_grad;
  return prepare(device, cpu_in(g, node, 0), softmax_grad_task, k) ? DLC_OK : DLC_NOMEM;
}

dlc_status cpu_log_softmax_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = launch_grad;
  return prepare(device, cpu_in(g, node, 0), log_softmax_grad_task, k) ? DLC_OK : DLC_NOMEM;
}
