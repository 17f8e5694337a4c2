/* dlcore's own ops: names, inputs, outputs, attributes. Third-party gradients and backends rely on them, so what stands
 * here changes only with the op's version. sgd is version 3; conv2d, max_pool2d, cross_entropy and their gradients,
 * correct, fill, adam, adamw, rmsprop and lars are version 2, all others version 1. Activations, parameters and what is
 * f32 below are f64 where a run computes in it and in gradient checks: a backend says DLC_UNSUPPORTED to a node with
 * types that it has no kernel for.
 *
 * Written: name  inputs -> outputs. The attributes of an op are the struct dlc_NAME below where there is one, or the
 * one in braces. X_grad is the gradient of X.
 *
 * -- convolution, linear
 * conv2d                   x [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]? -> y [N,O,OH,OW]
 * conv2d_grad_input        dy, weight -> dx {dlc_conv2d_grad}
 * conv2d_grad_weight       dy, x -> dweight {dlc_conv2d_grad}
 * linear                   x [...,I], weight [O,I], bias [O]? -> y [...,O]
 * linear_grad_input        dy [...,O], weight -> dx [...,I]
 * linear_grad_weight       dy [...,O], x [...,I] -> dweight [O,I]
 * bias                     x [N,C,...], bias [C] -> y like x
 * bias_grad                dy [N,C,...] -> dbias [C], the sum over all but C
 * -- normalisation
 * batch_norm2d             x [N,C,H,W], weight [C]?, bias [C]? -> y, mean [C], var [C] (biased)
 * batch_norm2d_grad        dy, x, mean, var, weight? -> dx, dweight [C], dbias [C] {dlc_batch_norm2d}
 * batch_norm2d_eval        x, running mean, running var, weight?, bias? -> y {dlc_batch_norm2d}
 * batch_norm2d_eval_grad   dy, x, running mean, running var, weight? -> dx, dweight, dbias {dlc_batch_norm2d}
 * batch_norm2d_update      running mean, running var, batches i64 [], mean, var -> the first three, updated
 * layer_norm               x [...,D..], weight [D..]?, bias [D..]? -> y, mean [rows], inv_std [rows]
 * layer_norm_grad          dy, x, mean, inv_std, weight? -> dx, dweight [D..], dbias [D..] {dlc_layer_norm}
 * -- windows, planes
 * max_pool2d               x [N,C,H,W] -> y [N,C,OH,OW], index u8
 * max_pool2d_grad          dy, index -> dx
 * avg_pool2d               x [N,C,H,W] -> y [N,C,OH,OW]
 * avg_pool2d_grad          dy -> dx
 * adaptive_avg_pool2d      x [N,C,H,W] -> y [N,C,OH,OW]
 * adaptive_avg_pool2d_grad dy -> dx {dlc_plane_size}
 * pad2d                    x [N,C,H,W] -> y
 * pad2d_grad               dy -> dx {dlc_pad2d}
 * upsample_nearest2d       x [N,C,H,W] -> y
 * upsample_nearest2d_grad  dy -> dx {dlc_upsample_nearest2d}
 * -- element by element
 * relu                     x -> y = x < 0 ? 0 : x (NaN stays NaN)
 * tanh, sigmoid            x -> y; as relu's their gradients are: dy, y -> dx
 * leaky_relu, elu, gelu, silu, relu6, hardswish  x -> y; their gradients: dy, x -> dx, with the same attributes
 * dropout                  x [N,...], key i64 [3] -> y, mask u8 like x
 * dropout2d                x [N,C,...], key i64 [3] -> y, mask u8 [N,C] {dlc_dropout}
 * dropout_grad             dy, mask of either -> dx {dlc_dropout}
 * add, multiply            a, b of the same shape -> y
 * -- shapes
 * flatten                  x [N,...] -> y [N,rest] (view)
 * reshape                  x -> y (view); as a layer, and unflatten, dlc_reshape is the shape of a sample
 * concat                   a, b, ... -> y
 * slice                    x -> y
 * slice_grad               dy -> dx, zeros around dy {dlc_slice}
 * transpose                x [N,A,B] -> y [N,B,A]
 * -- tokens
 * attention                query, key, value [N,T,D] -> y, prob [N,num_heads,T,T]
 * attention_grad           dy, query, key, value, prob -> dquery, dkey, dvalue {dlc_attention}
 * tokens, class_token, position_embedding, multi_head_attention  layers built of the others
 * -- classes
 * softmax, log_softmax     x [...,K] -> y, over the last dimension; their gradients: dy, y -> dx
 * correct                  logits [N,K], labels i32 [N] -> f32 [1], labels among the k largest (of equals the first)
 * -- losses (DLC_OP_LOSS)
 * cross_entropy            logits [N,K], labels, class weights [K]? -> loss [1], log_prob [N,K]
 * cross_entropy_grad       dloss [1], log_prob, labels, class weights? -> dlogits {dlc_cross_entropy}
 * nll_loss                 log_prob [N,K], labels, class weights? -> loss [1]
 * nll_loss_grad            dloss, labels, class weights? -> dlog_prob
 * mse_loss                 output [N,K], labels -> loss [1], the mean over N x K of (output - onehot)^2
 * mse_loss_grad            dloss, output, labels -> doutput
 * bce_with_logits          logits [N,K], labels -> loss [1], the mean over N x K; targets are onehot
 * bce_with_logits_grad     dloss, logits, labels -> dlogits
 * lerp                     a [1], b [1], weight f32 [1] -> y = weight * a + (1 - weight) * b
 * -- input
 * normalize                x u8 [N,C,H,W], mean [C], std [C] -> y = (x / 255 - mean) / std, of the type of mean
 * mix                      x f32 [N,C,H,W], share f32 [1], box i64 [4] -> y; with r the sample before x (the last one
 *                          for the first): r inside of the box (top, left, bottom, right; the latter two excluded),
 *                          share * x + (1 - share) * r outside of it
 * roll                     labels i32 [N] -> of the sample before each, as in mix
 * fill                     -> y
 * cast                     x -> y, the same numbers as another type: f32 from f64, or f64 from f32
 * -- update
 * sgd, adam, adamw, rmsprop, adagrad, lars  see DLC_OP_OPTIMIZER (adamw {dlc_adam}); all but adagrad DLC_OP_MOMENTUM
 * square_sum               x -> [1], the sum of the squares
 * clip_factor              square sum f32 [1] -> factor [1] = min(1, max_norm / (norm + 1e-6)), norm [1]
 * l1_gradient              parameter, gradient -> gradient + l1 * sign(parameter)
 * scale                    x, factor f32 [1] -> y = factor * x
 * accumulate               sum, x, factor f32 [1] -> sum + factor * x (update)
 * ema                      average, x, decay f32 [1] -> decay * average + (1 - decay) * x (update)
 *
 * max_pool2d's index is the position of the first maximum (NaN counts as one) in its window, row-major: kh * KW + kw,
 * so a window has at most 256 elements. Paddings never win. */
