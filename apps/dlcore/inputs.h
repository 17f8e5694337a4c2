/* What `predict INPUT...` names: folders, archives and single pictures, each opened as a dataset of pictures. [main] */
#ifndef DLCORE_APP_INPUTS_H
#define DLCORE_APP_INPUTS_H
#include "job.h"

typedef struct cli_input {
  const dlc_dataset *dataset;
  dlc_data *data;
  const dlc_dataset_info *info;
  uint32_t split;
  const char *prefix; /* belongs before the names of its samples; "" for none */
} cli_input;

/* Opens one INPUT after the other (pictures of one folder together), hands it to `each` and closes it. `channels`: 1 or
 * 3, what pictures are decoded to. An exit code; the first of `each` that is not CLI_OK ends it. */
int cli_each_input(cli_job *job, int64_t channels, int (*each)(void *ctx, const cli_input *input), void *ctx);

#endif
