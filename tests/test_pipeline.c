/* Lists of transforms: how they are read, what is said of a wrong one, and how they run. */
#include "base/status.h"
#include "suite.h"
#include "transform_fixture.h"
#include "transforms/cut.h"
#include <pthread.h>

/* ---- reading ---- */

START_TEST(a_list_is_read_as_it_is_written)
{
  static const struct {
    const char *list;
    uint32_t steps;
  } cases[] = {
      {"", 0},
      {"  \n\t ", 0},
      {"random_horizontal_flip", 1},
      {"random_horizontal_flip()", 1},
      {"random-horizontal-flip(p=0.25)", 1},
      {"resize(256) center_crop(224) normalize(imagenet)", 3},
      {"resize( [ 8 , 9 ] , interpolation = bicubic )center_crop(size=[2,2])\n normalize(half)", 3},
      {"color_jitter(hue=0.05, saturation=0.05) random_horizontal_flip random_rotation(20) resize(256) "
       "random_resized_crop(size=224, scale=[0.5, 1.0]) normalize(imagenet)",
       6},
      {"random_crop(32, 4, reflect) normalize(mean=[0.5, 0.5, 0.5], std=[1, 1, 1])", 2},
      {"color_jitter(0.3, 0.3, 0.3) random_erasing(value=[])", 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dlc_pipeline *p = parse(cases[i].list);
    ck_assert_msg(p->n_steps == cases[i].steps, "%s: %u steps", cases[i].list, p->n_steps);
    dlc_pipeline_free(p);
  }
}
END_TEST

START_TEST(values_without_a_name_stand_for_the_attributes_in_order)
{
  dlc_pipeline *p = parse("random_crop([5, 6], [1, 2], reflect)"), *q = NULL;
  q = parse("random_crop(padding_mode=reflect, padding=[1, 2, 1, 2], size=[5, 6])");
  ck_assert_mem_eq(p->steps[0].attr, q->steps[0].attr, p->steps[0].transform->attr_size);
  dlc_pipeline_free(p);
  dlc_pipeline_free(q);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_column)
{
  static const struct {
    const char *list, *reason;
  } cases[] = {
      {"resise(256)", "column 1: no transform is called 'resise'"},
      {"resize(256) flop", "column 13: no transform is called 'flop'"},
      {"resize(256", "column 11: expected ',' or ')', but the list ends"},
      {"resize(", "column 8: expected a value, but the list ends"},
      {"resize(,)", "column 8: expected a value, got ','"},
      {"resize(256,)", "column 12: expected a value, got ')'"},
      {"resize(256))", "column 12: expected the name of a transform, got ')'"},
      {"(256)", "column 1: expected the name of a transform, got '('"},
      {"resize 256", "column 1: resize needs `size` (length of the shorter side, or [height, width])"},
      {"resize([1, 2)", "column 13: expected ',' or ']', got ')'"},
      {"resize([1,, 2])", "column 11: expected a number, got ','"},
      {"resize([[1]])", "column 9: expected a number, got '['"},
      {"resize(size=)", "column 13: expected a value, got ')'"},
      {"resize(=3)", "column 8: expected a value, got '='"},
      {"resize([1]=3)", "column 11: expected ',' or ')', got '='"},
      {"resize(size=1=2)", "column 14: expected ',' or ')', got '='"},
      {"resize(1, 2)", "column 11: `interpolation: 2`: expected bilinear|nearest|bicubic"},
      {"resize(1, bilinear, 2)", "column 21: resize takes at most 2 values"},
      {"resize(interpolation=nearest, 2)", "column 31: resize: a value without a name goes before those with one"},
      {"resize(1, size=2)", "column 11: resize: `size` is given twice"},
      {"resize(sise=2)", "column 8: resize has no `sise`; did you mean `size`?"},
      {"resize(qqqqqqq=2)", "column 8: resize has no `qqqqqqq`; it has size, interpolation"},
      {"resize(big)", "column 8: `size: big`: expected a number"},
      {"resize([1, 2, 3, 4, 5])", "column 8: `size` has 5 numbers; expected at most 4"},
      {"resize([1, 2, 3, 4, 5, 6, 7, 8, 9])", "column 8: `size` has 9 numbers; expected at most 4"},
      {"resize([nan, 2])", "column 8: `size: nan`: expected a number"},
      {"to_float(1)", "column 10: to_float takes no values"},
      {"normalize(ImageNet)", "column 11: `preset: ImageNet`: expected none|imagenet|cifar10|mnist|half"},
      {"random_resized_crop(8, scale=[1, 0.5])", "column 24: `scale: [1, 0.5]`: expected the lower number first"},
      {"random_resized_crop(8, scale=0.5)", "column 24: `scale` has 1 numbers; expected two: [low, high]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dlc_pipeline *p = (dlc_pipeline *)&p;
    ck_assert_msg(dlc_pipeline_parse(cases[i].list, &core_transforms, &p) < 0, "%s was taken", cases[i].list);
    ck_assert_ptr_null(p);
    ck_assert_str_eq(dlc_reason(), cases[i].reason);
  }
}
END_TEST

START_TEST(a_list_has_an_end)
{
  char text[9 * 65 + 1] = "";
  for (int i = 0; i < 65; i++) strcat(text, "to_float ");
  dlc_pipeline *p;
  ck_assert_int_eq(dlc_pipeline_parse(text, &core_transforms, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "column 577: more than 64 transforms");
}
END_TEST

/* ---- running ---- */

static const char course[] = "color_jitter(hue=0.05, saturation=0.05) random_horizontal_flip random_rotation(20) "
                             "resize(40) random_resized_crop(size=24, scale=[0.5, 1.0]) normalize(imagenet)";

enum { SIDE = 50, OUT_BYTES = 24 * 24 * 3 * 4 };

static uint8_t scene[SIDE * SIDE * 3];

static void make_scene(void)
{
  for (int i = 0; i < SIDE * SIDE * 3; i++) scene[i] = (uint8_t)(i * 37 + i / 150 * 11);
}

static dlc_picture scene_picture(void)
{
  return (dlc_picture){.size = sizeof(dlc_picture), .height = SIDE, .width = SIDE, .channels = 3, .pixels = scene};
}

static void run(const dlc_pipeline *p, uint64_t seed, uint32_t epoch, uint32_t sample, void *result)
{
  const dlc_picture in = scene_picture();
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  ck_assert_msg(dlc_pipeline_apply(p, b, seed, epoch, sample, &in, &out) >= 0, "%s", dlc_reason());
  memcpy(result, out.data, OUT_BYTES);
  dlc_pipeline_buffers_close(b);
}

START_TEST(a_result_is_a_function_of_seed_epoch_and_sample)
{
  static uint8_t first[OUT_BYTES], again[OUT_BYTES], other[OUT_BYTES];
  make_scene();
  dlc_pipeline *p = parse(course), *q = parse(course);
  run(p, 1, 2, 3, first);
  run(q, 1, 2, 3, again);
  ck_assert_mem_eq(first, again, OUT_BYTES);
  run(p, 9, 2, 3, other);
  ck_assert_mem_ne(first, other, OUT_BYTES);
  run(p, 1, 9, 3, other);
  ck_assert_mem_ne(first, other, OUT_BYTES);
  run(p, 1, 2, 9, other);
  ck_assert_mem_ne(first, other, OUT_BYTES);
  dlc_pipeline_free(p);
  dlc_pipeline_free(q);
}
END_TEST

typedef struct worker {
  const dlc_pipeline *p;
  uint32_t first;
  uint8_t *results; /* 64 of OUT_BYTES, of which it makes every fourth */
} worker;

static void *work(void *arg)
{
  const worker *w = arg;
  for (uint32_t i = w->first; i < 64; i += 4) run(w->p, 5, 0, i, w->results + (size_t)i * OUT_BYTES);
  return NULL;
}

START_TEST(threads_share_a_list)
{
  make_scene();
  dlc_pipeline *p = parse(course);
  uint8_t *one = malloc((size_t)64 * OUT_BYTES), *four = malloc((size_t)64 * OUT_BYTES);
  pthread_t threads[4];
  worker workers[4];
  for (uint32_t i = 0; i < 4; i++) {
    workers[i] = (worker){p, i, four};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (uint32_t i = 0; i < 64; i++) run(p, 5, 0, i, one + (size_t)i * OUT_BYTES);
  ck_assert_mem_eq(one, four, (size_t)64 * OUT_BYTES);
  free(one);
  free(four);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(a_step_that_changes_nothing_costs_no_copy)
{
  make_scene();
  const dlc_picture in = scene_picture();
  dlc_pipeline *p = parse("random_horizontal_flip(0) resize(50) center_crop(50) color_jitter random_erasing(0)");
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  ck_assert_int_eq(dlc_pipeline_apply(p, b, 1, 0, 0, &in, &out), DLC_OK);
  ck_assert_ptr_eq(out.data, scene);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

/* The step in the middle leaves its picture in a buffer that the next one must not take. */
START_TEST(a_step_never_writes_over_its_input)
{
  make_scene();
  const dlc_picture in = scene_picture();
  dlc_pipeline *p = parse("random_vertical_flip(1) random_horizontal_flip(0) random_vertical_flip(1)");
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  ck_assert_int_eq(dlc_pipeline_apply(p, b, 1, 0, 0, &in, &out), DLC_OK);
  ck_assert_mem_eq(out.data, scene, sizeof scene);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

START_TEST(a_picture_too_large_is_refused_before_it_is_made)
{
  make_scene();
  const dlc_picture in = scene_picture();
  dlc_pipeline *p = parse("resize(60000)");
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  ck_assert_int_eq(dlc_pipeline_apply(p, b, 1, 0, 0, &in, &out), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "resize: cannot make a picture of 60000x60000 with 3 channels");
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

/* ---- a resize and the cut behind it ---- */

static void expect_same_bytes(const char *list, const dlc_pipeline *joined, const dlc_pipeline *apart, uint32_t sample)
{
  const dlc_picture in = scene_picture();
  dlc_pipeline_buffers *b, *c;
  dlc_image x, y;
  ck_assert_int_eq(dlc_pipeline_buffers_open(joined, &b), DLC_OK);
  ck_assert_int_eq(dlc_pipeline_buffers_open(apart, &c), DLC_OK);
  ck_assert_msg(dlc_pipeline_apply(joined, b, 1, 0, sample, &in, &x) >= 0, "%s: %s", list, dlc_reason());
  ck_assert_msg(dlc_pipeline_apply(apart, c, 1, 0, sample, &in, &y) >= 0, "%s: %s", list, dlc_reason());
  ck_assert_msg(x.height == y.height && x.width == y.width, "%s: %lldx%lld, expected %lldx%lld", list,
                (long long)x.height, (long long)x.width, (long long)y.height, (long long)y.width);
  const uint8_t *came = x.data, *expected = y.data;
  const int64_t n = x.height * x.width * x.channels;
  int64_t i = 0;
  while (i < n && came[i] == expected[i]) i++;
  ck_assert_msg(i == n, "%s, sample %u: value %lld is %u, expected %u", list, sample, (long long)i, came[i],
                expected[i]);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_buffers_close(c);
}

START_TEST(a_cut_behind_a_resize_gets_the_bytes_of_the_whole)
{
  static const char *const lists[] = {
      "resize(64) random_crop(56) random_horizontal_flip",
      "resize(64, bicubic) center_crop([7, 61])",
      "resize([20, 80]) random_crop(19)",
      "resize([10, 45], bicubic) random_crop([9, 3])",
      "resize(70, nearest) random_crop([40, 33])",
      "resize([50, 90]) random_crop(30)",
      "resize([90, 50]) random_crop(30)",
      "resize(70) random_resized_crop(24)",
      "resize([12, 13], nearest) random_resized_crop([30, 20], interpolation=bicubic)",
      "resize(20) random_crop(24, padding=6, padding_mode=reflect)",
      "resize(20) center_crop([30, 10])",
      "resize(40) resize(30) center_crop(30) center_crop(20)",
  };
  dlc_transform other = dlc_transform_resize; /* at another address, it is nobody the pipeline knows */
  make_scene();
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    dlc_pipeline *joined = parse(lists[i]), *apart = parse(lists[i]);
    for (uint32_t k = 0; k < apart->n_steps; k++)
      if (apart->steps[k].transform == &dlc_transform_resize) apart->steps[k].transform = &other;
    for (uint32_t sample = 0; sample < 20; sample++) expect_same_bytes(lists[i], joined, apart, sample);
    dlc_pipeline_free(joined);
    dlc_pipeline_free(apart);
  }
}
END_TEST

START_TEST(what_a_cut_does_not_keep_is_not_made)
{
  make_scene();
  const dlc_picture in = scene_picture();
  dlc_pipeline *p = parse("resize(60000) center_crop(8)"); /* 10 GB */
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  ck_assert_msg(dlc_pipeline_apply(p, b, 1, 0, 0, &in, &out) >= 0, "%s", dlc_reason());
  ck_assert_int_eq(out.width, 8);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

/* ---- the end that the graph can do ---- */

START_TEST(a_last_normalization_of_bytes_can_be_taken_off)
{
  static const struct {
    const char *list;
    uint32_t left; /* steps; 99: there is no such end */
    float mean, std;
  } cases[] = {
      {"resize(8) normalize(imagenet)", 1, 0.456f, 0.224f},
      {"resize(8) to_float normalize(half)", 1, 0.5f, 0.5f},
      {"to_float", 0, 0, 1},
      {"normalize(half)", 0, 0.5f, 0.5f},
      {"to_float normalize(half)", 0, 0.5f, 0.5f},
      {"grayscale(3) normalize(mean=[0.1, 0.2, 0.3], std=2)", 1, 0.2f, 2},
      {"", 99, 0, 0},
      {"resize(8)", 99, 0, 0},
      {"normalize(half) random_horizontal_flip", 99, 0, 0},
      {"to_float random_erasing normalize(half)", 99, 0, 0},
      {"normalize(half) normalize(half)", 99, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float mean[4], std[4];
    dlc_pipeline *p = parse(cases[i].list);
    const bool has = dlc_pipeline_tail(p, 3, mean, std);
    ck_assert_msg(dlc_pipeline_is_tail(p) == (cases[i].left == 0), "%s", cases[i].list);
    ck_assert_msg(has == (cases[i].left != 99), "%s", cases[i].list);
    if (has) {
      ck_assert_float_eq(mean[1], cases[i].mean);
      ck_assert_float_eq(std[1], cases[i].std);
      dlc_pipeline_drop_tail(p);
      ck_assert_msg(p->n_steps == cases[i].left, "%s: %u steps are left", cases[i].list, p->n_steps);
    }
    dlc_pipeline_free(p);
  }
}
END_TEST

/* ---- third parties ---- */

typedef struct shift {
  double by[2];
  int64_t how;
} shift;

static dlc_status shift_shape(const dlc_host *h, const void *attr, const dlc_image *in, dlc_image *out)
{
  (void)h, (void)attr, (void)in, (void)out;
  return DLC_OK;
}

static dlc_status shift_apply(const dlc_transform_call *call)
{
  const shift *a = call->attr;
  const double by = a->by[0] + (a->by[1] - a->by[0]) * (double)call->random(call, 0);
  for (int64_t i = 0; i < call->in->height * call->in->width * call->in->channels; i++) {
    const int v = ((const uint8_t *)call->in->data)[i];
    ((uint8_t *)call->out->data)[i] = (uint8_t)(a->how == 1 ? v - (int)by : v + (int)by);
  }
  return DLC_OK;
}

/* Paints the sum of its numbers. */
typedef struct paint {
  dlc_list numbers;
} paint;

static dlc_status paint_apply(const dlc_transform_call *call)
{
  const paint *a = call->attr;
  double sum = 0;
  for (int64_t i = 0; i < a->numbers.count; i++) sum += a->numbers.at[i];
  memset(call->out->data, (int)sum, (size_t)(call->in->height * call->in->width * call->in->channels));
  return DLC_OK;
}

static dlc_status find_paint(void *ctx, const char *name, const dlc_transform **transform)
{
  static const dlc_attr attrs[] = {DLC_ATTR(LIST, paint, numbers, "[1, 2, 3, 4, 5, 6]", "to be added")};
  static const dlc_transform other = {.size = sizeof other,
                                      .name = "acme.paint",
                                      .attr_size = sizeof(paint),
                                      .attrs = attrs,
                                      .n_attrs = 1,
                                      .shape = shift_shape,
                                      .apply = paint_apply};
  (void)ctx, (void)name;
  *transform = &other;
  return DLC_OK;
}

START_TEST(a_list_of_numbers_is_read_in_full)
{
  const dlc_transform_finder finder = {find_paint, NULL, NULL};
  static const struct {
    const char *list;
    int painted;
  } cases[] = {{"acme.paint", 21}, {"acme.paint([1, 1, 1, 1, 1, 1, 1, 1, 1, 2])", 11}};
  char text[256] = "acme.paint([0";
  make_scene();
  const dlc_picture in = scene_picture();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dlc_pipeline *p;
    dlc_pipeline_buffers *b;
    dlc_image out;
    ck_assert_msg(dlc_pipeline_parse(cases[i].list, &finder, &p) == DLC_OK, "%s: %s", cases[i].list, dlc_reason());
    ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
    ck_assert_int_eq(dlc_pipeline_apply(p, b, 1, 0, 0, &in, &out), DLC_OK);
    ck_assert_int_eq(*(const uint8_t *)out.data, cases[i].painted);
    dlc_pipeline_buffers_close(b);
    dlc_pipeline_free(p);
  }
  for (int i = 0; i < DLC_MAX_LIST; i++) strcat(text, ",1");
  dlc_pipeline *p;
  ck_assert_int_eq(dlc_pipeline_parse(strcat(text, "])"), &finder, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "column 12: a list of more than 64");
}
END_TEST

static dlc_status find_other(void *ctx, const char *name, const dlc_transform **transform)
{
  static const dlc_attr attrs[] = {DLC_ATTR(RANGE, shift, by, "[3, 3]", "how much"),
                                   DLC_ATTR_WORD(shift, how, "up|down", "up", "which way")};
  static const dlc_transform other = {.size = sizeof other,
                                      .name = "acme.shift",
                                      .attr_size = sizeof(shift),
                                      .attrs = attrs,
                                      .n_attrs = 2,
                                      .shape = shift_shape,
                                      .apply = shift_apply};
  *transform = &other;
  return strcmp(name, other.name) == 0 ? DLC_OK : find_core_transform(ctx, name, transform);
}

START_TEST(others_transforms_stand_among_dlcores)
{
  const dlc_transform_finder finder = {find_other, NULL, NULL};
  make_scene();
  scene[0] = 100;
  const dlc_picture in = scene_picture();
  dlc_pipeline *p;
  dlc_pipeline_buffers *b;
  dlc_image out;
  ck_assert_int_eq(dlc_pipeline_parse("acme.shift random_vertical_flip(0) acme.shift([10, 20], how=down)", &finder, &p),
                   DLC_OK);
  ck_assert_int_eq(dlc_pipeline_buffers_open(p, &b), DLC_OK);
  int least = 255, most = 0;
  for (uint32_t i = 0; i < 200; i++) {
    ck_assert_int_eq(dlc_pipeline_apply(p, b, 1, 0, i, &in, &out), DLC_OK);
    const int v = *(const uint8_t *)out.data;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  ck_assert_int_eq(least, 103 - 19);
  ck_assert_int_eq(most, 103 - 10);
  dlc_pipeline_buffers_close(b);
  dlc_pipeline_free(p);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("pipeline");
  tcase_add_test(tests, a_list_is_read_as_it_is_written);
  tcase_add_test(tests, values_without_a_name_stand_for_the_attributes_in_order);
  tcase_add_test(tests, what_is_wrong_is_said_with_its_column);
  tcase_add_test(tests, a_list_has_an_end);
  tcase_add_test(tests, a_result_is_a_function_of_seed_epoch_and_sample);
  tcase_add_test(tests, threads_share_a_list);
  tcase_add_test(tests, a_step_that_changes_nothing_costs_no_copy);
  tcase_add_test(tests, a_step_never_writes_over_its_input);
  tcase_add_test(tests, a_picture_too_large_is_refused_before_it_is_made);
  tcase_add_test(tests, a_cut_behind_a_resize_gets_the_bytes_of_the_whole);
  tcase_add_test(tests, what_a_cut_does_not_keep_is_not_made);
  tcase_add_test(tests, a_last_normalization_of_bytes_can_be_taken_off);
  tcase_add_test(tests, others_transforms_stand_among_dlcores);
  tcase_add_test(tests, a_list_of_numbers_is_read_in_full);
  return run_suite("pipeline", tests);
}
