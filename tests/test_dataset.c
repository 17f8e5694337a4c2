/* What a dataset plugin says of its data is checked before anything relies on it. */
#include "data/dataset.h"
#include "data/limited.h"
#include "data/picture.h"
#include "rig.h"
#include "suite.h"
#include <math.h>

static rig_data data;
static dlc_dataset dataset;

static void set_up(void)
{
  rig_data_open(&data, 20, 5, 1);
  dataset = rig_dataset;
}

static void tear_down(void)
{
  rig_data_close(&data);
}

static void start_again(void)
{
  tear_down();
  set_up();
}

static void expect_refusal(const char *reason)
{
  const dlc_dataset_info *info;
  dlc_status status = dlc_dataset_describe(&dataset, rig_as_data(&data), &info);
  ck_assert_msg(status == DLC_INVALID, "status %d, expected %d for: %s", status, DLC_INVALID, reason);
  ck_assert_str_eq(dlc_reason(), reason);
}

static void expect_fine(void)
{
  const dlc_dataset_info *info = NULL;
  rig_ok(dlc_dataset_describe(&dataset, rig_as_data(&data), &info));
  ck_assert_ptr_eq(info, &data.info);
}

static const dlc_dataset_info *no_info(dlc_data *d)
{
  (void)d;
  return NULL;
}

START_TEST(a_description_without_its_optional_fields_is_taken)
{
  expect_fine();
  data.info.size = offsetof(dlc_dataset_info, mean);
  data.info.std = (const float[]){0};
  expect_fine();
}
END_TEST

START_TEST(missing_parts_are_named)
{
  data.info.size = offsetof(dlc_dataset_info, splits);
  expect_refusal("dataset rig: its dlc_dataset_info has 48 bytes, at least 56 are needed");
  start_again();
  data.info.class_names = NULL;
  expect_refusal("dataset rig: it has 4 classes and no names of them");
  start_again();
  data.info.splits = NULL;
  expect_refusal("dataset rig: it has no split");
  start_again();
  data.splits[0].name = "training";
  expect_refusal("dataset rig: it has no split 'train'");
  start_again();
  data.splits[0].labels = NULL;
  expect_refusal("dataset rig: split train has no labels");
  start_again();
  dataset.info = no_info;
  expect_refusal("dataset rig: info() returned NULL");
}
END_TEST

START_TEST(a_label_that_is_no_class_is_found_wherever_it_is)
{
  data.labels[1][4] = RIG_CLASSES;
  expect_refusal("dataset rig: split test: label 4 of sample 4, expected 0 to 3");
  data.labels[1][4] = -1;
  expect_refusal("dataset rig: split test: label -1 of sample 4, expected 0 to 3");
}
END_TEST

START_TEST(samples_come_from_memory_or_from_read)
{
  data.splits[0].samples = NULL;
  expect_fine();
  dataset.size = offsetof(dlc_dataset, read);
  expect_refusal("dataset rig: split train has no samples in memory, and the dataset no read()");
  data.splits[0].samples = data.samples[0];
  expect_fine();
}
END_TEST

START_TEST(shapes_and_scales_are_possible_ones)
{
  data.info.height = 0;
  expect_refusal("dataset rig: samples of 1x0x12 are not possible");
  data.info.height = data.info.width = INT64_MAX / 2;
  expect_refusal("dataset rig: samples of 1x4611686018427387903x4611686018427387903 are not possible");
  data.info.height = data.info.width = RIG_SIDE;
  data.info.std = (const float[]){0};
  expect_refusal("dataset rig: the standard deviation of channel 0 is 0, expected above 0");
  data.info.std = NULL;
  data.info.mean = (const float[]){NAN};
  expect_refusal("dataset rig: the mean of channel 0 is nan");
}
END_TEST

