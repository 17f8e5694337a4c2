/* conv2d and its gradients where every channel has one filter of its own and the stride is 1: too little work a plane
 * for a product of matrices. A plane is copied into a frame with its padding, rows of `width` floats. Then the output,
 * its rows set as far apart, is one run of neighbouring floats, and so is the input under each kernel element:
 *
 *   y[p]  = bias + sum over taps t of weight[t] * frame[p + at[t]]      p: row * width + column
 *   dw[t] = sum over p of dy[p] * frame[p + at[t]], where dy is 0 between its rows
 *
 * The gradient of the input is the same convolution with the filter turned round, of dy in a frame of its own. */
#include "conv.h"
#include <string.h>

typedef struct depthwise {
  const dlc_device *device;
  int64_t batch, channels, taps;
  int64_t from[2], to[2]; /* height, width of the planes that are framed, and of those that a sum gives */
  int64_t top, left, width;
  int64_t run;   /* floats from the first to the last of the output's */
  int64_t frame; /* floats of a frame, and vectors that may be read behind it; whole cache lines */
  bool turned;   /* the filter is */
  uint32_t tasks;
  int64_t at[];
} depthwise;

typedef struct call {
  const depthwise *d;
  const float *x, *w, *bias, *dy;
  float *out, *workspace;
} call;

bool cpu_depthwise_fits(const conv_shape *s)
{
  const int64_t down = (s->kernel[0] - 1) * s->dilation[0], across = (s->kernel[1] - 1) * s->dilation[1];
  return s->groups == s->x->dim[1] && s->groups == s->w->dim[0] && s->groups > 1 && s->stride[0] == 1 &&
         s->stride[1] == 1 && s->padding[0] <= down && s->padding[2] <= down && s->padding[1] <= across &&
         s->padding[3] <= across;
}

static int64_t whole_lines(int64_t floats)
{
  return (floats + 15) / 16 * 16;
}

/* `turned`: x is what comes out, y is framed. */
static depthwise *prepare(const dlc_device *device, const conv_shape *s, bool turned, dlc_kernel *k)
{
  const dlc_value *from = turned ? s->y : s->x, *to = turned ? s->x : s->y;
  const int64_t taps = s->kernel[0] * s->kernel[1];
  depthwise *d = cpu_state(device, k, sizeof *d + (size_t)taps * sizeof d->at[0]);
  if (!d) return NULL;
  *d = (depthwise){.device = device,
                   .batch = from->dim[0],
                   .channels = from->dim[1],
                   .taps = taps,
                   .from = {from->dim[2], from->dim[3]},
                   .to = {to->dim[2], to->dim[3]},
                   .turned = turned};
  const int64_t down = (s->kernel[0] - 1) * s->dilation[0], across = (s->kernel[1] - 1) * s->dilation[1];
  d->top = turned ? down - s->padding[0] : s->padding[0];
  d->left = turned ? across - s->padding[1] : s->padding[1];
  d->width = d->to[1] + across;
  d->run = (d->to[0] - 1) * d->width + d->to[1];
  d->frame = whole_lines((d->to[0] + down) * d->width + 2 * VEC);
  for (int64_t t = 0; t < taps; t++)
    d->at[t] = t / s->kernel[1] * s->dilation[0] * d->width + t % s->kernel[1] * s->dilation[1];
  return d;
}

INLINE void copy_row(float *to, const float *from, int64_t n)
{
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) vec_store(to + i, vec_load(from + i));
  if (i < n) vec_store_part(to + i, vec_first(n - i), vec_load_part(from + i, vec_first(n - i)));
}

/* The padding of a frame stays 0 from one plane to the next. */
static void fill_frame(const depthwise *d, const float *plane, float *frame)
{
  for (int64_t r = 0; r < d->from[0]; r++)
    copy_row(frame + (d->top + r) * d->width + d->left, plane + r * d->from[1], d->from[1]);
}

/* ---- forward and gradient of the input ---- */

enum { ABREAST = 4 }; /* vectors that are summed at a time */

static void convolve(const depthwise *d, const float *frame, const float *w, float bias, float *sums)
{
  for (int64_t p = 0; p < d->run; p += ABREAST * VEC) {
    vec acc[ABREAST];
    const int64_t left = (d->run - p + VEC - 1) / VEC;
    for (int v = 0; v < ABREAST; v++) acc[v] = vec_all(bias);
    if (left >= ABREAST) {
      for (int64_t t = 0; t < d->taps; t++) {
        const vec weight = vec_all(w[d->turned ? d->taps - 1 - t : t]);
#pragma GCC unroll 4
        for (int v = 0; v < ABREAST; v++) acc[v] = vec_fma(weight, vec_load(frame + p + d->at[t] + v * VEC), acc[v]);
      }
    } else {
      for (int64_t t = 0; t < d->taps; t++) {
        const vec weight = vec_all(w[d->turned ? d->taps - 1 - t : t]);
        for (int v = 0; v < left; v++) acc[v] = vec_fma(weight, vec_load(frame + p + d->at[t] + v * VEC), acc[v]);
      }
    }
    for (int v = 0; v < ABREAST; v++) vec_store(sums + p + v * VEC, acc[v]);
  }
}

static int64_t sums_size(const depthwise *d)
{
  return whole_lines(d->run + ABREAST * VEC);
}

