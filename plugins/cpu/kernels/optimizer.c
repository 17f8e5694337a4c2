/* Optimizers: the update of one parameter in place, as torch.optim does it, and the penalty that
 * comes before it. lars is in norm.c. */
#include "kernels.h"
#include <math.h>

typedef struct optimizer {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  uint32_t momentum; /* the input that it comes by, where a schedule moves it; 0: the attribute */
  union {
    dlc_sgd sgd;
    dlc_adam adam;
    dlc_rmsprop rmsprop;
    dlc_adagrad adagrad;
  } attr;
  bool decoupled; /* adamw: weight_decay acts on the parameter itself */
} optimizer;

/* `bytes`: read and written for each element. */
static optimizer *prepare(const dlc_device *device, const dlc_graph *g, const dlc_node *node, double bytes,
                          dlc_kernel *k)
{
  const uint32_t usual = node->n_out + 3; /* parameter and states; gradient, learning rate, step */
  optimizer *o = cpu_state(device, k, sizeof *o);
  if (!o) return NULL;
  o->device = device;
  o->count = dlc_count(cpu_in(g, node, 0));
  o->tasks = cpu_task_count(bytes * (double)o->count, CPU_GRAIN_BYTES, o->count);
  o->momentum = node->n_in > usual ? usual : 0;
  return o;
}

static double momentum_of(const optimizer *o, const void *const *in, double attribute)
{
  return o->momentum ? (double)*(const float *)in[o->momentum] : attribute;
}

/* ---- sgd ---- */

typedef struct sgd_call {
  const optimizer *o;
  float *param, *velocity; /* velocity: NULL without momentum */
  const float *grad;
  float lr, momentum;
} sgd_call;

static void sgd_task(void *arg, uint32_t i)
{
  const sgd_call *c = arg;
  const float momentum = c->momentum, decay = (float)c->o->attr.sgd.weight_decay, lr = c->lr;
  float *restrict param = c->param, *restrict velocity = c->velocity;
  const float *restrict grad = c->grad;
  /* The step is ahead * velocity + direct * gradient. */
  const float ahead = c->o->attr.sgd.nesterov ? momentum : 1, direct = c->o->attr.sgd.nesterov ? 1 : 0;
  cpu_range r = cpu_piece(c->o->count, c->o->tasks, i);
  if (!velocity)
    for (int64_t j = r.begin; j < r.end; j++) param[j] -= lr * (grad[j] + decay * param[j]);
  else
    for (int64_t j = r.begin; j < r.end; j++) {
      const float g = grad[j] + decay * param[j], v = momentum * velocity[j] + g;
      velocity[j] = v;
      param[j] -= lr * (ahead * v + direct * g);
    }
}

static dlc_status sgd_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const optimizer *o = state;
  const bool moves = o->attr.sgd.momentum != 0;
  sgd_call c = {o, out[0], moves ? out[1] : NULL, in[moves ? 2 : 1], *(const float *)in[moves ? 3 : 2], 0};
  c.momentum = (float)momentum_of(o, in, o->attr.sgd.momentum);
  cpu_run(o->device, o->tasks, sgd_task, &c);
  return DLC_OK;
}

dlc_status cpu_sgd(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_sgd *a = node->attr;
  optimizer *o = prepare(device, g, node, a->momentum != 0 ? 20 : 12, k);
  if (!o) return DLC_NOMEM;
  o->attr.sgd = *a;
  k->launch = sgd_launch;
  return DLC_OK;
}

/* ---- adam, adamw ---- */

typedef struct adam_call {
  const optimizer *o;
  float *param, *mean, *square; /* running means of the gradient and of its square */
  const float *grad;
  float step_size, root_scale; /* lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
  float keep1, add1;           /* beta1, 1 - beta1 */
  float l2, keep;              /* what is added to the gradient of the parameter; what the parameter is scaled by */
} adam_call;

