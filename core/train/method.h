/* From where, what is minimised and how: first weights, loss, mixing, optimizer, groups of parameters, clipping,
 * averages. Read by the graphs of a step and by the run. Nothing is owned here. [main] */
#ifndef DLC_TRAIN_METHOD_H
#define DLC_TRAIN_METHOD_H
#include "graph/init.h"
#include "train/schedule.h"
#include <stdbool.h>

/* Parameters whose name matches get attributes of their own; the first group that matches counts. */
typedef struct dlc_param_group {
  const char *match; /* a shell pattern: "*.bias", "features.*" */
  const void *attr;  /* of the optimizer, complete */
  double lr_scale;   /* times the learning rate */
  double l1;         /* in the place of the method's */
} dlc_param_group;

typedef struct dlc_method {
  const dlc_initializer *init; /* of the weights of layers that say nothing themselves; NULL: as the model says */
  const dlc_op *loss;          /* kind LOSS; NULL: cross_entropy with its defaults */
  const void *loss_attr;
  const float *class_weights; /* [classes], or NULL */
  double mixup, cutmix;       /* alpha of the Beta distribution that shares are drawn from; 0: not done */

  const dlc_op *optimizer; /* kind OPTIMIZER */
  const void *optimizer_attr;
  const dlc_param_group *groups;
  uint32_t n_groups;
  const char *const *frozen; /* shell patterns of parameters that are not trained */
  uint32_t n_frozen;
  const char *const *eval; /* of layers that work as in evaluation while they are trained: dlc_model_use */
  uint32_t n_eval;
  double lr;
  double l1; /* times the absolute values of what is trained, added to what is minimised; 0: nothing */
  dlc_schedule schedule;
  double clip_norm;    /* largest norm of all gradients together; 0: any */
  uint32_t accumulate; /* batches whose gradients are averaged for one step; 0, 1: every batch is a step */
  double ema;          /* decay of an average of the weights, which is then evaluated and saved; 0: none */
} dlc_method;

/* Whether these fit each other. */
dlc_status dlc_method_check(const dlc_method *method);
/* DLC_MAX_GROUPS groups at most; the group of a parameter, or n_groups where none matches. */
#define DLC_MAX_GROUPS 32
uint32_t dlc_method_group(const dlc_method *method, const char *parameter);
bool dlc_method_frozen(const dlc_method *method, const char *parameter);
static inline bool dlc_method_mixes(const dlc_method *method)
{
  return method->mixup > 0 || method->cutmix > 0;
}

#endif
