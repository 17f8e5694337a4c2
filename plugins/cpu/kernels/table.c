/* The ops of this instruction set. */
#include "kernels.h"

static const cpu_op ops[] = {{"conv2d", 2, cpu_conv2d},
                             {"conv2d_grad_input", 2, cpu_conv2d_grad_input},
                             {"conv2d_grad_weight", 2, cpu_conv2d_grad_weight},
                             {"linear", 1, cpu_linear},
                             {"linear_grad_input", 1, cpu_linear_grad_input},
                             {"linear_grad_weight", 1, cpu_linear_grad_weight},
                             {"bias", 1, cpu_bias},
                             {"bias_grad", 1, cpu_bias_grad},
                             {"relu", 1, cpu_relu},
                             {"relu_grad", 1, cpu_relu_grad},
                             {"max_pool2d", 1, cpu_max_pool2d},
                             {"max_pool2d_grad", 1, cpu_max_pool2d_grad},
                             {"add", 1, cpu_add},
                             {"softmax", 1, cpu_softmax},
                             {"softmax_grad", 1, cpu_softmax_grad},
                             {"log_softmax", 1, cpu_log_softmax},
                             {"log_softmax_grad", 1, cpu_log_softmax_grad},
                             {"cross_entropy", 2, cpu_cross_entropy},
                             {"cross_entropy_grad", 2, cpu_cross_entropy_grad},
                             {"nll_loss", 1, cpu_nll_loss},
                             {"nll_loss_grad", 1, cpu_nll_loss_grad},
                             {"mse_loss", 1, cpu_mse_loss},
                             {"mse_loss_grad", 1, cpu_mse_loss_grad},
                             {"bce_with_logits", 1, cpu_bce_with_logits},
                             {"bce_with_logits_grad", 1, cpu_bce_with_logits_grad},
                             {"correct", 1, cpu_correct},
                             {"normalize", 1, cpu_normalize},
                             {"fill", 1, cpu_fill},
                             {"sgd", 2, cpu_sgd},
                             {"adam", 1, cpu_adam},
                             {NULL, 0, NULL}};

#define TEXT2(x) #x
#define TEXT(x)  TEXT2(x)
const cpu_isa CPU_NAME(cpu_isa) = {TEXT(CPU_ISA), ops};