#ifndef DLCORE_OPS_H
#define DLCORE_OPS_H
#include "graph.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Output size: floor((in + pad_before + pad_after - dilation * (kernel - 1) - 1) / stride) + 1. Padding `same` (-1)
 * needs stride 1 and puts dilation * (kernel - 1) / 2 before and the rest after, as PyTorch. */
typedef struct dlc_conv2d {
  int64_t out_channels;
  int64_t kernel_size[2]; /* height, width */
  int64_t stride[2];
  int64_t padding[4]; /* top, left, bottom, right; in a graph never -1 */
  int64_t bias;       /* 0 or 1 */
  int64_t dilation[2];
  int64_t groups; /* filter o sees the channels of its group alone: group o / (O / groups) of `groups` equal ones */
} dlc_conv2d;

typedef struct dlc_conv2d_grad { /* of the convolution whose gradient this is */
  int64_t kernel_size[2], stride[2], padding[4];
  int64_t size[2]; /* height, width of x */
  int64_t dilation[2], groups;
} dlc_conv2d_grad;

typedef struct dlc_linear {
  int64_t out_features;
  int64_t bias;
} dlc_linear;

typedef struct dlc_max_pool2d {
  int64_t kernel_size[2];
  int64_t stride[2];  /* 0: as kernel_size; in a graph never 0 */
  int64_t padding[4]; /* each less than or equal to half the kernel */
  int64_t ceil_mode; /* 1: the output size is rounded up, but no window begins beyond the input and its first padding */
} dlc_max_pool2d;

typedef struct dlc_max_pool2d_grad {
  int64_t kernel_size[2], stride[2], padding[4];
  int64_t size[2]; /* height, width of x */
  int64_t ceil_mode;
} dlc_max_pool2d_grad;

typedef struct dlc_avg_pool2d {
  int64_t kernel_size[2];
  int64_t stride[2];  /* 0: as kernel_size; in a graph never 0 */
  int64_t padding[4]; /* as max_pool2d */
  int64_t ceil_mode;
  int64_t count_include_pad; /* 1: paddings count as zeros in the mean (never those that ceil_mode adds), as PyTorch */
} dlc_avg_pool2d;

typedef struct dlc_avg_pool2d_grad {
  int64_t kernel_size[2], stride[2], padding[4];
  int64_t size[2]; /* height, width of x */
  int64_t ceil_mode, count_include_pad;
} dlc_avg_pool2d_grad;

/* Output o of n is the mean of the inputs from floor(o * in / n) to ceil((o + 1) * in / n), excluded. */
typedef struct dlc_adaptive_avg_pool2d {
  int64_t output_size[2]; /* default 1: the global pool */
} dlc_adaptive_avg_pool2d;

typedef struct dlc_plane_size {
  int64_t size[2]; /* height, width of x */
} dlc_plane_size;

enum { DLC_PAD_ZERO = 0, DLC_PAD_REFLECT = 1 }; /* reflect: without repeating the border */
typedef struct dlc_pad2d {
  int64_t padding[4]; /* top, left, bottom, right */
  int64_t mode;       /* DLC_PAD_... */
} dlc_pad2d;

