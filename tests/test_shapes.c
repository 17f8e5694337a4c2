/* The shapes data set: pictures as a pure function of (seed, split, index). */
#include "dataset_fixture.h"
#include <math.h>

/* FNV-1a. */
static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
  const uint8_t *p = bytes;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
  return h;
}

/* A picture buffer of the test's own: exactly as large as asked. */
typedef struct sample_picture {
  dlc_picture picture;
  uint8_t *pixels, *scratch;
} sample_picture;

static dlc_status reserve(dlc_picture *p, int64_t height, int64_t width, int64_t channels)
{
  sample_picture *s = (sample_picture *)p;
  free(s->pixels);
  p->pixels = s->pixels = malloc((size_t)(height * width * channels));
  p->height = height;
  p->width = width;
  p->channels = channels;
  return p->pixels ? DLC_OK : DLC_NOMEM;
}

static void *scratch(dlc_picture *p, size_t n)
{
  sample_picture *s = (sample_picture *)p;
  free(s->scratch);
  return s->scratch = malloc(n);
}

/* Picture `i` of a split, channel by channel. */
static dlc_status read_planes(const test_dataset *t, uint32_t split, int64_t i, uint8_t *sample)
{
  sample_picture s = {.picture = {.size = sizeof(dlc_picture), .reserve = reserve, .scratch = scratch}};
  dlc_status status = t->dataset->read(t->data, split, i, &s.picture);
  const int64_t n = t->info->height * t->info->width, channels = t->info->channels;
  for (int64_t k = 0; k < n * channels && status == DLC_OK; k++)
    sample[k % channels * n + k / channels] = s.picture.pixels[k];
  free(s.pixels);
  free(s.scratch);
  return status;
}

static size_t sample_bytes(const dlc_dataset_info *info)
{
  return (size_t)(info->channels * info->height * info->width);
}

/* Of the first `n` labels and pictures of both splits. */
static uint64_t hash_dataset(const test_dataset *t, int64_t n)
{
  uint64_t h = 0xcbf29ce484222325u;
  uint8_t *sample = malloc(sample_bytes(t->info));
  ck_assert_ptr_nonnull(sample);
  for (uint32_t split = 0; split < 2; split++) {
    for (int64_t i = 0; i < n; i++) {
      ck_assert_int_eq(read_planes(t, split, i, sample), DLC_OK);
      h = hash(h, &t->info->splits[split].labels[i], 4);
      h = hash(h, sample, sample_bytes(t->info));
    }
  }
  free(sample);
  return h;
}

/* ---- the same everywhere ---- */

static const struct {
  const char *options;
  uint64_t expected;
} pinned[] = {{NULL, 0xbb004fa4b3a9017du},
              {"seed=7", 0x2840e0b319b7e3ccu},
              {"channels=3,size=32", 0xee69689fbf92ed2bu},
              {"noise=0,size=9", 0x74291ea113a4670cu},
              {"seed=-1,size=100", 0x8472a941208cfb45u}};

START_TEST(pictures_are_the_same_on_every_machine)
{
  test_dataset t = must_open("shapes", pinned[_i].options, NULL);
  ck_assert_msg(hash_dataset(&t, 40) == pinned[_i].expected, "%s: 0x%016llx",
                pinned[_i].options ? pinned[_i].options : "defaults", (unsigned long long)hash_dataset(&t, 40));
  close_dataset(&t);
}
END_TEST

typedef struct reading {
  const test_dataset *t;
  uint8_t *samples;
} reading;

static void read_one(void *arg, uint32_t i)
{
  reading *r = arg;
  read_planes(r->t, 0, i, r->samples + i * sample_bytes(r->t->info));
}

START_TEST(pictures_are_the_same_from_any_thread)
{
  test_dataset t = must_open("shapes", "count=500", NULL);
  size_t n = sample_bytes(t.info);
  uint8_t *alone = malloc(500 * n), *together = malloc(500 * n);
  ck_assert(alone && together);
  for (int64_t i = 499; i >= 0; i--) ck_assert_int_eq(read_planes(&t, 0, i, alone + (size_t)i * n), DLC_OK);
  const dlc_threads *threads = dlc_pool_threads(pool);
  threads->run(threads, 500, read_one, &(reading){&t, together});
  ck_assert_mem_eq(alone, together, 500 * n);
  free(alone);
  free(together);
  close_dataset(&t);
}
END_TEST

/* ---- different where they should be ---- */

START_TEST(seeds_splits_and_indexes_give_different_pictures)
{
  uint8_t a[784], b[784];
  test_dataset t = must_open("shapes", NULL, NULL), u = must_open("shapes", "seed=1", NULL);
  read_planes(&t, 0, 0, a);
  read_planes(&t, 0, 1, b);
  ck_assert_mem_ne(a, b, sizeof a);
  read_planes(&t, 1, 0, b);
  ck_assert_mem_ne(a, b, sizeof a);
  read_planes(&u, 0, 0, b);
  ck_assert_mem_ne(a, b, sizeof a);
  close_dataset(&t);
  close_dataset(&u);
}
END_TEST

START_TEST(a_larger_count_only_appends)
{
  test_dataset t = must_open("shapes", "count=100,test-count=50", NULL);
  test_dataset u = must_open("shapes", "count=200,test-count=60", NULL);
  ck_assert_int_eq(u.info->splits[0].count, 200);
  ck_assert_int_eq(u.info->splits[1].count, 60);
  ck_assert(hash_dataset(&t, 50) == hash_dataset(&u, 50));
  close_dataset(&t);
  close_dataset(&u);
}
END_TEST

