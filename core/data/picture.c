/* The growing buffer behind a dlc_picture. */
#include "data/picture.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

static dlc_status grow(uint8_t **buffer, size_t *capacity, size_t needed)
{
  if (needed <= *capacity) return DLC_OK;
  /* Nothing of the former content is needed: cheaper than realloc. */
  free(*buffer);
  *buffer = malloc(needed);
  *capacity = *buffer ? needed : 0;
  return *buffer ? DLC_OK : dlc_fail_nomem();
}

static dlc_status reserve(dlc_picture *p, int64_t height, int64_t width, int64_t channels)
{
  dlc_picture_buffer *b = (dlc_picture_buffer *)p;
  int64_t bytes = channels;
  if (height < 1 || width < 1 || channels < 1 || channels > 4)
    return dlc_fail(DLC_INVALID, "a picture of %lldx%lld with %lld channels", (long long)width, (long long)height,
                    (long long)channels);
  if (__builtin_mul_overflow(bytes, height, &bytes) || __builtin_mul_overflow(bytes, width, &bytes) ||
      bytes > DLC_PICTURE_BYTES_MAX)
    return dlc_fail(DLC_INVALID, "a picture of %lldx%lld is too large; at most %lld MiB are read", (long long)width,
                    (long long)height, (long long)(DLC_PICTURE_BYTES_MAX >> 20));
  DLC_TRY(grow(&b->pixels, &b->pixel_capacity, (size_t)bytes));
  p->height = height;
  p->width = width;
  p->channels = channels;
  p->pixels = b->pixels;
  return DLC_OK;
}

static void *scratch(dlc_picture *p, size_t n)
{
  dlc_picture_buffer *b = (dlc_picture_buffer *)p;
  return grow(&b->scratch, &b->scratch_capacity, n ? n : 1) < 0 ? NULL : b->scratch;
}

void dlc_picture_init(dlc_picture_buffer *b)
{
  *b = (dlc_picture_buffer){.picture = {.size = sizeof(dlc_picture), .reserve = reserve, .scratch = scratch}};
}

void dlc_picture_free(dlc_picture_buffer *b)
{
  free(b->pixels);
  free(b->scratch);
  dlc_picture_init(b);
}
