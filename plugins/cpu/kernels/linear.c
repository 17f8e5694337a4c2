/* linear and its gradients, as products of matrices:
 *   y [N,O]  = x [N,I] weight^T [I,O] + bias
 *   dx [N,I] = dy [N,O] weight [O,I]
 *   dw [O,I] = dy^T [O,N] x [N,I]
 * where all dimensions of x but the last are N. Tasks are pieces of the columns, so each element is summed by one task
 * in one order. */
#include "kernels.h"
#include <limits.h>

typedef struct linear {
  const dlc_device *device;
  int64_t batch, in, out; /* N, I, O */
  int64_t cols, step;     /* columns of the result; a task has a multiple of `step` of them, so that tiles are whole */
  uint32_t tasks;
  bool bias;
  void (*task)(void *arg, uint32_t i);
} linear;

typedef struct call {
  const linear *l;
  const float *a, *b, *bias;
  float *c;
} call;

static int64_t last(const dlc_value *v)
{
  return v->dim[v->rank - 1];
}

static int64_t rows_of(const dlc_value *v)
{
  return dlc_count(v) / last(v);
}

static linear *prepare(const dlc_device *device, linear shape, int64_t cols, int64_t step, double grain, dlc_kernel *k)
{
  linear *l = cpu_state(device, k, sizeof *l);
  if (!l) return NULL;
  *l = shape;
  l->device = device;
  l->cols = cols;
  l->step = step;
  const double flops = 2.0 * (double)shape.batch * (double)shape.in * (double)shape.out;
  l->tasks = cpu_task_count(flops, grain, (cols + step - 1) / step);
  return l;
}

static cpu_range columns(const linear *l, uint32_t i)
{
  cpu_range r = cpu_piece((l->cols + l->step - 1) / l->step, l->tasks, i);
  return (cpu_range){r.begin * l->step, r.end * l->step < l->cols ? r.end * l->step : l->cols};
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const linear *l = state;
  call c = {.l = l, .a = in[0], .b = in[1], .bias = l->bias ? in[2] : NULL, .c = out[0]};
  cpu_run(l->device, l->tasks, l->task, &c);
  return DLC_OK;
}

/* ---- forward: both x and weight run along the sum ---- */

enum { DOT_STEP = 4 };

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, i);
  cpu_dots d = {.rows = l->batch,
                .cols = r.end - r.begin,
                .parts = 1,
                .length = l->in,
                .a = c->a,
                .a_row = l->in,
                .b = c->b + r.begin * l->in,
                .b_row = l->in,
                .c = c->c + r.begin,
                .c_row = l->out,
                .col_bias = c->bias ? c->bias + r.begin : NULL};
  cpu_dot_products(&d);
}

dlc_status cpu_linear(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0), *w = cpu_in(g, node, 1);
  const linear shape = {.batch = rows_of(x), .in = last(x), .out = w->dim[0], .bias = node->n_in > 2};
  linear *l = prepare(device, shape, shape.out, DOT_STEP, CPU_GRAIN_FLOPS, k);
  if (!l) return DLC_NOMEM;
  l->task = forward_task;
  k->launch = launch;
  return DLC_OK;
}

/* ---- gradients ---- */

/* Rows of the weight lie far apart when it is large, and a tile that walks down its rows then misses the cache: with
 * more than about 200,000 elements OpenBLAS, which copies blocks together first, was up to 6 times faster; below, it
 * was slower. Its copying only pays with some rows in the batch. */
static bool better_with_blas(int64_t batch, int64_t in, int64_t out)
{
  return batch >= 16 && in * out > 200000 && batch <= INT_MAX && in <= INT_MAX && out <= INT_MAX;
}

enum { BLAS_STEP = 64 };
#define BLAS_GRAIN_FLOPS 2.5e7

/* Either gradient: `own` and `blas` compute a piece of its `in` columns. */
static dlc_status prepare_grad(const dlc_device *device, int64_t batch, int64_t in, int64_t out,
                               void (*own)(void *arg, uint32_t i), void (*blas)(void *arg, uint32_t i), dlc_kernel *k)
{
  const bool use_blas = better_with_blas(batch, in, out);
  linear *l = prepare(device, (linear){.batch = batch, .in = in, .out = out}, in, use_blas ? BLAS_STEP : VEC,
                      use_blas ? BLAS_GRAIN_FLOPS : CPU_GRAIN_FLOPS, k);
  if (!l) return DLC_NOMEM;
  l->task = use_blas ? blas : own;
  k->launch = launch;
  return DLC_OK;
}

static void grad_input_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, i);
  cpu_product p = {.rows = l->batch,
                   .cols = r.end - r.begin,
                   .depth = l->out,
                   .a = c->a,
                   .a_row = l->out,
                   .a_step = 1,
                   .b = c->b + r.begin,
                   .b_row = l->in,
                   .c = c->c + r.begin,
                   .c_row = l->in};
  cpu_multiply(&p);
}

static void grad_input_blas_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, i);
  const int in = (int)l->in, out = (int)l->out;
  l->device->blas.sgemm(CPU_ROW_MAJOR, CPU_NO_TRANS, CPU_NO_TRANS, (int)l->batch, (int)(r.end - r.begin), out, 1, c->a,
                        out, c->b + r.begin, in, 0, c->c + r.begin, in);
}

dlc_status cpu_linear_grad_input(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *dy = cpu_in(g, node, 0), *w = cpu_in(g, node, 1);
  return prepare_grad(device, rows_of(dy), w->dim[1], w->dim[0], grad_input_task, grad_input_blas_task, k);
}

static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, i);
  cpu_product p = {.rows = l->out,
                   .cols = r.end - r.begin,
                   .depth = l->batch,
                   .a = c->a,
                   .a_row = 1,
                   .a_step = l->out,
                   .b = c->b + r.begin,
                   .b_row = l->in,
                   .c = c->c + r.begin,
                   .c_row = l->in};
  cpu_multiply(&p);
}

static void grad_weight_blas_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, i);
  const int in = (int)l->in, out = (int)l->out;
  l->device->blas.sgemm(CPU_ROW_MAJOR, CPU_TRANS, CPU_NO_TRANS, out, (int)(r.end - r.begin), (int)l->batch, 1, c->a,
                        out, c->b + r.begin, in, 0, c->c + r.begin, in);
}

dlc_status cpu_linear_grad_weight(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *dy = cpu_in(g, node, 0), *x = cpu_in(g, node, 1);
  return prepare_grad(device, rows_of(dy), last(x), last(dy), grad_weight_task, grad_weight_blas_task, k);
}
