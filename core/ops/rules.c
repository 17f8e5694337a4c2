/* Checks, window arithmetic and small emits that the ops share; see rules.h. */
#include "ops/rules.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

dlc_status dlc_shape_set(dlc_value *v, uint32_t dtype, uint32_t rank, const int64_t *dim)
{
  if (rank > DLC_MAX_RANK) return dlc_fail(DLC_INVALID, "rank is %u, at most %d are possible", rank, DLC_MAX_RANK);
  int64_t room = INT64_MAX / 8; /* elements of the largest type */
  for (uint32_t i = 0; i < rank; i++) {
    if (dim[i] < 1) return dlc_fail(DLC_INVALID, "shape %s has a dimension below 1", dlc_name_shape(rank, dim).text);
    if (dim[i] > DLC_MAX_EXTENT || dim[i] > room)
      return dlc_fail(DLC_INVALID, "shape %s is too large", dlc_name_shape(rank, dim).text);
    room /= dim[i];
  }
  v->dtype = dtype;
  v->rank = rank;
  for (uint32_t i = 0; i < DLC_MAX_RANK; i++) v->dim[i] = i < rank ? dim[i] : 0;
  return DLC_OK;
}

dlc_status dlc_shape_like(dlc_value *v, const dlc_value *like)
{
  return dlc_shape_set(v, like->dtype, like->rank, like->dim);
}

dlc_status dlc_expect_inputs(uint32_t came, uint32_t expected)
{
  if (came == expected) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%u inputs came, expected %u", came, expected);
}

dlc_status dlc_expect_dtype(const dlc_value *v, const char *what, uint32_t dtype)
{
  if (v->dtype == dtype) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s is %s, expected %s", what, dlc_dtype_name(v->dtype), dlc_dtype_name(dtype));
}

static dlc_status expect_dims(const dlc_value *v, const char *what)
{
  for (uint32_t i = 0; i < v->rank; i++)
    if (v->dim[i] < 1 || v->dim[i] > DLC_MAX_EXTENT)
      return dlc_fail(DLC_INVALID, "%s is %s, dimensions go from 1 to %d", what, dlc_name_shape(v->rank, v->dim).text,
                      DLC_MAX_EXTENT);
  return DLC_OK;
}

dlc_status dlc_expect_real_any(const dlc_value *v, const char *what)
{
  if (v->dtype != DLC_F32 && v->dtype != DLC_F64)
    return dlc_fail(DLC_INVALID, "%s is %s, expected f32", what, dlc_dtype_name(v->dtype));
  if (v->rank < 1) return dlc_fail(DLC_INVALID, "%s has no dimension, expected at least one", what);
  return expect_dims(v, what);
}

dlc_status dlc_expect_real(const dlc_value *v, const char *what, uint32_t rank, const char *layout)
{
  if (v->rank != rank)
    return dlc_fail(DLC_INVALID, "%s is %s, expected %s", what, dlc_name_shape(v->rank, v->dim).text, layout);
  return dlc_expect_real_any(v, what);
}

dlc_status dlc_expect_shape(const dlc_value *v, const char *what, uint32_t dtype, uint32_t rank, const int64_t *dim)
{
  if (v->rank != rank || (rank && memcmp(v->dim, dim, rank * sizeof *dim) != 0)) {
    dlc_shape_name came = dlc_name_shape(v->rank, v->dim), expected = dlc_name_shape(rank, dim);
    return dlc_fail(DLC_INVALID, "%s is %s, expected %s", what, came.text, expected.text);
  }
  return dlc_expect_dtype(v, what, dtype);
}

dlc_status dlc_expect_like(const dlc_value *v, const char *what, const dlc_value *like)
{
  return dlc_expect_shape(v, what, like->dtype, like->rank, like->dim);
}

dlc_status dlc_expect_scalar(const dlc_value *v, const char *what)
{
  return dlc_expect_shape(v, what, v->dtype == DLC_F64 ? DLC_F64 : DLC_F32, 1, (int64_t[]){1});
}

dlc_status dlc_expect_labels(const dlc_value *v, int64_t rows)
{
  return dlc_expect_shape(v, "labels", DLC_I32, 1, &rows);
}

