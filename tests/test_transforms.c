/* dlcore's transforms: pixels against torchvision on Pillow's pictures (make_transform_vectors.py), shape rules and
 * their reasons, and what is drawn. Integer results are Pillow's to the byte. */
#include "base/status.h"
#include "suite.h"
#include "transform_fixture.h"
#include <jansson.h>
#include <math.h>

/* ---- against torchvision ---- */

static unsigned char *vectors; /* pixels.bin */

static dlc_image image_of(const json_t *j)
{
  const bool bytes = strcmp(json_string_value(json_object_get(j, "dtype")), "u8") == 0;
  return (dlc_image){.size = sizeof(dlc_image),
                     .dtype = bytes ? DLC_U8 : DLC_F32,
                     .height = json_integer_value(json_object_get(j, "height")),
                     .width = json_integer_value(json_object_get(j, "width")),
                     .channels = json_integer_value(json_object_get(j, "channels")),
                     .data = vectors + json_integer_value(json_object_get(j, "offset"))};
}

static void compare(const char *name, const dlc_image *came, const dlc_image *expected)
{
  ck_assert_msg(came->dtype == expected->dtype && came->height == expected->height && came->width == expected->width &&
                    came->channels == expected->channels,
                "%s: %lldx%lldx%lld, expected %lldx%lldx%lld", name, (long long)came->height, (long long)came->width,
                (long long)came->channels, (long long)expected->height, (long long)expected->width,
                (long long)expected->channels);
  const size_t n = (size_t)(came->height * came->width * came->channels);
  for (size_t i = 0; i < n && came->dtype == DLC_U8; i++)
    ck_assert_msg(((uint8_t *)came->data)[i] == ((uint8_t *)expected->data)[i], "%s: value %zu is %u, torchvision's %u",
                  name, i, ((uint8_t *)came->data)[i], ((uint8_t *)expected->data)[i]);
  for (size_t i = 0; i < n && came->dtype == DLC_F32; i++)
    ck_assert_msg(fabsf(((float *)came->data)[i] - ((float *)expected->data)[i]) <= 2e-7f,
                  "%s: value %zu is %.9g, torchvision's %.9g", name, i, (double)((float *)came->data)[i],
                  (double)((float *)expected->data)[i]);
}

START_TEST(pixels_are_those_of_torchvision_on_pillow)
{
  json_error_t error;
  json_t *cases = json_load_file(TEST_SOURCE_DIR "/golden/transforms/cases.json", 0, &error);
  ck_assert_msg(cases != NULL, "cases.json: %s", error.text);
  FILE *f = fopen(TEST_SOURCE_DIR "/golden/transforms/pixels.bin", "rb");
  ck_assert_ptr_nonnull(f);
  vectors = malloc(1 << 20);
  ck_assert_uint_gt(fread(vectors, 1, 1 << 20, f), 100000);
  fclose(f);
  ck_assert_uint_eq(json_array_size(cases), 83);
  for (size_t i = 0; i < json_array_size(cases); i++) {
    const json_t *c = json_array_get(cases, i), *draws = json_object_get(c, "draws");
    const char *name = json_string_value(json_object_get(c, "name"));
    const dlc_image in = image_of(json_object_get(c, "in")), expected = image_of(json_object_get(c, "out"));
    script s = {.n = (uint32_t)json_array_size(draws)};
    for (uint32_t k = 0; k < s.n; k++) s.draws[k] = (float)json_number_value(json_array_get(draws, k));
    dlc_image out;
    ck_assert_msg(apply_step(json_string_value(json_object_get(c, "step")), &in, &s, &out) >= 0, "%s: %s", name,
                  dlc_reason());
    compare(name, &out, &expected);
    release(&out);
  }
  json_decref(cases);
  free(vectors);
}
END_TEST

/* ---- shapes ---- */

