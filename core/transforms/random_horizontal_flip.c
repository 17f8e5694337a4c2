/* random_horizontal_flip: left and right exchanged, with probability p. */
#include "transforms/rules.h"
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef struct flip {
  double p;
} flip;

static dlc_status flip_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)out;
  const flip *a = attr;
  DLC_TRY(dlc_expect_picture(in));
  return dlc_expect_probability(a->p);
}

/* With a constant pixel size, so that the copies are moves. */
static inline void mirror(const uint8_t *in, uint8_t *out, int64_t n, size_t pixel)
{
  for (int64_t x = 0; x < n; x++) memcpy(out + (size_t)(n - 1 - x) * pixel, in + (size_t)x * pixel, pixel);
}

#ifdef __x86_64__
/* Five pixels at once: 15 bytes behind one that is not used are put before one that is written later. */
__attribute__((target("avx2"))) static void mirror_colour(const uint8_t *in, uint8_t *out, int64_t n)
{
  const __m128i order = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
  int64_t left = n;
  for (; left >= 6; left -= 5, out += 15) {
    const __m128i five = _mm_loadu_si128((const __m128i *)(const void *)(in + 3 * (left - 5) - 1));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_shuffle_epi8(five, order));
  }
  mirror(in, out, left, 3);
}
#endif

static void mirror_row(const uint8_t *in, uint8_t *out, int64_t n, size_t pixel)
{
#ifdef __x86_64__
  if (pixel == 3 && __builtin_cpu_supports("avx2")) {
    mirror_colour(in, out, n);
    return;
  }
#endif
  if (pixel == 3) mirror(in, out, n, 3);
  else if (pixel == 1) mirror(in, out, n, 1);
  else mirror(in, out, n, pixel);
}

static dlc_status flip_apply(const dlc_transform_call *call)
{
  const flip *a = call->attr;
  if (!dlc_draw_chance(call, 0, a->p)) return dlc_keep(call);
  const size_t pixel = dlc_pixel_bytes(call->in), row = (size_t)call->in->width * pixel;
  const uint8_t *in = call->in->data;
  uint8_t *out = call->out->data;
  for (int64_t y = 0; y < call->in->height; y++, in += row, out += row) mirror_row(in, out, call->in->width, pixel);
  return DLC_OK;
}

static const dlc_attr attrs[] = {
    DLC_ATTR(FLOAT, flip, p, "0.5", "probability"),
};

const dlc_transform dlc_transform_random_horizontal_flip = {
    .size = sizeof(dlc_transform),
    .name = "random_horizontal_flip",
    .help = "left and right exchanged, at random",
    .attr_size = sizeof(flip),
    .attrs = attrs,
    .n_attrs = DLC_COUNT_OF(attrs),
    .shape = flip_shape,
    .apply = flip_apply,
};
