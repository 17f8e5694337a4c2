/* Random numbers are pure functions of what they are for, and their values are part of every result. */
#include "base/random.h"
#include "suite.h"
#include <math.h>

/* ---- words ---- */

/* Known answers for philox4x32, 10 rounds, from Random123's kat_vectors: counter, key, result. */
static const struct known_answer {
  uint32_t counter[4], key[2], result[4];
} known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

/* The counter is (draw, sample, epoch, purpose), the key the seed, low word first. */
START_TEST(words_are_philox)
{
  const struct known_answer *k = &known_answers[_i];
  uint32_t out[4];
  dlc_random_words((uint64_t)k->key[1] << 32 | k->key[0], k->counter[3], k->counter[2], k->counter[1], k->counter[0],
                   out);
  for (int i = 0; i < 4; i++) ck_assert_uint_eq(out[i], k->result[i]);
}
END_TEST

START_TEST(plugins_get_the_same_words)
{
  uint32_t ours[4], theirs[4];
  dlc_random_words(1, 2, 3, 4, 5, ours);
  dlc_random_service()->words(1, 2, 3, 4, 5, theirs);
  ck_assert_mem_eq(ours, theirs, sizeof ours);
}
END_TEST

START_TEST(a_unit_number_is_below_one)
{
  ck_assert_float_eq(dlc_random_unit(0), 0.0f);
  ck_assert_float_lt(dlc_random_unit(UINT32_MAX), 1.0f);
}
END_TEST

/* ---- permutations ---- */

/* Computed by an independent implementation. */
START_TEST(a_permutation_never_changes_between_versions)
{
  static const uint32_t expected[12] = {6, 1, 8, 0, 2, 4, 7, 3, 11, 5, 9, 10};
  uint32_t order[12];
  dlc_random_permutation(42, DLC_PURPOSE_ORDER, 3, order, 12);
  for (int i = 0; i < 12; i++) ck_assert_uint_eq(order[i], expected[i]);
}
END_TEST

START_TEST(a_permutation_has_every_index_once)
{
  static const uint32_t sizes[] = {0, 1, 2, 3, 1000, 60000};
  uint32_t n = sizes[_i];
  uint32_t *order = calloc(n + 1, sizeof *order);
  char *seen = calloc(n + 1, 1);
  order[n] = 12345;
  dlc_random_permutation(1, DLC_PURPOSE_ORDER, 0, order, n);
  for (uint32_t i = 0; i < n; i++) {
    ck_assert_uint_lt(order[i], n);
    ck_assert_int_eq(seen[order[i]]++, 0);
  }
  ck_assert_uint_eq(order[n], 12345);
  free(order);
  free(seen);
}
END_TEST

START_TEST(seed_purpose_and_epoch_each_change_the_permutation)
{
  uint32_t base[50], other[50];
  dlc_random_permutation(1, DLC_PURPOSE_ORDER, 0, base, 50);
  dlc_random_permutation(2, DLC_PURPOSE_ORDER, 0, other, 50);
  ck_assert_mem_ne(base, other, sizeof base);
  dlc_random_permutation(1, DLC_PURPOSE_SPLIT, 0, other, 50);
  ck_assert_mem_ne(base, other, sizeof base);
  dlc_random_permutation(1, DLC_PURPOSE_ORDER, 1, other, 50);
  ck_assert_mem_ne(base, other, sizeof base);
}
END_TEST

/* All 24 orders of four, 24000 draws: chi-squared with 23 degrees of freedom is below 49.7 with probability 0.999. */
START_TEST(every_order_is_equally_likely)
{
  uint32_t counts[256] = {0}, order[4];
  double chi = 0;
  int orders = 0;
  for (uint32_t epoch = 0; epoch < 24000; epoch++) {
    dlc_random_permutation(7, DLC_PURPOSE_ORDER, epoch, order, 4);
    counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
  }
  for (int k = 0; k < 256; k++) {
    if (!counts[k]) continue;
    orders++;
    chi += (counts[k] - 1000.0) * (counts[k] - 1000.0) / 1000.0;
  }
  ck_assert_int_eq(orders, 24);
  ck_assert_double_lt(chi, 49.7);
}
END_TEST

/* ---- tensors ---- */

START_TEST(uniform_numbers_never_change_between_versions)
{
  static const float expected[6] = {-0x1.5f82bep-1f, 0x1.8d941p+0f, 0x1.c61558p+0f,
                                    0x1.61c754p+0f,  0x1.ca90cp+0f, 0x1.964422p-1f};
  float values[6];
  dlc_random_uniform(7, 5, -1, 2, values, 6);
  for (int i = 0; i < 6; i++) ck_assert_float_eq(values[i], expected[i]);
}
END_TEST

/* The last bit is the C library's: log, cos and sin are not rounded the same everywhere. */
START_TEST(normal_numbers_never_change_between_versions)
{
  static const double expected[6] = {2.630108118057251,  1.1442439556121826, 2.054023504257202,
                                     1.8095134496688843, 1.8448693752288818, 1.8904917240142822};
  float values[6];
  dlc_random_normal(7, 5, 2, 0.5, values, 6);
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(values[i], expected[i], 3e-7);
}
END_TEST

START_TEST(an_element_does_not_depend_on_how_many_there_are)
{
  float few[3], many[1001];
  dlc_random_uniform(1, 2, 0, 1, few, 3);
  dlc_random_uniform(1, 2, 0, 1, many, 1001);
  ck_assert_mem_eq(few, many, sizeof few);
  dlc_random_normal(1, 2, 0, 1, few, 3);
  dlc_random_normal(1, 2, 0, 1, many, 1001);
  ck_assert_mem_eq(few, many, sizeof few);
}
END_TEST

