/* What the files of this folder share. Each of them is compiled once for every instruction set, with CPU_ISA set to its
 * name (baseline, avx2, avx512), which every name that the linker sees carries at its end. */
#ifndef CPU_KERNELS_H
#define CPU_KERNELS_H
#include "../cpu.h"
#include "vec.h"

#define CPU_JOIN2(name, isa) name##_##isa
#define CPU_JOIN(name, isa)  CPU_JOIN2(name, isa)
#define CPU_NAME(name)       CPU_JOIN(name, CPU_ISA)

/* The ops, by file. */
#define cpu_conv2d             CPU_NAME(cpu_conv2d)
#define cpu_conv2d_grad_input  CPU_NAME(cpu_conv2d_grad_input)
#define cpu_conv2d_grad_weight CPU_NAME(cpu_conv2d_grad_weight)
cpu_prepare cpu_conv2d, cpu_conv2d_grad_input, cpu_conv2d_grad_weight;

#define cpu_linear             CPU_NAME(cpu_linear)
#define cpu_linear_grad_input  CPU_NAME(cpu_linear_grad_input)
#define cpu_linear_grad_weight CPU_NAME(cpu_linear_grad_weight)
cpu_prepare cpu_linear, cpu_linear_grad_input, cpu_linear_grad_weight;

#define cpu_max_pool2d      CPU_NAME(cpu_max_pool2d)
#define cpu_max_pool2d_grad CPU_NAME(cpu_max_pool2d_grad)
cpu_prepare cpu_max_pool2d, cpu_max_pool2d_grad;

#define cpu_avg_pool2d               CPU_NAME(cpu_avg_pool2d)
#define cpu_avg_pool2d_grad          CPU_NAME(cpu_avg_pool2d_grad)
#define cpu_adaptive_avg_pool2d      CPU_NAME(cpu_adaptive_avg_pool2d)
#define cpu_adaptive_avg_pool2d_grad CPU_NAME(cpu_adaptive_avg_pool2d_grad)
#define cpu_upsample_nearest2d       CPU_NAME(cpu_upsample_nearest2d)
#define cpu_upsample_nearest2d_grad  CPU_NAME(cpu_upsample_nearest2d_grad)
cpu_prepare cpu_avg_pool2d, cpu_avg_pool2d_grad, cpu_adaptive_avg_pool2d, cpu_adaptive_avg_pool2d_grad;
cpu_prepare cpu_upsample_nearest2d, cpu_upsample_nearest2d_grad;

#define cpu_pad2d      CPU_NAME(cpu_pad2d)
#define cpu_pad2d_grad CPU_NAME(cpu_pad2d_grad)
cpu_prepare cpu_pad2d, cpu_pad2d_grad;

#define cpu_relu      CPU_NAME(cpu_relu)
#define cpu_relu_grad CPU_NAME(cpu_relu_grad)
#define cpu_add       CPU_NAME(cpu_add)
#define cpu_normalize CPU_NAME(cpu_normalize)
#define cpu_fill      CPU_NAME(cpu_fill)
#define cpu_times     CPU_NAME(cpu_times)
cpu_prepare cpu_relu, cpu_relu_grad, cpu_add, cpu_times, cpu_normalize, cpu_fill;

#define cpu_leaky_relu      CPU_NAME(cpu_leaky_relu)
#define cpu_leaky_relu_grad CPU_NAME(cpu_leaky_relu_grad)
#define cpu_elu             CPU_NAME(cpu_elu)
#define cpu_elu_grad        CPU_NAME(cpu_elu_grad)
#define cpu_gelu            CPU_NAME(cpu_gelu)
#define cpu_gelu_grad       CPU_NAME(cpu_gelu_grad)
#define cpu_silu            CPU_NAME(cpu_silu)
#define cpu_silu_grad       CPU_NAME(cpu_silu_grad)
#define cpu_relu6           CPU_NAME(cpu_relu6)
#define cpu_relu6_grad      CPU_NAME(cpu_relu6_grad)
#define cpu_hardswish       CPU_NAME(cpu_hardswish)
#define cpu_hardswish_grad  CPU_NAME(cpu_hardswish_grad)
#define cpu_tanh            CPU_NAME(cpu_tanh)
#define cpu_tanh_grad       CPU_NAME(cpu_tanh_grad)
#define cpu_sigmoid         CPU_NAME(cpu_sigmoid)
#define cpu_sigmoid_grad    CPU_NAME(cpu_sigmoid_grad)
cpu_prepare cpu_leaky_relu, cpu_leaky_relu_grad, cpu_elu, cpu_elu_grad;
cpu_prepare cpu_gelu, cpu_gelu_grad, cpu_silu, cpu_silu_grad;
cpu_prepare cpu_relu6, cpu_relu6_grad, cpu_hardswish, cpu_hardswish_grad;
cpu_prepare cpu_tanh, cpu_tanh_grad, cpu_sigmoid, cpu_sigmoid_grad;

