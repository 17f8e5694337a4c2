/* The curves of a run, read from its summary.csv. [main] */
#ifndef DLCORE_APP_CURVES_H
#define DLCORE_APP_CURVES_H
#include "dlcore/base.h"
#include <stdbool.h>

enum { CLI_TRAIN_LOSS, CLI_TRAIN_ACCURACY, CLI_LOSS, CLI_ACCURACY, CLI_CURVES };

typedef struct cli_curves {
  size_t n;                  /* epochs */
  double *epoch;             /* ascending */
  double *value[CLI_CURVES]; /* NaN where there is no number; accuracies in percent */
  bool has[CLI_CURVES];      /* whether there is one at all */
  const char *measured;      /* what CLI_LOSS and CLI_ACCURACY are of: "val", else "test" */
  void *memory;              /* owner of the numbers */
} cli_curves;

/* DLC_NOT_FOUND where no epoch was written down; DLC_INVALID with file and line where it is not as the csv logger
 * writes it. */
dlc_status cli_curves_read(const char *path, cli_curves *curves);
void cli_curves_free(cli_curves *curves);

#endif