static void adam_task(void *arg, uint32_t i)
{
  const adam_call *c = arg;
  const dlc_adam *a = &c->o->attr.adam;
  const vec l2 = vec_all(c->l2), keep = vec_all(c->keep), eps = vec_all((float)a->eps);
  const vec keep1 = vec_all(c->keep1), add1 = vec_all(c->add1);
  const vec keep2 = vec_all((float)a->beta2), add2 = vec_all((float)(1 - a->beta2));
  const vec step_size = vec_all(c->step_size), root_scale = vec_all(c->root_scale);
  cpu_range r = cpu_piece(c->o->count, c->o->tasks, i);
  for (int64_t j = r.begin; j < r.end; j += VEC) {
    vec_mask part = vec_first(r.end - j < VEC ? r.end - j : VEC);
    vec p = vec_load_part(c->param + j, part), g = vec_load_part(c->grad + j, part) + l2 * p;
    vec m = keep1 * vec_load_part(c->mean + j, part) + add1 * g;
    vec s = keep2 * vec_load_part(c->square + j, part) + add2 * g * g;
    vec_store_part(c->mean + j, part, m);
    vec_store_part(c->square + j, part, s);
    vec_store_part(c->param + j, part, keep * p - step_size * m / (vec_sqrt(s) * root_scale + eps));
  }
}

static dlc_status adam_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const optimizer *o = state;
  const dlc_adam *a = &o->attr.adam;
  const double lr = *(const float *)in[4], t = (double)*(const int64_t *)in[5];
  const double beta1 = momentum_of(o, in, a->beta1);
  adam_call c = {.o = o, .param = out[0], .mean = out[1], .square = out[2], .grad = in[3]};
  c.step_size = (float)(lr / (1 - pow(beta1, t)));
  c.keep1 = (float)beta1;
  c.add1 = (float)(1 - beta1);
  c.root_scale = (float)(1 / sqrt(1 - pow(a->beta2, t)));
  c.l2 = o->decoupled ? 0 : (float)a->weight_decay;
  c.keep = o->decoupled ? (float)(1 - lr * a->weight_decay) : 1;
  cpu_run(o->device, o->tasks, adam_task, &c);
  return DLC_OK;
}

dlc_status cpu_adam(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  optimizer *o = prepare(device, g, node, 28, k);
  if (!o) return DLC_NOMEM;
  o->attr.adam = *(const dlc_adam *)node->attr;
  k->launch = adam_launch;
  return DLC_OK;
}

dlc_status cpu_adamw(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  dlc_status status = cpu_adam(device, g, node, k);
  if (status == DLC_OK) ((optimizer *)k->state)->decoupled = true;
  return status;
}

/* ---- rmsprop ---- */

typedef struct rmsprop_call {
  const optimizer *o;
  float *param, *square, *mean, *buffer; /* mean: NULL unless centered; buffer: NULL without momentum */
  const float *grad;
  float lr, momentum;
} rmsprop_call;

static void rmsprop_task(void *arg, uint32_t i)
{
  const rmsprop_call *c = arg;
  const dlc_rmsprop *a = &c->o->attr.rmsprop;
  const vec decay = vec_all((float)a->weight_decay), eps = vec_all((float)a->eps), lr = vec_all(c->lr);
  const vec keep = vec_all((float)a->alpha), add = vec_all((float)(1 - a->alpha));
  cpu_range r = cpu_piece(c->o->count, c->o->tasks, i);
  for (int64_t j = r.begin; j < r.end; j += VEC) {
    vec_mask part = vec_first(r.end - j < VEC ? r.end - j : VEC);
    const vec p = vec_load_part(c->param + j, part), g = vec_load_part(c->grad + j, part) + decay * p;
    vec s = keep * vec_load_part(c->square + j, part) + add * g * g;
    vec_store_part(c->square + j, part, s);
    if (c->mean) {
      const vec m = keep * vec_load_part(c->mean + j, part) + add * g;
      vec_store_part(c->mean + j, part, m);
      s -= m * m;
    }
    vec step = g / (vec_sqrt(s) + eps);
    if (c->buffer) {
      step += vec_all(c->momentum) * vec_load_part(c->buffer + j, part);
      vec_store_part(c->buffer + j, part, step);
    }
    vec_store_part(c->param + j, part, p - lr * step);
  }
}

