/* What the shape and gradient rules of several ops share: checks with their reasons, window arithmetic, small emits.
 * Owns nothing. All [main], but for what reference kernels use, which is [any]. */
#ifndef DLC_OPS_RULES_H
#define DLC_OPS_RULES_H
#include "base/shape.h"
#include "base/status.h"
#include "dlcore/op.h"
#include "dlcore/ops.h"

#define DLC_COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* No dimension and no window attribute exceeds this, so that sums of a few of them never overflow. */
#define DLC_MAX_EXTENT INT32_MAX

/* ---- shapes ---- */
/* Writes type and shape of an output or parameter; DLC_INVALID where a dimension is below 1 or the whole is too large
 * to have an address. */
dlc_status dlc_shape_set(dlc_value *v, uint32_t dtype, uint32_t rank, const int64_t *dim);
dlc_status dlc_shape_like(dlc_value *v, const dlc_value *like);

/* ---- expectations: DLC_INVALID with what came and what was expected. `what` is the input's name ---- */
dlc_status dlc_expect_inputs(uint32_t came, uint32_t expected);
dlc_status dlc_expect_dtype(const dlc_value *v, const char *what, uint32_t dtype);
/* f32 or f64 of that rank; `layout` is how a person would write it: "[batch, features]". */
dlc_status dlc_expect_real(const dlc_value *v, const char *what, uint32_t rank, const char *layout);
/* f32 or f64 of any rank from 1. */
dlc_status dlc_expect_real_any(const dlc_value *v, const char *what);
dlc_status dlc_expect_shape(const dlc_value *v, const char *what, uint32_t dtype, uint32_t rank, const int64_t *dim);
dlc_status dlc_expect_like(const dlc_value *v, const char *what, const dlc_value *like);
/* f32 [1]: a number of the step. */
dlc_status dlc_expect_scalar(const dlc_value *v, const char *what);
/* i32 [rows]. */
dlc_status dlc_expect_labels(const dlc_value *v, int64_t rows);
dlc_status dlc_expect_range(const char *what, int64_t came, int64_t low, int64_t high);
/* In [low, high), which NaN never is. */
dlc_status dlc_expect_number(const char *what, double came, double low, double high);

/* ---- infer() of ops that work element by element ---- */
/* One input, and an output like it. */
dlc_status dlc_infer_like_input(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                uint32_t *n_out, dlc_value *out);
/* dy and what the gradient is taken from, x or y: dx is like both. */
dlc_status dlc_infer_like_dy(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                             dlc_value *out);

/* ---- windows over the last two dimensions of [N,C,H,W]; height first. `dilation` NULL: 1. Formulas: dlcore/ops.h ----
 */
/* Checks the attributes, and replaces padding `same` by numbers. */
dlc_status dlc_window_resolve(const int64_t kernel_size[2], const int64_t stride[2], const int64_t dilation[2],
                              int64_t padding[4]);
/* Height and width of the output for resolved attributes and an input of height and width `size`. */
dlc_status dlc_window_output(const int64_t kernel_size[2], const int64_t stride[2], const int64_t dilation[2],
                             const int64_t padding[4], const int64_t size[2], int64_t out[2]);

typedef struct dlc_span {
  int64_t begin, end;
} dlc_span;

/* The outputs o of [0, out) whose input element o * stride + offset lies in [0, in). */
static inline dlc_span dlc_window_span(int64_t in, int64_t out, int64_t stride, int64_t offset)
{
  dlc_span s = {offset < 0 ? (stride - 1 - offset) / stride : 0, offset < in ? (in - 1 - offset) / stride + 1 : 0};
  if (s.end > out) s.end = out;
  return s;
}

/* ---- parameters ---- */
/* U(-1/sqrt(fan_in), 1/sqrt(fan_in)): torch.nn's default for Linear and Conv2d, weight (kaiming_uniform_ with
 * a = sqrt(5)) and bias alike. */
dlc_status dlc_param_uniform(dlc_param *p, const char *name, int64_t fan_in, uint32_t dtype, uint32_t rank,
                             const int64_t *dim);

/* A state of an optimizer: like its parameter, 0 at first. */
dlc_status dlc_param_state(dlc_param *p, const char *name, const dlc_value *param);

/* ---- optimizers: parameter, states, gradient, learning rate, step -> parameter, states ---- */
dlc_status dlc_optimizer_infer(uint32_t n_states, uint32_t n_in, const dlc_value *const *in, uint32_t *n_out,
                               dlc_value *out);
/* The same for one with DLC_OP_MOMENTUM, whose momentum may come behind these. `momentum`: the attribute. */
dlc_status dlc_momentum_infer(double momentum, uint32_t n_states, uint32_t n_in, const dlc_value *const *in,
                              uint32_t *n_out, dlc_value *out);
/* What came, else the attribute. */
static inline double dlc_momentum(const dlc_call *call, uint32_t n_states, double attribute)
{
  return call->n_in > n_states + 4 ? call->in[n_states + 4][0] : attribute;
}

/* ---- gradients ---- */
/* One node of two inputs and one output. */
dlc_status dlc_emit_two(dlc_builder *b, const char *op, const void *attr, uint32_t first, uint32_t second,
                        uint32_t *out);
/* `value` under the shape of `like`. */
dlc_status dlc_emit_reshape(dlc_builder *b, uint32_t value, uint32_t like, uint32_t *out);

/* ---- reference kernels ---- */
static inline int64_t dlc_plane(const dlc_value *v) /* elements after the first two dimensions */
{
  int64_t n = 1;
  for (uint32_t i = 2; i < v->rank; i++) n *= v->dim[i];
  return n;
}

/* y = exp(x - max) / sum exp(x - max), and its logarithm: no exponential overflows. y may be x. */
void dlc_softmax_row(const double *x, int64_t n, double *y);
void dlc_log_softmax_row(const double *x, int64_t n, double *y);

#endif
