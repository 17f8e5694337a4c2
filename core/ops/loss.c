/* What the losses share; see loss.h. */
#include "ops/loss.h"

dlc_status dlc_expect_rows(const dlc_value *v, const char *what)
{
  return dlc_expect_real(v, what, 2, "[batch, classes]");
}

dlc_status dlc_expect_targets(uint32_t n_in, const dlc_value *const *in, int64_t rows, int64_t classes)
{
  DLC_TRY(dlc_expect_labels(in[0], rows));
  if (n_in == 1) return DLC_OK;
  DLC_TRY(dlc_expect_real_any(in[1], "class weights"));
  return dlc_expect_shape(in[1], "class weights", in[1]->dtype, 1, &classes);
}

dlc_status dlc_loss_infer(uint32_t n_in, const dlc_value *const *in, const char *what, bool weighted, dlc_value *loss)
{
  DLC_TRY(dlc_expect_inputs(n_in, weighted && n_in == 3 ? 3 : 2));
  DLC_TRY(dlc_expect_rows(in[0], what));
  DLC_TRY(dlc_expect_targets(n_in - 1, in + 1, in[0]->dim[0], in[0]->dim[1]));
  return dlc_shape_set(loss, in[0]->dtype, 1, (int64_t[]){1});
}

dlc_status dlc_loss_grad_infer(uint32_t n_in, const dlc_value *const *in, const char *what, bool weighted,
                               uint32_t *n_out, dlc_value *out)
{
  dlc_value loss;
  DLC_TRY(dlc_expect_inputs(n_in, weighted && n_in == 4 ? 4 : 3));
  DLC_TRY(dlc_loss_infer(n_in - 1, in + 1, what, weighted, &loss));
  DLC_TRY(dlc_expect_like(in[0], "dloss", &loss));
  *n_out = 1;
  return dlc_shape_like(&out[0], in[1]);
}

dlc_status dlc_targets_check(const dlc_targets *t, double *weight)
{
  double sum = 0;
  for (int64_t n = 0; n < t->rows; n++) {
    const int64_t label = dlc_label(t, n);
    if (label < 0 || label >= t->classes)
      return dlc_fail(DLC_INVALID, "label %lld of row %lld is not in [0, %lld)", (long long)label, (long long)n,
                      (long long)t->classes);
    sum += dlc_class_weight(t, label);
  }
  if (weight) *weight = sum;
  return DLC_OK;
}

dlc_status dlc_onehot_loss(const dlc_call *call, dlc_onehot_function *loss)
{
  const dlc_targets t = dlc_targets_of(call, 1, call->iv[0]->dim[1]);
  double sum = 0;
  DLC_TRY(dlc_targets_check(&t, NULL));
  for (int64_t n = 0; n < t.rows; n++)
    for (int64_t k = 0; k < t.classes; k++) sum += loss(call->in[0][n * t.classes + k], k == dlc_label(&t, n));
  call->out[0][0] = sum / (double)(t.rows * t.classes);
  return DLC_OK;
}

dlc_status dlc_onehot_loss_grad(const dlc_call *call, dlc_onehot_function *slope)
{
  const dlc_targets t = dlc_targets_of(call, 2, call->iv[1]->dim[1]);
  const double scale = call->in[0][0] / (double)(t.rows * t.classes);
  DLC_TRY(dlc_targets_check(&t, NULL));
  for (int64_t n = 0; n < t.rows; n++)
    for (int64_t k = 0; k < t.classes; k++) {
      const int64_t at = n * t.classes + k;
      call->out[0][at] = scale * slope(call->in[1][at], k == dlc_label(&t, n));
    }
  return DLC_OK;
}