static dlc_status rmsprop_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const optimizer *o = state;
  const bool centered = o->attr.rmsprop.centered, moves = o->attr.rmsprop.momentum != 0;
  const uint32_t states = 1 + centered + moves;
  rmsprop_call c = {.o = o, .param = out[0], .square = out[1], .grad = in[states + 1]};
  c.mean = centered ? out[2] : NULL;
  c.buffer = moves ? out[states] : NULL;
  c.lr = *(const float *)in[states + 2];
  c.momentum = (float)momentum_of(o, in, o->attr.rmsprop.momentum);
  cpu_run(o->device, o->tasks, rmsprop_task, &c);
  return DLC_OK;
}

dlc_status cpu_rmsprop(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  optimizer *o = prepare(device, g, node, 4 + 8 * node->n_out, k);
  if (!o) return DLC_NOMEM;
  o->attr.rmsprop = *(const dlc_rmsprop *)node->attr;
  k->launch = rmsprop_launch;
  return DLC_OK;
}

/* ---- adagrad ---- */

typedef struct adagrad_call {
  const optimizer *o;
  float *param, *sum;
  const float *grad;
  float rate;
} adagrad_call;

static void adagrad_task(void *arg, uint32_t i)
{
  const adagrad_call *c = arg;
  const dlc_adagrad *a = &c->o->attr.adagrad;
  const vec decay = vec_all((float)a->weight_decay), eps = vec_all((float)a->eps), rate = vec_all(c->rate);
  cpu_range r = cpu_piece(c->o->count, c->o->tasks, i);
  for (int64_t j = r.begin; j < r.end; j += VEC) {
    vec_mask part = vec_first(r.end - j < VEC ? r.end - j : VEC);
    const vec p = vec_load_part(c->param + j, part), g = vec_load_part(c->grad + j, part) + decay * p;
    const vec s = vec_load_part(c->sum + j, part) + g * g;
    vec_store_part(c->sum + j, part, s);
    vec_store_part(c->param + j, part, p - rate * g / (vec_sqrt(s) + eps));
  }
}

static dlc_status adagrad_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const optimizer *o = state;
  const double lr = *(const float *)in[3], t = (double)*(const int64_t *)in[4];
  adagrad_call c = {o, out[0], out[1], in[2], (float)(lr / (1 + (t - 1) * o->attr.adagrad.lr_decay))};
  cpu_run(o->device, o->tasks, adagrad_task, &c);
  return DLC_OK;
}

dlc_status cpu_adagrad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  optimizer *o = prepare(device, g, node, 20, k);
  if (!o) return DLC_NOMEM;
  o->attr.adagrad = *(const dlc_adagrad *)node->attr;
  k->launch = adagrad_launch;
  return DLC_OK;
}

/* ---- l1_gradient ---- */

typedef struct l1_gradient {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  float l1;
} l1_gradient;

typedef struct l1_call {
  const l1_gradient *l;
  const float *parameter, *gradient;
  float *out;
} l1_call;

static void l1_task(void *arg, uint32_t i)
{
  const l1_call *c = arg;
  const float *restrict p = c->parameter, *restrict g = c->gradient, l1 = c->l->l1;
  float *restrict out = c->out;
  cpu_range r = cpu_piece(c->l->count, c->l->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) out[j] = g[j] + l1 * (float)((p[j] > 0) - (p[j] < 0));
}

static dlc_status l1_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const l1_gradient *l = state;
  l1_call c = {l, in[0], in[1], out[0]};
  cpu_run(l->device, l->tasks, l1_task, &c);
  return DLC_OK;
}

dlc_status cpu_l1_gradient(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  l1_gradient *l = cpu_state(device, k, sizeof *l);
  if (!l) return DLC_NOMEM;
  const int64_t count = dlc_count(cpu_in(g, node, 0));
  *l = (l1_gradient){device, count, cpu_task_count(12 * (double)count, CPU_GRAIN_BYTES, count),
                     (float)((const dlc_l1_gradient *)node->attr)->l1};
  k->launch = l1_launch;
  return DLC_OK;
}
