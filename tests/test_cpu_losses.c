/* The cpu plugin's losses, their gradients and correct against the reference kernels; see cpu_check.h. */
#include "cpu_check.h"

static void add_labels(one_node *n, int64_t rows, int64_t classes)
{
  int32_t *labels = INPUT(n, DLC_I32, rows);
  for (int64_t i = 0; i < rows; i++) labels[i] = (int32_t)random_between(0, classes - 1);
}

/* In (0, 1], every fifth 0: now and then all labels weigh nothing, and the loss is not a number. */
static void add_class_weights(one_node *n, int64_t classes)
{
  float *w = INPUT(n, DLC_F32, classes);
  for (int64_t k = 0; k < classes; k++) w[k] = random_between(0, 4) ? 1 - fabsf(random_signed()) / 2 : 0;
}

/* The gradient's node: dloss, input 0 or output 1 of the loss where `from` says so, its other inputs. */
static void begin_gradient(one_node *grad, const char *op, const one_node *loss, const uint32_t *from, uint32_t n_from)
{
  node_init(grad, op);
  grad->attr = loss->attr;
  *(float *)INPUT(grad, DLC_F32, 1) = 0.75f;
  for (uint32_t i = 0; i < n_from; i++) {
    const dlc_value *v = &loss->value[from[i]];
    memcpy(node_input(grad, v->dtype, v->rank, v->dim), loss->data[from[i]], dlc_bytes(v));
  }
}

/* ---- cross_entropy ---- */

/* What the terms of each element of the gradient sum up to in magnitude. */
static double *gradient_magnitudes(const one_node *grad, int64_t rows, int64_t classes)
{
  const double smoothing = grad->attr.cross_entropy.label_smoothing;
  const float *log_prob = grad->data[1], *w = grad->n_in > 3 ? grad->data[3] : NULL;
  const int32_t *labels = grad->data[2];
  double *terms = malloc((size_t)(rows * classes) * sizeof *terms), of_labels = 0, all = 0;
  for (int64_t n = 0; n < rows; n++) of_labels += w ? (double)w[labels[n]] : 1;
  for (int64_t k = 0; k < classes; k++) all += w ? (double)w[k] : 1;
  for (int64_t n = 0; n < rows; n++)
    for (int64_t k = 0; k < classes; k++) {
      const double p = exp((double)log_prob[n * classes + k]), weight = w ? (double)w[labels[n]] : 1;
      const double label = (1 - smoothing) * weight * (p + (k == labels[n]));
      const double share = smoothing / (double)classes * (p * all + (w ? (double)w[k] : 1));
      terms[n * classes + k] = 0.75 / of_labels * (label + share);
    }
  return terms;
}

/* The mean's terms: no logarithm is beyond 60 + log(classes), and smoothing adds all classes to each row. */
static double loss_magnitude(const one_node *n, int64_t rows, int64_t classes)
{
  const float *w = n->n_in > 2 ? n->data[2] : NULL;
  const int32_t *labels = n->data[1];
  double of_labels = 0, all = 0;
  for (int64_t i = 0; i < rows; i++) of_labels += w ? (double)w[labels[i]] : 1;
  for (int64_t k = 0; k < classes; k++) all += w ? (double)w[k] : 1;
  const double share = n->attr.cross_entropy.label_smoothing / (double)classes * all * (double)rows / of_labels;
  return (60 + log((double)classes)) * (1 + share);
}

static void check_cross_entropy(double smoothing, bool weighted, const char *isa)
{
  const int64_t rows = random_between(1, 70), classes = random_between(1, random_between(0, 2) ? 20 : 130);
  double *terms = malloc((size_t)(rows * classes) * sizeof *terms);
  one_node n, grad;
  node_init(&n, "cross_entropy");
  n.attr.cross_entropy.label_smoothing = smoothing;
  RANDOM(&n, 30, rows, classes);
  add_labels(&n, rows, classes);
  if (weighted) add_class_weights(&n, classes);
  ck_assert_int_eq(node_infer(&n), DLC_OK);
  node_reference(&n);
  ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
  for (int64_t i = 0; i < rows * classes; i++) terms[i] = 60 + log((double)classes);
  compare(&n, 1, 4, terms, isa);
  terms[0] = loss_magnitude(&n, rows, classes);
  compare(&n, 0, 4, terms, isa);
  free(terms);

  begin_gradient(&grad, "cross_entropy_grad", &n, (const uint32_t[]){n.n_in + 1, 1, 2}, n.n_in);
  ck_assert_int_eq(node_infer(&grad), DLC_OK);
  node_reference(&grad);
  ck_assert_int_eq(node_compute(&grad, &device), DLC_OK);
  terms = gradient_magnitudes(&grad, rows, classes);
  compare(&grad, 0, 8, smoothing > 0 ? terms : NULL, isa); /* without smoothing nothing cancels */
  free(terms);
  node_free(&grad);
  node_free(&n);
}

