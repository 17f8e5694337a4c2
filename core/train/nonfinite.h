/* Where numbers first went wrong when the loss is not one. [main] */
#ifndef DLC_TRAIN_NONFINITE_H
#define DLC_TRAIN_NONFINITE_H
#include "train/run_state.h"

/* Runs the forward part again, looks at every value, and fails with the step, the loss and the first layer, or the
 * first tensor of the model, that holds a NaN or an infinity. Nothing has been updated by this step yet. */
dlc_status dlc_nonfinite_fail(dlc_run *r, dlc_program *program);

#endif
