/* The widened image of conv.h: its layout, filling it and folding it back. */
#include "conv.h"

conv *cpu_conv_new(const dlc_device *device, const conv_shape *s, int64_t extra, dlc_kernel *k)
{
  const int64_t depth = s->x->dim[1] * s->kernel[0] * s->kernel[1];
  conv *v = cpu_state(device, k, sizeof *v + (size_t)(depth + extra) * sizeof v->taps[0]);
  if (!v) return NULL;
  *v = (conv){.device = device,
              .batch = s->x->dim[0],
              .channels = s->x->dim[1],
              .filters = s->w->dim[0],
              .in = {s->x->dim[2], s->x->dim[3]},
              .out = {s->y->dim[2], s->y->dim[3]},
              .kernel = {s->kernel[0], s->kernel[1]},
              .stride = {s->stride[0], s->stride[1]},
              .top = s->padding[0],
              .left = s->padding[1],
              .depth = depth};
  v->pixels = v->out[0] * v->out[1];
  v->x_size = v->channels * v->in[0] * v->in[1];
  v->y_size = v->filters * v->pixels;
  v->phase_rows = v->out[0] + (v->kernel[0] - 1) / v->stride[0];
  v->plane = v->stride[0] * v->phase_rows * v->out[1];
  v->widened = (v->channels * v->kernel[1] * v->plane + 15) / 16 * 16;
  v->plain = v->kernel[1] == 1 && v->stride[0] == 1 && v->stride[1] == 1 && v->top == 0 && v->left == 0 &&
             v->phase_rows == v->in[0] && v->out[1] == v->in[1];
  int64_t t = 0;
  for (int64_t c = 0; c < v->channels; c++)
    for (int64_t i = 0; i < v->kernel[0]; i++)
      for (int64_t j = 0; j < v->kernel[1]; j++) {
        const int64_t row = i % v->stride[0] * v->phase_rows + i / v->stride[0];
        v->taps[t++] = (c * v->kernel[1] + j) * v->plane + row * v->out[1];
      }
  return v;
}

INLINE void zero(float *to, int64_t n)
{
  for (int64_t i = 0; i < n; i++) to[i] = 0;
}

INLINE void copy(float *to, const float *from, int64_t n)
{
  int64_t i = 0;
  for (; i + VEC <= n; i += VEC) vec_store(to + i, vec_load(from + i));
  if (i < n) {
    vec_mask m = vec_first(n - i);
    vec_store_part(to + i, m, vec_load_part(from + i, m));
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

static void widen_row(const conv *v, const float *row, int64_t offset, cpu_range inside, float *to)
{
  zero(to, inside.begin);
  if (v->stride[1] == 1) copy(to + inside.begin, row + inside.begin + offset, inside.end - inside.begin);
  else
    for (int64_t o = inside.begin; o < inside.end; o++) to[o] = row[o * v->stride[1] + offset];
  zero(to + inside.end, v->out[1] - inside.end);
}

const float *cpu_conv_widen(const conv *v, const float *x, float *buffer)
{
  if (v->plain) return x;
  float *to = buffer;
  for (int64_t c = 0; c < v->channels; c++, x += v->in[0] * v->in[1])
    for (int64_t j = 0; j < v->kernel[1]; j++) {
      const cpu_range inside = columns_inside(v, j - v->left);
      for (int64_t phase = 0; phase < v->stride[0]; phase++)
        for (int64_t r = 0; r < v->phase_rows; r++, to += v->out[1]) {
          const int64_t ih = r * v->stride[0] + phase - v->top;
          if (ih < 0 || ih >= v->in[0]) zero(to, v->out[1]);
          else widen_row(v, x + ih * v->in[1], j - v->left, inside, to);
        }
    }
  return buffer;
}

/* `from`: the row of kernel column 0; the others follow at the distance of a plane. */
static void fold_row(const conv *v, const float *from, float *x)
{
  for (int64_t w = 0; w < v->in[1]; w += VEC) {
    const int64_t lanes = v->in[1] - w < VEC ? v->in[1] - w : VEC;
    vec sum = {0};
    for (int64_t j = 0; j < v->kernel[1]; j++) {
      const int64_t offset = w + v->left - j; /* output column of lane 0 */
      const int64_t begin = offset < 0 ? -offset : 0;
      const int64_t end = v->out[1] - offset < lanes ? v->out[1] - offset : lanes;
      if (begin < end) sum += vec_load_range(from + j * v->plane + offset, begin, end);
    }
    vec_store_part(x + w, vec_first(lanes), sum);
  }
}

static void fold_row_strided(const conv *v, const float *from, float *x)
{
  zero(x, v->in[1]);
  for (int64_t j = 0; j < v->kernel[1]; j++) {
    const cpu_range inside = columns_inside(v, j - v->left);
    for (int64_t o = inside.begin; o < inside.end; o++) x[o * v->stride[1] + j - v->left] += from[j * v->plane + o];
  }
}

void cpu_conv_fold(const conv *v, const float *widened, float *x)
{
  for (int64_t c = 0; c < v->channels; c++, widened += v->kernel[1] * v->plane)
    for (int64_t h = 0; h < v->in[0]; h++, x += v->in[1]) {
      const int64_t phase = (h + v->top) % v->stride[0], r = (h + v->top) / v->stride[0];
      const float *from = widened + (phase * v->phase_rows + r) * v->out[1];
      if (r >= v->phase_rows) zero(x, v->in[1]);
      else if (v->stride[1] == 1) fold_row(v, from, x);
      else fold_row_strided(v, from, x);
    }
}
