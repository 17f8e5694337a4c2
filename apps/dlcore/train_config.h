/* What a run is to do, from the job and its options. [main] */
#ifndef DLCORE_APP_TRAIN_CONFIG_H
#define DLCORE_APP_TRAIN_CONFIG_H
#include "job.h"
#include "train/train.h"

/* All but the profile and who is told. Everything is the job's. */
void cli_train_config(const cli_job *job, dlc_train_config *config);

#endif
