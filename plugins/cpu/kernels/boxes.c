/* Ops whose outputs are sums over boxes of a plane, divided or not, and those that spread numbers over such boxes:
 * avg_pool2d, adaptive_avg_pool2d, upsample_nearest2d and their gradients. Tasks are pieces of the planes (one image's
 * channel). */
#include "kernels.h"

/* The inputs from begin to end (excluded) along one side of a box; the sum is divided by `count`. */
typedef struct side {
  int64_t begin, end;
  float count;
} side;
/* Of output `o`; i: 0 along the height, 1 along the width. */
typedef side side_of(const void *attr, int i, int64_t in, int64_t out, int64_t o);

typedef struct boxes boxes;
typedef void plane_task(const boxes *b, const float *from, float *to, float *row);

struct boxes {
  const dlc_device *device;
  int64_t planes, in[2], out[2]; /* in: what the boxes lie on, in a gradient too */
  int64_t from_plane, to_plane;  /* elements of one each */
  float factor;                  /* of `whole` and `quarters`, where it is everywhere the same */
  plane_task *task;
  uint32_t tasks;
  side *rows, *cols; /* of each output; behind the struct */
};

typedef struct call {
  const boxes *b;
  const float *from;
  float *to;
  float *row; /* room for a row of `in`, of each task */
} call;

static void run_task(void *arg, uint32_t i)
{
  const call *c = arg;
  const boxes *b = c->b;
  const cpu_range r = cpu_piece(b->planes, b->tasks, i);
  for (int64_t p = r.begin; p < r.end; p++)
    b->task(b, c->from + p * b->from_plane, c->to + p * b->to_plane, c->row + i * b->in[1]);
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  const boxes *b = state;
  call c = {b, in[0], out[0], workspace};
  cpu_run(b->device, b->tasks, run_task, &c);
  return DLC_OK;
}

/* ---- sums ---- */

