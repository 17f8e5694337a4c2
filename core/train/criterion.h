/* The loss of a whole split: what the loss op says of all of its samples as of one batch, whatever batches they come
 * in. In double, by the op's reference kernel. [main] */
#ifndef DLC_TRAIN_CRITERION_H
#define DLC_TRAIN_CRITERION_H
#include "dlcore/op.h"

typedef struct dlc_criterion dlc_criterion;

/* Nothing is owned; all outlives the criterion. */
typedef struct dlc_criterion_config {
  const dlc_op *loss; /* kind LOSS */
  const void *attr;
  const float *class_weights; /* [outputs], or NULL */
  uint32_t outputs;           /* of the network, for each sample */
  const dlc_host *host;
} dlc_criterion_config;

dlc_status dlc_criterion_open(const dlc_criterion_config *config, dlc_criterion **criterion);
void dlc_criterion_close(dlc_criterion *c);
dlc_status dlc_criterion_add(dlc_criterion *c, uint32_t label, const float *outputs);
/* The mean over what was added, by class weights where there are any; NaN before the first sample. */
double dlc_criterion_value(const dlc_criterion *c);

#endif
