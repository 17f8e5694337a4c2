/* A dataset of which only some pictures of every class are seen. [main] */
#ifndef DLC_DATA_LIMITED_H
#define DLC_DATA_LIMITED_H
#include "dlcore/dataset.h"

/* The first `most` samples of every class in each labelled split; the others as they are. `data` was described already,
 * and is closed with *out_data; after a failure it is still the caller's. *out lives as long as *out_data. */
dlc_status dlc_dataset_limit(const dlc_dataset *dataset, dlc_data *data, int64_t most, const dlc_dataset **out,
                             dlc_data **out_data);

#endif
