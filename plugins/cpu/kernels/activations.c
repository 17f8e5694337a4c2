/* The activations but relu, and their gradients: dx = dy * slope, the slope taken from x (tanh, sigmoid: from y). */
#include "kernels.h"
#include "vec_curves.h"

/* y = f(x) or slope = f(x or y); `a`: the op's number, where it has one. */
typedef vec curve(vec x, vec a);

typedef struct activation {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  float number; /* negative_slope, alpha */
  void (*task)(void *arg, uint32_t i);
} activation;

typedef struct call {
  const activation *a;
  const float *dy, *x; /* dy: NULL in the forward pass */
  float *y;
} call;

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const activation *a = state;
  call c = {.a = a, .x = in[0], .y = out[0]};
  cpu_run(a->device, a->tasks, a->task, &c);
  return DLC_OK;
}

static dlc_status launch_grad(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const activation *a = state;
  call c = {a, in[0], in[1], out[0]};
  cpu_run(a->device, a->tasks, a->task, &c);
  return DLC_OK;
}

static dlc_status prepare(const dlc_device *device, const dlc_graph *g, const dlc_node *node, double number,
                          void (*task)(void *arg, uint32_t i), dlc_kernel *k)
{
  activation *a = cpu_state(device, k, sizeof *a);
  if (!a) return DLC_NOMEM;
  a->device = device;
  a->count = dlc_count(cpu_in(g, node, 0));
  a->tasks = cpu_task_count(4.0 * (node->n_in + 1) * (double)a->count, CPU_GRAIN_BYTES, a->count);
  a->number = (float)number;
  a->task = task;
  k->launch = node->n_in == 1 ? launch : launch_grad;
  return DLC_OK;
}

/* ---- the curves; see core/ops/activations.c ---- */

INLINE vec leaky_relu(vec x, vec a)
{
  return vec_select(x > 0, x, x * a);
}

INLINE vec leaky_relu_slope(vec x, vec a)
{
  return vec_select(x > 0, vec_all(1), a);
}

INLINE vec elu(vec x, vec a)
{
  vec below = vec_select(x < vec_all(-87), vec_all(-87), x);
  return vec_select(x > 0, x, a * vec_expm1(below));
}

INLINE vec elu_slope(vec x, vec a)
{
  return vec_select(x > 0, vec_all(1), a * vec_exp_below_0(x));
}

#define SQRT_2_BY_PI 0.79788456f
#define GELU_CUBIC   0.044715f

INLINE vec gelu(vec x, vec a)
{
  (void)a;
  return x * vec_normal_share(x);
}

/* The share, and x times the density exp(-x^2 / 2) / sqrt(2 pi). */
INLINE vec gelu_slope(vec x, vec a)
{
  (void)a;
  return vec_fma(x * vec_all(0.5f * SQRT_2_BY_PI), vec_exp_below_0(vec_all(-0.5f) * x * x), vec_normal_share(x));
}

INLINE vec gelu_tanh_sigmoid(vec x, vec *rest)
{
  return vec_sigmoid(x * vec_fma(x * x, vec_all(2 * SQRT_2_BY_PI * GELU_CUBIC), vec_all(2 * SQRT_2_BY_PI)), rest);
}

INLINE vec gelu_tanh(vec x, vec a)
{
  (void)a;
  vec rest;
  return x * gelu_tanh_sigmoid(x, &rest);
}

INLINE vec gelu_tanh_slope(vec x, vec a)
{
  (void)a;
  vec rest, s = gelu_tanh_sigmoid(x, &rest);
  vec u = vec_fma(x * x, vec_all(6 * SQRT_2_BY_PI * GELU_CUBIC), vec_all(2 * SQRT_2_BY_PI));
  return vec_fma(x * s * rest, u, s);
}

INLINE vec silu(vec x, vec a)
{
  (void)a;
  vec rest;
  return x * vec_sigmoid(x, &rest);
}

INLINE vec silu_slope(vec x, vec a)
{
  (void)a;
  vec rest, s = vec_sigmoid(x, &rest);
  return vec_fma(x * s, rest, s);
}

INLINE vec relu6(vec x, vec a)
{
  (void)a;
  return vec_select(x < 0, vec_all(0), vec_select(x > vec_all(6), vec_all(6), x));
}

