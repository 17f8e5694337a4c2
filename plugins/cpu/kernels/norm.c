/* What needs the norm of a tensor: square_sum, clip_factor, lars. Squares are summed in double, piece by piece, and the
 * pieces in their order. */
#include "kernels.h"
#include <math.h>

typedef double vecd __attribute__((vector_size(8 * VEC))); /* as many doubles as a vector has floats */

static double square_sum(const float *x, int64_t n)
{
  vecd sum = {0};
  for (int64_t i = 0; i < n; i += VEC) {
    const vecd v = __builtin_convertvector(vec_load_part(x + i, vec_first(n - i < VEC ? n - i : VEC)), vecd);
    sum += v * v;
  }
  double total = 0;
  for (int i = 0; i < VEC; i++) total += sum[i];
  return total;
}

typedef struct norm {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  dlc_lars lars;
  bool has_momentum; /* it comes as an input */
} norm;

typedef struct sum_call {
  const norm *s;
  const float *x;
  double *sums; /* of each piece */
} sum_call;

static void sum_task(void *arg, uint32_t i)
{
  const sum_call *c = arg;
  cpu_range r = cpu_piece(c->s->count, c->s->tasks, i);
  c->sums[i] = square_sum(c->x + r.begin, r.end - r.begin);
}

/* `sums`: room for one a task. */
static double sum_squares(const norm *s, const float *x, double *sums)
{
  sum_call c = {s, x, sums};
  double total = 0;
  cpu_run(s->device, s->tasks, sum_task, &c);
  for (uint32_t i = 0; i < s->tasks; i++) total += sums[i];
  return total;
}

static norm *prepare(const dlc_device *device, const dlc_value *x, dlc_kernel *k)
{
  norm *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  s->device = device;
  s->count = dlc_count(x);
  s->tasks = cpu_task_count(4 * (double)s->count, CPU_GRAIN_BYTES, s->count);
  k->workspace = s->tasks * sizeof(double);
  return s;
}

/* ---- square_sum, clip_factor ---- */

static dlc_status square_sum_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  *(float *)out[0] = (float)sum_squares(state, in[0], workspace);
  return DLC_OK;
}

dlc_status cpu_square_sum(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = square_sum_launch;
  return prepare(device, cpu_in(g, node, 0), k) ? DLC_OK : DLC_NOMEM;
}

static dlc_status clip_factor_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const double *max_norm = state, size = sqrt(*(const float *)in[0]), factor = *max_norm / (size + 1e-6);
  *(float *)out[0] = factor > 1 ? 1 : (float)factor;
  *(float *)out[1] = (float)size;
  return DLC_OK;
}

dlc_status cpu_clip_factor(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  (void)g;
  double *max_norm = cpu_state(device, k, sizeof *max_norm);
  if (!max_norm) return DLC_NOMEM;
  *max_norm = ((const dlc_clip_factor *)node->attr)->max_norm;
  k->launch = clip_factor_launch;
  return DLC_OK;
}

/* ---- lars ---- */

typedef struct lars_call {
  const norm *s;
  float *param, *velocity; /* velocity: NULL without momentum */
  const float *grad;
  float lr, ratio, momentum;
} lars_call;

static void lars_task(void *arg, uint32_t i)
{
  const lars_call *c = arg;
  const float momentum = c->momentum, decay = (float)c->s->lars.weight_decay;
  const float lr = c->lr, ratio = c->ratio;
  float *restrict param = c->param, *restrict velocity = c->velocity;
  const float *restrict grad = c->grad;
  cpu_range r = cpu_piece(c->s->count, c->s->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) {
    float v = ratio * (grad[j] + decay * param[j]);
    if (velocity) velocity[j] = v = momentum * velocity[j] + v;
    param[j] -= lr * v;
  }
}

static dlc_status lars_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const norm *s = state;
  const dlc_lars *a = &s->lars;
  const bool moves = a->momentum != 0;
  lars_call c = {s, out[0], moves ? out[1] : NULL, in[moves ? 2 : 1], *(const float *)in[moves ? 3 : 2], 1, 0};
  c.momentum = s->has_momentum ? *(const float *)in[5] : (float)a->momentum;
  const double p = sqrt(sum_squares(s, c.param, workspace)), g = sqrt(sum_squares(s, c.grad, workspace));
  if (p != 0 && g != 0) c.ratio = (float)(a->trust_coefficient * p / (g + a->weight_decay * p + a->eps));
  cpu_run(s->device, s->tasks, lars_task, &c);
  return DLC_OK;
}

dlc_status cpu_lars(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  norm *s = prepare(device, cpu_in(g, node, 0), k);
  if (!s) return DLC_NOMEM;
  s->lars = *(const dlc_lars *)node->attr;
  s->has_momentum = node->n_in > node->n_out + 3;
  k->launch = lars_launch;
  return DLC_OK;
}
