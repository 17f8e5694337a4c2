/* Rates and momenta of every step of a run against torch.optim.lr_scheduler (golden/schedules.json, by
 * make_schedules.py), and what has no counterpart there: the warm-up, what is refused. */
#include "base/status.h"
#include "suite.h"
#include "train/method.h"
#include <jansson.h>
#include <math.h>

static double number(const json_t *object, const char *key)
{
  const json_t *value = json_object_get(object, key);
  ck_assert_msg(json_is_number(value) || json_is_boolean(value), "no %s", key);
  return json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
}

static double element(const json_t *list, int64_t i)
{
  const json_t *value = json_array_get(list, (size_t)i);
  ck_assert_msg(json_is_number(value), "no element %lld", (long long)i);
  return json_number_value(value);
}

static dlc_schedule schedule(const char *text)
{
  dlc_schedule s = {.by_step = false};
  ck_assert_msg(dlc_schedule_read(text, &s) == DLC_OK, "%s: %s", text, dlc_reason());
  return s;
}

static void check_case(const json_t *c)
{
  const char *text = json_string_value(json_object_get(c, "sched"));
  const json_t *rates = json_object_get(c, "rates"), *momenta = json_object_get(c, "momenta"),
               *measured = json_object_get(c, "measured");
  const int64_t epochs = (int64_t)number(c, "epochs"), each = (int64_t)number(c, "steps");
  const double lr = number(c, "lr");
  dlc_schedule s = schedule(text);
  dlc_schedule_state state = {0};
  s.by_step = number(c, "by_step") != 0;
  ck_assert_int_eq(dlc_schedule_moves_momentum(&s), momenta != NULL);
  for (int64_t step = 0; step < epochs * each; step++) {
    const double rate = dlc_schedule_rate(&s, &state, lr, step, each, epochs), expected = element(rates, step);
    ck_assert_msg(fabs(rate - expected) <= 1e-12 * lr, "%s: rate %.17g at step %lld, PyTorch's is %.17g", text, rate,
                  (long long)step, expected);
    if (momenta) {
      const double m = dlc_schedule_momentum(&s, step, each, epochs), theirs = element(momenta, step);
      ck_assert_msg(fabs(m - theirs) <= 1e-12, "%s: momentum %.17g at step %lld, PyTorch's is %.17g", text, m,
                    (long long)step, theirs);
    }
    if (measured && (step + 1) % each == 0) dlc_schedule_measured(&s, &state, element(measured, step / each), true);
  }
}

START_TEST(rates_and_momenta_are_pytorchs)
{
  json_error_t error;
  json_t *cases = json_load_file(TEST_SOURCE_DIR "/golden/schedules.json", 0, &error);
  ck_assert_msg(cases != NULL, "%s", error.text);
  ck_assert_uint_gt(json_array_size(cases), 0);
  for (size_t i = 0; i < json_array_size(cases); i++) check_case(json_array_get(cases, i));
  json_decref(cases);
}
END_TEST

START_TEST(multistep_takes_many_milestones)
{
  enum { MANY = 40 };
  char text[256] = "multistep:gamma=0.5,milestones=[1";
  for (int i = 2; i <= MANY; i++) snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", i);
  strcat(text, "]");
  const dlc_schedule s = schedule(text);
  for (int epoch = 0; epoch <= MANY; epoch++)
    ck_assert_double_eq(dlc_schedule_rate(&s, NULL, 1, epoch, 1, 100), ldexp(1, -epoch));
}
END_TEST

START_TEST(too_many_milestones_are_refused)
{
  char text[1024] = "multistep:milestones=[1";
  dlc_schedule s;
  for (int i = 2; i <= DLC_MAX_LIST + 1; i++) snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", i);
  strcat(text, "]");
  ck_assert_int_eq(dlc_schedule_read(text, &s), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "`milestones` has 65 numbers; expected at most 64");
}
END_TEST

