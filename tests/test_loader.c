/* The loader: every sample once, the same order whatever the workers, errors that arrive where they belong. */
#include "data/loader.h"
#include "rig.h"

enum { N_TRAIN = 103, BATCH = 8 };

typedef struct collected {
  int32_t labels[N_TRAIN];
  uint8_t samples[N_TRAIN * RIG_PIXELS];
  uint32_t n, batches, last;
} collected;

static void collect(rig_data *d, const dlc_subset *subset, uint32_t workers, bool shuffle, uint32_t epochs,
                    collected *c)
{
  dlc_loader *loader;
  const dlc_loader_config config = {&rig_dataset, rig_as_data(d), subset, BATCH, workers, 5, shuffle};
  rig_ok(dlc_loader_open(&config, &loader));
  for (uint32_t e = 0; e < epochs; e++) {
    *c = (collected){0};
    rig_ok(dlc_loader_start(loader, e));
    uint32_t n;
    dlc_status status;
    uint8_t samples[BATCH * RIG_PIXELS];
    int32_t labels[BATCH];
    while ((status = dlc_loader_next(loader, samples, labels, &n)) == DLC_OK) {
      ck_assert_uint_le(c->n + n, N_TRAIN);
      memcpy(c->samples + c->n * RIG_PIXELS, samples, n * RIG_PIXELS);
      memcpy(c->labels + c->n, labels, n * sizeof(*labels));
      c->n += n;
      c->batches++;
      c->last = n;
    }
    ck_assert_int_eq(status, DLC_END);
  }
  dlc_loader_close(loader);
}

START_TEST(gives_every_sample_once_with_a_last_partial_batch)
{
  rig_data d;
  dlc_subset all;
  static collected c, plain;
  rig_data_open(&d, N_TRAIN, 4, 1);
  rig_ok(dlc_subset_all(&d.info, 0, &all));
  collect(&d, &all, 0, false, 1, &plain);
  collect(&d, &all, 0, true, 1, &c);
  ck_assert_uint_eq(c.n, N_TRAIN);
  ck_assert_uint_eq(c.batches, 13);
  ck_assert_uint_eq(c.last, 7);
  ck_assert_mem_eq(plain.samples, d.samples[0], N_TRAIN * RIG_PIXELS);
  ck_assert_mem_ne(c.samples, plain.samples, N_TRAIN * RIG_PIXELS);
  long sum = 0, expected = 0;
  for (uint32_t i = 0; i < N_TRAIN; i++) {
    bool found = false;
    for (uint32_t j = 0; j < N_TRAIN && !found; j++)
      found = memcmp(c.samples + i * RIG_PIXELS, d.samples[0] + j * RIG_PIXELS, RIG_PIXELS) == 0 &&
              c.labels[i] == d.labels[0][j];
    ck_assert_msg(found, "sample %u of the shuffled epoch is not in the data with its label", i);
    for (uint32_t p = 0; p < RIG_PIXELS; p++) {
      sum += c.samples[i * RIG_PIXELS + p];
      expected += d.samples[0][i * RIG_PIXELS + p];
    }
  }
  ck_assert_int_eq(sum, expected);
  dlc_subset_free(&all);
  rig_data_close(&d);
}
END_TEST

START_TEST(order_depends_on_seed_and_epoch_and_not_on_workers_or_residence)
{
  static const uint32_t workers[] = {1, 2, 8};
  static collected first, second, other;
  rig_data resident, streamed;
  dlc_subset all;
  rig_data_open(&resident, N_TRAIN, 4, 1);
  rig_data_open(&streamed, N_TRAIN, 4, 0);
  rig_ok(dlc_subset_all(&resident.info, 0, &all));
  collect(&resident, &all, 0, true, 1, &first);
  collect(&resident, &all, 0, true, 2, &second);
  ck_assert_mem_ne(first.samples, second.samples, sizeof(first.samples));
  for (int i = 0; i < 3; i++) {
    collect(&streamed, &all, workers[i], true, 2, &other);
    ck_assert_mem_eq(other.samples, second.samples, sizeof(other.samples));
    ck_assert_mem_eq(other.labels, second.labels, sizeof(other.labels));
  }
  dlc_subset_free(&all);
  rig_data_close(&resident);
  rig_data_close(&streamed);
}
END_TEST