START_TEST(shapes_are_known_before_the_pictures)
{
  static const struct {
    const char *step;
    int64_t in[3], out[3];
  } cases[] = {
      {"resize(256)", {375, 500, 3}, {256, 341, 3}},
      {"resize(256)", {500, 375, 3}, {341, 256, 3}},
      {"resize(256)", {0, 0, 3}, {0, 0, 3}},
      {"resize([20, 30])", {0, 0, 1}, {20, 30, 1}},
      {"center_crop(224)", {0, 0, 3}, {224, 224, 3}},
      {"random_crop([32, 30], padding=4)", {32, 32, 3}, {32, 30, 3}},
      {"random_resized_crop(224)", {0, 0, 3}, {224, 224, 3}},
      {"random_horizontal_flip", {28, 28, 1}, {28, 28, 1}},
      {"random_vertical_flip", {0, 0, 1}, {0, 0, 1}},
      {"random_rotation(20)", {10, 20, 3}, {10, 20, 3}},
      {"color_jitter(hue=0.1)", {10, 20, 3}, {10, 20, 3}},
      {"grayscale", {10, 20, 3}, {10, 20, 1}},
      {"grayscale(3)", {10, 20, 1}, {10, 20, 3}},
      {"random_erasing", {10, 20, 3}, {10, 20, 3}},
      {"to_float", {10, 20, 3}, {10, 20, 3}},
      {"normalize(mnist)", {10, 20, 3}, {10, 20, 3}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dlc_image out;
    ck_assert_msg(shape_of(cases[i].step, DLC_U8, cases[i].in, &out) >= 0, "%s: %s", cases[i].step, dlc_reason());
    ck_assert_msg(out.height == cases[i].out[0] && out.width == cases[i].out[1] && out.channels == cases[i].out[2],
                  "%s: %lldx%lldx%lld", cases[i].step, (long long)out.height, (long long)out.width,
                  (long long)out.channels);
    const bool floats = strncmp(cases[i].step, "to_", 3) == 0 || strncmp(cases[i].step, "norm", 4) == 0;
    ck_assert_msg(out.dtype == (floats ? DLC_F32 : DLC_U8), "%s: type %u", cases[i].step, out.dtype);
  }
}
END_TEST

START_TEST(attributes_that_make_no_sense_are_refused)
{
  static const struct {
    const char *step, *reason;
  } cases[] = {
      {"resize(0)", "resize: size is 0, expected a whole number, 1 to 65536"},
      {"resize(2.5)", "resize: size is 2.5, expected a whole number, 1 to 65536"},
      {"resize([1, 2, 3])", "resize: size has 3 numbers, expected one (the shorter side) or [height, width]"},
      {"resize(1e300)", "resize: size is 1e+300, expected a whole number, 1 to 65536"},
      {"center_crop(0)", "center_crop: size is 0, expected 1 to 65536"},
      {"center_crop([5, 70000])", "center_crop: size is 70000, expected 1 to 65536"},
      {"random_crop(21)", "random_crop: the picture is 20 high with its padding, size is 21: resize comes first"},
      {"random_crop(21, padding=[0, 1])",
       "random_crop: the picture is 20 wide with its padding, size is 21: resize comes first"},
      {"random_crop(8, padding=20, padding_mode=reflect)",
       "random_crop: the picture is 20 high, padding_mode reflect needs more than its padding"},
      {"random_crop(8, padding=same)", "random_crop: padding must be numbers here, not same"},
      {"random_resized_crop(8, scale=[0, 1])", "random_resized_crop: scale is [0, 1], expected above 0 and at most 1"},
      {"random_resized_crop(8, scale=[0.1, 1.5])",
       "random_resized_crop: scale is [0.1, 1.5], expected above 0 and at most 1"},
      {"random_resized_crop(8, ratio=[0, 1])", "random_resized_crop: ratio is [0, 1], expected above 0"},
      {"random_horizontal_flip(1.5)", "random_horizontal_flip: p is 1.5, expected 0 to 1"},
      {"random_vertical_flip(-1)", "random_vertical_flip: p is -1, expected 0 to 1"},
      {"random_rotation(-5)", "random_rotation: degrees must be one number, 0 or more, or [lowest, highest]"},
      {"random_rotation([5, -5])", "random_rotation: degrees must be one number, 0 or more, or [lowest, highest]"},
      {"random_rotation(1e308)", "random_rotation: degrees is 1e+308, expected -1000000 to 1000000"},
      {"color_jitter(-0.1)", "color_jitter: brightness is -0.1, expected 0 or more"},
      {"color_jitter(hue=0.6)", "color_jitter: hue is [-0.6, 0.6], expected -0.5 to 0.5"},
      {"color_jitter(contrast=[-1, 1])", "color_jitter: contrast is [-1, 1], expected low <= high, 0 or more"},
      {"color_jitter(contrast=[1, 2, 3])", "color_jitter: contrast has 3 numbers, expected one or [low, high]"},
      {"grayscale(2)", "grayscale: num_output_channels is 2, expected 1 or 3"},
      {"random_erasing(scale=[0.5, 2])", "random_erasing: scale is [0.5, 2], expected above 0 and at most 1"},
      {"random_erasing(value=300)", "random_erasing: value is 300, expected 0 to 255 before to_float and normalize"},
      {"random_erasing(value=[1, 2])", "random_erasing: value has 2 numbers, expected 1 or 3 (the channels)"},
      {"normalize", "normalize: needs a preset (imagenet, cifar10, mnist, half), or mean and std"},
      {"normalize(mean=0.5)", "normalize: needs a preset (imagenet, cifar10, mnist, half), or mean and std"},
      {"normalize(imagenet, mean=0.5)", "normalize: takes a preset, or mean and std, not both"},
      {"normalize(mean=[1, 2], std=1)", "normalize: mean has 2 numbers, expected 1 or 3 (the channels)"},
      {"normalize(mean=0.5, std=0)", "normalize: std is 0, expected above 0"},
      {"to_float resize(5)", "resize: works on bytes: it belongs before to_float and normalize"},
      {"normalize(half) color_jitter(0.5)", "color_jitter: works on bytes: it belongs before to_float and normalize"},
      {"to_float to_float", "to_float: works on bytes: it belongs before to_float and normalize"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dlc_image out;
    ck_assert_msg(shape_of(cases[i].step, DLC_U8, (int64_t[]){20, 20, 3}, &out) == DLC_INVALID, "%s was taken",
                  cases[i].step);
    ck_assert_str_eq(dlc_reason(), cases[i].reason);
  }
}
END_TEST

START_TEST(pictures_have_one_or_three_channels)
{
  static const char *const steps[] = {"resize(5)", "center_crop(5)", "random_horizontal_flip", "grayscale", "to_float"};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    dlc_image out;
    ck_assert_int_eq(shape_of(steps[i], DLC_U8, (int64_t[]){20, 20, 4}, &out), DLC_INVALID);
    ck_assert_msg(strstr(dlc_reason(), "the picture has 4 channels, expected 1 or 3") != NULL, "%s", dlc_reason());
  }
}
END_TEST

START_TEST(floats_can_be_cut_and_turned_over_too)
{
  float in[2 * 3 * 3], *out_data;
  for (int i = 0; i < 18; i++) in[i] = (float)i;
  const dlc_image picture = {sizeof picture, DLC_F32, 2, 3, 3, in};
  script s = {.n = 2};
  dlc_image out;
  ck_assert_int_eq(apply_step("random_horizontal_flip(1)", &picture, &s, &out), DLC_OK);
  out_data = out.data;
  ck_assert_float_eq(out_data[0], 6);
  ck_assert_float_eq(out_data[2 * 3 + 2], 2);
  ck_assert_float_eq(out_data[17], 11);
  release(&out);
  ck_assert_int_eq(apply_step("random_crop(2, padding=1)", &picture, &s, &out), DLC_OK);
  out_data = out.data;
  ck_assert_float_eq(out_data[0], 0);
  ck_assert_float_eq(out_data[3 * 3 + 1], 1);
  release(&out);
}
END_TEST

/* ---- what is drawn ---- */

enum { ROUNDS = 4000 };

/* A picture whose pixel says where it comes from: (y, x, 0). */
static void make_map(uint8_t *pixels, int height, int width)
{
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      uint8_t *p = pixels + 3 * (y * width + x);
      p[0] = (uint8_t)y, p[1] = (uint8_t)x, p[2] = 0;
    }
}

