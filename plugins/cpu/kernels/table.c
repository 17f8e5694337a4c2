/* The ops of this instruction set. */
#include "kernels.h"

static const cpu_op ops[] = {{"conv2d", cpu_conv2d},
                             {"conv2d_grad_input", cpu_conv2d_grad_input},
                             {"conv2d_grad_weight", cpu_conv2d_grad_weight},
                             {"linear", cpu_linear},
                             {"linear_grad_input", cpu_linear_grad_input},
                             {"linear_grad_weight", cpu_linear_grad_weight},
                             {"bias", cpu_bias},
                             {"bias_grad", cpu_bias_grad},
                             {"relu", cpu_relu},
                             {"relu_grad", cpu_relu_grad},
                             {"max_pool2d", cpu_max_pool2d},
                             {"max_pool2d_grad", cpu_max_pool2d_grad},
                             {"add", cpu_add},
                             {"softmax", cpu_softmax},
                             {"softmax_grad", cpu_softmax_grad},
                             {"log_softmax", cpu_log_softmax},
                             {"log_softmax_grad", cpu_log_softmax_grad},
                             {"cross_entropy", cpu_cross_entropy},
                             {"cross_entropy_grad", cpu_cross_entropy_grad},
                             {"correct", cpu_correct},
                             {"normalize", cpu_normalize},
                             {"fill", cpu_fill},
                             {"sgd", cpu_sgd},
                             {"adam", cpu_adam},
                             {NULL, NULL}};

#define TEXT2(x) #x
#define TEXT(x)  TEXT2(x)
const cpu_isa CPU_NAME(cpu_isa) = {TEXT(CPU_ISA), ops};