dlc_status dlc_expect_range(const char *what, int64_t came, int64_t low, int64_t high)
{
  if (came >= low && came <= high) return DLC_OK;
  if (came < low && high == DLC_MAX_EXTENT)
    return dlc_fail(DLC_INVALID, "%s is %lld, expected at least %lld", what, (long long)came, (long long)low);
  return dlc_fail(DLC_INVALID, "%s is %lld, expected %lld to %lld", what, (long long)came, (long long)low,
                  (long long)high);
}

dlc_status dlc_expect_number(const char *what, double came, double low, double high)
{
  if (came >= low && came < high) return DLC_OK;
  if (high == HUGE_VAL) return dlc_fail(DLC_INVALID, "%s is %g, expected at least %g", what, came, low);
  return dlc_fail(DLC_INVALID, "%s is %g, expected [%g, %g)", what, came, low, high);
}

dlc_status dlc_infer_like_input(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 1));
  DLC_TRY(dlc_expect_real_any(in[0], "input"));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

dlc_status dlc_infer_like_dy(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out)
{
  (void)h, (void)attr;
  DLC_TRY(dlc_expect_inputs(n_in, 2));
  DLC_TRY(dlc_expect_real_any(in[0], "dy"));
  DLC_TRY(dlc_expect_like(in[1], "value", in[0]));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[0]);
}

/* Elements of the input from a window's first to its last. */
static int64_t window_extent(const int64_t kernel_size[2], const int64_t dilation[2], int i)
{
  return (dilation ? dilation[i] : 1) * (kernel_size[i] - 1) + 1;
}

dlc_status dlc_window_resolve(const int64_t kernel_size[2], const int64_t stride[2], const int64_t dilation[2],
                              int64_t padding[4])
{
  for (int i = 0; i < 2; i++) {
    DLC_TRY(dlc_expect_range("kernel_size", kernel_size[i], 1, DLC_MAX_EXTENT));
    DLC_TRY(dlc_expect_range("stride", stride[i], 1, DLC_MAX_EXTENT));
    if (dilation) DLC_TRY(dlc_expect_range("dilation", dilation[i], 1, DLC_MAX_EXTENT));
  }
  if (padding[0] == -1 && padding[1] == -1 && padding[2] == -1 && padding[3] == -1) {
    if (stride[0] != 1 || stride[1] != 1)
      return dlc_fail(DLC_INVALID, "padding same needs stride 1, stride is %lldx%lld", (long long)stride[0],
                      (long long)stride[1]);
    for (int i = 0; i < 2; i++) {
      const int64_t total = window_extent(kernel_size, dilation, i) - 1;
      padding[i] = total / 2;
      padding[i + 2] = total - padding[i];
    }
  }
  for (int i = 0; i < 4; i++) DLC_TRY(dlc_expect_range("padding", padding[i], 0, DLC_MAX_EXTENT));
  return DLC_OK;
}

static dlc_shape_name name_padding(const int64_t padding[4])
{
  if (padding[0] != padding[1] || padding[0] != padding[2] || padding[0] != padding[3])
    return dlc_name_shape(4, padding);
  dlc_shape_name s;
  snprintf(s.text, sizeof s.text, "%lld", (long long)padding[0]);
  return s;
}

/* "kernel_size 3x3 with padding 1", dilation where there is some */
static dlc_status fail_too_small(const int64_t kernel_size[2], const int64_t dilation[2], const int64_t padding[4],
                                 const int64_t size[2])
{
  char dilated[64] = "";
  long long least[2];
  for (int i = 0; i < 2; i++) {
    least[i] = window_extent(kernel_size, dilation, i) - padding[i] - padding[i + 2];
    if (least[i] < 1) least[i] = 1;
  }
  if (dilation && (dilation[0] != 1 || dilation[1] != 1))
    snprintf(dilated, sizeof dilated, "dilation %lldx%lld, ", (long long)dilation[0], (long long)dilation[1]);
  return dlc_fail(DLC_INVALID, "input is %lldx%lld, kernel_size %lldx%lld with %spadding %s needs at least %lldx%lld",
                  (long long)size[0], (long long)size[1], (long long)kernel_size[0], (long long)kernel_size[1], dilated,
                  name_padding(padding).text, least[0], least[1]);
}