INLINE vec relu6_slope(vec x, vec a)
{
  (void)a;
  return vec_select((x > 0) & (x < vec_all(6)), vec_all(1), vec_all(0));
}

INLINE vec hardswish(vec x, vec a)
{
  return x * relu6(x + vec_all(3), a) * vec_all(1.0f / 6);
}

INLINE vec hardswish_slope(vec x, vec a)
{
  (void)a;
  vec middle = vec_fma(x, vec_all(1.0f / 3), vec_all(0.5f));
  return vec_select(x <= vec_all(-3), vec_all(0), vec_select(x < vec_all(3), middle, vec_all(1)));
}

INLINE vec tanh_curve(vec x, vec a)
{
  (void)a;
  return vec_tanh(x);
}

INLINE vec tanh_slope(vec y, vec a)
{
  (void)a;
  return vec_fma(-y, y, vec_all(1));
}

INLINE vec sigmoid(vec x, vec a)
{
  (void)a;
  vec rest;
  return vec_sigmoid(x, &rest);
}

INLINE vec sigmoid_slope(vec y, vec a)
{
  (void)a;
  return y * (vec_all(1) - y);
}

/* ---- the loops: one for each curve ---- */

INLINE void map(const call *c, uint32_t i, curve *f)
{
  const vec a = vec_all(c->a->number);
  const cpu_range r = cpu_piece(c->a->count, c->a->tasks, i);
  int64_t j = r.begin;
  for (; j + VEC <= r.end; j += VEC) vec_store(c->y + j, f(vec_load(c->x + j), a));
  const vec_mask rest = vec_first(r.end - j);
  vec_store_part(c->y + j, rest, f(vec_load_part(c->x + j, rest), a));
}

INLINE void map_grad(const call *c, uint32_t i, curve *slope)
{
  const vec a = vec_all(c->a->number);
  const cpu_range r = cpu_piece(c->a->count, c->a->tasks, i);
  int64_t j = r.begin;
  for (; j + VEC <= r.end; j += VEC) vec_store(c->y + j, vec_load(c->dy + j) * slope(vec_load(c->x + j), a));
  const vec_mask rest = vec_first(r.end - j);
  vec_store_part(c->y + j, rest, vec_load_part(c->dy + j, rest) * slope(vec_load_part(c->x + j, rest), a));
}

#define TASKS(name, curve_of, slope_of)                                                                                \
  static void name##_task(void *arg, uint32_t i)                                                                       \
  {                                                                                                                    \
    map(arg, i, curve_of);                                                                                             \
  }                                                                                                                    \
  static void name##_grad_task(void *arg, uint32_t i)                                                                  \
  {                                                                                                                    \
    map_grad(arg, i, slope_of);                                                                                        \
  }

TASKS(leaky_relu, leaky_relu, leaky_relu_slope)
TASKS(elu, elu, elu_slope)
TASKS(gelu, gelu, gelu_slope)
TASKS(gelu_tanh, gelu_tanh, gelu_tanh_slope)
TASKS(silu, silu, silu_slope)
TASKS(relu6, relu6, relu6_slope)
TASKS(hardswish, hardswish, hardswish_slope)
TASKS(tanh, tanh_curve, tanh_slope)
TASKS(sigmoid, sigmoid, sigmoid_slope)

/* ---- the ops ---- */

#define OP(op, number, task)                                                                                           \
  dlc_status op(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)                     \
  {                                                                                                                    \
    return prepare(device, g, node, number, task, k);                                                                  \
  }
#define OPS(name, number)                                                                                              \
  OP(cpu_##name, number, name##_task)                                                                                  \
  OP(cpu_##name##_grad, number, name##_grad_task)

OPS(leaky_relu, ((const dlc_leaky_relu *)node->attr)->negative_slope)
OPS(elu, ((const dlc_elu *)node->attr)->alpha)
OPS(silu, 0)
OPS(relu6, 0)
OPS(hardswish, 0)
OPS(tanh, 0)
OPS(sigmoid, 0)
#define IS_TANH (((const dlc_gelu *)node->attr)->approximate == DLC_GELU_TANH)
OP(cpu_gelu, 0, IS_TANH ? gelu_tanh_task : gelu_task)
OP(cpu_gelu_grad, 0, IS_TANH ? gelu_tanh_grad_task : gelu_grad_task)
