/* From the dataset to the batch. */
#include "data/sample.h"
#include "base/status.h"
#include "data/picture.h"
#include "data/planes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dlc_sampler {
  dlc_sample_config config;
  const dlc_dataset_info *info;
  const dlc_split *split;
  dlc_picture_buffer picture;
  dlc_pipeline_buffers *buffers;
  dlc_track *track; /* NULL: not timed */
};

dlc_status dlc_sample_format_make(const dlc_dataset_info *info, const dlc_pipeline *pipeline, dlc_sample_format *format)
{
  dlc_image out = {
      .size = sizeof(out), .dtype = DLC_U8, .height = info->height, .width = info->width, .channels = info->channels};
  const dlc_image in = out;
  if (pipeline) DLC_TRY(dlc_pipeline_shape(pipeline, &in, &out));
  if (out.height <= 0 || out.width <= 0)
    return dlc_fail(DLC_INVALID,
                    "the pictures differ in size%s: end the transforms with center_crop(N) or resize([H, W])",
                    pipeline ? " after the transforms" : "");
  *format = (dlc_sample_format){.dtype = out.dtype,
                                .channels = out.channels,
                                .height = out.height,
                                .width = out.width,
                                .bytes = (size_t)(out.channels * out.height * out.width) * dlc_dtype_bytes(out.dtype)};
  return DLC_OK;
}

dlc_status dlc_sampler_open(const dlc_sample_config *config, dlc_sampler **sampler)
{
  *sampler = NULL;
  dlc_sampler *s = calloc(1, sizeof(*s));
  if (!s) return dlc_fail_nomem();
  s->config = *config;
  if (config->pipeline && dlc_pipeline_is_empty(config->pipeline)) s->config.pipeline = NULL;
  s->info = config->dataset->info(config->data);
  s->split = dlc_split_at(s->info, config->split);
  dlc_picture_init(&s->picture);
  if (s->config.pipeline && dlc_pipeline_buffers_open(s->config.pipeline, &s->buffers) < 0) {
    dlc_sampler_close(s);
    return DLC_NOMEM;
  }
  *sampler = s;
  return DLC_OK;
}

void dlc_sampler_close(dlc_sampler *s)
{
  if (!s) return;
  dlc_pipeline_buffers_close(s->buffers);
  dlc_picture_free(&s->picture);
  free(s);
}

void dlc_sampler_profile(dlc_sampler *s, dlc_track *track)
{
  s->track = track;
}

void dlc_sample_name(const dlc_sample_config *c, uint32_t index, char *name, size_t size)
{
  if (DLC_HAS(c->dataset, sample_name)) {
    c->dataset->sample_name(c->data, c->split, index, name, size);
    return;
  }
  snprintf(name, size, "sample %u of %s", index, dlc_split_at(c->dataset->info(c->data), c->split)->name);
}

/* [C, H, W] of a resident sample to interleaved pixels. */
static dlc_status interleave(dlc_sampler *s, const uint8_t *planes)
{
  dlc_picture *p = &s->picture.picture;
  DLC_TRY(p->reserve(p, s->info->height, s->info->width, s->info->channels));
  dlc_planes_join(planes, p->pixels, (size_t)(p->height * p->width), (size_t)p->channels);
  return DLC_OK;
}

/* The picture of sample `index`, in `view`: cached, resident or read. */
dlc_status dlc_sampler_picture(dlc_sampler *s, uint32_t index, dlc_picture *view)
{
  dlc_picture *p = &s->picture.picture;
  *view = *p;
  if (s->config.cache && dlc_cache_get(s->config.cache, index, view)) return DLC_OK;
  dlc_status status;
  if (DLC_HAS(s->split, samples))
    status = interleave(s, s->split->samples +
                               (size_t)index * (size_t)(s->info->channels * s->info->height * s->info->width));
  else {
    dlc_track_begin(s->track, "read sample");
    status = s->config.dataset->read(s->config.data, s->config.split, index, p);
    dlc_track_end(s->track);
  }
  if (status < 0 && status != DLC_DAMAGED) return status;
  if (p->channels != s->info->channels)
    return dlc_fail(DLC_INVALID, "a picture with %lld channels, expected %lld", (long long)p->channels,
                    (long long)s->info->channels);
  if (s->config.cache && status == DLC_OK) dlc_cache_put(s->config.cache, index, p);
  *view = *p;
  return status;
}

static void to_planes(const dlc_image *image, void *out)
{
  const size_t n = (size_t)(image->height * image->width), channels = (size_t)image->channels;
  if (image->dtype == DLC_F32) dlc_planes_split_f32(image->data, out, n, channels);
  else dlc_planes_split(image->data, out, n, channels);
}

dlc_status dlc_sampler_read(dlc_sampler *s, uint32_t epoch, uint32_t index, void *out)
{
  const dlc_sample_config *c = &s->config;
  if (!c->pipeline && DLC_HAS(s->split, samples)) {
    const size_t bytes = (size_t)(s->info->channels * s->info->height * s->info->width);
    memcpy(out, s->split->samples + (size_t)index * bytes, bytes);
    return DLC_OK;
  }
  dlc_picture view;
  dlc_status read = dlc_sampler_picture(s, index, &view);
  if (read < 0 && read != DLC_DAMAGED) return read;
  dlc_image image = {.size = sizeof(image),
                     .dtype = DLC_U8,
                     .height = view.height,
                     .width = view.width,
                     .channels = view.channels,
                     .data = view.pixels};
  if (c->pipeline) DLC_TRY(dlc_pipeline_apply(c->pipeline, s->buffers, c->seed, epoch, index, &view, &image));
  else if (image.height != s->info->height || image.width != s->info->width)
    return dlc_fail(DLC_INVALID, "a picture of %lldx%lld, expected %lldx%lld", (long long)image.width,
                    (long long)image.height, (long long)s->info->width, (long long)s->info->height);
  to_planes(&image, out);
  return read;
}