/* A later revision of dlc_split has more fields: the second one is then further away. */
START_TEST(splits_are_walked_by_the_size_of_the_first)
{
  struct larger {
    dlc_split split;
    char more[16];
  } splits[2];
  for (int i = 0; i < 2; i++) {
    splits[i].split = data.splits[i];
    splits[i].split.size = sizeof splits[i];
    memset(splits[i].more, 0xff, sizeof splits[i].more);
  }
  data.info.splits = &splits[0].split;
  expect_fine();
  ck_assert_int_eq(dlc_split_find(&data.info, "test"), 1);
  ck_assert_int_eq(dlc_split_find(&data.info, "val"), -1);
}
END_TEST

static bool closed;

static void close_rig(dlc_data *d)
{
  (void)d;
  closed = true;
}

/* The first two of every class in the order of the data, as they are there. */
static void ck_two_of_each(const dlc_dataset *few, dlc_data *d)
{
  const dlc_dataset_info *info;
  int seen[RIG_CLASSES] = {0};
  int64_t at = 0;
  dlc_picture_buffer picture;
  dlc_picture_init(&picture);
  rig_ok(dlc_dataset_describe(few, d, &info));
  const dlc_split *split = dlc_split_at(info, 0);
  for (int i = 0; i < 20; i++) {
    const uint8_t *expected = data.samples[0] + (size_t)i * RIG_PIXELS, *got;
    if (seen[data.labels[0][i]]++ >= 2) continue;
    ck_assert_int_lt(at, split->count);
    ck_assert_int_eq(split->labels[at], data.labels[0][i]);
    if (split->samples) got = split->samples + (size_t)at * RIG_PIXELS;
    else {
      rig_ok(few->read(d, 0, at, &picture.picture));
      got = picture.picture.pixels;
    }
    ck_assert_mem_eq(got, expected, RIG_PIXELS);
    char name[64], original[64];
    few->sample_name(d, 0, at++, name, sizeof name);
    snprintf(original, sizeof original, "sample %d of train", i);
    ck_assert_str_eq(name, original);
  }
  ck_assert_int_eq(split->count, at);
  dlc_picture_free(&picture);
}

START_TEST(a_limited_dataset_has_the_first_samples_of_every_class)
{
  for (int resident = 0; resident < 2; resident++) {
    const dlc_dataset *few;
    dlc_data *d;
    tear_down();
    rig_data_open(&data, 20, 5, resident);
    dataset.close = close_rig;
    closed = false;
    rig_ok(dlc_dataset_limit(&dataset, rig_as_data(&data), 2, &few, &d));
    ck_two_of_each(few, d);
    few->close(d);
    ck_assert(closed);
    rig_ok(dlc_dataset_limit(&dataset, rig_as_data(&data), 20, &few, &d));
    ck_assert_int_eq(dlc_split_at(few->info(d), 0)->count, 20);
    few->close(d);
  }
}
END_TEST

START_TEST(a_part_without_labels_is_not_limited)
{
  const dlc_dataset *few;
  dlc_data *d;
  data.splits[1].labels = NULL;
  dataset.close = close_rig;
  rig_ok(dlc_dataset_limit(&dataset, rig_as_data(&data), 1, &few, &d));
  const dlc_split *split = dlc_split_at(few->info(d), 1);
  ck_assert_int_eq(split->count, 5);
  ck_assert_ptr_eq(split->samples, data.samples[1]);
  few->close(d);
}
END_TEST

int main(void)
{
  TCase *c = tcase_create("dataset");
  tcase_add_checked_fixture(c, set_up, tear_down);
  tcase_add_test(c, a_description_without_its_optional_fields_is_taken);
  tcase_add_test(c, missing_parts_are_named);
  tcase_add_test(c, a_label_that_is_no_class_is_found_wherever_it_is);
  tcase_add_test(c, samples_come_from_memory_or_from_read);
  tcase_add_test(c, shapes_and_scales_are_possible_ones);
  tcase_add_test(c, splits_are_walked_by_the_size_of_the_first);
  tcase_add_test(c, a_limited_dataset_has_the_first_samples_of_every_class);
  tcase_add_test(c, a_part_without_labels_is_not_limited);
  return run_suite("dataset", c);
}
