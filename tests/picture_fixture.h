/* A picture as dlcore gives them to datasets, of exactly the size asked for (so that the address sanitizer sees every
 * step outside) and full of `poison` (so that a pixel that nobody wrote shows). */
#ifndef TESTS_PICTURE_FIXTURE_H
#define TESTS_PICTURE_FIXTURE_H
#include <dlcore/picture.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_picture {
  dlc_picture picture; /* first: callbacks get a pointer to it */
  uint8_t *pixels, *scratch;
  uint8_t poison;
  int reserved; /* calls */
} test_picture;

static inline dlc_status test_picture_reserve(dlc_picture *p, int64_t height, int64_t width, int64_t channels)
{
  test_picture *t = (test_picture *)p;
  size_t n = (size_t)(height * width * channels);
  t->reserved++;
  free(t->pixels);
  p->pixels = t->pixels = malloc(n);
  if (!t->pixels) return DLC_NOMEM;
  memset(t->pixels, t->poison, n);
  p->height = height, p->width = width, p->channels = channels;
  return DLC_OK;
}

static inline void *test_picture_scratch(dlc_picture *p, size_t n)
{
  test_picture *t = (test_picture *)p;
  free(t->scratch);
  return t->scratch = malloc(n ? n : 1);
}

static inline test_picture test_picture_make(uint8_t poison)
{
  return (test_picture){
      .picture = {.size = sizeof(dlc_picture), .reserve = test_picture_reserve, .scratch = test_picture_scratch},
      .poison = poison};
}

static inline void test_picture_free(test_picture *t)
{
  free(t->pixels);
  free(t->scratch);
  t->pixels = t->scratch = NULL;
}

static inline size_t test_picture_bytes(const test_picture *t)
{
  return (size_t)(t->picture.height * t->picture.width * t->picture.channels);
}

/* FNV-1a, as make_images.py has it. */
static inline uint64_t test_picture_hash(const test_picture *t)
{
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < test_picture_bytes(t); i++) h = (h ^ t->picture.pixels[i]) * 0x100000001b3u;
  return h;
}

#endif