dlc_status dlc_window_output(const int64_t kernel_size[2], const int64_t stride[2], const int64_t dilation[2],
                             const int64_t padding[4], const int64_t size[2], int64_t out[2])
{
  for (int i = 0; i < 2; i++) {
    const int64_t room = size[i] + padding[i] + padding[i + 2] - window_extent(kernel_size, dilation, i);
    if (room < 0) return fail_too_small(kernel_size, dilation, padding, size);
    out[i] = room / stride[i] + 1;
  }
  return DLC_OK;
}

dlc_status dlc_param_uniform(dlc_param *p, const char *name, int64_t fan_in, uint32_t dtype, uint32_t rank,
                             const int64_t *dim)
{
  p->name = name;
  p->init = DLC_INIT_UNIFORM;
  p->b = 1 / sqrt((double)fan_in);
  p->a = -p->b;
  return dlc_shape_set(&p->value, dtype, rank, dim);
}

dlc_status dlc_param_state(dlc_param *p, const char *name, const dlc_value *param)
{
  p->name = name;
  p->init = DLC_INIT_CONSTANT;
  p->a = 0;
  return dlc_shape_like(&p->value, param);
}

dlc_status dlc_optimizer_infer(uint32_t n_states, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                               dlc_value *out)
{
  DLC_TRY(dlc_expect_inputs(n_in, n_states + 4));
  DLC_TRY(dlc_expect_real_any(in[0], "parameter"));
  for (uint32_t i = 1; i <= n_states; i++) DLC_TRY(dlc_expect_like(in[i], "state", in[0]));
  DLC_TRY(dlc_expect_like(in[n_states + 1], "gradient", in[0]));
  DLC_TRY(dlc_expect_scalar(in[n_states + 2], "learning rate"));
  DLC_TRY(dlc_expect_shape(in[n_states + 3], "step", DLC_I64, 1, (int64_t[]){1}));
  *n_out = n_states + 1;
  for (uint32_t i = 0; i < *n_out; i++) DLC_TRY(dlc_shape_like(&out[i], in[0]));
  return DLC_OK;
}

dlc_status dlc_momentum_infer(double momentum, uint32_t n_states, uint32_t n_in, const dlc_value *const *in,
                              uint32_t *n_out, dlc_value *out)
{
  if (n_in != n_states + 5) return dlc_optimizer_infer(n_states, n_in, in, n_out, out);
  DLC_TRY(dlc_expect_scalar(in[n_in - 1], "momentum"));
  if (momentum == 0) return dlc_fail(DLC_INVALID, "a momentum for each step, but the attribute `momentum` is 0");
  return dlc_optimizer_infer(n_states, n_in - 1, in, n_out, out);
}

dlc_status dlc_emit_two(dlc_builder *b, const char *op, const void *attr, uint32_t first, uint32_t second,
                        uint32_t *out)
{
  return b->emit(b, op, attr, (uint32_t[]){first, second}, 2, out);
}

dlc_status dlc_emit_reshape(dlc_builder *b, uint32_t value, uint32_t like, uint32_t *out)
{
  const dlc_value *v = b->value(b, like);
  dlc_reshape attr = {.rank = v->rank};
  memcpy(attr.dim, v->dim, sizeof attr.dim);
  return b->emit(b, "reshape", &attr, &value, 1, out);
}

void dlc_softmax_row(const double *x, int64_t n, double *y)
{
  double max = x[0], sum = 0;
  for (int64_t k = 1; k < n; k++) max = fmax(max, x[k]);
  for (int64_t k = 0; k < n; k++) sum += y[k] = exp(x[k] - max);
  for (int64_t k = 0; k < n; k++) y[k] /= sum;
}

void dlc_log_softmax_row(const double *x, int64_t n, double *y)
{
  double max = x[0], sum = 0;
  for (int64_t k = 1; k < n; k++) max = fmax(max, x[k]);
  for (int64_t k = 0; k < n; k++) sum += exp(x[k] - max);
  const double shift = max + log(sum);
  for (int64_t k = 0; k < n; k++) y[k] = x[k] - shift;
}
