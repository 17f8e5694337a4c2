/* dlcore's own ops. Each file of this folder is one op: shape rule, gradient rule, reference kernel.
 * sdk/include/dlcore/ops.h is their public description. To add one: its file, its line here, its test. */
#ifndef DLC_OPS_OPS_H
#define DLC_OPS_OPS_H
#include "dlcore/op.h"
#include "dlcore/ops.h"

/* NULL-terminated. Static, const. */
extern const dlc_op *const dlc_core_ops[];

#endif
