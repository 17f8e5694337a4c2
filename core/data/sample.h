/* One sample on its way from the dataset to the batch: read or cached, transformed, laid out as the network wants it.
 */
#ifndef DLC_DATA_SAMPLE_H
#define DLC_DATA_SAMPLE_H
#include "data/cache.h"
#include "dlcore/dataset.h"
#include "run/profile.h"
#include "transforms/pipeline.h"

/* What the network gets of every sample: u8 or f32 [channels, height, width]. */
typedef struct dlc_sample_format {
  uint32_t dtype;
  int64_t channels, height, width;
  size_t bytes;
} dlc_sample_format;

/* The format after `pipeline` (NULL: none). DLC_INVALID when samples would differ in size, with what to add. */
dlc_status dlc_sample_format_make(const dlc_dataset_info *info, const dlc_pipeline *pipeline,
                                  dlc_sample_format *format);

/* Where samples come from: shared by all threads. Nothing is owned. */
typedef struct dlc_sample_config {
  const dlc_dataset *dataset;
  dlc_data *data;
  uint32_t split;
  const dlc_pipeline *pipeline; /* NULL: none */
  dlc_cache *cache;             /* of this split; NULL: none */
  uint64_t seed;
} dlc_sample_config;

/* The buffers of one thread. */
typedef struct dlc_sampler dlc_sampler;
dlc_status dlc_sampler_open(const dlc_sample_config *config, dlc_sampler **sampler);
void dlc_sampler_close(dlc_sampler *sampler);
/* Times what the dataset reads and decodes, on the track of the thread that uses the sampler. */
void dlc_sampler_profile(dlc_sampler *sampler, dlc_track *track);

/* Writes sample `index` of the split, as epoch `epoch` sees it, to `out` (format.bytes). DLC_DAMAGED: written, but the
 * picture is not whole. Reasons name the file or the sample. */
dlc_status dlc_sampler_read(dlc_sampler *sampler, uint32_t epoch, uint32_t index, void *out);
/* Sample `index` as the dataset has it: `view` is the sampler's, until its next call. DLC_DAMAGED as above. */
dlc_status dlc_sampler_picture(dlc_sampler *sampler, uint32_t index, dlc_picture *view);
/* What the dataset calls the sample ("train/cats/cat.1.jpg"), or "sample 7 of train". */
void dlc_sample_name(const dlc_sample_config *config, uint32_t index, char *name, size_t size);

#endif