/* ---- what is said about them ---- */

START_TEST(defaults_are_six_thousand_grey_pictures_of_ten_classes)
{
  test_dataset t = must_open("shapes", NULL, NULL);
  ck_assert_uint_eq(t.info->n_classes, 10);
  ck_assert_int_eq(t.info->splits[0].count, 6000);
  ck_assert_int_eq(t.info->splits[1].count, 1000);
  ck_assert_uint_eq(sample_bytes(t.info), 784);
  ck_assert_str_eq(t.info->class_names[0], "disc");
  ck_assert_ptr_null(t.info->splits[0].samples);
  close_dataset(&t);
}
END_TEST

/* 6000 labels of 10 classes: 600 expected, standard deviation 23; five of them are allowed. */
START_TEST(classes_are_equally_frequent)
{
  int count[10] = {0};
  test_dataset t = must_open("shapes", NULL, NULL);
  for (int i = 0; i < 6000; i++) {
    ck_assert_int_lt(t.info->splits[0].labels[i], 10);
    count[t.info->splits[0].labels[i]]++;
  }
  for (int c = 0; c < 10; c++) ck_assert_msg(abs(count[c] - 600) < 116, "class %d: %d", c, count[c]);
  close_dataset(&t);
}
END_TEST

START_TEST(mean_and_deviation_are_those_of_the_pictures)
{
  uint8_t sample[784];
  double sum = 0, squares = 0, n = 2000 * 784.0;
  test_dataset t = must_open("shapes", NULL, NULL);
  for (int64_t i = 0; i < 2000; i++) {
    read_planes(&t, 0, i, sample);
    for (int k = 0; k < 784; k++) {
      sum += sample[k] / 255.0;
      squares += sample[k] / 255.0 * (sample[k] / 255.0);
    }
  }
  double mean = sum / n, std = sqrt(squares / n - mean * mean);
  ck_assert_float_eq_tol(t.info->mean[0], (float)mean, 0.01f);
  ck_assert_float_eq_tol(t.info->std[0], (float)std, 0.01f);
  close_dataset(&t);
}
END_TEST

/* The mean picture of a class is as grey as that of all: a linear model has nothing to hold on to. */
START_TEST(the_mean_of_a_class_shows_nothing)
{
  static double sum[10][784];
  int count[10] = {0};
  uint8_t sample[784];
  test_dataset t = must_open("shapes", NULL, NULL);
  for (int64_t i = 0; i < 6000; i++) {
    int c = t.info->splits[0].labels[i];
    read_planes(&t, 0, i, sample);
    for (int k = 0; k < 784; k++) sum[c][k] += sample[k];
    count[c]++;
  }
  for (int c = 0; c < 10; c++) {
    double squares = 0;
    for (int k = 0; k < 784; k++) squares += pow(sum[c][k] / count[c] - 127.5, 2) / 784;
    /* Grey levels; a single picture is about 60 away from grey. */
    ck_assert_msg(sqrt(squares) < 8, "class %d: %.1f", c, sqrt(squares));
  }
  close_dataset(&t);
}
END_TEST

static const char *const extremes[] = {"size=8,noise=0", "size=512,noise=0", "size=512,noise=0,channels=3"};

/* The shape differs from its ground by 60 grey levels at least, and some ground is always left. */
START_TEST(shapes_of_any_size_can_be_seen)
{
  test_dataset t = must_open("shapes", extremes[_i], NULL);
  uint8_t *sample = malloc(sample_bytes(t.info));
  ck_assert_ptr_nonnull(sample);
  for (int64_t i = 0; i < 50; i++) {
    uint8_t low = 255, high = 0;
    read_planes(&t, 0, i, sample);
    for (size_t k = 0; k < sample_bytes(t.info); k++) {
      if (sample[k] < low) low = sample[k];
      if (sample[k] > high) high = sample[k];
    }
    ck_assert_msg(high - low >= 60, "picture %lld: %d..%d", (long long)i, low, high);
  }
  free(sample);
  close_dataset(&t);
}
END_TEST

START_TEST(a_data_folder_is_not_used_and_the_user_is_told)
{
  said[0] = '\0';
  test_dataset t = must_open("shapes", NULL, folder);
  ck_assert_str_eq(said, "shapes: pictures are made, not read: the data folder is not used\n");
  close_dataset(&t);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("shapes");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_loop_test(tests, pictures_are_the_same_on_every_machine, 0, sizeof pinned / sizeof pinned[0]);
  tcase_add_test(tests, pictures_are_the_same_from_any_thread);
  tcase_add_test(tests, seeds_splits_and_indexes_give_different_pictures);
  tcase_add_test(tests, a_larger_count_only_appends);
  tcase_add_test(tests, defaults_are_six_thousand_grey_pictures_of_ten_classes);
  tcase_add_test(tests, classes_are_equally_frequent);
  tcase_add_test(tests, mean_and_deviation_are_those_of_the_pictures);
  tcase_add_test(tests, the_mean_of_a_class_shows_nothing);
  tcase_add_loop_test(tests, shapes_of_any_size_can_be_seen, 0, sizeof extremes / sizeof extremes[0]);
  tcase_add_test(tests, a_data_folder_is_not_used_and_the_user_is_told);
  return run_suite("shapes", tests);
}
