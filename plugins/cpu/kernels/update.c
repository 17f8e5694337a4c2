/* Ops whose one number is known in the step only: scale, accumulate, ema, lerp; and mix and roll, which prepare a
 * batch.
 */
#include "kernels.h"

typedef struct update {
  const dlc_device *device;
  int64_t count;
  uint32_t tasks;
  void (*task)(void *arg, uint32_t i);
} update;

typedef struct call {
  const update *u;
  const float *x;
  float *y;
  float factor;
} call;

static dlc_status prepare(const dlc_device *device, const dlc_value *x, double bytes,
                          void (*task)(void *arg, uint32_t i), dlc_kernel *k)
{
  update *u = cpu_state(device, k, sizeof *u);
  if (!u) return DLC_NOMEM;
  u->device = device;
  u->count = dlc_count(x);
  u->tasks = cpu_task_count(bytes * (double)u->count, CPU_GRAIN_BYTES, u->count);
  u->task = task;
  return DLC_OK;
}

/* scale: x, factor -> y */
static dlc_status scale_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const update *u = state;
  call c = {u, in[0], out[0], *(const float *)in[1]};
  cpu_run(u->device, u->tasks, u->task, &c);
  return DLC_OK;
}

static void scale_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict x = c->x, factor = c->factor;
  float *restrict y = c->y;
  cpu_range r = cpu_piece(c->u->count, c->u->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = factor * x[j];
}

dlc_status cpu_scale(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = scale_launch;
  return prepare(device, cpu_in(g, node, 0), 8, scale_task, k);
}

/* accumulate, ema: y, x, factor -> y */
static dlc_status update_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const update *u = state;
  call c = {u, in[1], out[0], *(const float *)in[2]};
  cpu_run(u->device, u->tasks, u->task, &c);
  return DLC_OK;
}

static void accumulate_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict x = c->x, factor = c->factor;
  float *restrict y = c->y;
  cpu_range r = cpu_piece(c->u->count, c->u->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] += factor * x[j];
}

static void ema_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const float *restrict x = c->x, decay = c->factor, add = (float)(1 - (double)decay);
  float *restrict y = c->y;
  cpu_range r = cpu_piece(c->u->count, c->u->tasks, i);
  for (int64_t j = r.begin; j < r.end; j++) y[j] = decay * y[j] + add * x[j];
}

dlc_status cpu_accumulate(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = update_launch;
  return prepare(device, cpu_in(g, node, 0), 12, accumulate_task, k);
}

dlc_status cpu_ema(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  k->launch = update_launch;
  return prepare(device, cpu_in(g, node, 0), 12, ema_task, k);
}

static dlc_status lerp_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)state, (void)workspace;
  const double a = *(const float *)in[0], b = *(const float *)in[1], weight = *(const float *)in[2];
  *(float *)out[0] = (float)(weight * a + (1 - weight) * b);
  return DLC_OK;
}

dlc_status cpu_lerp(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  (void)device, (void)g, (void)node;
  k->launch = lerp_launch;
  return DLC_OK;
}

/* ---- mix and roll ---- */

typedef struct mix {
  const dlc_device *device;
  int64_t batch, channels, size[2]; /* height, width */
  uint32_t tasks;
} mix;

typedef struct mix_call {
  const mix *m;
  const float *x;
  float *y;
  float share;
  int64_t box[4]; /* top, left, bottom, right, within the picture */
} mix_call;

static void mix_row(float *restrict y, const float *restrict x, const float *restrict r, float share, int64_t n)
{
  const float rest = 1 - share;
  for (int64_t j = 0; j < n; j++) y[j] = share * x[j] + rest * r[j];
}

/* A task takes whole rows of pixels of the batch. */
static void mix_task(void *arg, uint32_t i)
{
  const mix_call *c = arg;
  const mix *m = c->m;
  const int64_t height = m->size[0], width = m->size[1], rows = m->channels * height, left = c->box[1];
  const int64_t inside = c->box[3] - left;
  cpu_range range = cpu_piece(m->batch * rows, m->tasks, i);
  for (int64_t row = range.begin; row < range.end; row++) {
    const int64_t other = row < rows ? row + (m->batch - 1) * rows : row - rows, h = row % height;
    const float *x = c->x + row * width, *r = c->x + other * width;
    float *y = c->y + row * width;
    if (h < c->box[0] || h >= c->box[2] || inside <= 0) {
      mix_row(y, x, r, c->share, width);
      continue;
    }
    mix_row(y, x, r, c->share, left);
    memcpy(y + left, r + left, (size_t)inside * sizeof *y);
    mix_row(y + left + inside, x + left + inside, r + left + inside, c->share, width - left - inside);
  }
}

static dlc_status mix_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const mix *m = state;
  const int64_t *box = in[2];
  mix_call c = {.m = m, .x = in[0], .y = out[0], .share = *(const float *)in[1]};
  for (int k = 0; k < 4; k++) {
    const int64_t limit = m->size[k % 2];
    c.box[k] = box[k] < 0 ? 0 : box[k] > limit ? limit : box[k];
  }
  cpu_run(m->device, m->tasks, mix_task, &c);
  return DLC_OK;
}

dlc_status cpu_mix(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_value *x = cpu_in(g, node, 0);
  mix *m = cpu_state(device, k, sizeof *m);
  if (!m) return DLC_NOMEM;
  *m = (mix){device, x->dim[0], x->dim[1], {x->dim[2], x->dim[3]}, 0};
  m->tasks = cpu_task_count(12 * (double)dlc_count(x), CPU_GRAIN_BYTES, x->dim[0] * x->dim[1] * x->dim[2]);
  k->launch = mix_launch;
  return DLC_OK;
}

static dlc_status roll_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  (void)workspace;
  const int64_t *rows = state;
  const int32_t *labels = in[0];
  int32_t *rolled = out[0];
  rolled[0] = labels[*rows - 1];
  memcpy(rolled + 1, labels, (size_t)(*rows - 1) * sizeof *labels);
  return DLC_OK;
}

dlc_status cpu_roll(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  int64_t *rows = cpu_state(device, k, sizeof *rows);
  if (!rows) return DLC_NOMEM;
  *rows = dlc_count(cpu_in(g, node, 0));
  k->launch = roll_launch;
  return DLC_OK;
}
