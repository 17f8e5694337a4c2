/* The cpu plugin's optimizers and the other ops of an update against the reference kernels; see cpu_check.h. */
#include "cpu_check.h"

static int64_t random_count(int s)
{
  return s % 40 ? random_between(1, 300) : 40000;
}

/* ---- optimizers ---- */

typedef struct state {
  float low, high;  /* what it is drawn from */
  double magnitude; /* of what it becomes: the terms that are rounded */
} state;

/* Draws the inputs of an optimizer and compares all it writes; the parameter's terms are below 2. `momentum`: what a
 * schedule gives, 0: nothing. Frees the node. */
static void check_optimizer(one_node *n, int64_t count, const state *states, uint32_t n_states, float lr,
                            float momentum, const char *isa)
{
  double *magnitudes = malloc((size_t)count * sizeof *magnitudes);
  RANDOM(n, 1, count);
  for (uint32_t k = 0; k < n_states; k++) {
    float *x = RANDOM(n, (states[k].high - states[k].low) / 2, count);
    for (int64_t i = 0; i < count; i++) x[i] += (states[k].high + states[k].low) / 2;
  }
  RANDOM(n, 1, count);
  *(float *)INPUT(n, DLC_F32, 1) = lr;
  *(int64_t *)INPUT(n, DLC_I64, 1) = random_between(1, 2000);
  if (momentum > 0) *(float *)INPUT(n, DLC_F32, 1) = momentum;
  ck_assert_msg(node_infer(n) == DLC_OK, "%s", dlc_reason());
  node_reference(n);
  ck_assert_int_eq(node_compute(n, &device), DLC_OK);
  for (uint32_t k = 0; k <= n_states; k++) {
    for (int64_t i = 0; i < count; i++) magnitudes[i] = k == 0 ? 2 : states[k - 1].magnitude;
    compare(n, k, 4, magnitudes, isa);
  }
  free(magnitudes);
  node_free(n);
}

