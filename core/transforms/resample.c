/* Weights, memory and order of the two passes; see resample.h. */
#include "transforms/resample.h"
#include "base/status.h"
#include "transforms/resample_kernels.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct filter {
  double (*at)(double x);
  double support; /* 0 outside of [-support, support] */
} filter;

static double triangle(double x)
{
  x = fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -1/2. */
static double cubic(double x)
{
  const double a = -0.5;
  x = fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static int32_t to_fixed(double weight)
{
  const double scaled = weight * (1 << DLC_WEIGHT_BITS);
  return (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* A filter's reach in inputs: wider where the picture shrinks, which is what keeps it from aliasing. */
static double reach_of(const filter *f, int64_t in, int64_t out)
{
  const double scale = (double)in / (double)out;
  return f->support * (scale < 1.0 ? 1.0 : scale);
}

static int32_t room_of(const filter *f, int64_t in, int64_t out)
{
  return (int32_t)ceil(reach_of(f, in, out)) * 2 + 1;
}

/* `exact` has room for one output's weights. */
static void set_taps(dlc_taps *taps, double *exact, const filter *f, int64_t in)
{
  const double scale = (double)in / (double)taps->n, reach = reach_of(f, in, taps->n);
  const double per_input = 1.0 / (scale < 1.0 ? 1.0 : scale);
  for (int32_t o = 0; o < taps->n; o++) {
    const double centre = (o + 0.5) * scale;
    int64_t first = (int64_t)(centre - reach + 0.5), end = (int64_t)(centre + reach + 0.5);
    if (first < 0) first = 0;
    if (end > in) end = in;
    const int32_t count = (int32_t)(end - first);
    double total = 0;
    for (int32_t k = 0; k < count; k++) {
      exact[k] = f->at(((double)(k + first) - centre + 0.5) * per_input);
      total += exact[k];
    }
    int32_t *weight = taps->weight + (size_t)o * (size_t)taps->room;
    for (int32_t k = 0; k < count; k++) weight[k] = to_fixed(total != 0.0 ? exact[k] / total : exact[k]);
    for (int32_t k = count; k < taps->room; k++) weight[k] = 0;
    taps->first[o] = (int32_t)first;
    taps->count[o] = count;
  }
}

/* ---- memory: one block of scratch for the call ---- */

typedef struct workplace {
  dlc_taps across, down;
  uint8_t *between; /* rows between the passes */
  uint8_t *row;     /* one of the region with a margin behind it */
} workplace;

/* Bytes of an axis' tables; a multiple of 8. */
static size_t taps_bytes(int64_t n, int32_t room)
{
  const size_t numbers = (size_t)n * ((size_t)room + 2);
  return dlc_split_length(n, room) * sizeof(int16_t) + (numbers + numbers % 2) * sizeof(int32_t);
}

static void place_taps(dlc_taps *taps, int64_t n, int32_t room, char *at)
{
  int32_t *numbers = (int32_t *)(void *)(at + dlc_split_length(n, room) * sizeof(int16_t));
  *taps = (dlc_taps){.first = numbers,
                     .count = numbers + n,
                     .weight = numbers + 2 * n,
                     .split = (int16_t *)(void *)at,
                     .room = room,
                     .n = (int32_t)n};
}

/* Pillow begins with the pass that leaves the least for the other one, by this rule since its version 12. */
static bool down_first(const dlc_region *from, const dlc_image *out)
{
  const int64_t rows = from->height - out->height, columns = from->width - out->width;
  return rows > 0 && rows > 2 * columns;
}

static dlc_status place(const dlc_transform_call *call, const dlc_region *from, const filter *f, workplace *w)
{
  const dlc_image *out = call->out;
  const int32_t across = room_of(f, from->width, out->width), down = room_of(f, from->height, out->height);
  const size_t exact = (size_t)(across > down ? across : down) * sizeof(double);
  const size_t taps_across = taps_bytes(out->width, across), taps = taps_across + taps_bytes(out->height, down);
  const size_t between = (size_t)(down_first(from, out) ? out->height * from->width : from->height * out->width);
  const size_t channels = (size_t)out->channels, row = (size_t)from->width * channels;
  const size_t margin = dlc_row_margin(across);
  char *block = call->scratch(call, exact + taps + between * channels + row + 2 * margin);
  if (!block) return dlc_fail_nomem();
  place_taps(&w->across, out->width, across, block + exact);
  place_taps(&w->down, out->height, down, block + exact + taps_across);
  w->between = (uint8_t *)block + exact + taps;
  w->row = w->between + between * channels + margin;
  set_taps(&w->across, (double *)(void *)block, f, from->width);
  dlc_taps_split(&w->across);
  set_taps(&w->down, (double *)(void *)block, f, from->height);
  memset(w->row + row, 0, margin);
  return DLC_OK;
}

/* ---- passes ---- */

typedef struct rows {
  const uint8_t *first, *end; /* what may be read */
  size_t stride;
  int64_t width, height;
} rows;

static void resample_rows(const workplace *w, const rows *in, uint8_t *to, int channels)
{
  const size_t row = (size_t)in->width * (size_t)channels, narrow = (size_t)w->across.n * (size_t)channels;
  const uint8_t *from = in->first;
  for (int64_t y = 0; y < in->height; y++, from += in->stride, to += narrow) {
    const bool room = (size_t)(in->end - from) >= row + dlc_row_margin(w->across.room);
    if (!room) memcpy(w->row, from, row);
    dlc_resample_row(room ? from : w->row, to, &w->across, channels);
  }
}

static void resample_columns(const workplace *w, const rows *in, uint8_t *to, int channels)
{
  const size_t row = (size_t)in->width * (size_t)channels;
  for (int32_t y = 0; y < w->down.n; y++, to += row)
    dlc_resample_column(in->first + (size_t)w->down.first[y] * in->stride, in->stride, to, row,
                        w->down.weight + (size_t)y * (size_t)w->down.room, w->down.count[y]);
}

static dlc_status resample(const dlc_transform_call *call, const rows *in, const dlc_region *from, const filter *f)
{
  const dlc_image *out = call->out;
  const int channels = (int)out->channels;
  workplace w;
  DLC_TRY(place(call, from, f, &w));
  if (from->width == out->width) {
    resample_columns(&w, in, out->data, channels);
  } else if (from->height == out->height) {
    resample_rows(&w, in, out->data, channels);
  } else if (down_first(from, out)) {
    resample_columns(&w, in, w.between, channels);
    resample_rows(&w, &(rows){w.between, w.row, (size_t)(from->width * channels), from->width, out->height}, out->data,
                  channels);
  } else {
    resample_rows(&w, in, w.between, channels);
    resample_columns(&w, &(rows){w.between, w.row, (size_t)(out->width * channels), out->width, from->height},
                     out->data, channels);
  }
  return DLC_OK;
}

static void copy_rows(const rows *in, const dlc_image *out)
{
  const size_t row = (size_t)(out->width * out->channels);
  for (int64_t y = 0; y < out->height; y++)
    memcpy((uint8_t *)out->data + (size_t)y * row, in->first + (size_t)y * in->stride, row);
}

/* The nearest input of every output, as Pillow steps through them: by adding. */
static dlc_status take_nearest(const dlc_transform_call *call, const rows *in)
{
  const dlc_image *out = call->out;
  const size_t channels = (size_t)out->channels;
  const double across = (double)in->width / (double)out->width, down = (double)in->height / (double)out->height;
  int64_t *x_of = call->scratch(call, (size_t)out->width * sizeof *x_of);
  if (!x_of) return dlc_fail_nomem();
  double position = across * 0.5;
  for (int64_t x = 0; x < out->width; x++, position += across)
    x_of[x] = (int64_t)position < in->width ? (int64_t)position : in->width - 1;
  uint8_t *to = out->data;
  position = down * 0.5;
  for (int64_t y = 0; y < out->height; y++, position += down) {
    const int64_t line = (int64_t)position < in->height ? (int64_t)position : in->height - 1;
    const uint8_t *row = in->first + (size_t)line * in->stride;
    for (int64_t x = 0; x < out->width; x++, to += channels)
      for (size_t c = 0; c < channels; c++) to[c] = row[(size_t)x_of[x] * channels + c];
  }
  return DLC_OK;
}

dlc_status dlc_resample(const dlc_transform_call *call, const dlc_region *from, int64_t interpolation)
{
  static const filter filters[] = {
      [DLC_BILINEAR] = {triangle, 1.0}, [DLC_NEAREST] = {NULL, 0}, [DLC_BICUBIC] = {cubic, 2.0}};
  const size_t channels = (size_t)call->in->channels, stride = (size_t)call->in->width * channels;
  const uint8_t *pixels = call->in->data;
  const rows in = {.first = pixels + (size_t)from->top * stride + (size_t)from->left * channels,
                   .end = pixels + (size_t)call->in->height * stride,
                   .stride = stride,
                   .width = from->width,
                   .height = from->height};
  if (from->width == call->out->width && from->height == call->out->height) {
    copy_rows(&in, call->out);
    return DLC_OK;
  }
  if (interpolation == DLC_NEAREST) return take_nearest(call, &in);
  return resample(call, &in, from, &filters[interpolation]);
}
