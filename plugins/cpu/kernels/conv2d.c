/* conv2d and its two gradients on widened units (conv.h). Tasks are pieces of the units, and where those are few, of
 * the filters too. */
#include "conv.h"
#include <string.h>

typedef struct call {
  const conv *v;
  const float *x, *w, *y, *bias; /* y: dy in the gradients */
  float *out;
  float *packed, *sums; /* at the begin of the workspace: grad_input, grad_weight */
  float *workspace;
} call;

/* What a task does: units [units.begin, units.end), filters or channels [part.begin, part.end) of their group. */
typedef struct share {
  cpu_range units, part;
} share;

static share share_of(const conv *v, uint32_t task, int64_t units, int64_t parts)
{
  return (share){cpu_piece(units, v->tasks / v->splits, task / v->splits),
                 cpu_piece(parts, v->splits, task % v->splits)};
}

enum { ENOUGH_TASKS = 32, LEAST_PART = 16 };

/* Splits `parts` filters or channels where `pieces` of the units are too few for the work. Of those that share units in
 * the forward pass each widens them for itself, which 16 filters are enough to hide. */
static void set_tasks(conv *v, int64_t pieces, int64_t parts)
{
  const double flops = 2.0 * (double)v->units * (double)v->y_size * (double)v->depth;
  const int64_t n = cpu_task_count(flops, CPU_GRAIN_FLOPS, INT64_MAX);
  const int64_t wanted = n < ENOUGH_TASKS ? n : ENOUGH_TASKS;
  int64_t splits = wanted / pieces;
  if (splits > parts / LEAST_PART) splits = parts / LEAST_PART;
  v->splits = splits > 1 ? (uint32_t)splits : 1;
  v->tasks = v->splits * (uint32_t)(n < pieces ? n : pieces);
}

/* ---- forward: y = weight [O, depth] * widened [depth, pixels] ---- */

static void forward_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  float *buffer = c->workspace + i * v->widened;
  const share s = share_of(v, i, v->units, v->filters);
  cpu_product p = {.rows = s.part.end - s.part.begin,
                   .cols = v->pixels,
                   .depth = v->depth,
                   .a_row = v->depth,
                   .a_step = 1,
                   .b_rows = v->taps,
                   .c_row = v->pixels};
  for (int64_t u = s.units.begin; u < s.units.end; u++) {
    const int64_t filter = u % v->groups * v->filters + s.part.begin;
    p.a = c->w + filter * v->depth;
    p.b = cpu_conv_widen(v, (cpu_range){0, v->channels}, c->x + u * v->x_size, buffer);
    p.c = c->out + u * v->y_size + s.part.begin * v->pixels;
    p.row_bias = c->bias ? c->bias + filter : NULL;
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
  const conv_shape s = {cpu_in(g, node, 0), cpu_in(g, node, 1), cpu_out(g, node, 0), a->kernel_size,
                        a->stride,          a->padding,         a->dilation,         a->groups};
  if (cpu_depthwise_fits(&s)) return cpu_depthwise(device, &s, node->n_in > 2, k);
  if (cpu_winograd_fits(&s)) return cpu_winograd(device, &s, node->n_in > 2, k);
  conv *v = cpu_conv_new(device, &s, 0, k);
  if (!v) return DLC_NOMEM;
  set_tasks(v, v->units, v->filters);
  k->workspace = v->tasks * (size_t)v->widened * sizeof(float);
  v->bias = node->n_in > 2;
  k->launch = forward_launch;
  return DLC_OK;
}

/* ---- gradient of the input: widened dx += weight^T [depth, O] * dy [O, pixels], then folded ---- */

/* The weight's columns sorted by kernel row: where each is in the weight; behind them, where in the widened unit. */
static const int64_t *columns_of(const conv *v)
{
  return v->taps + v->depth;
}

enum { BLOCK = 16 };

