/* conv2d and its gradients on the tiles of winograd.h. The gradient of the input is the convolution of dy with the
 * turned weight; that of the weight goes the forward pass's way backwards:
 *
 *   d points of the weight [channels, filters] = points of x^T [channels, tiles] * points of dy [tiles, filters]
 *
 * Tasks are pieces of the tile rows of all pictures, in the gradient of the weight also of the channels. */
#include "winograd.h"
#include "conv.h"
#include <string.h>

typedef struct plan {
  winograd w; /* first */
  const dlc_device *device;
  int64_t rows;           /* of tiles, in all pictures */
  int64_t together;       /* of those, how many a product has at most */
  uint32_t tasks, splits; /* grad_weight: splits tasks share the same rows, each has a part of the channels */
  bool turned, bias;
  int64_t input, output; /* floats between the points of `together` rows in the buffers below */
  int64_t buffer;        /* floats of a task's buffers: points of the input, points of the output, rows, strip */
} plan;

typedef struct call {
  const plan *s;
  const float *x, *w, *bias, *dy;
  float *out, *points, *buffers; /* points: of the weight, or their gradients */
} call;

/* Tiles hang over the edges of odd planes, which leaves little to win on small ones. */
bool cpu_winograd_fits(const conv_shape *s)
{
  const int64_t k = s->kernel[0], *in = &s->x->dim[2], *out = &s->y->dim[2], least = 2 * (k - 1);
  for (int i = 0; i < 2; i++)
    if (s->kernel[i] != k || s->stride[i] != 1 || s->dilation[i] != 1 || in[i] < least || out[i] < least) return false;
  for (int i = 0; i < 4; i++)
    if (s->padding[i] >= k) return false;
  const int64_t tiles = (out[0] + 1) / 2 * ((out[1] + 1) / 2), products = tiles * (k + 1) * (k + 1);
  return (k == 3 || k == 5) && s->groups == 1 && s->x->dim[1] % WINOGRAD_CHANNELS == 0 &&
         s->w->dim[0] % WINOGRAD_CHANNELS == 0 && 3 * products < 2 * out[0] * out[1] * k * k;
}

/* The gradient of a 5x5 weight would be ten times less exact than by plain sums. */
bool cpu_winograd_grad_weight_fits(const conv_shape *s)
{
  return s->kernel[0] == 3 && cpu_winograd_fits(s);
}

static int64_t at_most(int64_t n, int64_t limit)
{
  return n < limit ? n : limit;
}

enum { MAX_TASKS = 16 };

