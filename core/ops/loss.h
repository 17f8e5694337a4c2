/* What the losses share: checks of their inputs, labels and class weights as their reference kernels read them. Owns
 * nothing. The checks are [main], the rest [any]. */
#ifndef DLC_OPS_LOSS_H
#define DLC_OPS_LOSS_H
#include "ops/rules.h"
#include <stdbool.h>

/* f32 or f64 [batch, classes]. */
dlc_status dlc_expect_rows(const dlc_value *v, const char *what);
/* The inputs of a loss: `what` of that shape, its labels and, where `weighted`, as many class weights as there are
 * classes or none. Writes the loss's own shape, [1]. */
dlc_status dlc_loss_infer(uint32_t n_in, const dlc_value *const *in, const char *what, bool weighted, dlc_value *loss);
/* Those of its gradient: dloss before them. */
dlc_status dlc_loss_grad_infer(uint32_t n_in, const dlc_value *const *in, const char *what, bool weighted,
                               uint32_t *n_out, dlc_value *out);
/* i32 [rows]; n_in may be 2 where class weights f32 or f64 [classes] follow. */
dlc_status dlc_expect_targets(uint32_t n_in, const dlc_value *const *in, int64_t rows, int64_t classes);

typedef struct dlc_targets {
  const double *labels, *weights; /* [rows]; [classes], or NULL: all 1 */
  int64_t rows, classes;
} dlc_targets;

/* Of the inputs of a call from `first`: labels, class weights? */
static inline dlc_targets dlc_targets_of(const dlc_call *call, uint32_t first, int64_t classes)
{
  return (dlc_targets){call->in[first], call->n_in > first + 1 ? call->in[first + 1] : NULL, call->iv[first]->dim[0],
                       classes};
}

/* Refuses labels that are no class; `weight` (may be NULL) becomes the sum of the weights of all of them. */
dlc_status dlc_targets_check(const dlc_targets *t, double *weight);

static inline int64_t dlc_label(const dlc_targets *t, int64_t row)
{
  return (int64_t)t->labels[row];
}

static inline double dlc_class_weight(const dlc_targets *t, int64_t class)
{
  return t->weights ? t->weights[class] : 1;
}

/* ---- losses with onehot targets: the mean over batch and classes of a function of output and target ---- */
typedef double dlc_onehot_function(double x, bool target);
/* The reference kernels: inputs output, labels; and of the gradient, by its slope in x: dloss, output, labels. */
dlc_status dlc_onehot_loss(const dlc_call *call, dlc_onehot_function *loss);
dlc_status dlc_onehot_loss_grad(const dlc_call *call, dlc_onehot_function *slope);

#endif
