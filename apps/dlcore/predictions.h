/* Predictions, collected and written as CSV, JSON or a submission for Kaggle. [main] */
#ifndef DLCORE_APP_PREDICTIONS_H
#define DLCORE_APP_PREDICTIONS_H
#include "options.h"
#include "train/weights_info.h"

typedef struct cli_prediction {
  char *name;
  uint32_t *classes;    /* the most probable ones, best first */
  float *probabilities; /* theirs */
  float second;         /* of class 1 */
} cli_prediction;

typedef struct cli_predictions {
  const dlc_weights_info *info;
  uint32_t topk; /* 1 to info->n_classes */
  cli_prediction *list;
  uint32_t n, room;
} cli_predictions;

/* `probabilities`: info->n_classes of them. The name is prefix and name. */
dlc_status cli_predictions_add(cli_predictions *p, const char *prefix, const char *name, const float *probabilities);
/* In the order of --format; kaggle sorts. CLI_FAILED where names are no ids. */
int cli_predictions_write(cli_predictions *p, const cli_options *o, dlc_str *out);
void cli_predictions_free(cli_predictions *p);

#endif
