/* The widened units of conv.h: its layout, filling it and folding it back. */
#include "conv.h"

conv *cpu_conv_new(const dlc_device *device, const conv_shape *s, int64_t extra, dlc_kernel *k)
{
  const int64_t channels = s->x->dim[1] / s->groups, depth = channels * s->kernel[0] * s->kernel[1];
  conv *v = cpu_state(device, k, sizeof *v + (size_t)(depth + extra) * sizeof v->taps[0]);
  if (!v) return NULL;
  *v = (conv){.device = device,
              .groups = s->groups,
              .units = s->x->dim[0] * s->groups,
              .batch = s->x->dim[0],
              .channels = channels,
              .filters = s->w->dim[0] / s->groups,
              .in = {s->x->dim[2], s->x->dim[3]},
              .out = {s->y->dim[2], s->y->dim[3]},
              .kernel = {s->kernel[0], s->kernel[1]},
              .stride = {s->stride[0], s->stride[1]},
              .dilation = {s->dilation[0], s->dilation[1]},
              .top = s->padding[0],
              .left = s->padding[1],
              .depth = depth};
  v->pixels = v->out[0] * v->out[1];
  v->x_size = v->channels * v->in[0] * v->in[1];
  v->y_size = v->filters * v->pixels;
  v->phase_rows = v->out[0] + (v->kernel[0] - 1) * v->dilation[0] / v->stride[0];
  v->plane = v->stride[0] * v->phase_rows * v->out[1];
  v->widened = (v->channels * v->kernel[1] * v->plane + VEC + 15) / 16 * 16;
  v->plain = v->kernel[1] == 1 && v->stride[0] == 1 && v->stride[1] == 1 && v->top == 0 && v->left == 0 &&
             v->phase_rows == v->in[0] && v->out[1] == v->in[1];
  int64_t t = 0;
  for (int64_t c = 0; c < v->channels; c++)
    for (int64_t i = 0; i < v->kernel[0]; i++)
      for (int64_t j = 0; j < v->kernel[1]; j++) {
        const int64_t down = i * v->dilation[0], row = down % v->stride[0] * v->phase_rows + down / v->stride[0];
        v->taps[t++] = (c * v->kernel[1] + j) * v->plane + row * v->out[1];
      }
  return v;
}

INLINE void zero(float *to, int64_t n)
{
  for (int64_t i = 0; i < n; i++) to[i] = 0;
}

/* Copies rows of n floats. What is behind a row in `to`, up to VEC floats, is overwritten: whole stores are cheaper
 * than partial ones, and the next row comes there. */
INLINE void copy_rows(float *to, int64_t to_row, const float *from, int64_t from_row, int64_t rows, int64_t n)
{
  const int64_t whole = n / VEC * VEC;
  const vec_mask rest = vec_first(n - whole);
  for (int64_t r = 0; r < rows; r++, to += to_row, from += from_row) {
    for (int64_t i = 0; i < whole; i += VEC) vec_store(to + i, vec_load(from + i));
    if (whole < n) vec_store_narrow(to + whole, vec_load_part(from + whole, rest), n - whole);
  }
}

/* Output columns whose input column o * stride + offset lies in the image. */
static cpu_range columns_inside(const conv *v, int64_t offset)
{
  const int64_t s = v->stride[1];
  cpu_range r = {offset < 0 ? (s - 1 - offset) / s : 0, offset < v->in[1] ? (v->in[1] - 1 - offset) / s + 1 : 0};
  if (r.end > v->out[1]) r.end = v->out[1];
  if (r.begin > r.end) r.begin = r.end;
  return r;
}

/* The rows r of one phase whose input row r * stride + offset lies in the image. */
static cpu_range rows_inside(const conv *v, int64_t offset)
{
  const int64_t s = v->stride[0];
  cpu_range r = {offset < 0 ? (s - 1 - offset) / s : 0, offset < v->in[0] ? (v->in[0] - 1 - offset) / s + 1 : 0};
  if (r.end > v->phase_rows) r.end = v->phase_rows;
  if (r.begin > r.end) r.begin = r.end;
  return r;
}

/* One phase of one plane: `from` is the input element under row 0 and output column 0, which may lie outside. */
static void widen_phase(const conv *v, const float *from, cpu_range rows, cpu_range cols, float *to)
{
  const int64_t width = v->out[1], step = v->stride[0] * v->in[1], n = rows.end - rows.begin;
  zero(to, rows.begin * width);
  to += rows.begin * width;
  from += rows.begin * step;
  if (v->stride[1] == 1) copy_rows(to + cols.begin, width, from + cols.begin, step, n, cols.end - cols.begin);
  else
    for (int64_t r = 0; r < n; r++)
      for (int64_t o = cols.begin; o < cols.end; o++) to[r * width + o] = from[r * step + o * v->stride[1]];
  for (int64_t r = 0; r < n && cols.begin > 0; r++) zero(to + r * width, cols.begin);
  for (int64_t r = 0; r < n && cols.end < width; r++) zero(to + r * width + cols.end, width - cols.end);
  zero(to + n * width, (v->phase_rows - rows.end) * width);
}