/* `points`: floats of the points of a task that are in work at a time. */
static plan *prepare(const dlc_device *device, const conv_shape *c, bool turned, int64_t splits, int64_t points,
                     dlc_kernel *k)
{
  const dlc_value *from = turned ? c->y : c->x, *to = turned ? c->x : c->y;
  plan *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  winograd *w = &s->w;
  *w = (winograd){.kernel = c->kernel[0],
                  .side = c->kernel[0] + WINOGRAD_TILE - 1,
                  .channels = from->dim[1],
                  .filters = to->dim[1],
                  .in = {from->dim[2], from->dim[3]},
                  .out = {to->dim[2], to->dim[3]},
                  .top = turned ? c->kernel[0] - 1 - c->padding[0] : c->padding[0],
                  .left = turned ? c->kernel[1] - 1 - c->padding[1] : c->padding[1]};
  w->points = w->side * w->side;
  for (int i = 0; i < 2; i++) w->tiles[i] = (w->out[i] + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
  w->strip_width = WINOGRAD_TILE * w->tiles[1] + w->kernel - 1;
  s->device = device;
  s->turned = turned;
  s->rows = from->dim[0] * w->tiles[0];
  const int64_t part = w->channels / splits, row = w->points * w->tiles[1] * (part + w->filters);
  s->together = at_most(points / row + 1, (s->rows + MAX_TASKS - 1) / MAX_TASKS);
  s->splits = (uint32_t)splits;
  s->tasks = (uint32_t)(splits * at_most((s->rows + s->together - 1) / s->together, MAX_TASKS / splits));
  /* A cache line more, or all points of a tile would compete for the same places of a cache. */
  s->input = s->together * w->tiles[1] * part + 16;
  s->output = s->together * w->tiles[1] * w->filters + 16;
  s->buffer = w->points * (s->input + s->output) + cpu_winograd_rows_size(w) + cpu_winograd_strip_size(w);
  s->buffer = (s->buffer + 15) / 16 * 16;
  return s;
}

/* ---- what a task works on ---- */

typedef struct block {
  cpu_range rows, channels;
  float *input, *output; /* points */
  tile_row row;
} block;

static block begin(const call *c, uint32_t task)
{
  const plan *s = c->s;
  const winograd *w = &s->w;
  block b = {.input = c->buffers + task * s->buffer};
  b.output = b.input + w->points * s->input;
  b.row = (tile_row){.w = w, .rows = b.output + w->points * s->output};
  b.row.strip = b.row.rows + cpu_winograd_rows_size(w);
  memset(b.row.strip, 0, (size_t)cpu_winograd_strip_size(w) * sizeof(float));
  return b;
}

enum direction { INPUT, OUTPUT, GRAD_OUTPUT };

/* The points of the block's rows from, or to, what they belong to. */
static void each_row(const call *c, block *b, enum direction direction, const float *from, float *to)
{
  const plan *s = c->s;
  const winograd *w = &s->w;
  tile_row *t = &b->row;
  const bool input = direction == INPUT;
  const int64_t planes = input ? w->channels : w->filters, *size = input ? w->in : w->out;
  const cpu_range r = input ? b->channels : (cpu_range){0, w->filters};
  t->tile = r.end - r.begin;
  t->point = input ? s->input : s->output;
  for (int64_t q = b->rows.begin; q < b->rows.end; q++)
    for (int64_t first = r.begin; first < r.end; first += VEC) {
      const int64_t plane = (q / w->tiles[0] * planes + first) * size[0] * size[1];
      t->row = q % w->tiles[0];
      t->points = (input ? b->input : b->output) + (q - b->rows.begin) * w->tiles[1] * t->tile + first - r.begin;
      if (input) cpu_winograd_input(t, from + plane);
      else if (direction == GRAD_OUTPUT) cpu_winograd_grad_output(t, from + plane);
      else cpu_winograd_output(t, c->bias ? c->bias + first : NULL, to + plane);
    }
}

/* The blocks of the rows of a task, as even as can be: calls `work` for each. */
static void each_block(const call *c, block *b, cpu_range rows, void (*work)(const call *c, block *b))
{
  const int64_t n = rows.end - rows.begin;
  const uint32_t blocks = (uint32_t)((n + c->s->together - 1) / c->s->together);
  for (uint32_t i = 0; i < blocks; i++) {
    const cpu_range r = cpu_piece(n, blocks, i);
    b->rows = (cpu_range){rows.begin + r.begin, rows.begin + r.end};
    work(c, b);
  }
}

/* ---- forward, and the gradient of the input ---- */

/* Tasks are pieces of the channels: the points of the weight, [point][channel][filter]. */
static void weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const winograd *w = &c->s->w;
  const int64_t kernel = w->kernel * w->kernel, filter = c->s->turned ? kernel : w->channels * kernel;
  const cpu_range r = cpu_piece(w->channels, c->s->tasks, i);
  for (int64_t channel = r.begin; channel < r.end; channel++)
    for (int64_t f = 0; f < w->filters; f += VEC)
      cpu_winograd_weight(w, c->w + f * filter + channel * (c->s->turned ? w->filters * kernel : kernel), filter,
                          c->s->turned, c->points + channel * w->filters + f, w->channels * w->filters);
}

static void convolve(const call *c, block *b)
{
  const winograd *w = &c->s->w;
  each_row(c, b, INPUT, c->x, NULL);
  cpu_product p = {.rows = (b->rows.end - b->rows.begin) * w->tiles[1],
                   .cols = w->filters,
                   .depth = w->channels,
                   .a_row = w->channels,
                   .a_step = 1,
                   .b_row = w->filters,
                   .c_row = w->filters};
  for (int64_t i = 0; i < w->points; i++) {
    p.a = b->input + i * c->s->input;
    p.b = c->points + i * w->channels * w->filters;
    p.c = b->output + i * c->s->output;
    cpu_multiply(&p);
  }
  each_row(c, b, OUTPUT, NULL, c->out);
}

static void convolve_task(void *arg, uint32_t i)
{
  const call *c = arg;
  block b = begin(c, i);
  b.channels = (cpu_range){0, c->s->w.channels};
  each_block(c, &b, cpu_piece(c->s->rows, c->s->tasks, i), convolve);
}

static dlc_status convolve_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const plan *s = state;
  float *points = workspace;
  call c = {.s = s, .x = in[0], .w = in[1], .bias = s->bias ? in[2] : NULL, .out = out[0], .points = points};
  c.buffers = points + s->w.points * s->w.channels * s->w.filters;
  cpu_run(s->device, s->tasks, weight_task, &c);
  cpu_run(s->device, s->tasks, convolve_task, &c);
  return DLC_OK;
}

/* About what a second-level cache holds, in floats. */
enum { CONVOLVE_POINTS = 1 << 17 };

static dlc_status prepare_convolve(const dlc_device *device, const conv_shape *c, bool turned, bool bias, dlc_kernel *k)
{
  plan *s = prepare(device, c, turned, 1, CONVOLVE_POINTS, k);
  if (!s) return DLC_NOMEM;
  s->bias = bias;
  k->workspace = (size_t)(s->w.points * s->w.channels * s->w.filters + s->tasks * s->buffer) * sizeof(float);
  k->launch = convolve_launch;
  return DLC_OK;
}