static void sum_whole(const boxes *b, const float *x, float *y, float *row)
{
  (void)row;
  vec sum[4] = {{0}};
  int64_t i = 0;
  for (; i + 4 * VEC <= b->from_plane; i += 4 * VEC)
    for (int j = 0; j < 4; j++) sum[j] += vec_load(x + i + j * VEC);
  for (; i + VEC <= b->from_plane; i += VEC) sum[0] += vec_load(x + i);
  sum[1] += vec_load_part(x + i, vec_first(b->from_plane - i));
  *y = b->factor * vec_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* One row of `lanes` boxes of 2x2: 2 * lanes elements, of which the neighbours are added. */
INLINE vec add_pairs(const float *x, int64_t lanes)
{
  vec v[2];
  vec_load_pairs(x, lanes, v);
  return vec_even(v[0], v[1]) + vec_odd(v[0], v[1]);
}

static void sum_quarters(const boxes *b, const float *x, float *y, float *row)
{
  (void)row;
  const int64_t width = b->in[1], n = b->out[1];
  for (int64_t oh = 0; oh < b->out[0]; oh++, x += 2 * width, y += n)
    for (int64_t i = 0; i < n; i += VEC) {
      const int64_t lanes = n - i < VEC ? n - i : VEC;
      const vec sum = add_pairs(x + 2 * i, lanes) + add_pairs(x + width + 2 * i, lanes);
      if (lanes == VEC) vec_store(y + i, b->factor * sum);
      else vec_store_part(y + i, vec_first(lanes), b->factor * sum);
    }
}

/* row = the sum of the rows from begin to end of x. */
static void sum_rows(const float *x, int64_t width, int64_t begin, int64_t end, float *row)
{
  int64_t i = 0;
  for (; i + VEC <= width; i += VEC) {
    vec sum = vec_load(x + begin * width + i);
    for (int64_t r = begin + 1; r < end; r++) sum += vec_load(x + r * width + i);
    vec_store(row + i, sum);
  }
  const vec_mask rest = vec_first(width - i);
  vec sum = {0};
  for (int64_t r = begin; r < end && i < width; r++) sum += vec_load_part(x + r * width + i, rest);
  vec_store_part(row + i, rest, sum);
}

static void sum_any(const boxes *b, const float *x, float *y, float *row)
{
  for (int64_t oh = 0; oh < b->out[0]; oh++, y += b->out[1]) {
    sum_rows(x, b->in[1], b->rows[oh].begin, b->rows[oh].end, row);
    for (int64_t ow = 0; ow < b->out[1]; ow++) {
      const side s = b->cols[ow];
      float sum = 0;
      for (int64_t i = s.begin; i < s.end; i++) sum += row[i];
      y[ow] = sum / (b->rows[oh].count * s.count);
    }
  }
}

/* ---- the same number to every element of a box ---- */

static void fill(float *x, int64_t n, float v)
{
  for (int64_t i = 0; i < n; i++) x[i] = v;
}

static void spread_whole(const boxes *b, const float *dy, float *dx, float *row)
{
  (void)row;
  fill(dx, b->to_plane, b->factor * *dy);
}

static void spread_quarters(const boxes *b, const float *dy, float *dx, float *row)
{
  (void)row;
  const int64_t width = b->in[1], n = b->out[1];
  for (int64_t oh = 0; oh < b->out[0]; oh++, dy += n, dx += 2 * width) {
    float *below = dx + width;
    for (int64_t i = 0; i < n; i += VEC) {
      const int64_t lanes = n - i < VEC ? n - i : VEC;
      const vec d = b->factor * (lanes == VEC ? vec_load(dy + i) : vec_load_part(dy + i, vec_first(lanes)));
      const vec low = vec_zip_low(d, d), high = vec_zip_high(d, d);
      vec_store_pairs(dx + 2 * i, lanes, low, high);
      vec_store_pairs(below + 2 * i, lanes, low, high);
    }
    fill(dx + 2 * n, width - 2 * n, 0);
    fill(below + 2 * n, width - 2 * n, 0);
  }
  fill(dx, (b->in[0] - 2 * b->out[0]) * width, 0);
}

static void add_row(float *to, const float *row, int64_t n)
{
  for (int64_t i = 0; i < n; i++) to[i] += row[i];
}

/* Boxes begin and end in the order of the outputs: rows before `done` were written by those before. */
static void spread_any(const boxes *b, const float *dy, float *dx, float *row)
{
  const int64_t width = b->in[1];
  int64_t done = 0;
  for (int64_t oh = 0; oh < b->out[0]; oh++, dy += b->out[1]) {
    const side r = b->rows[oh];
    fill(row, width, 0);
    for (int64_t ow = 0; ow < b->out[1]; ow++) {
      const side s = b->cols[ow];
      const float d = dy[ow] / (r.count * s.count);
      for (int64_t i = s.begin; i < s.end; i++) row[i] += d;
    }
    for (int64_t i = r.begin; i < r.end && i < done; i++) add_row(dx + i * width, row, width);
    for (; done < r.begin; done++) fill(dx + done * width, width, 0);
    for (; done < r.end; done++) memcpy(dx + done * width, row, (size_t)width * sizeof *row);
  }
  fill(dx + done * width, (b->in[0] - done) * width, 0);
}

/* ---- preparing ---- */

static bool is_whole(const side *s, int64_t in, int64_t out)
{
  return out == 1 && s->begin == 0 && s->end == in;
}

static bool are_halves(const side *s, int64_t out)
{
  for (int64_t o = 0; o < out; o++)
    if (s[o].begin != 2 * o || s[o].end != 2 * o + 2 || s[o].count != s[0].count) return false;
  return true;
}

/* `x`: what the boxes lie on; `y`: a number for each box. `spreads`: from y to x. */
static dlc_status prepare(const dlc_device *device, const dlc_value *x, const dlc_value *y, side_of *side_at,
                          const void *attr, bool spreads, dlc_kernel *k)
{
  const int64_t sides = y->dim[2] + y->dim[3];
  boxes *b = cpu_state(device, k, sizeof *b + (size_t)sides * sizeof(side));
  if (!b) return DLC_NOMEM;
  *b = (boxes){.device = device,
               .planes = x->dim[0] * x->dim[1],
               .in = {x->dim[2], x->dim[3]},
               .out = {y->dim[2], y->dim[3]},
               .rows = (side *)(b + 1)};
  const int64_t x_plane = b->in[0] * b->in[1], y_plane = b->out[0] * b->out[1];
  b->from_plane = spreads ? y_plane : x_plane;
  b->to_plane = spreads ? x_plane : y_plane;
  b->cols = b->rows + b->out[0];
  for (int i = 0; i < 2; i++)
    for (int64_t o = 0; o < b->out[i]; o++) (i ? b->cols : b->rows)[o] = side_at(attr, i, b->in[i], b->out[i], o);
  b->factor = 1 / (b->rows->count * b->cols->count);
  b->task = spreads ? spread_any : sum_any;
  if (is_whole(b->rows, b->in[0], b->out[0]) && is_whole(b->cols, b->in[1], b->out[1]))
    b->task = spreads ? spread_whole : sum_whole;
  else if (are_halves(b->rows, b->out[0]) && are_halves(b->cols, b->out[1]))
    b->task = spreads ? spread_quarters : sum_quarters;
  b->tasks = cpu_task_count(4 * (double)(dlc_count(x) + dlc_count(y)), CPU_GRAIN_BYTES, b->planes);
  k->workspace = (size_t)b->tasks * (size_t)b->in[1] * sizeof(float);
  k->launch = launch;
  return DLC_OK;
}

/* ---- the ops ---- */

static side adaptive_side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)attr, (void)i;
  const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
  return (side){begin, end, (float)(end - begin)};
}