static void moments(const float *v, int n, double *mean, double *variance)
{
  *mean = *variance = 0;
  for (int i = 0; i < n; i++) *mean += v[i] / n;
  for (int i = 0; i < n; i++) *variance += (v[i] - *mean) * (v[i] - *mean) / n;
}

enum { MANY = 100000 }; /* so that four standard errors of the mean are 4 * std / 316 */
static float many_values[MANY];

START_TEST(uniform_numbers_fill_their_interval)
{
  double mean, variance;
  dlc_random_uniform(3, 0, -0.5, 1.5, many_values, MANY);
  for (int i = 0; i < MANY; i++) ck_assert_msg(many_values[i] >= -0.5f && many_values[i] < 1.5f, "%g", many_values[i]);
  moments(many_values, MANY, &mean, &variance);
  ck_assert_double_eq_tol(mean, 0.5, 4 * sqrt(1.0 / 3) / 316);
  ck_assert_double_eq_tol(variance, 1.0 / 3, 0.005);
}
END_TEST

/* Between neighbouring floats every second draw would round up to the end. */
START_TEST(a_narrow_interval_never_reaches_its_end)
{
  float low = 1.0f, high = nextafterf(1.0f, 2.0f);
  dlc_random_uniform(3, 0, low, high, many_values, 100);
  for (int i = 0; i < 100; i++) ck_assert_float_eq(many_values[i], low);
}
END_TEST

START_TEST(normal_numbers_have_their_mean_and_deviation)
{
  double mean, variance;
  int beyond = 0;
  dlc_random_normal(3, 0, 1, 2, many_values, MANY);
  moments(many_values, MANY, &mean, &variance);
  ck_assert_double_eq_tol(mean, 1, 4 * 2.0 / 316);
  ck_assert_double_eq_tol(variance, 4, 4 * 4 * sqrt(2.0) / 316);
  for (int i = 0; i < MANY; i++) beyond += fabs(many_values[i] - 1) > 4;
  ck_assert_int_ge(beyond, 4282); /* 4550 expected beyond two deviations, 4 standard errors are 264 */
  ck_assert_int_le(beyond, 4818);
}
END_TEST

/* ---- a part of a normal distribution ---- */

/* Computed by an independent implementation. */
START_TEST(truncated_normal_numbers_never_change_between_versions)
{
  static const double expected[6] = {0.7276708148419857,  -0.642906061373651,  1.4507654178887606,
                                     -0.8013354381546378, -0.6744235595688224, -0.18073241878300905};
  float values[6];
  dlc_random_trunc_normal(7, 5, 0, 1, -2, 2, values, 6);
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(values[i], expected[i], 3e-7);
}
END_TEST

static double density(double x)
{
  return exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
}

/* Their mean and variance: Johnson, Kotz and Balakrishnan 1994, 10.1. Bounds in deviations from the mean. */
START_TEST(truncated_normal_numbers_are_what_is_left_of_a_normal_distribution)
{
  static const double bounds[][2] = {{-2, 2}, {-100, 100}, {-1, 0.5}, {1, 3}, {2, 60}, {-1e-3, 1e-3}};
  const double mean = 3, std = 0.5, a = bounds[_i][0], b = bounds[_i][1];
  const double mass = (erf(b / sqrt(2)) - erf(a / sqrt(2))) / 2, shift = (density(a) - density(b)) / mass;
  const double var = 1 + (a * density(a) - b * density(b)) / mass - shift * shift;
  double came_mean, came_var;
  dlc_random_trunc_normal(3, 0, mean, std, mean + a * std, mean + b * std, many_values, MANY);
  moments(many_values, MANY, &came_mean, &came_var);
  for (int i = 0; i < MANY; i++)
    ck_assert_msg((double)many_values[i] >= mean + a * std - 1e-6 && (double)many_values[i] <= mean + b * std + 1e-6,
                  "%g", many_values[i]);
  ck_assert_double_eq_tol(came_mean, mean + shift * std, 4 * std * sqrt(var) / 316 + 1e-7);
  ck_assert_double_eq_tol(sqrt(came_var), std * sqrt(var), 8 * std * sqrt(var) / 447 + 1e-7);
}
END_TEST

START_TEST(a_truncated_normal_distribution_without_deviation_is_its_mean)
{
  dlc_random_trunc_normal(3, 0, 0.25, 0, -1, 1, many_values, 10);
  for (int i = 0; i < 10; i++) ck_assert_float_eq(many_values[i], 0.25f);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("random");
  tcase_add_loop_test(t, words_are_philox, 0, 3);
  tcase_add_test(t, plugins_get_the_same_words);
  tcase_add_test(t, a_unit_number_is_below_one);
  tcase_add_test(t, a_permutation_never_changes_between_versions);
  tcase_add_loop_test(t, a_permutation_has_every_index_once, 0, 6);
  tcase_add_test(t, seed_purpose_and_epoch_each_change_the_permutation);
  tcase_add_test(t, every_order_is_equally_likely);
  tcase_add_test(t, uniform_numbers_never_change_between_versions);
  tcase_add_test(t, normal_numbers_never_change_between_versions);
  tcase_add_test(t, an_element_does_not_depend_on_how_many_there_are);
  tcase_add_test(t, uniform_numbers_fill_their_interval);
  tcase_add_test(t, a_narrow_interval_never_reaches_its_end);
  tcase_add_test(t, normal_numbers_have_their_mean_and_deviation);
  tcase_add_test(t, truncated_normal_numbers_never_change_between_versions);
  tcase_add_loop_test(t, truncated_normal_numbers_are_what_is_left_of_a_normal_distribution, 0, 6);
  tcase_add_test(t, a_truncated_normal_distribution_without_deviation_is_its_mean);
  return run_suite("random", t);
}