#define cpu_dropout      CPU_NAME(cpu_dropout)
#define cpu_dropout2d    CPU_NAME(cpu_dropout2d)
#define cpu_dropout_grad CPU_NAME(cpu_dropout_grad)
cpu_prepare cpu_dropout, cpu_dropout2d, cpu_dropout_grad;

#define cpu_concat     CPU_NAME(cpu_concat)
#define cpu_slice      CPU_NAME(cpu_slice)
#define cpu_slice_grad CPU_NAME(cpu_slice_grad)
cpu_prepare cpu_concat, cpu_slice, cpu_slice_grad;

#define cpu_attention      CPU_NAME(cpu_attention)
#define cpu_attention_grad CPU_NAME(cpu_attention_grad)
#define cpu_transpose      CPU_NAME(cpu_transpose)
cpu_prepare cpu_attention, cpu_attention_grad, cpu_transpose;

#define cpu_bias      CPU_NAME(cpu_bias)
#define cpu_bias_grad CPU_NAME(cpu_bias_grad)
cpu_prepare cpu_bias, cpu_bias_grad;

#define cpu_batch_norm2d           CPU_NAME(cpu_batch_norm2d)
#define cpu_batch_norm2d_grad      CPU_NAME(cpu_batch_norm2d_grad)
#define cpu_batch_norm2d_eval      CPU_NAME(cpu_batch_norm2d_eval)
#define cpu_batch_norm2d_update    CPU_NAME(cpu_batch_norm2d_update)
#define cpu_batch_norm2d_eval_grad CPU_NAME(cpu_batch_norm2d_eval_grad)
cpu_prepare cpu_batch_norm2d, cpu_batch_norm2d_grad, cpu_batch_norm2d_eval, cpu_batch_norm2d_update;
cpu_prepare cpu_batch_norm2d_eval_grad;

#define cpu_layer_norm      CPU_NAME(cpu_layer_norm)
#define cpu_layer_norm_grad CPU_NAME(cpu_layer_norm_grad)
cpu_prepare cpu_layer_norm, cpu_layer_norm_grad;

#define cpu_softmax          CPU_NAME(cpu_softmax)
#define cpu_softmax_grad     CPU_NAME(cpu_softmax_grad)
#define cpu_log_softmax      CPU_NAME(cpu_log_softmax)
#define cpu_log_softmax_grad CPU_NAME(cpu_log_softmax_grad)
cpu_prepare cpu_softmax, cpu_softmax_grad, cpu_log_softmax, cpu_log_softmax_grad;

#define cpu_cross_entropy        CPU_NAME(cpu_cross_entropy)
#define cpu_cross_entropy_grad   CPU_NAME(cpu_cross_entropy_grad)
#define cpu_nll_loss             CPU_NAME(cpu_nll_loss)
#define cpu_nll_loss_grad        CPU_NAME(cpu_nll_loss_grad)
#define cpu_mse_loss             CPU_NAME(cpu_mse_loss)
#define cpu_mse_loss_grad        CPU_NAME(cpu_mse_loss_grad)
#define cpu_bce_with_logits      CPU_NAME(cpu_bce_with_logits)
#define cpu_bce_with_logits_grad CPU_NAME(cpu_bce_with_logits_grad)
#define cpu_correct              CPU_NAME(cpu_correct)
cpu_prepare cpu_cross_entropy, cpu_cross_entropy_grad, cpu_nll_loss, cpu_nll_loss_grad;
cpu_prepare cpu_mse_loss, cpu_mse_loss_grad, cpu_bce_with_logits, cpu_bce_with_logits_grad, cpu_correct;

