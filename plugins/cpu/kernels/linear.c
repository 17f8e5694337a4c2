/* linear and its gradients, as products of matrices:
 *   y [N,O]  = x [N,I] weight^T [I,O] + bias
 *   dx [N,I] = dy [N,O] weight [O,I]
 *   dw [O,I] = dy^T [O,N] x [N,I]
 * Tasks are pieces of the columns, so each element is summed by one task in one order. */
#include "kernels.h"

typedef struct linear {
  const dlc_device *device;
  int64_t batch, in, out; /* N, I, O */
  uint32_t tasks;
} linear;

typedef struct call {
  const linear *l;
  const float *a, *b, *bias;
  float *c;
} call;

static linear *prepare(const dlc_device *device, int64_t batch, int64_t in, int64_t out, int64_t cols, int64_t step,
                       dlc_kernel *k)
{
  linear *l = cpu_state(device, k, sizeof *l);
  if (!l) return NULL;
  *l = (linear){.device = device, .batch = batch, .in = in, .out = out};
  l->tasks = cpu_task_count(2.0 * (double)batch * (double)in * (double)out, CPU_GRAIN_FLOPS, (cols + step - 1) / step);
  return l;
}

/* Columns of task `i`, in steps so that tiles are whole. */
static cpu_range columns(const linear *l, int64_t cols, int64_t step, uint32_t i)
{
  cpu_range r = cpu_piece((cols + step - 1) / step, l->tasks, i);
  return (cpu_range){r.begin * step, r.end * step < cols ? r.end * step : cols};
}

/* ---- forward ---- */

enum { DOT_STEP = 4 };

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, l->out, DOT_STEP, i);
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

static dlc_status forward_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const linear *l = state;
  call c = {.l = l, .a = in[0], .b = in[1], .c = out[0]};
  cpu_run(l->device, l->tasks, forward_task, &c);
  return DLC_OK;
}

static dlc_status forward_bias_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const linear *l = state;
  call c = {.l = l, .a = in[0], .b = in[1], .bias = in[2], .c = out[0]};
  cpu_run(l->device, l->tasks, forward_task, &c);
  return DLC_OK;
}

dlc_status cpu_linear(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0), *w = cpu_in(g, node, 1);
  k->launch = node->n_in > 2 ? forward_bias_launch : forward_launch;
  return prepare(device, x->dim[0], x->dim[1], w->dim[0], w->dim[0], DOT_STEP, k) ? DLC_OK : DLC_NOMEM;
}

/* ---- gradients ---- */

static void grad_input_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, l->in, VEC, i);
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

static dlc_status grad_input_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const linear *l = state;
  call c = {.l = l, .a = in[0], .b = in[1], .c = out[0]};
  cpu_run(l->device, l->tasks, grad_input_task, &c);
  return DLC_OK;
}

dlc_status cpu_linear_grad_input(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *dy = cpu_in(g, node, 0), *w = cpu_in(g, node, 1);
  k->launch = grad_input_launch;
  return prepare(device, dy->dim[0], w->dim[1], w->dim[0], w->dim[1], VEC, k) ? DLC_OK : DLC_NOMEM;
}

static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const linear *l = c->l;
  cpu_range r = columns(l, l->in, VEC, i);
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

static dlc_status grad_weight_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const linear *l = state;
  call c = {.l = l, .a = in[0], .b = in[1], .c = out[0]};
  cpu_run(l->device, l->tasks, grad_weight_task, &c);
  return DLC_OK;
}

dlc_status cpu_linear_grad_weight(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *dy = cpu_in(g, node, 0), *x = cpu_in(g, node, 1);
  k->launch = grad_weight_launch;
  return prepare(device, dy->dim[0], x->dim[1], dy->dim[1], x->dim[1], VEC, k) ? DLC_OK : DLC_NOMEM;
}