START_TEST(cross_entropy_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    check_cross_entropy(0, false, isas[_i]);
    check_cross_entropy(0, true, isas[_i]);
    check_cross_entropy(0.1, false, isas[_i]);
    check_cross_entropy(0.5, true, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(exponentials_are_within_two_units_of_the_last_place)
{
  if (!open_isa(_i)) return;
  enum { N = 4000 };
  one_node n; /* dlogits = exp(log_prob) where the class is not the label and N * dloss = 1 */
  node_init(&n, "cross_entropy_grad");
  *(float *)INPUT(&n, DLC_F32, 1) = 1;
  float *x = INPUT(&n, DLC_F32, 1, N);
  for (int j = 0; j < N; j++) x[j] = -87.3f * (float)j / N;
  *(int32_t *)INPUT(&n, DLC_I32, 1) = 0;
  check_values(&n, 4, isas[_i]);
  cpu_close(&device);
}
END_TEST

/* ---- the others ---- */

START_TEST(nll_loss_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, s % 3 ? 20 : 130);
    one_node n, grad;
    node_init(&n, "nll_loss");
    float *x = INPUT(&n, DLC_F32, rows, classes);
    for (int64_t i = 0; i < rows * classes; i++) x[i] = -30 * fabsf(random_signed());
    add_labels(&n, rows, classes);
    if (s % 2) add_class_weights(&n, classes);
    begin_gradient(&grad, "nll_loss_grad", &n, (const uint32_t[]){1, 2}, n.n_in - 1);
    grad.attr.nll_loss_grad.classes = classes;
    check_values(&n, 2, isas[_i]);
    check_values(&grad, 3, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(mse_loss_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, s % 3 ? 20 : 130);
    one_node n, grad;
    node_init(&n, "mse_loss");
    RANDOM(&n, 2, rows, classes);
    add_labels(&n, rows, classes);
    begin_gradient(&grad, "mse_loss_grad", &n, (const uint32_t[]){0, 1}, 2);
    check_values(&n, 2, isas[_i]);
    check_values(&grad, 4, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

/* From logits that are almost certain to such near 0. */
START_TEST(bce_with_logits_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, s % 3 ? 20 : 130);
    one_node n, grad;
    node_init(&n, "bce_with_logits");
    RANDOM(&n, s % 2 ? 80 : 0.5f, rows, classes);
    add_labels(&n, rows, classes);
    begin_gradient(&grad, "bce_with_logits_grad", &n, (const uint32_t[]){0, 1}, 2);
    check_values(&n, 8, isas[_i]);
    check_values(&grad, 8, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(a_number_that_is_none_is_kept)
{
  if (!open_isa(_i)) return;
  static const char *const losses[] = {"mse_loss", "bce_with_logits", "cross_entropy"};
  for (int i = 0; i < 3; i++) {
    one_node n;
    node_init(&n, losses[i]);
    float *x = RANDOM(&n, 1, 3, 21);
    x[22] = NAN;
    add_labels(&n, 3, 21);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    ck_assert_float_nan(*(float *)n.data[2]);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(infinite_logits_cost_what_the_reference_says)
{
  if (!open_isa(_i)) return;
  static const char *const losses[] = {"bce_with_logits", "cross_entropy"};
  for (int i = 0; i < 8; i++) {
    one_node n;
    node_init(&n, losses[i % 2]);
    float *x = RANDOM(&n, 1, 2, 21);
    int32_t *labels = INPUT(&n, DLC_I32, 2);
    labels[0] = i < 4 ? 3 : 0; /* the infinite one or another */
    x[3] = i / 2 % 2 ? INFINITY : -INFINITY;
    check_values(&n, 64, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(correct_equals_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, 20);
    one_node n;
    node_init(&n, "correct");
    n.attr.correct.k = s % 2 ? 1 : random_between(1, 6);
    fill_with_ties(INPUT(&n, DLC_F32, rows, classes), rows * classes);
    add_labels(&n, rows, classes);
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(a_label_beyond_the_classes_is_an_error)
{
  if (!open_isa(_i)) return;
  static const char *const losses[] = {"cross_entropy", "nll_loss", "mse_loss", "bce_with_logits"};
  for (int i = 0; i < 4; i++) {
    one_node n;
    node_init(&n, losses[i]);
    RANDOM(&n, 1, 2, 10);
    ((int32_t *)INPUT(&n, DLC_I32, 2))[1] = 10;
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &device), DLC_INVALID);
    ck_assert_str_eq(dlc_reason(), "label 10 of row 1: expected 0 to 9");
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(lerp_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "lerp");
    RANDOM(&n, 1, 1);
    RANDOM(&n, 1, 1);
    *(float *)INPUT(&n, DLC_F32, 1) = s == 0 ? 0 : s == 1 ? 1 : fabsf(random_signed());
    check_values(&n, 1, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("kernels");
  tcase_add_loop_test(tests, cross_entropy_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, exponentials_are_within_two_units_of_the_last_place, 0, N_ISAS);
  tcase_add_loop_test(tests, nll_loss_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, mse_loss_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, bce_with_logits_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, a_number_that_is_none_is_kept, 0, N_ISAS);
  tcase_add_loop_test(tests, infinite_logits_cost_what_the_reference_says, 0, N_ISAS);
  tcase_add_loop_test(tests, correct_equals_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, a_label_beyond_the_classes_is_an_error, 0, N_ISAS);
  tcase_add_loop_test(tests, lerp_matches_the_reference, 0, N_ISAS);
  return run_suite("cpu losses", tests);
}
