/* The loss of a split is that of all its samples as one batch, for every loss op. */
#include "infer.h"
#include "train/criterion.h"

enum { SAMPLES = 9, OUTPUTS = 5 };
static const int32_t labels[SAMPLES] = {0, 3, 1, 4, 4, 2, 0, 1, 3};
static const float weights[OUTPUTS] = {0.5f, 2, 1, 0, 0.25f};

static void draw(float *outputs)
{
  for (int i = 0; i < SAMPLES * OUTPUTS; i++) outputs[i] = sinf(3.7f * (float)i * (float)(i % 7)) * 3;
}

/* The op's own reference kernel on all samples at once. */
static double at_once(const char *op, void *attr, const float *outputs, const float *class_weights)
{
  double x[SAMPLES * OUTPUTS], y[SAMPLES], w[OUTPUTS], results[DLC_MAX_OUT][SAMPLES * OUTPUTS], *out[DLC_MAX_OUT];
  const double *in[] = {x, y, w};
  const dlc_value values[] = {F32(SAMPLES, OUTPUTS), VALUE(DLC_I32, SAMPLES), F32(OUTPUTS)};
  const uint32_t n_in = class_weights ? 3 : 2;
  for (int i = 0; i < SAMPLES * OUTPUTS; i++) x[i] = (double)outputs[i];
  for (int i = 0; i < SAMPLES; i++) y[i] = labels[i];
  for (int k = 0; k < OUTPUTS; k++) w[k] = (double)weights[k];
  for (int k = 0; k < DLC_MAX_OUT; k++) out[k] = results[k];
  const inferred shapes = infer(op, attr, values, n_in);
  ck_assert_msg(shapes.status == DLC_OK, "%s", dlc_reason());
  ck_assert_int_eq(call(op, attr, &shapes, values, in, n_in, out), DLC_OK);
  return results[0][0];
}

static dlc_criterion *open_criterion(const char *op, const void *attr, const float *class_weights)
{
  const dlc_criterion_config config = {
      .loss = op_named(op), .attr = attr, .class_weights = class_weights, .outputs = OUTPUTS};
  dlc_criterion *c;
  ck_assert_msg(dlc_criterion_open(&config, &c) == DLC_OK, "%s", dlc_reason());
  return c;
}

static void check_loss(const char *op, void *attr, const float *class_weights)
{
  float outputs[SAMPLES * OUTPUTS];
  draw(outputs);
  dlc_criterion *c = open_criterion(op, attr, class_weights);
  for (int i = 0; i < SAMPLES; i++)
    ck_assert_int_eq(dlc_criterion_add(c, (uint32_t)labels[i], outputs + i * OUTPUTS), DLC_OK);
  const double value = dlc_criterion_value(c), expected = at_once(op, attr, outputs, class_weights);
  ck_assert_msg(fabs(value - expected) <= 1e-13 * fabs(expected), "%s: %.17g, as one batch %.17g", op, value, expected);
  dlc_criterion_close(c);
}

START_TEST(samples_one_by_one_are_as_one_batch)
{
  dlc_cross_entropy plain = {0}, smoothed = {0.25};
  check_loss("cross_entropy", &plain, NULL);
  check_loss("cross_entropy", &smoothed, NULL);
  check_loss("nll_loss", NULL, NULL);
  check_loss("mse_loss", NULL, NULL);
  check_loss("bce_with_logits", NULL, NULL);
}
END_TEST

/* Class 3 has weight 0, and samples: they count by their smoothing alone. */
START_TEST(class_weights_weigh_samples)
{
  dlc_cross_entropy plain = {0}, smoothed = {0.25};
  check_loss("cross_entropy", &plain, weights);
  check_loss("cross_entropy", &smoothed, weights);
  check_loss("nll_loss", NULL, weights);
}
END_TEST

START_TEST(nothing_has_no_loss)
{
  const dlc_cross_entropy attr = {0};
  dlc_criterion *c = open_criterion("cross_entropy", &attr, NULL);
  ck_assert_double_nan(dlc_criterion_value(c));
  dlc_criterion_close(c);
}
END_TEST

START_TEST(a_loss_that_takes_no_class_weights_refuses_them)
{
  const dlc_criterion_config config = {.loss = op_named("mse_loss"), .class_weights = weights, .outputs = OUTPUTS};
  dlc_criterion *c;
  ck_assert_int_eq(dlc_criterion_open(&config, &c), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "mse_loss: 3 inputs came, expected 2");
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("criterion");
  tcase_add_test(tests, samples_one_by_one_are_as_one_batch);
  tcase_add_test(tests, class_weights_weigh_samples);
  tcase_add_test(tests, nothing_has_no_loss);
  tcase_add_test(tests, a_loss_that_takes_no_class_weights_refuses_them);
  return run_suite("criterion", tests);
}