/* packed[column][filter], so that a product reads neighbours. Tasks are pieces of the columns of all groups. */
static void pack_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  const cpu_range r = cpu_piece(v->groups * v->depth, v->tasks, i);
  for (int64_t first = r.begin; first < r.end; first += BLOCK) {
    const int64_t n = r.end - first < BLOCK ? r.end - first : BLOCK;
    const float *from[BLOCK];
    for (int64_t j = 0; j < n; j++) {
      const int64_t group = (first + j) / v->depth, column = (first + j) % v->depth;
      from[j] = c->w + group * v->filters * v->depth + columns_of(v)[column];
    }
    for (int64_t f = 0; f < v->filters; f++)
      for (int64_t j = 0; j < n; j++) c->packed[(first + j) * v->filters + f] = from[j][f * v->depth];
  }
}

/* One kernel row at a time: the rows of C that a product writes must not overlap, and those of two kernel rows do. */
static void multiply_rows(const call *c, int64_t u, cpu_range channels, float *buffer)
{
  const conv *v = c->v;
  const int64_t lines = v->channels * v->kernel[1], *c_rows = columns_of(v) + v->depth;
  cpu_product p = {.rows = (channels.end - channels.begin) * v->kernel[1],
                   .cols = v->pixels,
                   .depth = v->filters,
                   .a_row = v->filters,
                   .a_step = 1,
                   .b = c->y + u * v->y_size,
                   .b_row = v->pixels,
                   .c = buffer,
                   .add = true};
  for (int64_t row = 0; row < v->kernel[0]; row++) {
    const int64_t first = row * lines + channels.begin * v->kernel[1];
    p.a = c->packed + (u % v->groups * v->depth + first) * v->filters;
    p.c_rows = c_rows + first;
    cpu_multiply(&p);
  }
}

static void grad_input_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  float *buffer = c->workspace + i * v->widened;
  const share s = share_of(v, i, v->units, v->channels);
  const int64_t lines = v->kernel[1] * v->plane;
  for (int64_t u = s.units.begin; u < s.units.end; u++) {
    memset(buffer + s.part.begin * lines, 0, (size_t)((s.part.end - s.part.begin) * lines) * sizeof *buffer);
    multiply_rows(c, u, s.part, buffer);
    cpu_conv_fold(v, s.part, buffer, c->out + u * v->x_size);
  }
}

static int64_t packed_size(const conv *v)
{
  return (v->groups * v->depth * v->filters + 15) / 16 * 16;
}

static dlc_status grad_input_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const conv *v = state;
  float *packed = workspace;
  call c = {.v = v, .y = in[0], .w = in[1], .out = out[0], .packed = packed, .workspace = packed + packed_size(v)};
  cpu_run(v->device, v->tasks, pack_task, &c);
  cpu_run(v->device, v->tasks, grad_input_task, &c);
  return DLC_OK;
}

dlc_status cpu_conv2d_grad_input(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_conv2d_grad *a = node->attr;
  const conv_shape s = {cpu_out(g, node, 0), cpu_in(g, node, 1), cpu_in(g, node, 0), a->kernel_size,
                        a->stride,           a->padding,         a->dilation,        a->groups};
  if (cpu_depthwise_fits(&s)) return cpu_depthwise_grad_input(device, &s, k);
  if (cpu_winograd_fits(&s)) return cpu_winograd_grad_input(device, &s, k);
  conv *v = cpu_conv_new(device, &s, 2 * cpu_in(g, node, 1)->dim[1] * a->kernel_size[0] * a->kernel_size[1], k);
  if (!v) return DLC_NOMEM;
  int64_t *at = v->taps + v->depth; /* columns_of(v) */
  for (int64_t i = 0; i < v->kernel[0]; i++)
    for (int64_t c = 0; c < v->channels; c++)
      for (int64_t j = 0; j < v->kernel[1]; j++, at++) {
        at[0] = (c * v->kernel[0] + i) * v->kernel[1] + j;
        at[v->depth] = v->taps[at[0]];
      }
  set_tasks(v, v->units, v->channels);
  k->workspace = ((size_t)packed_size(v) + v->tasks * (size_t)v->widened) * sizeof(float);
  k->launch = grad_input_launch;
  return DLC_OK;
}

