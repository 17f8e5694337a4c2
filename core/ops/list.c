/* Every op of dlcore, a line an op file. */
#include "ops/ops.h"

/* clang-format off */
#define OPS(X)                                                    \
  X(conv2d) X(conv2d_grad_input) X(conv2d_grad_weight)            \
  X(linear) X(linear_grad_input) X(linear_grad_weight)            \
  X(bias) X(bias_grad)                                            \
  X(batch_norm2d) X(batch_norm2d_grad)                            \
  X(batch_norm2d_eval) X(batch_norm2d_eval_grad)                  \
  X(batch_norm2d_update)                                          \
  X(layer_norm) X(layer_norm_grad)                                \
  X(relu) X(relu_grad)                                            \
  X(leaky_relu) X(leaky_relu_grad) X(relu6) X(relu6_grad)         \
  X(elu) X(elu_grad) X(gelu) X(gelu_grad)                         \
  X(silu) X(silu_grad) X(hardswish) X(hardswish_grad)             \
  X(tanh) X(tanh_grad) X(sigmoid) X(sigmoid_grad)                 \
  X(dropout) X(dropout2d) X(dropout_grad)                         \
  X(max_pool2d) X(max_pool2d_grad)                                \
  X(avg_pool2d) X(avg_pool2d_grad)                                \
  X(adaptive_avg_pool2d) X(adaptive_avg_pool2d_grad)              \
  X(pad2d) X(pad2d_grad)                                          \
  X(upsample_nearest2d) X(upsample_nearest2d_grad)                \
  X(flatten)                                                      \
  X(reshape) X(unflatten)                                         \
  X(add) X(multiply)                                              \
  X(concat)                                                       \
  X(slice) X(slice_grad)                                          \
  X(attention) X(attention_grad)                                  \
  X(multi_head_attention)                                         \
  X(class_token) X(position_embedding)                            \
  X(transpose) X(tokens)                                          \
  X(softmax) X(softmax_grad)                                      \
  X(log_softmax) X(log_softmax_grad)                              \
  X(cross_entropy) X(cross_entropy_grad)                          \
  X(nll_loss) X(nll_loss_grad)                                    \
  X(mse_loss) X(mse_loss_grad)                                    \
  X(bce_with_logits) X(bce_with_logits_grad)                      \
  X(lerp)                                                         \
  X(correct)                                                      \
  X(normalize)                                                    \
  X(mix) X(roll)                                                  \
  X(fill) X(cast)                                                 \
  X(sgd)                                                          \
  X(adam) X(adamw)                                                \
  X(rmsprop)                                                      \
  X(adagrad)                                                      \
  X(lars)                                                         \
  X(square_sum)                                                   \
  X(clip_factor)                                                  \
  X(l1_gradient)                                                  \
  X(scale)                                                        \
  X(accumulate)                                                   \
  X(ema)
/* clang-format on */

#define DECLARE(name) extern const dlc_op dlc_op_##name;
OPS(DECLARE)

#define ENTRY(name) &dlc_op_##name,
const dlc_op *const dlc_core_ops[] = {OPS(ENTRY) NULL};
