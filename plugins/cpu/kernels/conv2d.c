/* conv2d and its two gradients on widened images (conv.h). Tasks are pieces of the batch. */
#include "conv.h"
#include <string.h>

typedef struct call {
  const conv *v;
  const float *x, *w, *y, *bias; /* y: dy in the gradients */
  float *out;
  float *workspace;
} call;

static double flops(const conv *v)
{
  return 2.0 * (double)v->batch * (double)v->y_size * (double)v->depth;
}

/* ---- forward: y = weight [O, depth] * widened [depth, pixels] ---- */

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  float *buffer = c->workspace + i * v->widened;
  cpu_product p = {.rows = v->filters,
                   .cols = v->pixels,
                   .depth = v->depth,
                   .a = c->w,
                   .a_row = v->depth,
                   .a_step = 1,
                   .b_rows = v->taps,
                   .c_row = v->pixels,
                   .row_bias = c->bias};
  cpu_range r = cpu_piece(v->batch, v->tasks, i);
  for (int64_t n = r.begin; n < r.end; n++) {
    p.b = cpu_conv_widen(v, c->x + n * v->x_size, buffer);
    p.c = c->out + n * v->y_size;
    cpu_multiply(&p);
  }
}

static dlc_status forward_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const conv *v = state;
  call c = {.v = v, .x = in[0], .w = in[1], .bias = v->bias ? in[2] : NULL, .out = out[0], .workspace = workspace};
  cpu_run(v->device, v->tasks, forward_task, &c);
  return DLC_OK;
}

dlc_status cpu_conv2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_conv2d *a = node->attr;
  if (a->groups != 1 || a->dilation[0] != 1 || a->dilation[1] != 1) return DLC_UNSUPPORTED;
  const conv_shape s = {cpu_in(g, node, 0), cpu_in(g, node, 1), cpu_out(g, node, 0),
                        a->kernel_size,     a->stride,          a->padding};
  conv *v = cpu_conv_new(device, &s, 0, k);
  if (!v) return DLC_NOMEM;
  v->tasks = cpu_task_count(flops(v), CPU_GRAIN_FLOPS, v->batch);
  k->workspace = v->tasks * (size_t)v->widened * sizeof(float);
  v->bias = node->n_in > 2;
  k->launch = forward_launch;
  return DLC_OK;
}

/* ---- gradient of the input: widened dx += weight^T [depth, O] * dy [O, pixels], then folded ---- */

/* One kernel row at a time: the rows of C that a product writes must not overlap, and those of two kernel rows do. */
static void grad_input_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  float *buffer = c->workspace + i * v->widened;
  const int64_t lines = v->channels * v->kernel[1], *a_rows = v->taps + v->depth, *c_rows = a_rows + v->depth;
  cpu_product p = {.rows = lines,
                   .cols = v->pixels,
                   .depth = v->filters,
                   .a = c->w,
                   .a_step = v->depth,
                   .b_row = v->pixels,
                   .c = buffer,
                   .add = true};
  cpu_range r = cpu_piece(v->batch, v->tasks, i);
  for (int64_t n = r.begin; n < r.end; n++) {
    memset(buffer, 0, (size_t)v->widened * sizeof *buffer);
    p.b = c->y + n * v->y_size;
    for (int64_t row = 0; row < v->kernel[0]; row++) {
      p.a_rows = a_rows + row * lines;
      p.c_rows = c_rows + row * lines;
      cpu_multiply(&p);
    }
    cpu_conv_fold(v, buffer, c->out + n * v->x_size);
  }
}

static dlc_status grad_input_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const conv *v = state;
  call c = {.v = v, .y = in[0], .w = in[1], .out = out[0], .workspace = workspace};
  cpu_run(v->device, v->tasks, grad_input_task, &c);
  return DLC_OK;
}

