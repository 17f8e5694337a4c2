/* Room for the attributes of any op of dlcore: the op's own struct, under the op's name. For tests only. */
#ifndef TEST_ANY_ATTR_H
#define TEST_ANY_ATTR_H
#include "dlcore/ops.h"

typedef union any_attr {
  dlc_conv2d conv2d;
  dlc_conv2d_grad conv2d_grad;
  dlc_linear linear;
  dlc_max_pool2d max_pool2d;
  dlc_max_pool2d_grad max_pool2d_grad;
  dlc_avg_pool2d avg_pool2d;
  dlc_avg_pool2d_grad avg_pool2d_grad;
  dlc_adaptive_avg_pool2d adaptive_avg_pool2d;
  dlc_plane_size plane_size;
  dlc_pad2d pad2d;
  dlc_upsample_nearest2d upsample_nearest2d;
  dlc_batch_norm2d batch_norm2d;
  dlc_batch_norm2d_update batch_norm2d_update;
  dlc_layer_norm layer_norm;
  dlc_leaky_relu leaky_relu;
  dlc_elu elu;
  dlc_gelu gelu;
  dlc_dropout dropout;
  dlc_concat concat;
  dlc_slice slice;
  dlc_attention attention;
  dlc_cross_entropy cross_entropy;
  dlc_correct correct;
  dlc_nll_loss_grad nll_loss_grad;
  dlc_reshape reshape;
  dlc_fill fill;
  dlc_sgd sgd;
  dlc_adam adam;
  dlc_rmsprop rmsprop;
  dlc_adagrad adagrad;
  dlc_lars lars;
  dlc_clip_factor clip_factor;
  dlc_l1_gradient l1_gradient;
} any_attr;

#endif
