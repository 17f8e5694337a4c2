/* bias and bias_grad: x [N,C,...] + bias [C], and the sum over all but the channels. */
#include "kernels.h"

typedef struct bias {
  const dlc_device *device;
  int64_t batch, channels, plane; /* plane: elements after the first two dimensions */
  uint32_t tasks;
} bias;

typedef struct call {
  const bias *b;
  const float *x, *bias;
  float *y;
} call;

static dlc_status prepare(const dlc_device *device, const dlc_value *x, double bytes, dlc_kernel *k, bias **state)
{
  bias *b = *state = cpu_state(device, k, sizeof *b);
  if (!b) return DLC_NOMEM;
  b->device = device;
  b->batch = x->dim[0];
  b->channels = x->dim[1];
  b->plane = dlc_count(x) / (b->batch * b->channels);
  b->tasks = cpu_task_count(bytes * (double)dlc_count(x), CPU_GRAIN_BYTES, b->batch);
  return DLC_OK;
}

/* ---- bias: tasks are pieces of the batch ---- */

static void bias_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const bias *b = c->b;
  const float *restrict add = c->bias;
  cpu_range r = cpu_piece(b->batch, b->tasks, i);
  for (int64_t n = r.begin; n < r.end; n++) {
    const float *restrict x = c->x + n * b->channels * b->plane;
    float *restrict y = c->y + n * b->channels * b->plane;
    if (b->plane == 1) {
      for (int64_t j = 0; j < b->channels; j++) y[j] = x[j] + add[j];
      continue;
    }
    for (int64_t j = 0; j < b->channels; j++, x += b->plane, y += b->plane)
      for (int64_t p = 0; p < b->plane; p++) y[p] = x[p] + add[j];
  }
}

static dlc_status bias_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const bias *b = state;
  call c = {b, in[0], in[1], out[0]};
  cpu_run(b->device, b->tasks, bias_task, &c);
  return DLC_OK;
}

dlc_status cpu_bias(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  bias *b;
  k->launch = bias_launch;
  return prepare(device, cpu_in(g, node, 0), 8, k, &b);
}

/* ---- bias_grad: each task sums a piece of the batch, and the pieces are added in order ---- */

static float sum_of(const float *x, int64_t n)
{
  vec s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  int64_t i = 0;
  for (; i + 4 * VEC <= n; i += 4 * VEC) {
    s0 += vec_load(x + i);
    s1 += vec_load(x + i + VEC);
    s2 += vec_load(x + i + 2 * VEC);
    s3 += vec_load(x + i + 3 * VEC);
  }
  for (; i + VEC <= n; i += VEC) s0 += vec_load(x + i);
  if (i < n) s1 += vec_load_part(x + i, vec_first(n - i));
  return vec_sum((s0 + s1) + (s2 + s3));
}

void cpu_sum_rows(const float *x, int64_t rows, int64_t n, float *sum)
{
  for (int64_t j = 0; j < n; j += VEC) {
    vec_mask m = vec_first(n - j < VEC ? n - j : VEC);
    vec s0 = {0}, s1 = {0};
    int64_t r = 0;
    for (; r + 2 <= rows; r += 2) {
      s0 += vec_load_part(x + r * n + j, m);
      s1 += vec_load_part(x + (r + 1) * n + j, m);
    }
    if (r < rows) s0 += vec_load_part(x + r * n + j, m);
    vec_store_part(sum + j, m, s0 + s1);
  }
}

static void grad_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const bias *b = c->b;
  float *sum = c->y + i * b->channels;
  cpu_range r = cpu_piece(b->batch, b->tasks, i);
  const float *x = c->x + r.begin * b->channels * b->plane;
  if (b->plane == 1) {
    cpu_sum_rows(x, r.end - r.begin, b->channels, sum);
    return;
  }
  for (int64_t j = 0; j < b->channels; j++) sum[j] = 0;
  for (int64_t n = r.begin; n < r.end; n++)
    for (int64_t j = 0; j < b->channels; j++, x += b->plane) sum[j] += sum_of(x, b->plane);
}

static dlc_status grad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const bias *b = state;
  call c = {b, in[0], NULL, b->tasks == 1 ? out[0] : workspace};
  cpu_run(b->device, b->tasks, grad_task, &c);
  if (b->tasks > 1) cpu_sum_rows(workspace, b->tasks, b->channels, out[0]);
  return DLC_OK;
}

dlc_status cpu_bias_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  bias *b;
  k->launch = grad_launch;
  dlc_status status = prepare(device, cpu_in(g, node, 0), 4, k, &b);
  if (status >= 0 && b->tasks > 1) k->workspace = b->tasks * (size_t)b->channels * sizeof(float);
  return status;
}