/* Four steps of two epochs: the rate rises to the schedule's first, the momentum waits. */
START_TEST(a_warm_up_comes_before_the_schedule)
{
  dlc_schedule s = schedule("one_cycle");
  s.warmup_epochs = 2;
  s.warmup_lr = 0.01;
  for (int64_t step = 0; step < 4; step++) {
    ck_assert_double_eq_tol(dlc_schedule_rate(&s, NULL, 1, step, 2, 10), 0.01 + (0.04 - 0.01) * (double)(step + 1) / 4,
                            1e-15);
    ck_assert_double_eq(dlc_schedule_momentum(&s, step, 2, 10), 0.95);
  }
  ck_assert_double_eq_tol(dlc_schedule_rate(&s, NULL, 1, 4, 2, 10), 0.04, 1e-15);
  ck_assert_double_lt(dlc_schedule_momentum(&s, 5, 2, 10), 0.95);
}
END_TEST

START_TEST(a_warm_up_that_fills_the_run_rises_as_any_other)
{
  static const char *const texts[] = {"constant", "cosine", "polynomial", "step:step_size=1"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    dlc_schedule s = schedule(texts[i]);
    for (int epochs = 2; epochs <= 3; epochs++) {
      s.warmup_epochs = 3;
      const double rate = dlc_schedule_rate(&s, NULL, 0.5, 3, 2, epochs);
      ck_assert_msg(fabs(rate - 0.5 * 4 / 6) < 1e-12, "%s: rate %g in a run of %d epochs", texts[i], rate, epochs);
    }
  }
}
END_TEST

static void check_refused(const char *text, const char *reason)
{
  dlc_schedule s;
  ck_assert_int_eq(dlc_schedule_read(text, &s), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), reason);
}

START_TEST(impossible_cycles_are_refused)
{
  check_refused("one_cycle:pct_start=1.5", "one_cycle: `pct_start` is 1.5, expected 0 to 1");
  check_refused("one_cycle:base_momentum=0.99",
                "one_cycle: `base_momentum` is 0.99 and `max_momentum` 0.95, expected 0 <= base <= max < 1");
  check_refused("one_cycle:max_momentum=1",
                "one_cycle: `base_momentum` is 0.85 and `max_momentum` 1, expected 0 <= base <= max < 1");
}
END_TEST

START_TEST(a_momentum_that_is_left_alone_is_the_optimizers)
{
  const dlc_schedule still = schedule("one_cycle:cycle_momentum=false"), cosine = schedule("cosine");
  ck_assert_double_nan(dlc_schedule_momentum(&still, 3, 2, 10));
  ck_assert_double_nan(dlc_schedule_momentum(&cosine, 3, 2, 10));
}
END_TEST

START_TEST(a_momentum_does_not_move_in_an_optimizer_without_one)
{
  const dlc_op adagrad = {.name = "adagrad"}, sgd = {.name = "sgd", .flags = DLC_OP_MOMENTUM};
  dlc_method method = {.optimizer = &adagrad, .schedule = schedule("one_cycle")};
  ck_assert_int_eq(dlc_method_check(&method), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "one_cycle moves the momentum, and adagrad has none; one_cycle:cycle_momentum=false "
                                 "leaves it alone");
  method.optimizer = &sgd;
  ck_assert_int_eq(dlc_method_check(&method), DLC_OK);
}
END_TEST

START_TEST(what_is_no_number_is_no_best_on_the_plateau)
{
  const dlc_schedule s = schedule("plateau:patience=1");
  dlc_schedule_state state = {0};
  const double losses[] = {NAN, 3, 2, 1};
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) dlc_schedule_measured(&s, &state, losses[i], true);
  ck_assert_double_eq(dlc_schedule_rate(&s, &state, 1, 4, 1, 5), 1);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("schedules");
  tcase_add_test(tests, rates_and_momenta_are_pytorchs);
  tcase_add_test(tests, multistep_takes_many_milestones);
  tcase_add_test(tests, too_many_milestones_are_refused);
  tcase_add_test(tests, a_warm_up_comes_before_the_schedule);
  tcase_add_test(tests, a_warm_up_that_fills_the_run_rises_as_any_other);
  tcase_add_test(tests, impossible_cycles_are_refused);
  tcase_add_test(tests, a_momentum_that_is_left_alone_is_the_optimizers);
  tcase_add_test(tests, a_momentum_does_not_move_in_an_optimizer_without_one);
  tcase_add_test(tests, what_is_no_number_is_no_best_on_the_plateau);
  return run_suite("schedule", tests);
}
