/* What the ops of batch normalisation share: their attributes. */
#ifndef DLC_OPS_BATCH_NORM_H
#define DLC_OPS_BATCH_NORM_H
#include "ops/rules.h"

enum { DLC_BATCH_NORM_ATTRS = 3 };
extern const dlc_attr dlc_batch_norm_attrs[DLC_BATCH_NORM_ATTRS]; /* of dlc_batch_norm2d */

/* `x`: [batch, channels, height, width]. [main] */
dlc_status dlc_batch_norm_check(const dlc_batch_norm2d *a, const dlc_value *x);

#endif