typedef struct dlc_upsample_nearest2d {
  int64_t scale_factor[2]; /* height, width; every pixel becomes a block of so many */
} dlc_upsample_nearest2d;

typedef struct dlc_batch_norm2d {
  double eps, momentum; /* running = (1 - momentum) * running + momentum * batch's (var unbiased) */
  int64_t affine;       /* 0: no weight and bias */
} dlc_batch_norm2d;

typedef struct dlc_batch_norm2d_update {
  double momentum;
  int64_t count; /* elements that each mean was taken over */
} dlc_batch_norm2d_update;

typedef struct dlc_layer_norm {
  int64_t dims; /* how many of the last dimensions are normalised over */
  double eps;
  int64_t affine; /* 0: no weight and bias */
} dlc_layer_norm;

typedef struct dlc_leaky_relu {
  double negative_slope;
} dlc_leaky_relu;

typedef struct dlc_elu {
  double alpha;
} dlc_elu;

enum { DLC_GELU_NONE = 0, DLC_GELU_TANH = 1 };
typedef struct dlc_gelu {
  int64_t approximate; /* DLC_GELU_... */
} dlc_gelu;

/* Element e of sample n (dropout2d: channel e) stays, times 1 / (1 - p), where word e % 4 of words(seed,
 * DLC_RANDOM_STREAM + stream, step, n, e / 4) is at least p * 2^32; else it becomes 0. */
typedef struct dlc_dropout {
  double p;
  int64_t stream; /* of dlc_builder.random */
} dlc_dropout;

typedef struct dlc_concat {
  int64_t dim;
} dlc_concat;

typedef struct dlc_slice {
  int64_t dim, begin, end; /* [begin, end) of dimension dim */
  int64_t size;            /* of that dimension in x; in a graph never 0 */
} dlc_slice;

/* Each head sees D / num_heads neighbouring features: prob = softmax(query key^T / sqrt(D / num_heads)), y = prob
 * value. */
typedef struct dlc_attention { /* multi_head_attention too */
  int64_t num_heads;
} dlc_attention;

/* loss = mean over n, weighted by w[label], of (1 - s) * -log_prob[label] + s / K * sum over k of w[k] / w[label] *
 * -log_prob[k]: torch.nn.functional.cross_entropy, all w being 1 where no class weights are given. */
typedef struct dlc_cross_entropy {
  double label_smoothing;
} dlc_cross_entropy;

typedef struct dlc_correct {
  int64_t k;
} dlc_correct;

typedef struct dlc_nll_loss_grad {
  int64_t classes;
} dlc_nll_loss_grad;

typedef struct dlc_reshape {
  int64_t rank, dim[DLC_MAX_RANK];
} dlc_reshape;

typedef struct dlc_fill { /* every element `value` */
  int64_t rank, dim[DLC_MAX_RANK];
  double value;
  int64_t dtype; /* DLC_F64, else f32 */
} dlc_fill;

typedef struct dlc_cast {
  int64_t dtype; /* DLC_F32 or DLC_F64 */
} dlc_cast;

/* As torch.optim.SGD: g += weight_decay * p; v = momentum * v + g; p -= lr * v (nesterov: g + momentum * v; g where
 * momentum is 0: no state). */
typedef struct dlc_sgd {
  double momentum, weight_decay;
  int64_t nesterov;
} dlc_sgd;

/* As torch.optim.Adam: g += weight_decay * p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps). adamw, as torch.optim.AdamW: p *= 1 - lr * weight_decay
 * instead of the first. */
typedef struct dlc_adam {
  double beta1, beta2, eps, weight_decay;
} dlc_adam;

/* As torch.optim.RMSprop: g += weight_decay * p; s = alpha s + (1 - alpha) g^2; centered: a = alpha a + (1 - alpha) g
 * and d = sqrt(s - a^2) + eps, else d = sqrt(s) + eps; with momentum: u = momentum u + g / d, p -= lr u; without: p -=
 * lr g / d. States: square_avg, then grad_avg (centered), momentum_buffer (momentum). */
typedef struct dlc_rmsprop {
  double alpha, eps, weight_decay, momentum;
  int64_t centered;
} dlc_rmsprop;

/* As torch.optim.Adagrad: g += weight_decay * p; s += g^2; p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps).
 * State: sum. */
typedef struct dlc_adagrad {
  double lr_decay, weight_decay, eps;
} dlc_adagrad;

/* You, Gitman and Ginsburg 2017: r = trust_coefficient * |p| / (|g| + weight_decay * |p| + eps), 1 where a norm is 0;
 * g = r * (g + weight_decay * p); v = momentum * v + g; p -= lr * v. State: momentum_buffer, none where momentum is 0.
 */
typedef struct dlc_lars {
  double momentum, weight_decay, trust_coefficient, eps;
} dlc_lars;

typedef struct dlc_clip_factor {
  double max_norm;
} dlc_clip_factor;

typedef struct dlc_l1_gradient {
  double l1;
} dlc_l1_gradient;

#ifdef __cplusplus
}
#endif
#endif
