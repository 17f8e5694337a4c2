/* dlcore's own ops: names, inputs, outputs, attributes. Third-party gradients and backends rely on them, so what stands
 * here changes only with the op's version. All are version 1. Activations are f32 (f64 in gradient checks).
 *
 * name                 inputs                                 outputs
 * conv2d               x [N,C,H,W], weight [O,C,KH,KW], bias [O]?  y [N,O,OH,OW]        attr dlc_conv2d
 * conv2d_grad_input    dy, weight                             dx                        attr dlc_conv2d_grad
 * conv2d_grad_weight   dy, x                                  dweight                   attr dlc_conv2d_grad
 * linear               x [N,I], weight [O,I], bias [O]?       y [N,O]                   attr dlc_linear
 * linear_grad_input    dy [N,O], weight                       dx [N,I]
 * linear_grad_weight   dy [N,O], x [N,I]                      dweight [O,I]
 * bias                 x [N,C,...], bias [C]                  y like x
 * bias_grad            dy [N,C,...]                           dbias [C]: sum over all but C
 * relu                 x                                      y = x < 0 ? 0 : x (NaN stays NaN)
 * relu_grad            dy, y                                  dx = y > 0 ? dy : 0
 * max_pool2d           x [N,C,H,W]                            y [N,C,OH,OW], index u8   attr dlc_max_pool2d
 * max_pool2d_grad      dy, index                              dx                        attr dlc_max_pool2d_grad
 * flatten              x [N,...]                              y [N, rest] (view)
 * reshape              x                                      y (view)                  attr dlc_reshape
 * add                  a, b (same shape)                      y
 * softmax              x [N,K]                                y, over the last dimension
 * softmax_grad         dy, y                                  dx
 * log_softmax          x [N,K]                                y, over the last dimension
 * log_softmax_grad     dy, y                                  dx
 * cross_entropy        logits [N,K], labels i32 [N]           loss [1] (mean), log_prob [N,K]
 * cross_entropy_grad   dloss [1], log_prob, labels            dlogits
 * correct              logits [N,K], labels i32 [N]           count f32 [1] of rows whose first maximum is the label
 * normalize            x u8 [N,C,H,W], mean [C], std [C]      y f32 = (x / 255 - mean) / std
 * fill                 -                                      y                         attr dlc_fill
 * sgd, adam            see DLC_OP_OPTIMIZER                   see DLC_OP_OPTIMIZER      attr dlc_sgd, dlc_adam
 *
 * max_pool2d's index is the position of the first maximum (NaN counts as one) in its window, row-major: kh * KW + kw,
 * so a window has at most 256 elements. Paddings never win. */
#ifndef DLCORE_OPS_H
#define DLCORE_OPS_H
#include "graph.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Output size: floor((in + pad_before + pad_after - kernel) / stride) + 1. Padding `same` (-1) needs stride 1 and puts
 * (kernel - 1) / 2 before and the rest after, as PyTorch. */
typedef struct dlc_conv2d {
  int64_t out_channels;
  int64_t kernel_size[2]; /* height, width */
  int64_t stride[2];
  int64_t padding[4]; /* top, left, bottom, right; in a graph never -1 */
  int64_t bias;       /* 0 or 1 */
} dlc_conv2d;

typedef struct dlc_conv2d_grad { /* of the convolution whose gradient this is */
  int64_t kernel_size[2], stride[2], padding[4];
  int64_t size[2]; /* height, width of x */
} dlc_conv2d_grad;

typedef struct dlc_linear {
  int64_t out_features;
  int64_t bias;
} dlc_linear;

typedef struct dlc_max_pool2d {
  int64_t kernel_size[2];
  int64_t stride[2];  /* 0: as kernel_size; in a graph never 0 */
  int64_t padding[4]; /* each less than or equal to half the kernel */
} dlc_max_pool2d;

typedef struct dlc_max_pool2d_grad {
  int64_t kernel_size[2], stride[2], padding[4];
  int64_t size[2]; /* height, width of x */
} dlc_max_pool2d_grad;

typedef struct dlc_reshape {
  int64_t rank, dim[DLC_MAX_RANK];
} dlc_reshape;

typedef struct dlc_fill { /* f32, every element `value` */
  int64_t rank, dim[DLC_MAX_RANK];
  double value;
} dlc_fill;

/* As torch.optim.SGD: g += weight_decay * p; v = momentum * v + g; p -= lr * v (g where momentum is 0: no state). */
typedef struct dlc_sgd {
  double momentum, weight_decay;
} dlc_sgd;

/* As torch.optim.Adam: g += weight_decay * p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps). */
typedef struct dlc_adam {
  double beta1, beta2, eps, weight_decay;
} dlc_adam;

#ifdef __cplusplus
}
#endif
#endif
