/* Pixels to planes and back, at every length around the kernels' width. */
#include "data/planes.h"
#include "suite.h"

enum { MOST = 100 };

START_TEST(every_byte_finds_its_plane_and_its_way_back)
{
  for (size_t channels = 1; channels <= 4; channels++)
    for (size_t n = 0; n <= MOST; n++) {
      uint8_t pixels[4 * MOST], planes[4 * MOST], again[4 * MOST];
      float floats[4 * MOST], split[4 * MOST];
      for (size_t i = 0; i < n * channels; i++) {
        pixels[i] = (uint8_t)(i * 37 + n);
        floats[i] = (float)i;
      }
      dlc_planes_split(pixels, planes, n, channels);
      dlc_planes_split_f32(floats, split, n, channels);
      for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++) {
          ck_assert_uint_eq(planes[c * n + i], pixels[i * channels + c]);
          ck_assert_float_eq(split[c * n + i], floats[i * channels + c]);
        }
      dlc_planes_join(planes, again, n, channels);
      ck_assert_mem_eq(again, pixels, n * channels);
    }
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("planes");
  tcase_add_test(tests, every_byte_finds_its_plane_and_its_way_back);
  return run_suite("planes", tests);
}
