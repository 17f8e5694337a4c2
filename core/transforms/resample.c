/* Weights, memory and order of the two passes; see resample.h. */
#include "transforms/resample.h"
#include "base/status.h"
#include "transforms/resample_kernels.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

static double triangle(double x)
{
  return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -1/2. */
static double cubic(double x)
{
  const double a = -0.5;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static int32_t to_fixed(double weight)
{
  const double scaled = weight * (1 << DLC_WEIGHT_BITS);
  return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* One of the two directions: `in` inputs stretched to `out` outputs, of which `n` are wanted, from `first` on. */
typedef struct axis {
  bool cubic;
  int64_t in, out, first, n;
  double scale; /* inputs an output */
  double reach; /* of the filter, in inputs: wider where the picture shrinks, which is what keeps it from aliasing */
  int64_t begin, end; /* the inputs that the wanted outputs are made of */
} axis;

static void inputs_of(const axis *a, int64_t output, int64_t *begin, int64_t *end)
{
  const double centre = ((double)output + 0.5) * a->scale;
  *begin = (int64_t)(centre - a->reach + 0.5);
  *end = (int64_t)(centre + a->reach + 0.5);
  if (*begin < 0) *begin = 0;
  if (*end > a->in) *end = a->in;
}

static axis make_axis(bool cubic, int64_t in, int64_t out, int64_t first, int64_t n)
{
  axis a = {.cubic = cubic, .in = in, .out = out, .first = first, .n = n, .begin = first, .end = first + n};
  if (in == out) return a;
  int64_t other;
  a.scale = (double)in / (double)out;
  a.reach = (cubic ? 2.0 : 1.0) * (a.scale < 1.0 ? 1.0 : a.scale);
  inputs_of(&a, first, &a.begin, &other);
  inputs_of(&a, first + n - 1, &other, &a.end);
  return a;
}

static bool is_copied(const axis *a)
{
  return a->in == a->out;
}

/* The most weights that an output has. */
static int32_t room_of(const axis *a)
{
  return (int32_t)ceil(a->reach) * 2 + 1;
}

/* `exact` has room for one output's weights. Taps count from the axis' first input in use. */
static void set_taps(dlc_taps *taps, double *exact, const axis *a)
{
  const double per_input = 1.0 / (a->scale < 1.0 ? 1.0 : a->scale);
  for (int32_t o = 0; o < taps->n; o++) {
    const double centre = ((double)(a->first + o) + 0.5) * a->scale;
    int64_t first, end;
    inputs_of(a, a->first + o, &first, &end);
    const int32_t count = (int32_t)(end - first);
    double total = 0;
    for (int32_t k = 0; k < count; k++) {
      const double x = fabs(((double)(k + first) - centre + 0.5) * per_input);
      exact[k] = a->cubic ? cubic(x) : triangle(x);
      total += exact[k];
    }
    int32_t *weight = taps->weight + (size_t)o * (size_t)taps->room;
    for (int32_t k = 0; k < count; k++) weight[k] = to_fixed(total != 0.0 ? exact[k] / total : exact[k]);
    for (int32_t k = count; k < taps->room; k++) weight[k] = 0;
    taps->first[o] = (int32_t)(first - a->begin);
    taps->count[o] = count;
  }
}

/* ---- memory: one block of scratch for the call ---- */

typedef struct workplace {
  const uint8_t *in, *in_end; /* the inputs in use; the end of what may be read */
  size_t stride, channels;
  axis across, down;
  dlc_taps x, y;
  uint8_t *between;      /* the last y.room lines that went across; line i is number i % y.room */
  const uint8_t **lines; /* y.room of those, or of the inputs */
  uint8_t *row;          /* one row of inputs with a margin behind it */
} workplace;

/* Bytes of an axis' tables; a multiple of 8. */
static size_t taps_bytes(const axis *a)
{
  const size_t numbers = (size_t)a->n * ((size_t)room_of(a) + 2);
  return (numbers + numbers % 2) * sizeof(int32_t);
}

static void place_taps(dlc_taps *taps, const axis *a, char *at, char *blocks)
{
  int32_t *numbers = (int32_t *)(void *)at;
  *taps = (dlc_taps){.first = numbers,
                     .count = numbers + a->n,
                     .weight = numbers + 2 * a->n,
                     .blocks = blocks,
                     .room = room_of(a),
                     .n = (int32_t)a->n};
}

static size_t row_bytes(const workplace *w)
{
  return (size_t)(w->across.end - w->across.begin) * w->channels;
}

static dlc_status place(const dlc_transform_call *call, workplace *w)
{
  const int32_t across = room_of(&w->across), down = room_of(&w->down);
  const size_t exact = (size_t)(across > down ? across : down) * sizeof(double);
  const size_t x = taps_bytes(&w->across), y = taps_bytes(&w->down), blocks = dlc_row_blocks_bytes(w->across.n, across);
  const size_t between = (size_t)down * (size_t)w->across.n * w->channels;
  const size_t row = row_bytes(w), margin = dlc_row_margin(across);
  const size_t lines = (size_t)down * sizeof(uint8_t *);
  char *block = call->scratch(call, exact + lines + x + y + blocks + between + row + margin);
  if (!block) return dlc_fail_nomem();
  w->lines = (const uint8_t **)(void *)(block + exact);
  char *tables = block + exact + lines;
  place_taps(&w->x, &w->across, tables, tables + x + y);
  place_taps(&w->y, &w->down, tables + x, NULL);
  w->between = (uint8_t *)tables + x + y + blocks;
  w->row = w->between + between;
  if (!is_copied(&w->across)) {
    set_taps(&w->x, (double *)(void *)block, &w->across);
    dlc_taps_prepare(&w->x, w->channels);
  }
  if (!is_copied(&w->down)) set_taps(&w->y, (double *)(void *)block, &w->down);
  memset(w->row + row, 0, margin);
  return DLC_OK;
}

/* ---- passes ---- */

static void pass_across(const workplace *w, int64_t line, uint8_t *to)
{
  const uint8_t *from = w->in + (size_t)line * w->stride;
  const size_t row = row_bytes(w);
  if ((size_t)(w->in_end - from) < row + dlc_row_margin(w->x.room)) {
    memcpy(w->row, from, row);
    from = w->row;
  }
  dlc_resample_row(from, to, &w->x, w->channels);
}

static void pass_down(const workplace *w, int64_t line, uint8_t *to, size_t n)
{
  dlc_resample_column(w->lines, to, n, w->y.weight + (size_t)line * (size_t)w->y.room, w->y.count[line]);
}

static void find_inputs(const workplace *w, int64_t line)
{
  for (int64_t k = 0; k < w->y.count[line]; k++) w->lines[k] = w->in + (size_t)(w->y.first[line] + k) * w->stride;
}

static uint8_t *line_between(const workplace *w, int64_t i)
{
  return w->between + (size_t)(i % w->y.room) * (size_t)w->across.n * w->channels;
}

/* `done`: lines that have gone across. */
static void find_between(const workplace *w, int64_t line, int64_t *done)
{
  const int64_t first = w->y.first[line], count = w->y.count[line];
  for (; *done < first + count; ++*done) pass_across(w, *done, line_between(w, *done));
  for (int64_t k = 0; k < count; k++) w->lines[k] = line_between(w, first + k);
}

/* Pillow begins with the pass that leaves the least for the other one, by this rule since its version 12. */
static bool is_down_first(const workplace *w)
{
  const int64_t rows = w->down.in - w->down.out, columns = w->across.in - w->across.out;
  return rows > 0 && rows > 2 * columns;
}

/* Line by line, so that what the second pass reads has just been written. */
static void make_lines(const workplace *w, uint8_t *to)
{
  const size_t wide = row_bytes(w), narrow = (size_t)w->across.n * w->channels;
  const bool down_first = is_down_first(w);
  int64_t done = 0;
  for (int64_t line = 0; line < w->down.n; line++, to += narrow) {
    if (is_copied(&w->down)) {
      pass_across(w, line, to);
    } else if (is_copied(&w->across)) {
      find_inputs(w, line);
      pass_down(w, line, to, narrow);
    } else if (down_first) {
      find_inputs(w, line);
      pass_down(w, line, w->row, wide);
      dlc_resample_row(w->row, to, &w->x, w->channels);
    } else {
      find_between(w, line, &done);
      pass_down(w, line, to, narrow);
    }
  }
}

static void copy_rows(const workplace *w, uint8_t *to)
{
  const size_t row = row_bytes(w);
  for (int64_t y = 0; y < w->down.n; y++) memcpy(to + (size_t)y * row, w->in + (size_t)y * w->stride, row);
}

static dlc_status resample(const dlc_transform_call *call, const dlc_resampling *r)
{
  const dlc_image *in = call->in, *out = call->out;
  const uint8_t *pixels = in->data;
  workplace w = {.channels = (size_t)in->channels,
                 .stride = (size_t)(in->width * in->channels),
                 .across = make_axis(r->interpolation == DLC_BICUBIC, r->from.width, r->width, r->left, out->width),
                 .down = make_axis(r->interpolation == DLC_BICUBIC, r->from.height, r->height, r->top, out->height)};
  w.in =
      pixels + (size_t)(r->from.top + w.down.begin) * w.stride + (size_t)(r->from.left + w.across.begin) * w.channels;
  w.in_end = pixels + (size_t)in->height * w.stride;
  if (is_copied(&w.across) && is_copied(&w.down)) {
    copy_rows(&w, out->data);
    return DLC_OK;
  }
  DLC_TRY(place(call, &w));
  make_lines(&w, out->data);
  return DLC_OK;
}

/* The nearest input of the outputs first to first + n - 1, as Pillow steps through them: by adding. */
static void set_nearest(int64_t *nearest, int64_t in, int64_t out, int64_t first, int64_t n)
{
  const double scale = (double)in / (double)out;
  double position = scale * 0.5;
  for (int64_t i = 0; i < first + n; i++, position += scale)
    if (i >= first) nearest[i - first] = (int64_t)position < in ? (int64_t)position : in - 1;
}

static dlc_status take_nearest(const dlc_transform_call *call, const dlc_resampling *r)
{
  const dlc_image *in = call->in, *out = call->out;
  const size_t channels = (size_t)out->channels, stride = (size_t)in->width * channels;
  int64_t *x_of = call->scratch(call, (size_t)(out->width + out->height) * sizeof *x_of), *y_of = x_of + out->width;
  if (!x_of) return dlc_fail_nomem();
  set_nearest(x_of, r->from.width, r->width, r->left, out->width);
  set_nearest(y_of, r->from.height, r->height, r->top, out->height);
  uint8_t *to = out->data;
  for (int64_t y = 0; y < out->height; y++) {
    const uint8_t *row = (const uint8_t *)in->data + (size_t)(r->from.top + y_of[y]) * stride;
    for (int64_t x = 0; x < out->width; x++, to += channels)
      for (size_t c = 0; c < channels; c++) to[c] = row[(size_t)(r->from.left + x_of[x]) * channels + c];
  }
  return DLC_OK;
}

dlc_status dlc_resample(const dlc_transform_call *call, const dlc_resampling *r)
{
  return r->interpolation == DLC_NEAREST ? take_nearest(call, r) : resample(call, r);
}
