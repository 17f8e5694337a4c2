/* The rules of optimizers and of the other ops that make an update, and what PyTorch's vectors cannot hold. */
#include "infer.h"

START_TEST(sgd_has_a_state_only_with_momentum)
{
  dlc_sgd without = {.weight_decay = 0.1}, with = {.momentum = 0.9};
  dlc_param p;
  ck_assert_int_eq(param_of("sgd", &without, F32(6, 3), 0, &p), DLC_END);
  ck_assert_int_eq(param_of("sgd", &with, F32(6, 3), 0, &p), DLC_OK);
  ck_assert_str_eq(p.name, "momentum_buffer");
  ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
  ck_assert_double_eq(p.a, 0);
  ck_assert_uint_eq(p.value.rank, 2);
  ck_assert_int_eq(p.value.dim[0], 6);
  ck_assert_int_eq(param_of("sgd", &with, F32(6, 3), 1, &p), DLC_END);
  const dlc_value lr = F32(1), step = VALUE(DLC_I64, 1), w = F32(6, 3);
  inferred r = INFER("sgd", &without, w, w, lr, step);
  ck_assert_uint_eq(r.n_out, 1);
  r = INFER("sgd", &with, w, w, w, lr, step);
  ck_assert_uint_eq(r.n_out, 2);
  check_shape(&r, 1, DLC_F32, DIMS(6, 3));
}
END_TEST

/* The names of the states, in order, are PyTorch's. */
static void check_states(const char *op, const void *attr, const char *const *names)
{
  dlc_param p;
  uint32_t k = 0;
  for (; names[k]; k++) {
    ck_assert_int_eq(param_of(op, attr, F32(6, 3), k, &p), DLC_OK);
    ck_assert_str_eq(p.name, names[k]);
    ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
    ck_assert_double_eq(p.a, 0);
  }
  ck_assert_msg(param_of(op, attr, F32(6, 3), k, &p) == DLC_END, "%s has more than %u states", op, k);
}
#define STATES(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(states_are_pytorchs)
{
  check_states("adam", &(dlc_adam){0}, STATES("exp_avg", "exp_avg_sq"));
  check_states("adamw", &(dlc_adam){0}, STATES("exp_avg", "exp_avg_sq"));
  check_states("rmsprop", &(dlc_rmsprop){0}, STATES("square_avg"));
  check_states("rmsprop", &(dlc_rmsprop){.centered = 1}, STATES("square_avg", "grad_avg"));
  check_states("rmsprop", &(dlc_rmsprop){.momentum = 0.5}, STATES("square_avg", "momentum_buffer"));
  check_states("rmsprop", &(dlc_rmsprop){.momentum = 0.5, .centered = 1},
               STATES("square_avg", "grad_avg", "momentum_buffer"));
  check_states("adagrad", &(dlc_adagrad){0}, STATES("sum"));
  check_states("lars", &(dlc_lars){.momentum = 0.9}, STATES("momentum_buffer"));
}
END_TEST

/* A table is read as in a model file, so also from --opt. */
static void defaults_of(const char *op, void *attr)
{
  const char *missing;
  ck_assert_int_eq(dlc_attr_defaults(op_named(op), attr, &missing), DLC_OK);
  ck_assert_msg(missing == NULL, "%s needs its %s", op, missing);
}

START_TEST(defaults_are_pytorchs)
{
  dlc_sgd sgd;
  dlc_adam adam, adamw;
  dlc_rmsprop rmsprop;
  dlc_adagrad adagrad;
  defaults_of("sgd", &sgd);
  defaults_of("adam", &adam);
  defaults_of("adamw", &adamw);
  defaults_of("rmsprop", &rmsprop);
  defaults_of("adagrad", &adagrad);
  ck_assert_double_eq(sgd.momentum, 0);
  ck_assert_double_eq(sgd.weight_decay, 0);
  ck_assert_int_eq(sgd.nesterov, 0);
  ck_assert_double_eq(adam.beta1, 0.9);
  ck_assert_double_eq(adam.beta2, 0.999);
  ck_assert_double_eq(adam.eps, 1e-8);
  ck_assert_double_eq(adam.weight_decay, 0);
  ck_assert_double_eq(adamw.beta2, 0.999);
  ck_assert_double_eq(adamw.weight_decay, 0.01);
  ck_assert_double_eq(rmsprop.alpha, 0.99);
  ck_assert_double_eq(rmsprop.eps, 1e-8);
  ck_assert_double_eq(rmsprop.momentum, 0);
  ck_assert_double_eq(rmsprop.weight_decay, 0);
  ck_assert_int_eq(rmsprop.centered, 0);
  ck_assert_double_eq(adagrad.lr_decay, 0);
  ck_assert_double_eq(adagrad.weight_decay, 0);
  ck_assert_double_eq(adagrad.eps, 1e-10);
}
END_TEST