START_TEST(sgd_matches_the_reference)
{
  if (!open_isa(_i)) return;
  const state buffer = {-1, 1, 2};
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "sgd");
    n.attr.sgd = (dlc_sgd){.momentum = s % 2 ? 0.9 : 0, .weight_decay = s % 3 ? 0 : 0.01, .nesterov = s % 4 == 3};
    check_optimizer(&n, random_count(s), &buffer, s % 2, 0.1f, s % 8 > 4 && s % 2 ? 0.7f : 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(adam_and_adamw_match_the_reference)
{
  if (!open_isa(_i)) return;
  const state moments[] = {{-0.1f, 0.1f, 1}, {0, 0.1f, 1}};
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, s % 2 ? "adam" : "adamw");
    n.attr.adam = (dlc_adam){.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = s % 3 ? 0 : 0.01};
    check_optimizer(&n, random_count(s), moments, 2, 0.001f, s % 4 > 1 ? 0.8f : 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

/* square_avg stays above four times the square of grad_avg, as far as it may be expected to in training: the
 * difference of the two is then as exact as they are. A step is at most 1 / sqrt(0.01). */
START_TEST(rmsprop_matches_the_reference)
{
  if (!open_isa(_i)) return;
  const state square = {0.01f, 0.1f, 1}, mean = {-0.05f, 0.05f, 1}, buffer = {-1, 1, 16};
  for (int s = 0; s < SHAPES; s++) {
    const bool centered = s % 2, moves = s / 2 % 2;
    state states[3] = {square};
    uint32_t n_states = 1;
    one_node n;
    node_init(&n, "rmsprop");
    n.attr.rmsprop = (dlc_rmsprop){.alpha = 0.99, .eps = 1e-8, .weight_decay = s % 3 ? 0 : 0.01};
    n.attr.rmsprop.momentum = moves ? 0.9 : 0;
    n.attr.rmsprop.centered = centered;
    if (centered) states[n_states++] = mean;
    if (moves) states[n_states++] = buffer;
    check_optimizer(&n, random_count(s), states, n_states, 0.01f, moves && s % 8 > 3 ? 0.7f : 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(adagrad_matches_the_reference)
{
  if (!open_isa(_i)) return;
  const state sum = {0, 4, 5};
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "adagrad");
    n.attr.adagrad = (dlc_adagrad){.lr_decay = s % 2 ? 0 : 0.01, .weight_decay = s % 3 ? 0 : 0.01, .eps = 1e-10};
    check_optimizer(&n, random_count(s), &sum, 1, 0.1f, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(lars_matches_the_reference)
{
  if (!open_isa(_i)) return;
  const state buffer = {-1, 1, 1};
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "lars");
    n.attr.lars = (dlc_lars){.weight_decay = s % 3 ? 0 : 0.01, .trust_coefficient = 0.01, .eps = 1e-8};
    n.attr.lars.momentum = s % 2 ? 0.9 : 0;
    check_optimizer(&n, random_count(s), &buffer, s % 2, 1, s % 4 == 3 ? 0.7f : 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(lars_takes_the_plain_gradient_where_a_norm_is_zero)
{
  if (!open_isa(_i)) return;
  for (int which = 0; which < 2; which++) { /* the parameter, the gradient */
    one_node n;
    node_init(&n, "lars");
    n.attr.lars = (dlc_lars){.weight_decay = 0.5, .trust_coefficient = 0.01};
    float *parameter = INPUT(&n, DLC_F32, 40), *gradient = INPUT(&n, DLC_F32, 40);
    for (int i = 0; i < 40; i++) (which == 0 ? gradient : parameter)[i] = 1;
    *(float *)INPUT(&n, DLC_F32, 1) = 0.25f;
    *(int64_t *)INPUT(&n, DLC_I64, 1) = 1;
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    for (int i = 0; i < 40; i++) ck_assert_float_eq(parameter[i], which == 0 ? -0.25f : 0.875f);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* ---- clipping, accumulation, averages ---- */

/* Sums of positive terms in double: nothing but the result is rounded, however many there are. */
START_TEST(square_sum_is_exact_but_for_the_last_rounding)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "square_sum");
    RANDOM(&n, s % 3 ? 1 : 1e15f, s % 60 ? random_between(1, 3000) : 300001);
    check_values(&n, 1.01, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(clip_factor_matches_the_reference)
{
  if (!open_isa(_i)) return;
  const float squares[] = {0, NAN, INFINITY, 4, 1e-30f, 1e30f};
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "clip_factor");
    n.attr.clip_factor.max_norm = s % 7 ? fabs(random_signed()) * 2 : 2;
    *(float *)INPUT(&n, DLC_F32, 1) = s < 6 ? squares[s] : fabsf(random_signed()) * 4;
    check_values(&n, 1.01, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(l1_gradient_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t count = random_count(s);
    one_node n;
    node_init(&n, "l1_gradient");
    n.attr.l1_gradient.l1 = fabs(random_signed());
    float *p = RANDOM(&n, 1, count);
    for (int64_t i = 0; i < count; i += 3) p[i] = 0;
    RANDOM(&n, 1, count);
    check_values(&n, 2, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(scale_accumulate_and_ema_match_the_reference)
{
  if (!open_isa(_i)) return;
  static const char *const ops[] = {"accumulate", "ema"};
  for (int s = 0; s < SHAPES; s++) {
    const int64_t a = random_between(1, 7), b = random_between(1, 33), c = s % 50 ? random_between(1, 70) : 5000;
    double *terms = malloc((size_t)(a * b * c) * sizeof *terms);
    for (int64_t i = 0; i < a * b * c; i++) terms[i] = 2;
    one_node n;
    node_init(&n, "scale");
    RANDOM(&n, 1, a, b, c);
    RANDOM(&n, 1, 1);
    check_values(&n, 1.01, isas[_i]);
    for (int k = 0; k < 2; k++) {
      node_init(&n, ops[k]);
      RANDOM(&n, 1, a, b, c);
      RANDOM(&n, 1, a, b, c);
      *(float *)INPUT(&n, DLC_F32, 1) = s % 3 ? fabsf(random_signed()) : 0.9999f;
      ck_assert_int_eq(node_infer(&n), DLC_OK);
      node_reference(&n);
      ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
      compare(&n, 0, 2, terms, isas[_i]);
      node_free(&n);
    }
    free(terms);
  }
  cpu_close(&device);
}
END_TEST

/* ---- mixing ---- */

/* `share` 1 is cutmix: everything is copied. A box may be empty, or reach beyond the picture. */
static void check_mix(float share, const char *isa)
{
  one_node n;
  node_init(&n, "mix");
  const int64_t height = random_between(1, 20), width = random_between(1, 40);
  RANDOM(&n, 1, random_between(1, 5), random_between(1, 4), height, width);
  *(float *)INPUT(&n, DLC_F32, 1) = share;
  int64_t *box = INPUT(&n, DLC_I64, 4);
  for (int k = 0; k < 2 && random_between(0, 3); k++) {
    const int64_t size = k ? width : height;
    box[k] = random_between(-2, size);
    box[k + 2] = random_between(box[k] - 1, size + 2);
  }
  ck_assert_int_eq(node_infer(&n), DLC_OK);
  node_reference(&n);
  ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
  const int64_t count = dlc_count(&n.value[0]);
  double *terms = malloc((size_t)count * sizeof *terms);
  for (int64_t i = 0; i < count; i++) terms[i] = 2;
  compare(&n, 0, share == 1 ? 0 : 2, terms, isa);
  free(terms);
  node_free(&n);
}

START_TEST(mix_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    check_mix(1, isas[_i]);
    check_mix(fabsf(random_signed()), isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(roll_equals_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 300);
    one_node n;
    node_init(&n, "roll");
    int32_t *labels = INPUT(&n, DLC_I32, rows);
    for (int64_t i = 0; i < rows; i++) labels[i] = (int32_t)random_word() % 100000;
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("kernels");
  tcase_add_loop_test(tests, sgd_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, adam_and_adamw_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, rmsprop_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, adagrad_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, lars_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, lars_takes_the_plain_gradient_where_a_norm_is_zero, 0, N_ISAS);
  tcase_add_loop_test(tests, square_sum_is_exact_but_for_the_last_rounding, 0, N_ISAS);
  tcase_add_loop_test(tests, clip_factor_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, l1_gradient_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, scale_accumulate_and_ema_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, mix_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, roll_equals_the_reference, 0, N_ISAS);
  return run_suite("cpu update", tests);
}
