/* Weights that are put to use, by predict and eval: the file, what it says of itself, and the network. [main] */
#ifndef DLCORE_APP_TRAINED_H
#define DLCORE_APP_TRAINED_H
#include "job.h"
#include "train/predict.h"

typedef struct cli_trained {
  char *path; /* of the weights; owned */
  dlc_weights_info info;
  dlc_pipeline *transforms; /* what pictures go through; NULL: nothing */
  dlc_predictor *predictor;
} cli_trained;

/* --weights, else those of --run: the best ones where it kept them, else the last. An exit code, as below. */
int cli_trained_find(cli_trained *t, const cli_options *o);
/* Their network on the job's machine. `any_size`: pictures may come in any size, so they are brought to the weights'
 * one where the transforms would not do so. */
int cli_trained_open(cli_trained *t, cli_job *job, bool any_size);
/* Before the job is closed. */
void cli_trained_close(cli_trained *t);

#endif