START_TEST(an_epoch_can_be_left_in_the_middle)
{
  rig_data d;
  dlc_subset all;
  dlc_loader *loader;
  static collected whole;
  uint8_t samples[BATCH * RIG_PIXELS];
  int32_t labels[BATCH];
  uint32_t n;
  rig_data_open(&d, N_TRAIN, 4, 0);
  rig_ok(dlc_subset_all(&d.info, 0, &all));
  collect(&d, &all, 0, true, 2, &whole);
  const dlc_loader_config config = {&rig_dataset, rig_as_data(&d), &all, BATCH, 3, 5, true};
  rig_ok(dlc_loader_open(&config, &loader));
  for (int round = 0; round < 50; round++) {
    rig_ok(dlc_loader_start(loader, 0));
    for (int i = 0; i < round % 4; i++) rig_ok(dlc_loader_next(loader, samples, labels, &n));
    rig_ok(dlc_loader_start(loader, 1));
    rig_ok(dlc_loader_next(loader, samples, labels, &n));
    ck_assert_mem_eq(samples, whole.samples, sizeof(samples));
  }
  dlc_loader_close(loader);
  dlc_subset_free(&all);
  rig_data_close(&d);
}
END_TEST

START_TEST(a_sample_that_cannot_be_read_is_an_error_that_names_it)
{
  static const uint32_t workers[] = {0, 1, 4};
  for (int i = 0; i < 3; i++) {
    rig_data d;
    dlc_subset all;
    dlc_loader *loader;
    uint8_t samples[BATCH * RIG_PIXELS];
    int32_t labels[BATCH];
    uint32_t n, good = 0;
    dlc_status status;
    rig_data_open(&d, N_TRAIN, 4, 0);
    d.fail_at = 21;
    rig_ok(dlc_subset_all(&d.info, 0, &all));
    const dlc_loader_config config = {&rig_dataset, rig_as_data(&d), &all, BATCH, workers[i], 5, false};
    rig_ok(dlc_loader_open(&config, &loader));
    rig_ok(dlc_loader_start(loader, 0));
    while ((status = dlc_loader_next(loader, samples, labels, &n)) == DLC_OK) good++;
    ck_assert_int_eq(status, DLC_IO);
    ck_assert_uint_eq(good, 2);
    ck_assert_str_eq(dlc_reason(), "sample 21 of train: cannot read it");
    dlc_loader_close(loader);
    dlc_subset_free(&all);
    rig_data_close(&d);
  }
}
END_TEST

START_TEST(a_validation_part_is_disjoint_and_a_function_of_the_seed)
{
  rig_data d;
  dlc_subset train, val, again_train, again_val, other_train, other_val;
  bool seen[N_TRAIN] = {false};
  rig_data_open(&d, N_TRAIN, 4, 1);
  rig_ok(dlc_subset_split(&d.info, 0, 0.2, 1, &train, &val));
  rig_ok(dlc_subset_split(&d.info, 0, 20, 1, &again_train, &again_val));
  rig_ok(dlc_subset_split(&d.info, 0, 20, 2, &other_train, &other_val));
  ck_assert_uint_eq(val.count, 20);
  ck_assert_uint_eq(train.count, N_TRAIN - 20);
  for (uint32_t i = 0; i < train.count; i++) seen[train.index[i]] = true;
  for (uint32_t i = 0; i < val.count; i++) {
    ck_assert_msg(!seen[val.index[i]], "sample %u is in both parts", val.index[i]);
    seen[val.index[i]] = true;
  }
  for (uint32_t i = 0; i < N_TRAIN; i++) ck_assert_msg(seen[i], "sample %u is in neither part", i);
  ck_assert_mem_eq(val.index, again_val.index, 20 * sizeof(uint32_t));
  ck_assert_mem_ne(val.index, other_val.index, 20 * sizeof(uint32_t));
  dlc_subset_free(&other_train);
  dlc_subset_free(&other_val);
  ck_assert_int_eq(dlc_subset_split(&d.info, 0, 103, 1, &other_train, &other_val), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "a validation part of 103 samples; the train split has 103");
  dlc_subset_free(&train);
  dlc_subset_free(&val);
  dlc_subset_free(&again_train);
  dlc_subset_free(&again_val);
  rig_data_close(&d);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("loader");
  TCase *c = tcase_create("loader");
  tcase_add_test(c, gives_every_sample_once_with_a_last_partial_batch);
  tcase_add_test(c, order_depends_on_seed_and_epoch_and_not_on_workers_or_residence);
  tcase_add_test(c, an_epoch_can_be_left_in_the_middle);
  tcase_add_test(c, a_sample_that_cannot_be_read_is_an_error_that_names_it);
  tcase_add_test(c, a_validation_part_is_disjoint_and_a_function_of_the_seed);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
