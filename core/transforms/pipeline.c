/* Running a list of transforms: two buffers in turn, random numbers by position. */
#include "transforms/pipeline.h"
#include "base/random.h"
#include "base/status.h"
#include "transforms/cut.h"
#include "transforms/steps.h"
#include <stdlib.h>

typedef struct buffer {
  void *data;
  size_t capacity;
} buffer;

struct dlc_pipeline_buffers {
  buffer turn[2], scratch;
};

/* One application; `call` comes first, so that the transform's callbacks find the rest. */
typedef struct application {
  dlc_transform_call call;
  dlc_pipeline_buffers *buffers;
  uint64_t seed;
  uint32_t purpose, epoch, sample;
} application;

static dlc_status grow(buffer *b, size_t needed)
{
  if (needed <= b->capacity) return DLC_OK;
  free(b->data);
  b->data = malloc(needed);
  b->capacity = b->data ? needed : 0;
  return b->data ? DLC_OK : dlc_fail_nomem();
}

static float draw_random(const dlc_transform_call *call, uint32_t draw)
{
  const application *a = (const application *)call;
  uint32_t words[4];
  dlc_random_words(a->seed, a->purpose, a->epoch, a->sample, draw / 4, words);
  return dlc_random_unit(words[draw % 4]);
}

static void *take_scratch(const dlc_transform_call *call, size_t n)
{
  const application *a = (const application *)call;
  return grow(&a->buffers->scratch, n ? n : 1) < 0 ? NULL : a->buffers->scratch.data;
}

dlc_status dlc_pipeline_buffers_open(const dlc_pipeline *pipeline, dlc_pipeline_buffers **buffers)
{
  (void)pipeline;
  *buffers = calloc(1, sizeof **buffers);
  return *buffers ? DLC_OK : dlc_fail_nomem();
}

void dlc_pipeline_buffers_close(dlc_pipeline_buffers *b)
{
  if (!b) return;
  free(b->turn[0].data);
  free(b->turn[1].data);
  free(b->scratch.data);
  free(b);
}

static dlc_status shape_step(const dlc_pipeline *p, uint32_t i, const dlc_image *in, dlc_image *out)
{
  const dlc_step *s = &p->steps[i];
  *out = (dlc_image){
      .size = sizeof *out, .dtype = in->dtype, .height = in->height, .width = in->width, .channels = in->channels};
  dlc_status status = s->transform->shape(p->host, s->attr, in, out);
  return status < 0 ? dlc_fail_in(status, "%s", s->transform->name) : DLC_OK;
}

dlc_status dlc_pipeline_shape(const dlc_pipeline *p, const dlc_image *in, dlc_image *out)
{
  dlc_image now = *in;
  for (uint32_t i = 0; i < p->n_steps; i++) {
    DLC_TRY(shape_step(p, i, &now, out));
    now = *out;
  }
  *out = now;
  return DLC_OK;
}

/* Bytes of a picture between two steps. */
static dlc_status size_of(const dlc_image *image, size_t *bytes)
{
  const int64_t most = (int64_t)1 << 30, height = image->height, width = image->width, channels = image->channels;
  const int64_t item = (int64_t)dlc_dtype_bytes(image->dtype);
  if (height < 1 || width < 1 || channels < 1 || item < 1 || height > most / width ||
      height * width > most / (channels * item))
    return dlc_fail(DLC_INVALID, "cannot make a picture of %lldx%lld with %lld channels", (long long)width,
                    (long long)height, (long long)channels);
  *bytes = (size_t)(height * width * channels * item);
  return DLC_OK;
}

/* The buffer that `in` does not lie in: a step that changes nothing leaves its picture where it is. */
static buffer *free_buffer(dlc_pipeline_buffers *buffers, const dlc_image *in)
{
  return &buffers->turn[in->data == buffers->turn[0].data];
}

static dlc_status make_room(application *a, const dlc_image *in, dlc_image *out)
{
  buffer *b = free_buffer(a->buffers, in);
  size_t bytes = 0;
  DLC_TRY(size_of(out, &bytes));
  DLC_TRY(grow(b, bytes));
  out->data = b->data;
  return DLC_OK;
}