dlc_status cpu_winograd(const dlc_device *device, const conv_shape *s, bool bias, dlc_kernel *k)
{
  return prepare_convolve(device, s, false, bias, k);
}

dlc_status cpu_winograd_grad_input(const dlc_device *device, const conv_shape *s, dlc_kernel *k)
{
  return prepare_convolve(device, s, true, false, k);
}

/* ---- the gradient of the weight ---- */

static void correlate(const call *c, block *b)
{
  const plan *s = c->s;
  const winograd *w = &s->w;
  const int64_t part = b->channels.end - b->channels.begin, size = w->channels * w->filters;
  each_row(c, b, INPUT, c->x, NULL);
  each_row(c, b, GRAD_OUTPUT, c->dy, NULL);
  cpu_product p = {.rows = w->filters,
                   .cols = part,
                   .depth = (b->rows.end - b->rows.begin) * w->tiles[1],
                   .a_row = 1,
                   .a_step = w->filters,
                   .b_row = part,
                   .c_row = w->channels,
                   .add = true};
  for (int64_t i = 0; i < w->points; i++) {
    p.a = b->output + i * s->output;
    p.b = b->input + i * s->input;
    p.c = c->points + i * size + b->channels.begin;
    cpu_multiply(&p);
  }
}

/* Into the sums of its rows, [point][filter][channel]. */
static void correlate_task(void *arg, uint32_t i)
{
  call c = *(const call *)arg;
  const plan *s = c.s;
  const winograd *w = &s->w;
  const uint32_t chunk = i / s->splits;
  const cpu_range part = cpu_piece(w->channels / WINOGRAD_CHANNELS, s->splits, i % s->splits);
  block b = begin(&c, i);
  b.channels = (cpu_range){part.begin * WINOGRAD_CHANNELS, part.end * WINOGRAD_CHANNELS};
  c.points += chunk * w->points * w->channels * w->filters;
  for (int64_t row = 0; row < w->points * w->filters; row++)
    memset(c.points + row * w->channels + b.channels.begin, 0,
           (size_t)(b.channels.end - b.channels.begin) * sizeof(float));
  each_block(&c, &b, cpu_piece(s->rows, s->tasks / s->splits, chunk), correlate);
}

/* Tasks are pieces of the filters: sums up what the chunks have. */
static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const winograd *w = &c->s->w;
  const int64_t size = w->channels * w->filters, kernel = w->kernel * w->kernel, chunks = c->s->tasks / c->s->splits;
  const cpu_range r = cpu_piece(w->filters, c->s->tasks, i);
  for (int64_t f = r.begin; f < r.end; f++)
    for (int64_t channel = 0; channel < w->channels; channel += VEC) {
      float sums[16 * VEC];
      const int64_t at = f * w->channels + channel;
      for (int64_t p = 0; p < w->points; p++) {
        vec sum = vec_load(c->points + p * size + at);
        for (int64_t j = 1; j < chunks; j++) sum += vec_load(c->points + (j * w->points + p) * size + at);
        vec_store(sums + p * VEC, sum);
      }
      cpu_winograd_grad_weight_of(sums, VEC, kernel, c->out + at * kernel);
    }
}

static dlc_status correlate_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const plan *s = state;
  float *points = workspace;
  call c = {.s = s, .dy = in[0], .x = in[1], .out = out[0], .points = points};
  c.buffers = points + s->tasks / s->splits * s->w.points * s->w.channels * s->w.filters;
  cpu_run(s->device, s->tasks, correlate_task, &c);
  cpu_run(s->device, s->tasks, grad_weight_task, &c);
  return DLC_OK;
}

enum { CORRELATE_POINTS = 1 << 18, SUMS = 1 << 22, PART = 64 };

dlc_status cpu_winograd_grad_weight(const dlc_device *device, const conv_shape *c, dlc_kernel *k)
{
  const int64_t side = c->kernel[0] + WINOGRAD_TILE - 1, channels = c->x->dim[1];
  const int64_t chunks = at_most((SUMS - 1) / (side * side * channels * c->y->dim[1]) + 1, MAX_TASKS);
  int64_t splits = MAX_TASKS / chunks;
  while (splits > 1 && channels % (splits * PART) != 0) splits--;
  plan *s = prepare(device, c, false, splits, CORRELATE_POINTS, k);
  if (!s) return DLC_NOMEM;
  k->workspace = (size_t)(s->tasks / s->splits * s->w.points * s->w.channels * s->w.filters + s->tasks * s->buffer) *
                 sizeof(float);
  k->launch = correlate_launch;
  return DLC_OK;
}
