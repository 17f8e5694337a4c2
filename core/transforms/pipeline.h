/* A list of transforms, compiled for one split: read once, then applied to every picture by any number of threads. */
#ifndef DLC_TRANSFORMS_PIPELINE_H
#define DLC_TRANSFORMS_PIPELINE_H
#include "dlcore/picture.h"
#include "dlcore/transform.h"
#include <stdbool.h>

typedef struct dlc_pipeline dlc_pipeline;

/* How a transform is found by name: the registry in a run, a table in tests. */
typedef struct dlc_transform_finder {
  dlc_status (*find)(void *ctx, const char *name, const dlc_transform **transform);
  void *ctx;
  const dlc_host *host;
} dlc_transform_finder;

/* Reads "resize(256) random_crop(size=224, padding=4) normalize(imagenet)" (read.c has the grammar). Reasons give the
 * column, counted from 1. [main] */
dlc_status dlc_pipeline_parse(const char *text, const dlc_transform_finder *finder, dlc_pipeline **pipeline);
void dlc_pipeline_free(dlc_pipeline *pipeline);

/* Whether the list works on bytes up to a last `normalize` (with or without `to_float` before it) or a last `to_float`
 * (mean 0, std 1), and with which numbers for each channel: then the network's graph can do that part. `channels`: of
 * the pictures that go in. */
bool dlc_pipeline_tail(const dlc_pipeline *pipeline, int64_t channels, float mean[4], float std[4]);
/* Takes that part off the list. [main] */
void dlc_pipeline_drop_tail(dlc_pipeline *pipeline);
/* Whether it is nothing but such an end. */
bool dlc_pipeline_is_tail(const dlc_pipeline *pipeline);

/* Whether nothing is left to be done to a picture. */
bool dlc_pipeline_is_empty(const dlc_pipeline *pipeline);

/* dtype and shape of what comes out for `in` (height and width 0: not known; what cannot be known comes out as 0). */
dlc_status dlc_pipeline_shape(const dlc_pipeline *pipeline, const dlc_image *in, dlc_image *out);

/* The buffers of one thread; they grow to the largest picture seen. */
typedef struct dlc_pipeline_buffers dlc_pipeline_buffers;
dlc_status dlc_pipeline_buffers_open(const dlc_pipeline *pipeline, dlc_pipeline_buffers **buffers);
void dlc_pipeline_buffers_close(dlc_pipeline_buffers *buffers);

/* *out lies in the buffers (or is `in` itself when the list is empty) and is valid until their next use. Random numbers
 * are a function of (seed, epoch, sample, position in the list). [any], one call a buffers at a time */
dlc_status dlc_pipeline_apply(const dlc_pipeline *pipeline, dlc_pipeline_buffers *buffers, uint64_t seed,
                              uint32_t epoch, uint32_t sample, const dlc_picture *in, dlc_image *out);

#endif
