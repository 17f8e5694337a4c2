/* What is counted of a classifier and the measures made of it, against numbers worked out by hand. */
#include "suite.h"
#include "train/confusion.h"
#include <math.h>

#define ck_near(value, expected)                                                                                       \
  do {                                                                                                                 \
    const double value_ = (value), expected_ = (expected);                                                             \
    ck_assert_msg(fabs(value_ - expected_) < 1e-12, #value " is %.17g, expected %.17g", value_, expected_);            \
  } while (0)

/* n samples of class `label`, taken for `predicted` with p = 1/2, the others at p = 1/4. */
static void add(dlc_confusion *c, uint32_t label, uint32_t predicted, int n)
{
  float log_probs[3] = {logf(0.25f), logf(0.25f), logf(0.25f)};
  log_probs[predicted] = logf(0.5f);
  for (int i = 0; i < n; i++) dlc_confusion_add(c, label, log_probs);
}

/*          taken for  a  b  c
 * class a             3  1  0
 * class b             2  2  0
 * class c             0  2  0 */
static dlc_confusion three_classes(void)
{
  dlc_confusion c;
  ck_assert_int_eq(dlc_confusion_open(&c, 3), DLC_OK);
  add(&c, 0, 0, 3);
  add(&c, 0, 1, 1);
  add(&c, 1, 0, 2);
  add(&c, 1, 1, 2);
  add(&c, 2, 1, 2);
  return c;
}

START_TEST(samples_are_counted_by_class_and_prediction)
{
  dlc_confusion c = three_classes();
  const int64_t expected[9] = {3, 1, 0, 2, 2, 0, 0, 2, 0};
  for (uint32_t i = 0; i < 9; i++) ck_assert_int_eq(dlc_confusion_at(&c, i / 3, i % 3), expected[i]);
  ck_assert_int_eq(c.samples, 10);
  ck_assert_int_eq(c.top1, 5);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(precision_recall_and_f1_are_ratios_of_counts)
{
  dlc_confusion c = three_classes();
  const dlc_class_metrics a = dlc_confusion_class(&c, 0), b = dlc_confusion_class(&c, 1);
  ck_near(a.precision, 3.0 / 5);
  ck_near(a.recall, 3.0 / 4);
  ck_near(a.f1, 2.0 / 3);
  ck_assert_int_eq(a.count, 4);
  ck_assert_int_eq(a.predicted, 5);
  ck_near(b.precision, 2.0 / 5);
  ck_near(b.recall, 1.0 / 2);
  ck_near(b.f1, 4.0 / 9);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(class_that_is_never_predicted_has_no_precision)
{
  dlc_confusion c = three_classes();
  const dlc_class_metrics m = dlc_confusion_class(&c, 2);
  ck_assert_double_nan(m.precision);
  ck_near(m.recall, 0);
  ck_near(m.f1, 0);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(mean_counts_what_is_undefined_as_zero)
{
  dlc_confusion c = three_classes();
  const dlc_class_metrics m = dlc_confusion_mean(&c);
  ck_near(m.precision, 1.0 / 3);
  ck_near(m.recall, 5.0 / 12);
  ck_near(m.f1, 10.0 / 27);
  ck_assert_int_eq(m.count, 10);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(mean_leaves_out_classes_that_do_not_occur)
{
  dlc_confusion c;
  dlc_confusion_open(&c, 3);
  add(&c, 0, 0, 1);
  add(&c, 1, 0, 1);
  ck_near(dlc_confusion_mean(&c).recall, 1.0 / 2);
  ck_assert_double_nan(dlc_confusion_class(&c, 2).recall);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(label_counts_for_top5_while_fewer_than_five_rank_before_it)
{
  const float log_probs[7] = {-3, -1, -2, -7, -5, -4, -6}; /* ranks 2, 0, 1, 6, 4, 3, 5 */
  dlc_confusion c;
  dlc_confusion_open(&c, 7);
  for (uint32_t i = 0; i < 7; i++) dlc_confusion_add(&c, i, log_probs);
  ck_assert_int_eq(c.top1, 1);
  ck_assert_int_eq(c.topk, 5);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(of_equal_classes_the_first_is_the_prediction)
{
  dlc_confusion c;
  dlc_confusion_open(&c, 2);
  dlc_confusion_add(&c, 0, (const float[]){-1, -1});
  dlc_confusion_add(&c, 1, (const float[]){-1, -1});
  ck_assert_int_eq(c.top1, 1);
  ck_assert_int_eq(dlc_confusion_at(&c, 0, 0), 1);
  ck_assert_int_eq(dlc_confusion_at(&c, 1, 0), 1);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(most_confused_pairs_come_first)
{
  dlc_confusion c = three_classes();
  dlc_confused_pair pairs[2];
  uint32_t n;
  add(&c, 2, 0, 4);
  dlc_confusion_pairs(&c, pairs, 2, &n);
  ck_assert_uint_eq(n, 2);
  ck_assert_msg(pairs[0].actual == 2 && pairs[0].predicted == 0 && pairs[0].count == 4, "%u as %u: %lld",
                pairs[0].actual, pairs[0].predicted, (long long)pairs[0].count);
  ck_assert_msg(pairs[1].actual == 1 && pairs[1].predicted == 0 && pairs[1].count == 2, "%u as %u: %lld",
                pairs[1].actual, pairs[1].predicted, (long long)pairs[1].count);
  dlc_confusion_close(&c);
}
END_TEST

START_TEST(nothing_confused_gives_no_pairs)
{
  dlc_confusion c;
  dlc_confused_pair pairs[3];
  uint32_t n;
  dlc_confusion_open(&c, 3);
  add(&c, 1, 1, 7);
  dlc_confusion_pairs(&c, pairs, 3, &n);
  ck_assert_uint_eq(n, 0);
  dlc_confusion_close(&c);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("confusion");
  tcase_add_test(t, samples_are_counted_by_class_and_prediction);
  tcase_add_test(t, precision_recall_and_f1_are_ratios_of_counts);
  tcase_add_test(t, class_that_is_never_predicted_has_no_precision);
  tcase_add_test(t, mean_counts_what_is_undefined_as_zero);
  tcase_add_test(t, mean_leaves_out_classes_that_do_not_occur);
  tcase_add_test(t, label_counts_for_top5_while_fewer_than_five_rank_before_it);
  tcase_add_test(t, of_equal_classes_the_first_is_the_prediction);
  tcase_add_test(t, most_confused_pairs_come_first);
  tcase_add_test(t, nothing_confused_gives_no_pairs);
  return run_suite("confusion", t);
}