/* The list applied to the map as sample `i` of epoch 0; the result is valid until the next call. */
static const dlc_image *apply_list(const dlc_pipeline *p, dlc_pipeline_buffers *b, uint8_t *pixels, int64_t height,
                                   int64_t width, uint32_t i)
{
  static dlc_image out;
  const dlc_picture in = {.size = sizeof in, .height = height, .width = width, .channels = 3, .pixels = pixels};
  ck_assert_msg(dlc_pipeline_apply(p, b, 7, 0, i, &in, &out) >= 0, "%s", dlc_reason());
  return &out;
}

START_TEST(a_flip_comes_as_often_as_asked)
{
  static const double ps[] = {0, 0.25, 0.5, 1};
  static uint8_t pixels[3 * 4 * 5];
  make_map(pixels, 4, 5);
  for (size_t k = 0; k < sizeof ps / sizeof *ps; k++) {
    for (int vertical = 0; vertical < 2; vertical++) {
      char list[64];
      snprintf(list, sizeof list, "random_%s_flip(%g)", vertical ? "vertical" : "horizontal", ps[k]);
      dlc_pipeline *p = parse(list);
      dlc_pipeline_buffers *b;
      ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
      int flipped = 0;
      for (uint32_t i = 0; i < ROUNDS; i++)
        flipped += ((uint8_t *)apply_list(p, b, pixels, 4, 5, i)->data)[!vertical] != 0;
      /* Four standard deviations of a binomial distribution. */
      const double slack = 4 * sqrt(ps[k] * (1 - ps[k]) / ROUNDS);
      ck_assert_msg(fabs((double)flipped / ROUNDS - ps[k]) <= slack, "%s: %d of %d", list, flipped, ROUNDS);
      dlc_pipeline_buffers_close(b);
      dlc_pipeline_free(p);
    }
  }
}
END_TEST