START_TEST(optimizers_refuse_what_does_not_fit)
{
  const dlc_value w = F32(6, 3), lr = F32(1), step = VALUE(DLC_I64, 1);
  dlc_sgd sgd = {0}, negative = {.momentum = -0.5}, no_number = {.weight_decay = NAN}, nesterov = {.nesterov = 1};
  dlc_adam adam = {0.9, 1, 1e-8, 0};
  dlc_rmsprop rmsprop = {.alpha = 1};
  dlc_adagrad adagrad = {.lr_decay = -1};
  dlc_lars lars = {.trust_coefficient = NAN};
  check_refused(INFER("sgd", &sgd, w, F32(3, 6), lr, step), "gradient is [3, 6], expected [6, 3]");
  check_refused(INFER("sgd", &sgd, w, w, F32(2), step), "learning rate is [2], expected [1]");
  check_refused(INFER("sgd", &sgd, w, w, lr, F32(1)), "step is f32, expected i64");
  check_refused(INFER("sgd", &negative, w, w, w, lr, step), "momentum is -0.5, expected at least 0");
  check_refused(INFER("sgd", &no_number, w, w, lr, step), "weight_decay is nan, expected at least 0");
  check_refused(INFER("sgd", &nesterov, w, w, lr, step), "nesterov needs a momentum, momentum is 0");
  check_refused(INFER("adam", &adam, w, w, w, w, lr, step), "beta2 is 1, expected [0, 1)");
  check_refused(INFER("adamw", &adam, w, w, w, w, lr, step), "beta2 is 1, expected [0, 1)");
  check_refused(INFER("rmsprop", &rmsprop, w, w, w, lr, step), "alpha is 1, expected [0, 1)");
  check_refused(INFER("adagrad", &adagrad, w, w, w, lr, step), "lr_decay is -1, expected at least 0");
  check_refused(INFER("lars", &lars, w, w, lr, step), "trust_coefficient is nan, expected at least 0");
}
END_TEST

START_TEST(a_momentum_for_each_step_needs_one_that_is_not_zero)
{
  const dlc_value w = F32(6, 3), lr = F32(1), step = VALUE(DLC_I64, 1), momentum = F32(1);
  dlc_sgd with = {.momentum = 0.9}, without = {0};
  dlc_adam adam = {0, 0.999, 1e-8, 0};
  dlc_adagrad adagrad = {0};
  ck_assert_uint_eq(INFER("sgd", &with, w, w, w, lr, step, momentum).n_out, 2);
  ck_assert_uint_eq(INFER("adam", &adam, w, w, w, w, lr, step, momentum).n_out, 3);
  check_refused(INFER("sgd", &with, w, w, w, lr, step, w), "momentum is [6, 3], expected [1]");
  check_refused(INFER("sgd", &without, w, w, lr, step, momentum),
                "a momentum for each step, but the attribute `momentum` is 0");
  check_refused(INFER("adagrad", &adagrad, w, w, w, lr, step, momentum), "6 inputs came, expected 5");
}
END_TEST

START_TEST(a_norm_that_is_no_number_gives_such_a_factor)
{
  static const double squares[] = {NAN, INFINITY, 0}, factors[] = {NAN, 0, 1};
  dlc_clip_factor attr = {2};
  const dlc_value v = F32(1);
  const inferred r = infer("clip_factor", &attr, &v, 1);
  check_shape(&r, 0, DLC_F32, DIMS(1));
  check_shape(&r, 1, DLC_F32, DIMS(1));
  for (int i = 0; i < 3; i++) {
    const double *in = &squares[i];
    double factor = 7, norm = 7;
    ck_assert_int_eq(call("clip_factor", &attr, &r, &v, &in, 1, (double *[]){&factor, &norm}), DLC_OK);
    if (isnan(factors[i])) ck_assert_double_nan(factor);
    else ck_assert_double_eq(factor, factors[i]);
  }
}
END_TEST

START_TEST(l1_pulls_every_number_towards_0)
{
  static const double p[] = {3, -1e-9, 0, -0.0, -5}, g[] = {1, 1, 1, 1, 0}, expected[] = {1.25, 0.75, 1, 1, -0.25};
  dlc_l1_gradient attr = {0.25};
  const dlc_value v[2] = {F32(5), F32(5)};
  const inferred r = infer("l1_gradient", &attr, v, 2);
  const double *in[2] = {p, g};
  double out[5];
  check_shape(&r, 0, DLC_F32, DIMS(5));
  ck_assert_int_eq(call("l1_gradient", &attr, &r, v, in, 2, (double *[]){out}), DLC_OK);
  for (int i = 0; i < 5; i++) ck_assert_double_eq(out[i], expected[i]);
}
END_TEST

START_TEST(updates_refuse_what_does_not_fit)
{
  dlc_l1_gradient push = {-1}, pull = {1};
  dlc_clip_factor negative = {-1};
  const dlc_value x = F32(6, 3), one = F32(1);
  check_refused(INFER("clip_factor", &negative, one), "max_norm is -1, expected at least 0");
  check_refused(INFER("clip_factor", &negative, F32(2)), "square sum is [2], expected [1]");
  check_refused(INFER("l1_gradient", &push, x, x), "l1 is -1, expected at least 0");
  check_refused(INFER("l1_gradient", &pull, x, F32(3, 6)), "gradient is [3, 6], expected [6, 3]");
  check_refused(INFER("square_sum", NULL, VALUE(DLC_I32, 3)), "input is i32, expected f32");
  check_refused(INFER("scale", NULL, x, F32(2)), "factor is [2], expected [1]");
  check_refused(INFER("accumulate", NULL, x, F32(3, 6), one), "input is [3, 6], expected [6, 3]");
  check_refused(INFER("ema", NULL, x, x, x), "decay is [6, 3], expected [1]");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("rules");
  tcase_add_test(t, sgd_has_a_state_only_with_momentum);
  tcase_add_test(t, states_are_pytorchs);
  tcase_add_test(t, defaults_are_pytorchs);
  tcase_add_test(t, optimizers_refuse_what_does_not_fit);
  tcase_add_test(t, a_momentum_for_each_step_needs_one_that_is_not_zero);
  tcase_add_test(t, a_norm_that_is_no_number_gives_such_a_factor);
  tcase_add_test(t, l1_pulls_every_number_towards_0);
  tcase_add_test(t, updates_refuse_what_does_not_fit);
  return run_suite("updates", t);
}
