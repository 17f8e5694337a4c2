/* What goes into the network's graph, decided once from the dataset and the lists of transforms. */
#ifndef DLC_TRAIN_INPUT_H
#define DLC_TRAIN_INPUT_H
#include "data/sample.h"

typedef struct dlc_input {
  dlc_sample_format
      format; /* bytes are normalised in the graph: x / 255 - mean, over std; floats are taken as they are */
  const float *mean, *std; /* [channels], of bytes; NULL: 0 and 1. The dataset's, or own[] */
  float own[2][4];
} dlc_input;

/* Takes the normalisation off both lists where the graph can do it for both alike. A list that ends in bytes is
 * normalised with the dataset's numbers. `train`, `eval`: NULL for none. *input must not move afterwards. */
dlc_status dlc_input_plan(const dlc_dataset_info *info, dlc_pipeline *train, dlc_pipeline *eval, dlc_input *input);

#endif