const float *cpu_conv_widen(const conv *v, cpu_range channels, const float *x, float *buffer)
{
  if (v->plain) return x;
  float *to = buffer + channels.begin * v->kernel[1] * v->plane;
  x += channels.begin * v->in[0] * v->in[1];
  for (int64_t c = channels.begin; c < channels.end; c++, x += v->in[0] * v->in[1])
    for (int64_t j = 0; j < v->kernel[1]; j++) {
      const int64_t offset = j * v->dilation[1] - v->left;
      const cpu_range cols = columns_inside(v, offset);
      for (int64_t phase = 0; phase < v->stride[0]; phase++, to += v->phase_rows * v->out[1]) {
        const float *from = x + (phase - v->top) * v->in[1] + offset;
        widen_phase(v, from, rows_inside(v, phase - v->top), cols, to);
      }
    }
  return buffer;
}

/* Where an input row lies in a plane. */
typedef struct place {
  int64_t phase, row;
} place;

static place first_place(const conv *v)
{
  return (place){v->top % v->stride[0], v->top / v->stride[0]};
}

INLINE void next_place(const conv *v, place *p)
{
  if (++p->phase < v->stride[0]) return;
  p->phase = 0;
  p->row++;
}

enum { COLUMNS = 16 }; /* kernel columns that are folded at a time */

/* The columns [w, w + lanes) of all rows, without a horizontal stride: adds kernel columns [j, j_end), to what stands
 * there where j > 0. */
static void fold_columns(const conv *v, int64_t channels, const float *widened, int64_t w, int64_t j, int64_t j_end,
                         float *x)
{
  const int64_t lanes = v->in[1] - w < VEC ? v->in[1] - w : VEC, base = w + v->left; /* of kernel column 0, lane 0 */
  vec_mask part[COLUMNS];
  for (int64_t i = j; i < j_end; i++) {
    const int64_t at = i * v->dilation[1], begin = at > base ? at - base : 0, end = v->out[1] - base + at;
    part[i - j] = begin < lanes && begin < end ? vec_between(begin, end < lanes ? end : lanes) : vec_first(0);
  }
  const vec_mask whole = vec_first(lanes);
  for (int64_t c = 0; c < channels; c++, widened += v->kernel[1] * v->plane) {
    place p = first_place(v);
    for (int64_t h = 0; h < v->in[0]; h++, next_place(v, &p), x += v->in[1]) {
      const float *from = widened + (p.phase * v->phase_rows + p.row) * v->out[1] + base;
      vec sum = j > 0 ? vec_load_part(x + w, whole) : vec_all(0);
      if (p.row < v->phase_rows)
        for (int64_t i = j; i < j_end; i++) sum += vec_load_part(from + i * (v->plane - v->dilation[1]), part[i - j]);
      vec_store_part(x + w, whole, sum);
    }
  }
}

static void fold_strided(const conv *v, int64_t channels, const float *widened, float *x)
{
  zero(x, channels * v->in[0] * v->in[1]);
  for (int64_t c = 0; c < channels; c++, widened += v->kernel[1] * v->plane) {
    place p = first_place(v);
    for (int64_t h = 0; h < v->in[0]; h++, next_place(v, &p), x += v->in[1]) {
      const float *from = widened + (p.phase * v->phase_rows + p.row) * v->out[1];
      for (int64_t j = 0; j < v->kernel[1] && p.row < v->phase_rows; j++) {
        const int64_t offset = j * v->dilation[1] - v->left;
        const cpu_range cols = columns_inside(v, offset);
        for (int64_t o = cols.begin; o < cols.end; o++) x[o * v->stride[1] + offset] += from[j * v->plane + o];
      }
    }
  }
}

void cpu_conv_fold(const conv *v, cpu_range channels, const float *widened, float *x)
{
  const int64_t n = channels.end - channels.begin;
  widened += channels.begin * v->kernel[1] * v->plane;
  x += channels.begin * v->in[0] * v->in[1];
  if (v->stride[1] != 1) {
    fold_strided(v, n, widened, x);
    return;
  }
  for (int64_t w = 0; w < v->in[1]; w += VEC)
    for (int64_t j = 0; j < v->kernel[1]; j += COLUMNS)
      fold_columns(v, n, widened, w, j, v->kernel[1] - j < COLUMNS ? v->kernel[1] : j + COLUMNS, x);
}