/* ---- gradient of the weight: dw [O, depth] = sum over the batch of dy [O, pixels] * widened^T [pixels, depth] ---- */

/* Units are widened together until they have about a thousand pixels, so that the sums across vectors at the end do not
 * count. */
enum { TOGETHER_PIXELS = 1024, MAX_CHUNKS = 16 };

static uint32_t chunks_of(const conv *v)
{
  return v->tasks / v->splits;
}

static int64_t weight_size(const conv *v)
{
  return v->groups * v->filters * v->depth;
}

/* Floats of the sums of all chunks of the batch, where there are several. */
static int64_t sums_size(const conv *v)
{
  return chunks_of(v) == 1 ? 0 : (chunks_of(v) * weight_size(v) + 15) / 16 * 16;
}

/* Channels `part` of a group, over the images of `r`. */
static void sum_group(const call *c, int64_t group, cpu_range r, cpu_range part, float *buffer, float *dw)
{
  const conv *v = c->v;
  const int64_t filter = v->kernel[0] * v->kernel[1];
  cpu_dots d = {.rows = v->filters,
                .cols = (part.end - part.begin) * filter,
                .length = v->pixels,
                .a_row = v->pixels,
                .a_part = v->groups * v->y_size,
                .b_rows = v->taps + part.begin * filter,
                .b_part = v->plain ? v->groups * v->x_size : v->widened,
                .c = dw + group * v->filters * v->depth + part.begin * filter,
                .c_row = v->depth};
  for (int64_t n = r.begin; n < r.end; n += d.parts) {
    const float *x = c->x + (n * v->groups + group) * v->x_size;
    d.parts = r.end - n < v->together ? r.end - n : v->together;
    d.a = c->y + (n * v->groups + group) * v->y_size;
    d.b = v->plain ? x : buffer;
    for (int64_t j = 0; j < d.parts && !v->plain; j++, x += v->groups * v->x_size)
      cpu_conv_widen(v, part, x, buffer + j * v->widened);
    d.add = n > r.begin;
    cpu_dot_products(&d);
  }
}

static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const conv *v = c->v;
  float *buffer = c->workspace + i * v->together * v->widened;
  float *dw = chunks_of(v) == 1 ? c->out : c->sums + i / v->splits * weight_size(v);
  const share s = share_of(v, i, v->batch, v->channels);
  for (int64_t group = 0; group < v->groups; group++) sum_group(c, group, s.units, s.part, buffer, dw);
}

static dlc_status grad_weight_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const conv *v = state;
  float *sums = workspace;
  call c = {.v = v, .y = in[0], .x = in[1], .out = out[0], .sums = sums, .workspace = sums + sums_size(v)};
  cpu_run(v->device, v->tasks, grad_weight_task, &c);
  if (chunks_of(v) > 1) cpu_sum_rows(sums, chunks_of(v), weight_size(v), out[0]);
  return DLC_OK;
}

dlc_status cpu_conv2d_grad_weight(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_conv2d_grad *a = node->attr;
  const conv_shape s = {cpu_in(g, node, 1), cpu_out(g, node, 0), cpu_in(g, node, 0), a->kernel_size,
                        a->stride,          a->padding,          a->dilation,        a->groups};
  if (cpu_depthwise_fits(&s)) return cpu_depthwise_grad_weight(device, &s, k);
  if (cpu_winograd_grad_weight_fits(&s)) return cpu_winograd_grad_weight(device, &s, k);
  conv *v = cpu_conv_new(device, &s, 0, k);
  if (!v) return DLC_NOMEM;
  v->together = (TOGETHER_PIXELS + v->pixels - 1) / v->pixels;
  if (v->together > v->batch) v->together = v->batch;
  const int64_t pieces = (v->batch + v->together - 1) / v->together;
  set_tasks(v, pieces < MAX_CHUNKS ? pieces : MAX_CHUNKS, v->channels);
  k->workspace = (size_t)(sums_size(v) + v->tasks * v->together * v->widened) * sizeof(float);
  k->launch = grad_weight_launch;
  return DLC_OK;
}