START_TEST(a_random_crop_takes_every_place_equally_often)
{
  static uint8_t pixels[3 * 6 * 7];
  int seen[4][3] = {{0}};
  make_map(pixels, 6, 7);
  dlc_pipeline *p = parse("random_crop([3, 5])");
  dlc_pipeline_buffers *b;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    const uint8_t *out = apply_list(p, b, pixels, 6, 7, i)->data;
    ck_assert_int_lt(out[0], 4);
    ck_assert_int_lt(out[1], 3);
    seen[out[0]][out[1]]++;
  }
  double chi = 0; /* 11 degrees of freedom: above 31.3 once in a thousand */
  for (int y = 0; y < 4; y++)
    for (int x = 0; x < 3; x++) chi += pow(seen[y][x] - ROUNDS / 12.0, 2) / (ROUNDS / 12.0);
  ck_assert_msg(chi < 31.3, "chi square %g", chi);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(a_random_resized_crop_keeps_to_its_area_and_proportions)
{
  /* Nearest neighbours of a map tell the corners of the part that was taken. */
  static uint8_t pixels[3 * 200 * 200];
  double low = 1, high = 0, mean = 0;
  make_map(pixels, 200, 200);
  dlc_pipeline *p = parse("random_resized_crop(400, scale=[0.25, 0.49], ratio=[0.8, 1.25], interpolation=nearest)");
  dlc_pipeline_buffers *b;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  for (uint32_t i = 0; i < 500; i++) {
    const uint8_t *out = apply_list(p, b, pixels, 200, 200, i)->data, *last = out + 3 * (400 * 400 - 1);
    const double h = last[0] - out[0] + 1, w = last[1] - out[1] + 1, area = h * w / 40000;
    ck_assert_msg(w / h > 0.78 && w / h < 1.28, "sample %u: %gx%g", i, w, h);
    low = fmin(low, area);
    high = fmax(high, area);
    mean += area / 500;
  }
  ck_assert_msg(low > 0.24 && low < 0.26 && high < 0.5 && high > 0.48, "areas from %g to %g", low, high);
  ck_assert_msg(fabs(mean - 0.37) < 0.015, "areas around %g", mean);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(a_jitter_stays_in_its_range_and_fills_it)
{
  static uint8_t pixels[3] = {100, 100, 100};
  int low = 255, high = 0;
  dlc_pipeline *p = parse("color_jitter(brightness=0.3)");
  dlc_pipeline_buffers *b;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    const uint8_t *out = apply_list(p, b, pixels, 1, 1, i)->data;
    low = out[0] < low ? out[0] : low;
    high = out[0] > high ? out[0] : high;
  }
  ck_assert_msg(low == 70 && high == 129, "from %d to %d", low, high);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(the_four_jitters_come_in_every_order)
{
  static uint8_t pixels[3 * 2] = {200, 90, 30, 10, 60, 120};
  uint32_t seen[24], kinds = 0;
  dlc_pipeline *p = parse("color_jitter([0.5, 0.5], [0.6, 0.6], [2, 2], [0.3, 0.3])");
  dlc_pipeline_buffers *b;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    const uint8_t *out = apply_list(p, b, pixels, 1, 2, i)->data;
    const uint32_t key = (uint32_t)out[0] << 24 | (uint32_t)out[1] << 16 | (uint32_t)out[2] << 8 | out[3];
    uint32_t k = 0;
    while (k < kinds && seen[k] != key) k++;
    if (k == kinds) {
      ck_assert_uint_lt(kinds, 24);
      seen[kinds++] = key;
    }
  }
  ck_assert_uint_gt(kinds, 12); /* several orders give the same colours */
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(erasing_leaves_the_rest_alone)
{
  static uint8_t pixels[3 * 40 * 40];
  memset(pixels, 9, sizeof pixels);
  int erased = 0;
  dlc_pipeline *p = parse("random_erasing(0.5, scale=[0.1, 0.2], value=[1, 2, 3])");
  dlc_pipeline_buffers *b;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  for (uint32_t i = 0; i < 400; i++) {
    const uint8_t *out = apply_list(p, b, pixels, 40, 40, i)->data;
    int n = 0;
    for (int k = 0; k < 40 * 40; k++) {
      const bool filled = out[3 * k] == 1 && out[3 * k + 1] == 2 && out[3 * k + 2] == 3;
      ck_assert_msg(filled || (out[3 * k] == 9 && out[3 * k + 1] == 9 && out[3 * k + 2] == 9), "sample %u, pixel %d", i,
                    k);
      n += filled;
    }
    erased += n > 0;
    ck_assert_msg(n == 0 || (n > 130 && n < 350), "sample %u: %d pixels", i, n);
  }
  ck_assert_msg(erased > 160 && erased < 240, "%d of 400", erased);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("transforms");
  tcase_add_test(tests, pixels_are_those_of_torchvision_on_pillow);
  tcase_add_test(tests, shapes_are_known_before_the_pictures);
  tcase_add_test(tests, attributes_that_make_no_sense_are_refused);
  tcase_add_test(tests, pictures_have_one_or_three_channels);
  tcase_add_test(tests, floats_can_be_cut_and_turned_over_too);
  tcase_add_test(tests, a_flip_comes_as_often_as_asked);
  tcase_add_test(tests, a_random_crop_takes_every_place_equally_often);
  tcase_add_test(tests, a_random_resized_crop_keeps_to_its_area_and_proportions);
  tcase_add_test(tests, a_jitter_stays_in_its_range_and_fills_it);
  tcase_add_test(tests, the_four_jitters_come_in_every_order);
  tcase_add_test(tests, erasing_leaves_the_rest_alone);
  return run_suite("transforms", tests);
}