static void prepare_call(const dlc_pipeline *p, uint32_t i, application *a, const dlc_image *in, dlc_image *out)
{
  a->purpose = DLC_PURPOSE_TRANSFORM + i;
  a->call = (dlc_transform_call){.size = sizeof a->call,
                                 .host = p->host,
                                 .attr = p->steps[i].attr,
                                 .in = in,
                                 .out = out,
                                 .random = draw_random,
                                 .scratch = take_scratch};
}

static dlc_status apply_step(const dlc_pipeline *p, uint32_t i, application *a, const dlc_image *in, dlc_image *out)
{
  const dlc_transform *t = p->steps[i].transform;
  DLC_TRY(shape_step(p, i, in, out));
  dlc_status status = make_room(a, in, out);
  if (status >= 0) {
    prepare_call(p, i, a, in, out);
    status = t->apply(&a->call);
  }
  return status < 0 ? dlc_fail_in(status, "%s", t->name) : DLC_OK;
}

/* ---- a resize and the cut behind it, in one; see cut.h ---- */

/* The cut after step i, when that is a resize; NULL: none. */
static const dlc_cut *cut_after(const dlc_pipeline *p, uint32_t i)
{
  static const dlc_cut *const cuts[] = {&dlc_center_crop_cut, &dlc_random_crop_cut, &dlc_random_resized_crop_cut};
  if (i + 1 >= p->n_steps || p->steps[i].transform != &dlc_transform_resize) return NULL;
  for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++)
    if (cuts[k]->transform == p->steps[i + 1].transform) return cuts[k];
  return NULL;
}

static bool lies_inside(const dlc_region *r, const dlc_image *image)
{
  return r->top >= 0 && r->left >= 0 && r->height <= image->height - r->top && r->width <= image->width - r->left;
}

/* Steps i and i + 1; *joined: whether it was done. */
static dlc_status apply_joined(const dlc_pipeline *p, uint32_t i, application *a, const dlc_image *in, dlc_image *out,
                               bool *joined)
{
  const dlc_cut *cut = cut_after(p, i);
  dlc_image whole;
  *joined = false;
  if (!cut) return DLC_OK;
  DLC_TRY(shape_step(p, i, in, &whole));
  if (whole.height == in->height && whole.width == in->width) return DLC_OK;
  DLC_TRY(shape_step(p, i + 1, &whole, out));
  prepare_call(p, i + 1, a, &whole, out);
  const dlc_region region = cut->choose(&a->call);
  if (!lies_inside(&region, &whole)) return DLC_OK;
  dlc_image part = whole;
  part.height = region.height;
  part.width = region.width;
  dlc_status status = make_room(a, in, &part);
  if (status >= 0) {
    prepare_call(p, i, a, in, &part);
    status = dlc_resize_part(&a->call, whole.height, whole.width, &region);
  }
  if (status < 0) return dlc_fail_in(status, "%s", p->steps[i].transform->name);
  status = make_room(a, &part, out);
  if (status >= 0) {
    prepare_call(p, i + 1, a, &part, out);
    status = cut->apply(&a->call, &(dlc_region){0, 0, part.height, part.width});
  }
  *joined = true;
  return status < 0 ? dlc_fail_in(status, "%s", p->steps[i + 1].transform->name) : DLC_OK;
}

dlc_status dlc_pipeline_apply(const dlc_pipeline *p, dlc_pipeline_buffers *buffers, uint64_t seed, uint32_t epoch,
                              uint32_t sample, const dlc_picture *in, dlc_image *out)
{
  application a = {.buffers = buffers, .seed = seed, .epoch = epoch, .sample = sample};
  dlc_image now = {.size = sizeof now,
                   .dtype = DLC_U8,
                   .height = in->height,
                   .width = in->width,
                   .channels = in->channels,
                   .data = in->pixels};
  for (uint32_t i = 0; i < p->n_steps; i++) {
    dlc_image next;
    bool joined;
    DLC_TRY(apply_joined(p, i, &a, &now, &next, &joined));
    if (joined) i++;
    else DLC_TRY(apply_step(p, i, &a, &now, &next));
    now = next;
  }
  *out = now;
  return DLC_OK;
}