#define cpu_sgd         CPU_NAME(cpu_sgd)
#define cpu_adam        CPU_NAME(cpu_adam)
#define cpu_adamw       CPU_NAME(cpu_adamw)
#define cpu_rmsprop     CPU_NAME(cpu_rmsprop)
#define cpu_adagrad     CPU_NAME(cpu_adagrad)
#define cpu_l1_gradient CPU_NAME(cpu_l1_gradient)
cpu_prepare cpu_sgd, cpu_adam, cpu_adamw, cpu_rmsprop, cpu_adagrad, cpu_l1_gradient;

#define cpu_lars        CPU_NAME(cpu_lars)
#define cpu_square_sum  CPU_NAME(cpu_square_sum)
#define cpu_clip_factor CPU_NAME(cpu_clip_factor)
cpu_prepare cpu_lars, cpu_square_sum, cpu_clip_factor;

#define cpu_scale      CPU_NAME(cpu_scale)
#define cpu_accumulate CPU_NAME(cpu_accumulate)
#define cpu_ema        CPU_NAME(cpu_ema)
#define cpu_lerp       CPU_NAME(cpu_lerp)
#define cpu_mix        CPU_NAME(cpu_mix)
#define cpu_roll       CPU_NAME(cpu_roll)
cpu_prepare cpu_scale, cpu_accumulate, cpu_ema, cpu_lerp, cpu_mix, cpu_roll;

/* ---- gemm.c: small matrix products out of registers; every element is summed in the order of k ---- */

/* C[m][n] = sum over k of A[m][k] * B[k][n], m < rows, n < cols. */
typedef struct cpu_product {
  int64_t rows, cols, depth;
  const float *a; /* A[m][k] is a[(a_rows ? a_rows[m] : m * a_row) + k * a_step] */
  const int64_t *a_rows;
  int64_t a_row, a_step;
  const float *b; /* B[k] are cols neighbouring floats at b[b_rows ? b_rows[k] : k * b_row] */
  const int64_t *b_rows;
  int64_t b_row;
  float *c; /* C[m] are cols neighbouring floats at c[c_rows ? c_rows[m] : m * c_row] */
  const int64_t *c_rows;
  int64_t c_row;
  const float *row_bias; /* what C begins with, of each m; NULL: 0 */
  bool add;              /* or what stands in C */
} cpu_product;
#define cpu_multiply CPU_NAME(cpu_multiply)
void cpu_multiply(const cpu_product *p);

/* C[m][n] = sum over i, l of A[m][i][l] * B[n][i][l]: both run along the sum. */
typedef struct cpu_dots {
  int64_t rows, cols, parts, length; /* i < parts, l < length */
  const float *a;                    /* A[m][i] begins at a[m * a_row + i * a_part] */
  int64_t a_row, a_part;
  const float *b; /* B[n][i] begins at b[(b_rows ? b_rows[n] : n * b_row) + i * b_part] */
  const int64_t *b_rows;
  int64_t b_row, b_part;
  float *c;
  int64_t c_row;
  const float *col_bias; /* added to each n, or NULL */
  bool add;              /* to what stands in C */
} cpu_dots;
#define cpu_dot_products CPU_NAME(cpu_dot_products)
void cpu_dot_products(const cpu_dots *d);

/* ---- bias.c ---- */
/* sum[n] = the sum of `rows` rows of n neighbouring floats. */
#define cpu_sum_rows CPU_NAME(cpu_sum_rows)
void cpu_sum_rows(const float *x, int64_t rows, int64_t n, float *sum);

/* ---- softmax.c ---- */
/* y = x - max - log(sum of exp(x - max)), n elements. */
#define cpu_log_softmax_row CPU_NAME(cpu_log_softmax_row)
void cpu_log_softmax_row(const float *x, int64_t n, float *y);

/* The k-th input or output of a node. */
INLINE const dlc_value *cpu_in(const dlc_graph *g, const dlc_node *node, uint32_t k)
{
  return dlc_value_at(g, node->in[k]);
}

INLINE const dlc_value *cpu_out(const dlc_graph *g, const dlc_node *node, uint32_t k)
{
  return dlc_value_at(g, node->out[k]);
}

#endif
