/* From gradients to new parameters: clipping, the optimizer, the running average, accumulation. All are nodes of the
 * step's graph. [main] */
#ifndef DLC_TRAIN_UPDATE_GRAPH_H
#define DLC_TRAIN_UPDATE_GRAPH_H
#include "graph/model.h"
#include "train/method.h"

/* Names under which the machine keeps what goes in and out of an update. Where no
 * type is said it is the parameters'. */
#define DLC_NAME_LEARNING_RATE "lr"                /* [1]; of group i: DLC_NAME_GROUP_LR, where its scale is not 1 */
#define DLC_NAME_GROUP_LR      "lr.%u"             /* [1] */
#define DLC_NAME_STEP          "step"              /* i64 [1], counted from 1 */
#define DLC_NAME_MOMENTUM      "momentum"          /* [1], where a schedule moves it */
#define DLC_NAME_EMA_DECAY     "ema.decay"         /* [1] */
#define DLC_NAME_FACTOR        "accumulate.factor" /* [1], share of the batch in its step */
#define DLC_NAME_GRADIENT_NORM "gradient_norm"     /* [1], before clipping; where there is clipping */
/* Before the names of what belongs to a parameter. */
#define DLC_PREFIX_OPTIMIZER "__optim__/" /* and the state's name: "__optim__/exp_avg/conv1.weight" */
#define DLC_PREFIX_EMA       "__ema__/"
#define DLC_PREFIX_GRADIENT  "__grad__/" /* sums of an accumulation */

/* The parameters of the model that are trained and their gradients, as value ids. gradient DLC_NONE: not reached. */
typedef struct dlc_trained {
  uint32_t n;
  const uint32_t *parameters, *gradients;
} dlc_trained;

/* gradients -> clipped -> optimizer -> average. `m`: the model's tensors, for the average of its states. */
dlc_status dlc_update_append(const dlc_method *method, dlc_graph_build *g, const dlc_model_graph *m,
                             const dlc_trained *t);
/* Adds every gradient, times the factor, to its sum. */
dlc_status dlc_accumulate_append(dlc_graph_build *g, const dlc_trained *t);
/* The values that dlc_accumulate_append() sums up in the graph `of`, for a graph that begins with them. gradients[i]
 * belongs to parameters[i]; DLC_NONE where nothing is summed up. */
dlc_status dlc_accumulated_values(dlc_graph_build *g, const dlc_graph *of, const uint32_t *parameters, uint32_t n,
                                  uint32_t *gradients);

#endif
