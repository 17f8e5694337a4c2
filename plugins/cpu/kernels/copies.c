/* Ops that only move elements along one dimension: concat, slice, slice_grad. A value is seen as [outer, rest], where
 * the dimension is the first of the rest; tasks are pieces of the output's elements, copied run by run. */
#include "kernels.h"
#include <string.h>

typedef struct copies {
  const dlc_device *device;
  int64_t count, rest;           /* elements of the output, and of its rest */
  int64_t start[DLC_MAX_IN + 1]; /* concat: where input i begins in the rest; slice_grad: 0, the part, after it */
  int64_t from_rest, from_begin; /* slice: the input's rest, and where the part begins in it */
  uint32_t tasks;
  void (*task)(void *arg, uint32_t i);
} copies;

typedef struct call {
  const copies *c;
  const void *const *in;
  float *y;
} call;

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const copies *c = state;
  call arg = {c, in, out[0]};
  cpu_run(c->device, c->tasks, c->task, &arg);
  return DLC_OK;
}

static int64_t rest_of(const dlc_value *v, int64_t dim)
{
  int64_t n = 1;
  for (uint32_t i = (uint32_t)dim; i < v->rank; i++) n *= v->dim[i];
  return n;
}

static copies *prepare(const dlc_device *device, const dlc_value *y, int64_t dim, void (*task)(void *arg, uint32_t i),
                       dlc_kernel *k)
{
  copies *c = cpu_state(device, k, sizeof *c);
  if (!c) return NULL;
  c->device = device;
  c->count = dlc_count(y);
  c->rest = rest_of(y, dim);
  c->tasks = cpu_task_count(8 * (double)c->count, CPU_GRAIN_BYTES, c->count);
  c->task = task;
  k->launch = launch;
  return c;
}

/* Elements from `at` to the end of the run or of the piece. */
static int64_t run_length(int64_t at_in_run, int64_t run_end, int64_t left)
{
  return run_end - at_in_run < left ? run_end - at_in_run : left;
}

static void concat_task(void *arg, uint32_t i)
{
  const call *a = arg;
  const copies *c = a->c;
  const cpu_range r = cpu_piece(c->count, c->tasks, i);
  for (int64_t at = r.begin, n; at < r.end; at += n) {
    const int64_t outer = at / c->rest, in_rest = at % c->rest;
    uint32_t k = 0;
    while (in_rest >= c->start[k + 1]) k++;
    const int64_t length = c->start[k + 1] - c->start[k];
    n = run_length(in_rest, c->start[k + 1], r.end - at);
    memcpy(a->y + at, (const float *)a->in[k] + outer * length + in_rest - c->start[k], (size_t)n * sizeof(float));
  }
}

dlc_status cpu_concat(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_concat *a = node->attr;
  copies *c = prepare(device, cpu_out(g, node, 0), a->dim, concat_task, k);
  if (!c) return DLC_NOMEM;
  for (uint32_t i = 0; i < node->n_in; i++) c->start[i + 1] = c->start[i] + rest_of(cpu_in(g, node, i), a->dim);
  return DLC_OK;
}

static void slice_task(void *arg, uint32_t i)
{
  const call *a = arg;
  const copies *c = a->c;
  const cpu_range r = cpu_piece(c->count, c->tasks, i);
  for (int64_t at = r.begin, n; at < r.end; at += n) {
    const int64_t outer = at / c->rest, in_rest = at % c->rest;
    const float *x = (const float *)a->in[0] + outer * c->from_rest + c->from_begin;
    n = run_length(in_rest, c->rest, r.end - at);
    memcpy(a->y + at, x + in_rest, (size_t)n * sizeof(float));
  }
}

dlc_status cpu_slice(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_slice *a = node->attr;
  copies *c = prepare(device, cpu_out(g, node, 0), a->dim, slice_task, k);
  if (!c) return DLC_NOMEM;
  c->from_rest = rest_of(cpu_in(g, node, 0), a->dim);
  c->from_begin = c->from_rest / a->size * a->begin;
  return DLC_OK;
}

static void slice_grad_task(void *arg, uint32_t i)
{
  const call *a = arg;
  const copies *c = a->c;
  const cpu_range r = cpu_piece(c->count, c->tasks, i);
  const int64_t length = c->start[2] - c->start[1];
  for (int64_t at = r.begin, n; at < r.end; at += n) {
    const int64_t outer = at / c->rest, in_rest = at % c->rest;
    const bool inside = in_rest >= c->start[1] && in_rest < c->start[2];
    n = run_length(in_rest, inside ? c->start[2] : in_rest < c->start[1] ? c->start[1] : c->rest, r.end - at);
    if (!inside) memset(a->y + at, 0, (size_t)n * sizeof(float));
    else memcpy(a->y + at, (const float *)a->in[0] + outer * length + in_rest - c->start[1], (size_t)n * sizeof(float));
  }
}

dlc_status cpu_slice_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_slice *a = node->attr;
  copies *c = prepare(device, cpu_out(g, node, 0), a->dim, slice_grad_task, k);
  if (!c) return DLC_NOMEM;
  c->start[1] = c->rest / a->size * a->begin;
  c->start[2] = c->rest / a->size * a->end;
  return DLC_OK;
}
