/* Any text as a list of transforms. What is accepted must have a shape or a reason, and must run on small pictures. */
#include "base/names.h"
#include "base/status.h"
#include "transforms/steps.h"
#include "transforms/transforms.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dlc_status find(void *ctx, const char *name, const dlc_transform **transform)
{
  (void)ctx;
  for (uint32_t i = 0; (*transform = dlc_core_transforms[i]); i++)
    if (dlc_name_equal((*transform)->name, name)) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no transform is called '%s'", name);
}

/* Whether no step makes a picture that takes a fuzzer long. */
static bool affordable(const dlc_pipeline *p, const dlc_image *in)
{
  dlc_pipeline front = *p;
  dlc_image out;
  for (front.n_steps = 1; front.n_steps <= p->n_steps; front.n_steps++)
    if (dlc_pipeline_shape(&front, in, &out) < 0 || out.height > 300 || out.width > 300) return false;
  return true;
}

static void run(const dlc_pipeline *p, int64_t height, int64_t width, int64_t channels)
{
  static uint8_t pixels[24 * 24 * 3];
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 31);
  const size_t n = (size_t)(height * width * channels);
  uint8_t *copy = malloc(n); /* of exactly its size */
  if (!copy) abort();
  memcpy(copy, pixels, n);
  const dlc_picture in = {.size = sizeof in, .height = height, .width = width, .channels = channels, .pixels = copy};
  const dlc_image image = {
      .size = sizeof image, .dtype = DLC_U8, .height = height, .width = width, .channels = channels, .data = copy};
  dlc_pipeline_buffers *b;
  dlc_image out;
  if (affordable(p, &image) && dlc_pipeline_buffers_open(p, &b) >= 0) {
    if (dlc_pipeline_apply(p, b, 1, 2, 3, &in, &out) < 0 && !*dlc_reason()) abort();
    dlc_pipeline_buffers_close(b);
  }
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const dlc_transform_finder finder = {find, NULL, NULL};
  dlc_pipeline *p = NULL;
  char *text = malloc(size + 1);
  if (!text || size > 2000) {
    free(text);
    return 0;
  }
  memcpy(text, data, size);
  text[size] = 0;
  dlc_fail(DLC_INVALID, "%s", "");
  if (dlc_pipeline_parse(text, &finder, &p) >= 0) {
    float mean[4], std[4];
    run(p, 24, 17, 3);
    run(p, 1, 1, 1);
    if (dlc_pipeline_tail(p, 3, mean, std)) dlc_pipeline_drop_tail(p);
    dlc_pipeline_free(p);
  } else if (p || strncmp(dlc_reason(), "column ", 7) != 0) {
    abort();
  }
  free(text);
  return 0;
}