dlc_status cpu_conv2d_grad_input(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_conv2d_grad *a = node->attr;
  if (a->groups != 1 || a->dilation[0] != 1 || a->dilation[1] != 1) return DLC_UNSUPPORTED;
  const conv_shape s = {cpu_out(g, node, 0), cpu_in(g, node, 1), cpu_in(g, node, 0),
                        a->kernel_size,      a->stride,          a->padding};
  conv *v = cpu_conv_new(device, &s, 2 * cpu_in(g, node, 1)->dim[1] * a->kernel_size[0] * a->kernel_size[1], k);
  if (!v) return DLC_NOMEM;
  /* The weight's columns sorted by kernel row: where each is in the weight, and in the widened image. */
  int64_t *at = v->taps + v->depth;
  for (int64_t i = 0; i < v->kernel[0]; i++)
    for (int64_t c = 0; c < v->channels; c++)
      for (int64_t j = 0; j < v->kernel[1]; j++, at++) {
        at[0] = (c * v->kernel[0] + i) * v->kernel[1] + j;
        at[v->depth] = v->taps[at[0]];
      }
  v->tasks = cpu_task_count(flops(v), CPU_GRAIN_FLOPS, v->batch);
  k->workspace = v->tasks * (size_t)v->widened * sizeof(float);
  k->launch = grad_input_launch;
  return DLC_OK;
}

/* ---- gradient of the weight: dw [O, depth] = sum over the batch of dy [O, pixels] * widened^T [pixels, depth] ---- */

/* A group of images that fills about a thousand pixels, so that the sums across vectors at its end do not count. */
enum { GROUP_PIXELS = 1024, MAX_CHUNKS = 16 };

static float *partial(const call *c, uint32_t i)
{
  return c->v->tasks == 1 ? c->out : c->workspace + i * c->v->filters * c->v->depth;
}

static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  const int64_t sums = v->tasks == 1 ? 0 : v->tasks * v->filters * v->depth;
  float *buffer = c->workspace + (sums + 15) / 16 * 16 + i * v->group * v->widened;
  cpu_dots d = {.rows = v->filters,
                .cols = v->depth,
                .length = v->pixels,
                .a_row = v->pixels,
                .a_part = v->y_size,
                .b_rows = v->taps,
                .b_part = v->plain ? v->x_size : v->widened,
                .c = partial(c, i),
                .c_row = v->depth};
  cpu_range r = cpu_piece(v->batch, v->tasks, i);
  for (int64_t n = r.begin; n < r.end; n += d.parts) {
    d.parts = r.end - n < v->group ? r.end - n : v->group;
    d.b = v->plain ? c->x + n * v->x_size : buffer;
    if (!v->plain)
      for (int64_t j = 0; j < d.parts; j++) cpu_conv_widen(v, c->x + (n + j) * v->x_size, buffer + j * v->widened);
    d.a = c->y + n * v->y_size;
    d.add = n > r.begin;
    cpu_dot_products(&d);
  }
}

static dlc_status grad_weight_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const conv *v = state;
  call c = {.v = v, .y = in[0], .x = in[1], .out = out[0], .workspace = workspace};
  cpu_run(v->device, v->tasks, grad_weight_task, &c);
  if (v->tasks > 1) cpu_sum_rows(workspace, v->tasks, v->filters * v->depth, out[0]);
  return DLC_OK;
}

dlc_status cpu_conv2d_grad_weight(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_conv2d_grad *a = node->attr;
  if (a->groups != 1 || a->dilation[0] != 1 || a->dilation[1] != 1) return DLC_UNSUPPORTED;
  const conv_shape s = {cpu_in(g, node, 1), cpu_out(g, node, 0), cpu_in(g, node, 0),
                        a->kernel_size,     a->stride,           a->padding};
  conv *v = cpu_conv_new(device, &s, 0, k);
  if (!v) return DLC_NOMEM;
  v->group = (GROUP_PIXELS + v->pixels - 1) / v->pixels;
  if (v->group > v->batch) v->group = v->batch;
  const int64_t groups = (v->batch + v->group - 1) / v->group;
  v->tasks = cpu_task_count(flops(v), CPU_GRAIN_FLOPS, groups < MAX_CHUNKS ? groups : MAX_CHUNKS);
  const int64_t sums = v->tasks == 1 ? 0 : v->tasks * v->filters * v->depth;
  k->workspace = (size_t)((sums + 15) / 16 * 16 + v->tasks * v->group * v->widened) * sizeof(float);
  k->launch = grad_weight_launch;
  return DLC_OK;
}