dlc_status cpu_adaptive_avg_pool2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), cpu_out(g, node, 0), adaptive_side, NULL, false, k);
}

dlc_status cpu_adaptive_avg_pool2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node,
                                        dlc_kernel *k)
{
  return prepare(device, cpu_out(g, node, 0), cpu_in(g, node, 0), adaptive_side, NULL, true, k);
}

static side window_side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)out;
  const dlc_avg_pool2d_grad *a = attr;
  const int64_t begin = o * a->stride[i] - a->padding[i], padded = in + a->padding[i + 2];
  const int64_t end = begin + a->kernel_size[i] < padded ? begin + a->kernel_size[i] : padded;
  side s = {begin < 0 ? 0 : begin, end < in ? end : in, (float)(end - begin)};
  if (!a->count_include_pad) s.count = (float)(s.end - s.begin);
  return s;
}

dlc_status cpu_avg_pool2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  const dlc_avg_pool2d *a = node->attr;
  const dlc_avg_pool2d_grad attr = {.kernel_size = {a->kernel_size[0], a->kernel_size[1]},
                                    .stride = {a->stride[0], a->stride[1]},
                                    .padding = {a->padding[0], a->padding[1], a->padding[2], a->padding[3]},
                                    .count_include_pad = a->count_include_pad};
  return prepare(device, cpu_in(g, node, 0), cpu_out(g, node, 0), window_side, &attr, false, k);
}

dlc_status cpu_avg_pool2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_out(g, node, 0), cpu_in(g, node, 0), window_side, node->attr, true, k);
}

static side block_side(const void *attr, int i, int64_t in, int64_t out, int64_t o)
{
  (void)attr, (void)i;
  const int64_t scale = in / out;
  return (side){o * scale, (o + 1) * scale, 1};
}

dlc_status cpu_upsample_nearest2d(const dlc_device *device, const dlc_graph *g, const dlc_node *node, dlc_kernel *k)
{
  return prepare(device, cpu_out(g, node, 0), cpu_in(g, node, 0), block_side, NULL, true, k);
}

dlc_status cpu_upsample_nearest2d_grad(const dlc_device *device, const dlc_graph *g, const dlc_node *node,
                                       dlc_kernel *k)
{
  return prepare(device, cpu_in(g, node, 0), cpu_out(g, node, 0), block_side, NULL, false, k);
}
