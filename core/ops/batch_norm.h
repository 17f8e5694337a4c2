/* What the ops of batch normalisation share: their attributes. */
#ifndef DLC_OPS_BATCH_NORM_H
#define DLC_OPS_BATCH_NORM_H
#include "ops/rules.h"
#include <stdbool.h>

enum { DLC_BATCH_NORM_ATTRS = 3 };
extern const dlc_attr dlc_batch_norm_attrs[DLC_BATCH_NORM_ATTRS]; /* of dlc_batch_norm2d */

/* `x`: [batch, channels, height, width]. [main] */
dlc_status dlc_batch_norm_check(const dlc_batch_norm2d *a, const dlc_value *x);

/* Of both gradients: dy, x, mean, var, weight? -> dx, dweight, dbias. [main] */
dlc_status dlc_batch_norm_grad_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                                     uint32_t *n_out, dlc_value *out);
/* `constant`: mean and var do not depend on x. [any] */
dlc_status dlc_batch_norm_grad(const dlc_call *call, bool constant);

#endif
