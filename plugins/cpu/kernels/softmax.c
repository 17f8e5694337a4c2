/* softmax, log_softmax, cross_entropy, their gradients, and correct: all of them row by row over [N,K]. */
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
  const int32_t *labels;
  float scale;
  float *y;
} call;

/* Flops of an exponential and what goes with it, roughly. */
#define FLOPS_PER_ELEMENT 40.0

static rows *prepare(const dlc_device *device, const dlc_value *x, void (*task)(void *arg, uint32_t i), dlc_kernel *k)
{
  rows *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  s->device = device;
  s->rows = x->dim[0];
  s->classes = x->dim[1];
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

static void log_softmax_row(const float *x, int64_t n, float *y)
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
  for (int64_t row = r.begin; row < r.end; row++) log_softmax_row(c->a + row * n, n, c->y + row * n);
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

/* ---- cross_entropy ---- */

static dlc_status check_labels(const rows *s, const int32_t *labels)
{
  for (int64_t n = 0; n < s->rows; n++)
    if (labels[n] < 0 || labels[n] >= s->classes)
      return s->device->host->fail(s->device->host, DLC_INVALID, "label %d of row %lld: expected 0 to %lld",
                                   (int)labels[n], (long long)n, (long long)s->classes - 1);
  return DLC_OK;
}

static dlc_status cross_entropy_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const rows *s = state;
  const int32_t *labels = in[1];
  dlc_status status = check_labels(s, labels);
  if (status < 0) return status;
  float *log_prob = out[1];
  call c = {.s = s, .a = in[0], .y = log_prob};
  cpu_run(s->device, s->tasks, log_softmax_task, &c);
  double sum = 0;
  for (int64_t n = 0; n < s->rows; n++) sum -= log_prob[n * s->classes + labels[n]];
  *(float *)out[0] = (float)(sum / (double)s->rows);
  return DLC_OK;
}

dlc_status cpu_cross_entropy(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = cross_entropy_launch;
  return prepare(device, cpu_in(g, node, 0), log_softmax_task, k) ? DLC_OK : DLC_NOMEM;
}

/* (exp(log_prob) - [class is the label]) * dloss / N */
static void cross_entropy_grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const int64_t n = c->s->classes;
  const vec scale = vec_all(c->scale);
  cpu_range r = cpu_piece(c->s->rows, c->s->tasks, i);
  for (int64_t row = r.begin; row < r.end; row++) {
    const float *log_prob = c->a + row * n;
    float *dx = c->y + row * n;
    for (int64_t j = 0; j < n; j += VEC) {
      vec_mask part = vec_first(n - j < VEC ? n - j : VEC);
      vec_store_part(dx + j, part, vec_exp(vec_load_part(log_prob + j, part)) * scale);
    }
    /* expm1 keeps what (exp(log_prob) - 1) would lose when the label is almost certain. */
    dx[c->labels[row]] = (float)expm1((double)log_prob[c->labels[row]]) * c->scale;
  }
}

static dlc_status cross_entropy_grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const rows *s = state;
  dlc_status status = check_labels(s, in[2]);
  if (status < 0) return status;
  const float scale = (float)(*(const float *)in[0] / (double)s->rows);
  call c = {.s = s, .a = in[1], .labels = in[2], .scale = scale, .y = out[0]};
  cpu_run(s->device, s->tasks, s->task, &c);
  return DLC_OK;
}

dlc_status cpu_cross_entropy_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = cross_entropy_grad_launch;
  return prepare(device, cpu_in(g, node, 1), cross_entropy_grad_task, k) ? DLC_OK : DLC_NOMEM;
}

/* ---- correct ---- */

static bool is_first_maximum(const float *x, int64_t n, int64_t at)
{
  int64_t best = 0;
  for (int64_t j = 1; j < n; j++)
    if (x[j] > x[best] || (isnan(x[j]) && !isnan(x[best]))) best = j;
  return best == at;
}

static dlc_status correct_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const rows *s = state;
  const float *logits = in[0];
  const int32_t *labels = in[1];
  int64_t count = 0;
  for (int64_t n = 0; n < s->rows; n++) count += is_first_maximum(logits + n * s->classes, s->classes, labels[n]);
  *(float *)out[0] = (float)count;
  return DLC_OK;
}

dlc_status cpu_correct(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = correct_launch;
  return prepare(device, cpu_in(g, node, 0), NULL, k) ? DLC_OK : DLC_NOMEM;
}
