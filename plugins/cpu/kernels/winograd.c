/* conv2d and its gradients on the tiles of winograd.h. The gradient of the input is the convolution of dy with the
 * turned weight; that of the weight goes the forward pass's way backwards:
 *
 *   d points of the weight [channels, filters] = points of x^T [channels, tiles] * points of dy [tiles, filters]
 *
 * Tasks are pieces of the tile rows of all pictures, and where those are few, of the filters (in the gradient of the
 * weight: of the channels), too. */
#include "winograd.h"
#include "conv.h"
#include <string.h>

typedef struct plan {
  winograd w;
  const dlc_device *device;
  int64_t rows;           /* of tiles, in all pictures */
  int64_t together;       /* of those, how many a product has at most */
  uint32_t tasks, splits; /* splits: tasks that share the same rows */
  int64_t input, output;  /* channels and filters that a task has */
  bool turned, bias;
  int64_t weight;                    /* floats between the points of the weight */
  int64_t input_point, output_point; /* those of `together` rows */
  int64_t buffer; /* floats of a task's buffers: points of the input, points of the output, rows, strip */
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

static plan *prepare(const dlc_device *device, const conv_shape *c, bool turned, dlc_kernel *k)
{
  const dlc_value *from = turned ? c->y : c->x, *to = turned ? c->x : c->y;
  plan *s = cpu_state(device, k, sizeof *s);
  if (!s) return NULL;
  s->device = device;
  s->turned = turned;
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
  s->rows = from->dim[0] * w->tiles[0];
  s->input = w->channels;
  s->output = w->filters;
  return s;
}

/* With fewer tiles, a product takes longer to read the weight than to compute. */
enum { MAX_TASKS = 16, LEAST_TILES = 48, LEAST_PART = 64 };

/* Cuts the rows into at most `limit` pieces of `tiles` or more; where these are few, tasks have parts of what is
 * `shared`: s->input or s->output. `points`: floats of points that a task should have at a time. */
static void cut(plan *s, int64_t limit, int64_t tiles, int64_t *shared, int64_t points)
{
  const winograd *w = &s->w;
  int64_t pieces = at_most(at_most(s->rows * w->tiles[1] / tiles, limit), at_most(s->rows, MAX_TASKS));
  if (pieces < 1) pieces = 1;
  int64_t splits = MAX_TASKS / pieces;
  while (splits > 1 && *shared % (splits * LEAST_PART) != 0) splits--;
  *shared /= splits;
  s->splits = (uint32_t)splits;
  s->tasks = (uint32_t)(pieces * splits);

  const int64_t fit = points / (w->points * (s->input + s->output));
  s->together = at_most((fit > LEAST_TILES ? fit : LEAST_TILES) / w->tiles[1] + 1, (s->rows + pieces - 1) / pieces);
  /* A cache line more, or all points would compete for the same places of a cache. */
  s->weight = w->channels * w->filters + 16;
  s->input_point = s->together * w->tiles[1] * s->input + 16;
  s->output_point = s->together * w->tiles[1] * s->output + 16;
  s->buffer = w->points * (s->input_point + s->output_point) + cpu_winograd_rows_size(w) + cpu_winograd_strip_size(w);
  s->buffer = (s->buffer + 15) / 16 * 16;
}

/* ---- what a task works on ---- */

typedef struct block {
  cpu_range rows, channels, filters;
  float *input, *output; /* points */
  tile_row row;
} block;

static cpu_range part_of(int64_t all, int64_t part, int64_t i)
{
  return part == all ? (cpu_range){0, all} : (cpu_range){i * part, (i + 1) * part};
}

static block begin(const call *c, uint32_t task)
{
  const plan *s = c->s;
  const winograd *w = &s->w;
  block b = {.channels = part_of(w->channels, s->input, task % s->splits),
             .filters = part_of(w->filters, s->output, task % s->splits),
             .input = c->buffers + task * s->buffer};
  b.output = b.input + w->points * s->input_point;
  b.row = (tile_row){.w = w, .rows = b.output + w->points * s->output_point};
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
  const cpu_range r = input ? b->channels : b->filters;
  t->tile = r.end - r.begin;
  t->point = input ? s->input_point : s->output_point;
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

/* The rows of a task in blocks, as even as can be: calls `work` for each. */
static void each_block(const call *c, uint32_t task, void (*work)(const call *c, block *b))
{
  const plan *s = c->s;
  const cpu_range rows = cpu_piece(s->rows, s->tasks / s->splits, task / s->splits);
  const int64_t n = rows.end - rows.begin;
  const uint32_t blocks = (uint32_t)((n + s->together - 1) / s->together);
  block b = begin(c, task);
  for (uint32_t i = 0; i < blocks; i++) {
    const cpu_range r = cpu_piece(n, blocks, i);
    b.rows = (cpu_range){rows.begin + r.begin, rows.begin + r.end};
    work(c, &b);
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
                          c->s->turned, c->points + channel * w->filters + f, c->s->weight);
}

static void convolve(const call *c, block *b)
{
  const plan *s = c->s;
  const winograd *w = &s->w;
  each_row(c, b, INPUT, c->x, NULL);
  cpu_product p = {.rows = (b->rows.end - b->rows.begin) * w->tiles[1],
                   .cols = s->output,
                   .depth = w->channels,
                   .a_row = w->channels,
                   .a_step = 1,
                   .b_row = w->filters,
                   .c_row = s->output};
  for (int64_t i = 0; i < w->points; i++) {
    p.a = b->input + i * s->input_point;
    p.b = c->points + i * s->weight + b->filters.begin;
    p.c = b->output + i * s->output_point;
    cpu_multiply(&p);
  }
  each_row(c, b, OUTPUT, NULL, c->out);
}

static void convolve_task(void *arg, uint32_t i)
{
  each_block(arg, i, convolve);
}

static dlc_status convolve_launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const plan *s = state;
  float *points = workspace;
  call c = {.s = s, .x = in[0], .w = in[1], .bias = s->bias ? in[2] : NULL, .out = out[0], .points = points};
  c.buffers = points + s->w.points * s->weight;
  cpu_run(s->device, s->tasks, weight_task, &c);
  cpu_run(s->device, s->tasks, convolve_task, &c);
  return DLC_OK;
}

/* About what a second-level cache holds, in floats. */
enum { CONVOLVE_POINTS = 1 << 17 };

static dlc_status prepare_convolve(const dlc_device *device, const conv_shape *c, bool turned, bool bias, dlc_kernel *k)
{
  plan *s = prepare(device, c, turned, k);
  if (!s) return DLC_NOMEM;
  s->bias = bias;
  cut(s, MAX_TASKS, LEAST_TILES, &s->output, CONVOLVE_POINTS);
  k->workspace = (size_t)(s->w.points * s->weight + s->tasks * s->buffer) * sizeof(float);
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
  each_row(c, b, INPUT, c->x, NULL);
  each_row(c, b, GRAD_OUTPUT, c->dy, NULL);
  cpu_product p = {.rows = w->filters,
                   .cols = s->input,
                   .depth = (b->rows.end - b->rows.begin) * w->tiles[1],
                   .a_row = 1,
                   .a_step = w->filters,
                   .b_row = s->input,
                   .c_row = w->channels,
                   .add = true};
  for (int64_t i = 0; i < w->points; i++) {
    p.a = b->output + i * s->output_point;
    p.b = b->input + i * s->input_point;
    p.c = c->points + i * s->weight + b->channels.begin;
    cpu_multiply(&p);
  }
}

/* Into the sums of the task's rows, [point][filter][channel]. */
static void correlate_task(void *arg, uint32_t i)
{
  call c = *(const call *)arg;
  const plan *s = c.s;
  const winograd *w = &s->w;
  const int64_t first = part_of(w->channels, s->input, i % s->splits).begin;
  c.points += i / s->splits * w->points * s->weight;
  for (int64_t p = 0; p < w->points; p++)
    for (int64_t f = 0; f < w->filters; f++)
      memset(c.points + p * s->weight + f * w->channels + first, 0, (size_t)s->input * sizeof(float));
  each_block(&c, i, correlate);
}

/* Tasks are pieces of the filters: adds up the sums of all rows. */
static void grad_weight_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const winograd *w = &c->s->w;
  const int64_t kernel = w->kernel * w->kernel, size = c->s->weight, pieces = c->s->tasks / c->s->splits;
  const cpu_range r = cpu_piece(w->filters, c->s->tasks, i);
  for (int64_t f = r.begin; f < r.end; f++)
    for (int64_t channel = 0; channel < w->channels; channel += VEC) {
      float sums[16 * VEC];
      const int64_t at = f * w->channels + channel;
      for (int64_t p = 0; p < w->points; p++) {
        vec sum = vec_load(c->points + p * size + at);
        for (int64_t j = 1; j < pieces; j++) sum += vec_load(c->points + (j * w->points + p) * size + at);
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
  c.buffers = points + s->tasks / s->splits * s->w.points * s->weight;
  cpu_run(s->device, s->tasks, correlate_task, &c);
  cpu_run(s->device, s->tasks, grad_weight_task, &c);
  return DLC_OK;
}

/* Each piece of the rows has sums of its own: it must have tiles enough to make up for adding those, and they take
 * memory. */
enum { CORRELATE_POINTS = 1 << 18, CORRELATE_TILES = 256, SUMS = 1 << 22 };

dlc_status cpu_winograd_grad_weight(const dlc_device *device, const conv_shape *c, dlc_kernel *k)
{
  plan *s = prepare(device, c, false, k);
  if (!s) return DLC_NOMEM;
  const winograd *w = &s->w;
  cut(s, SUMS / (w->points * w->channels * w->filters), CORRELATE_TILES, &s->input, CORRELATE_POINTS);
  k->workspace = (size_t)(s->tasks / s->splits * w->points * s->weight + s->tasks * s->buffer) * sizeof(float);
  k->launch = correlate_launch;
  return DLC_OK;
}
