/* What an open dataset says of itself. A plugin wrote it: it is checked once, and then relied on. [main] */
#ifndef DLC_DATA_DATASET_H
#define DLC_DATA_DATASET_H
#include "dlcore/dataset.h"

/* The dataset's description; DLC_INVALID with the first thing in it that is wrong, down to the last label. */
dlc_status dlc_dataset_describe(const dlc_dataset *dataset, dlc_data *data, const dlc_dataset_info **info);
/* The number of the split of this name, or -1. */
int dlc_split_find(const dlc_dataset_info *info, const char *name);

#endif
