/* Lists of transforms in tests: dlcore's own without a registry, and one step with scripted random numbers. */
#ifndef TESTS_TRANSFORM_FIXTURE_H
#define TESTS_TRANSFORM_FIXTURE_H
#include "base/names.h"
#include "base/status.h"
#include "transforms/pipeline.h"
#include "transforms/steps.h"
#include "transforms/transforms.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static inline dlc_status find_core_transform(void *ctx, const char *name, const dlc_transform **transform)
{
  (void)ctx;
  for (uint32_t i = 0; (*transform = dlc_core_transforms[i]); i++)
    if (dlc_name_equal((*transform)->name, name)) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no transform is called '%s'", name);
}

static const dlc_transform_finder core_transforms = {find_core_transform, NULL, NULL};

static inline dlc_pipeline *parse(const char *list)
{
  dlc_pipeline *p = NULL;
  ck_assert_msg(dlc_pipeline_parse(list, &core_transforms, &p) >= 0, "%s: %s", list, dlc_reason());
  return p;
}

static inline dlc_status shape_of(const char *list, uint32_t dtype, const int64_t size[3], dlc_image *out)
{
  dlc_pipeline *p = parse(list);
  const dlc_image in = {.size = sizeof in, .dtype = dtype, .height = size[0], .width = size[1], .channels = size[2]};
  dlc_status status = dlc_pipeline_shape(p, &in, out);
  dlc_pipeline_free(p);
  return status;
}

typedef struct script {
  dlc_transform_call call; /* first */
  void *scratch;
  uint32_t n;
  float draws[64];
} script;

static inline float scripted(const dlc_transform_call *call, uint32_t draw)
{
  const script *s = (const script *)call;
  ck_assert_msg(draw < s->n, "draw %u of %u", draw, s->n);
  return s->draws[draw];
}

/* Blocks of exactly the size that was asked for, so that sanitizers see what goes past it. */
static inline void *scripted_scratch(const dlc_transform_call *call, size_t n)
{
  script *s = (script *)call;
  free(s->scratch);
  return s->scratch = malloc(n);
}

static inline void release(dlc_image *image)
{
  free(image->data);
  image->data = NULL;
}

/* One step, on a copy of `in` of exactly its size. The caller releases `out`. */
static inline dlc_status apply_step(const char *step, const dlc_image *in, script *s, dlc_image *out)
{
  dlc_pipeline *p = parse(step);
  ck_assert_uint_eq(p->n_steps, 1);
  dlc_image copy = *in;
  const size_t n = (size_t)(in->height * in->width * in->channels) * dlc_dtype_bytes(in->dtype);
  copy.data = malloc(n);
  memcpy(copy.data, in->data, n);
  dlc_status status = dlc_pipeline_shape(p, &copy, out);
  if (status >= 0) {
    void *data = malloc((size_t)(out->height * out->width * out->channels) * dlc_dtype_bytes(out->dtype));
    out->data = data;
    s->call = (dlc_transform_call){.size = sizeof s->call,
                                   .attr = p->steps[0].attr,
                                   .in = &copy,
                                   .out = out,
                                   .random = scripted,
                                   .scratch = scripted_scratch};
    status = p->steps[0].transform->apply(&s->call);
    if (out->data == copy.data) {
      memcpy(data, copy.data, n);
      out->data = data;
    }
  }
  free(s->scratch);
  s->scratch = NULL;
  free(copy.data);
  dlc_pipeline_free(p);
  return status;
}

#endif
