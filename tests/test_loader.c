/* The loader: every sample once, the same order whatever the workers, errors that arrive where they belong. */
#include "data/loader.h"
#include "rig.h"
#include <stdio.h>

enum { N_TRAIN = 103, BATCH = 8 };

typedef struct collected {
  int32_t labels[N_TRAIN];
  uint8_t samples[N_TRAIN * RIG_PIXELS];
  uint32_t n, batches, last;
} collected;

static dlc_loader_config loader_config(rig_data *d, const dlc_subset *subset, uint32_t workers, bool shuffle)
{
  return (dlc_loader_config){.sample = {.dataset = &rig_dataset, .data = rig_as_data(d), .seed = 5},
                             .subset = subset,
                             .batch_size = BATCH,
                             .workers = workers,
                             .shuffle = shuffle};
}

static void collect(rig_data *d, const dlc_subset *subset, uint32_t workers, bool shuffle, uint32_t epochs,
                    collected *c)
{
  dlc_loader *loader;
  const dlc_loader_config config = loader_config(d, subset, workers, shuffle);
  rig_ok(dlc_loader_open(&config, &loader));
  for (uint32_t e = 0; e < epochs; e++) {
    *c = (collected){0};
    rig_ok(dlc_loader_start(loader, e, 0));
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
  const dlc_loader_config config = loader_config(&d, &all, 3, true);
  rig_ok(dlc_loader_open(&config, &loader));
  for (int round = 0; round < 50; round++) {
    rig_ok(dlc_loader_start(loader, 0, 0));
    for (int i = 0; i < round % 4; i++) rig_ok(dlc_loader_next(loader, samples, labels, &n));
    rig_ok(dlc_loader_start(loader, 1, 0));
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
    const dlc_loader_config config = loader_config(&d, &all, workers[i], false);
    rig_ok(dlc_loader_open(&config, &loader));
    rig_ok(dlc_loader_start(loader, 0, 0));
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
  rig_ok(dlc_subset_split(&d.info, 0, 0.2, false, 1, &train, &val));
  rig_ok(dlc_subset_split(&d.info, 0, 20, false, 1, &again_train, &again_val));
  rig_ok(dlc_subset_split(&d.info, 0, 20, false, 2, &other_train, &other_val));
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
  ck_assert_int_eq(dlc_subset_split(&d.info, 0, 103, false, 1, &other_train, &other_val), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "a validation part of 103 samples; the train split has 103");
  dlc_subset_free(&train);
  dlc_subset_free(&val);
  dlc_subset_free(&again_train);
  dlc_subset_free(&again_val);
  rig_data_close(&d);
}
END_TEST

/* ---- bad samples ---- */

typedef struct told {
  char names[4][64], reasons[4][64];
  uint32_t n;
} told;

static void tell(void *ctx, const char *name, const char *reason)
{
  told *t = ctx;
  ck_assert_uint_lt(t->n, 4);
  snprintf(t->names[t->n], sizeof t->names[0], "%s", name);
  snprintf(t->reasons[t->n++], sizeof t->reasons[0], "%s", reason);
}

/* Two epochs in the order of the files, with sample 21 bad. */
static void collect_bad(int on_bad, int damaged, uint32_t workers, collected *c, told *t)
{
  rig_data d;
  dlc_subset all;
  dlc_loader *loader;
  uint8_t samples[BATCH * RIG_PIXELS];
  int32_t labels[BATCH];
  uint32_t n;
  dlc_status status;
  *t = (told){0};
  rig_data_open(&d, N_TRAIN, 4, 0);
  d.fail_at = 21;
  d.damaged = damaged;
  rig_ok(dlc_subset_all(&d.info, 0, &all));
  dlc_loader_config config = loader_config(&d, &all, workers, false);
  config.on_bad = on_bad;
  config.tell_bad = tell;
  config.ctx = t;
  rig_ok(dlc_loader_open(&config, &loader));
  for (uint32_t epoch = 0; epoch < 2; epoch++) {
    *c = (collected){0};
    rig_ok(dlc_loader_start(loader, epoch, 0));
    while ((status = dlc_loader_next(loader, samples, labels, &n)) == DLC_OK) {
      memcpy(c->samples + c->n * RIG_PIXELS, samples, n * RIG_PIXELS);
      memcpy(c->labels + c->n, labels, n * sizeof *labels);
      c->n += n;
    }
    ck_assert_int_eq(status, DLC_END);
    ck_assert_uint_eq(c->n, N_TRAIN);
  }
  dlc_loader_close(loader);
  dlc_subset_free(&all);
  rig_data_close(&d);
}

START_TEST(a_bad_sample_is_replaced_by_the_next_good_one_and_told_once)
{
  static const uint32_t workers[] = {0, 1, 4};
  static collected c;
  told t;
  for (int i = 0; i < 3; i++) {
    collect_bad(DLC_BAD_SKIP, 0, workers[i], &c, &t);
    ck_assert_uint_eq(t.n, 1);
    ck_assert_str_eq(t.names[0], "sample 21 of train");
    ck_assert_str_eq(t.reasons[0], "cannot read it");
    ck_assert_mem_eq(c.samples + 21 * RIG_PIXELS, c.samples + 22 * RIG_PIXELS, RIG_PIXELS);
    ck_assert_int_eq(c.labels[21], c.labels[22]);
  }
}
END_TEST

START_TEST(a_damaged_sample_is_used_only_where_that_was_asked_for)
{
  static collected warned, skipped;
  told t;
  collect_bad(DLC_BAD_WARN, 1, 2, &warned, &t);
  ck_assert_uint_eq(t.n, 1);
  ck_assert_str_eq(t.reasons[0], "half of it is missing");
  ck_assert_mem_ne(warned.samples + 21 * RIG_PIXELS, warned.samples + 22 * RIG_PIXELS, RIG_PIXELS);
  collect_bad(DLC_BAD_SKIP, 1, 2, &skipped, &t);
  ck_assert_mem_eq(skipped.samples + 21 * RIG_PIXELS, skipped.samples + 22 * RIG_PIXELS, RIG_PIXELS);
  collect_bad(DLC_BAD_WARN, 0, 2, &skipped, &t);
  ck_assert_mem_eq(skipped.samples + 21 * RIG_PIXELS, skipped.samples + 22 * RIG_PIXELS, RIG_PIXELS);
}
END_TEST

/* ---- pictures that are kept ---- */

START_TEST(kept_pictures_change_nothing_but_who_reads)
{
  static collected plain, kept;
  rig_data d;
  dlc_subset all;
  dlc_cache *cache;
  rig_data_open(&d, N_TRAIN, 4, 0);
  rig_ok(dlc_subset_all(&d.info, 0, &all));
  collect(&d, &all, 2, true, 2, &plain);
  for (size_t budget = 0; budget < 1000000; budget = budget ? 10 * budget : 1000) {
    dlc_loader *loader;
    uint32_t n;
    dlc_status status;
    rig_ok(dlc_cache_open(N_TRAIN, budget, &cache));
    dlc_loader_config config = loader_config(&d, &all, 2, true);
    config.sample.cache = cache;
    rig_ok(dlc_loader_open(&config, &loader));
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
      kept = (collected){0};
      rig_ok(dlc_loader_start(loader, epoch, 0));
      while ((status = dlc_loader_next(loader, kept.samples + kept.n * RIG_PIXELS, kept.labels + kept.n, &n)) == DLC_OK)
        kept.n += n;
      ck_assert_int_eq(status, DLC_END);
      d.fail_at = budget > 50000 ? 0 : -1; /* all are kept after the first epoch: none is read again */
    }
    d.fail_at = -1;
    ck_assert_mem_eq(kept.samples, plain.samples, sizeof plain.samples);
    ck_assert_uint_le(dlc_cache_bytes(cache), budget);
    ck_assert(budget < 50000 || dlc_cache_bytes(cache) >= N_TRAIN * RIG_PIXELS);
    dlc_loader_close(loader);
    dlc_cache_close(cache);
  }
  dlc_subset_free(&all);
  rig_data_close(&d);
}
END_TEST

START_TEST(a_stratified_part_has_the_same_share_of_every_class)
{
  rig_data d;
  dlc_subset train, val;
  uint32_t whole[RIG_CLASSES] = {0}, part[RIG_CLASSES] = {0}, missing = 0;
  rig_data_open(&d, N_TRAIN, 4, 1);
  rig_ok(dlc_subset_split(&d.info, 0, 40, true, 1, &train, &val));
  ck_assert_uint_eq(val.count, 40);
  ck_assert_uint_eq(train.count, N_TRAIN - 40);
  for (uint32_t i = 0; i < N_TRAIN; i++) whole[d.labels[0][i]]++;
  for (uint32_t i = 0; i < val.count; i++) part[d.labels[0][val.index[i]]]++;
  for (int c = 0; c < RIG_CLASSES; c++) {
    const uint32_t share = whole[c] * 40 / N_TRAIN;
    ck_assert_uint_ge(part[c], share);
    missing += part[c] - share;
  }
  ck_assert_uint_lt(missing, RIG_CLASSES);
  dlc_subset_free(&train);
  dlc_subset_free(&val);
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
  tcase_add_test(c, a_bad_sample_is_replaced_by_the_next_good_one_and_told_once);
  tcase_add_test(c, a_damaged_sample_is_used_only_where_that_was_asked_for);
  tcase_add_test(c, kept_pictures_change_nothing_but_who_reads);
  tcase_add_test(c, a_stratified_part_has_the_same_share_of_every_class);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