static void convolve_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const depthwise *d = c->d;
  float *frame = c->workspace + i * (d->frame + sums_size(d)), *sums = frame + d->frame;
  memset(frame, 0, (size_t)d->frame * sizeof *frame);
  const cpu_range r = cpu_piece(d->batch * d->channels, d->tasks, i);
  for (int64_t u = r.begin; u < r.end; u++) {
    const int64_t channel = u % d->channels;
    float *to = c->out + u * d->to[0] * d->to[1];
    fill_frame(d, c->x + u * d->from[0] * d->from[1], frame);
    convolve(d, frame, c->w + channel * d->taps, c->bias ? c->bias[channel] : 0, sums);
    for (int64_t row = 0; row < d->to[0]; row++) copy_row(to + row * d->to[1], sums + row * d->width, d->to[1]);
  }
}

static dlc_status convolve_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const depthwise *d = state;
  call c = {.d = d, .x = in[0], .w = in[1], .out = out[0], .workspace = workspace};
  cpu_run(d->device, d->tasks, convolve_task, &c);
  return DLC_OK;
}

static dlc_status convolve_launch_bias(void *state, const void *const *in, void *const *out, void *workspace)
{
  const depthwise *d = state;
  call c = {.d = d, .x = in[0], .w = in[1], .bias = in[2], .out = out[0], .workspace = workspace};
  cpu_run(d->device, d->tasks, convolve_task, &c);
  return DLC_OK;
}

static double flops(const depthwise *d)
{
  return 2.0 * (double)(d->batch * d->channels * d->taps) * (double)d->run;
}

static dlc_status prepare_convolve(const dlc_device *device, const conv_shape *s, bool turned, dlc_kernel *k)
{
  depthwise *d = prepare(device, s, turned, k);
  if (!d) return DLC_NOMEM;
  d->tasks = cpu_task_count(flops(d), CPU_GRAIN_FLOPS, d->batch * d->channels);
  k->workspace = d->tasks * (size_t)(d->frame + sums_size(d)) * sizeof(float);
  k->launch = convolve_launch;
  return DLC_OK;
}

dlc_status cpu_depthwise(const dlc_device *device, const conv_shape *s, bool bias, dlc_kernel *k)
{
  const dlc_status status = prepare_convolve(device, s, false, k);
  if (status >= 0 && bias) k->launch = convolve_launch_bias;
  return status;
}

dlc_status cpu_depthwise_grad_input(const dlc_device *device, const conv_shape *s, dlc_kernel *k)
{
  return prepare_convolve(device, s, true, k);
}

/* ---- gradient of the weight: tasks are pieces of the channels ---- */

/* Adds one image to the sums of a channel's taps. */
static void add_taps(const depthwise *d, const float *frame, const float *dy, vec *sums)
{
  for (int64_t t = 0; t < d->taps; t++) {
    vec acc[2] = {{0}, {0}};
    int64_t p = 0;
    for (; p + VEC < d->run; p += 2 * VEC)
      for (int v = 0; v < 2; v++)
        acc[v] = vec_fma(vec_load(dy + p + v * VEC), vec_load(frame + p + d->at[t] + v * VEC), acc[v]);
    if (p < d->run) acc[0] = vec_fma(vec_load(dy + p), vec_load(frame + p + d->at[t]), acc[0]);
    sums[t] += acc[0] + acc[1];
  }
}

enum { BLOCK = 8 }; /* neighbouring channels that are read together */

/* Floats of a task's workspace: the frame, dy with its rows as far apart, the sums of the taps of a block. */
static int64_t weight_workspace(const depthwise *d)
{
  return d->frame + sums_size(d) + whole_lines(BLOCK * d->taps * VEC);
}

/* Channels [begin, end), at most a block. */
static void sum_channels(const call *c, cpu_range r, float *frame)
{
  const depthwise *d = c->d;
  float *dy = frame + d->frame;
  vec *sums = (vec *)(void *)(dy + sums_size(d));
  memset(sums, 0, (size_t)(BLOCK * d->taps) * sizeof *sums);
  for (int64_t n = 0; n < d->batch; n++)
    for (int64_t channel = r.begin; channel < r.end; channel++) {
      const int64_t u = n * d->channels + channel;
      const float *from = c->dy + u * d->to[0] * d->to[1];
      fill_frame(d, c->x + u * d->from[0] * d->from[1], frame);
      for (int64_t row = 0; row < d->to[0]; row++) copy_row(dy + row * d->width, from + row * d->to[1], d->to[1]);
      add_taps(d, frame, dy, sums + (channel - r.begin) * d->taps);
    }
  for (int64_t t = 0; t < (r.end - r.begin) * d->taps; t++) c->out[r.begin * d->taps + t] = vec_sum(sums[t]);
}

static void weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const depthwise *d = c->d;
  float *frame = c->workspace + i * weight_workspace(d);
  memset(frame, 0, (size_t)(d->frame + sums_size(d)) * sizeof *frame);
  const cpu_range r = cpu_piece(d->channels, d->tasks, i);
  for (int64_t first = r.begin; first < r.end; first += BLOCK)
    sum_channels(c, (cpu_range){first, first + BLOCK < r.end ? first + BLOCK : r.end}, frame);
}

static dlc_status weight_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const depthwise *d = state;
  call c = {.d = d, .dy = in[0], .x = in[1], .out = out[0], .workspace = workspace};
  cpu_run(d->device, d->tasks, weight_task, &c);
  return DLC_OK;
}

dlc_status cpu_depthwise_grad_weight(const dlc_device *device, const conv_shape *s, dlc_kernel *k)
{
  depthwise *d = prepare(device, s, false, k);
  if (!d) return DLC_NOMEM;
  d->tasks = cpu_task_count(flops(d), CPU_GRAIN_FLOPS, d->channels);
  k->workspace = d->tasks * (size_t)weight_workspace(d) * sizeof(float);
  k->launch = weight_launch;
  return DLC_OK;
}
