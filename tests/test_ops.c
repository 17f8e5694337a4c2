/* The rules of dlcore's ops: shapes, attributes made explicit, parameters and their first values, and the reason for
 * everything that cannot be. What the ops compute is compared in test_vectors.c and test_gradients.c. */
#include "infer.h"

/* ---- the list ---- */

START_TEST(every_op_is_complete)
{
  for (const dlc_op *const *o = dlc_core_ops; *o; o++) {
    const dlc_op *op = *o, *found;
    ck_assert_uint_eq(op->size, sizeof *op);
    ck_assert_uint_ge(op->version, 1);
    ck_assert_ptr_nonnull(op->help);
    const bool built = op->build && !op->infer && !op->reference; /* of other ops alone */
    ck_assert_msg(op->infer != NULL || built, "%s", op->name);
    ck_assert_msg(op->reference != NULL || (op->flags & DLC_OP_VIEW) || built, "%s", op->name);
    ck_assert_msg(op->kind != DLC_OP_OPTIMIZER || (op->flags & DLC_OP_UPDATE), "%s", op->name);
    ck_assert_int_eq(find_core_op(NULL, op->name, &found), DLC_OK);
    ck_assert_msg(found == op, "%s stands there twice", op->name);
  }
}
END_TEST

/* As in the attribute tables, which model files and dumps go through. */
START_TEST(defaults_are_pytorchs)
{
  const char *missing;
  dlc_conv2d conv = {.stride = {9, 9}, .padding = {9, 9, 9, 9}, .dilation = {9, 9}};
  dlc_max_pool2d pool = {.stride = {9, 9}, .padding = {9, 9, 9, 9}, .ceil_mode = 9};
  dlc_linear linear = {.bias = 9};
  ck_assert_int_eq(dlc_attr_defaults(op_named("conv2d"), &conv, &missing), DLC_OK);
  ck_assert_str_eq(missing, "out_channels");
  ck_assert_int_eq(conv.stride[0] * conv.stride[1], 1);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(conv.padding[i], 0);
  ck_assert_int_eq(conv.bias, 1);
  ck_assert_int_eq(conv.dilation[0] * conv.dilation[1] * conv.groups, 1);
  ck_assert_int_eq(dlc_attr_defaults(op_named("max_pool2d"), &pool, &missing), DLC_OK);
  ck_assert_str_eq(missing, "kernel_size");
  ck_assert_int_eq(pool.stride[0] | pool.stride[1] | pool.padding[0] | pool.padding[3] | pool.ceil_mode, 0);
  ck_assert_int_eq(dlc_attr_defaults(op_named("linear"), &linear, &missing), DLC_OK);
  ck_assert_str_eq(missing, "out_features");
  ck_assert_int_eq(linear.bias, 1);
}
END_TEST

/* ---- parameters ---- */

START_TEST(linear_parameters_begin_within_one_over_root_of_fan_in)
{
  dlc_linear a = {10, 1};
  dlc_param p;
  ck_assert_int_eq(param_of("linear", &a, F32(64, 400), 0, &p), DLC_OK);
  check_uniform(&p, "weight", 1 / sqrt(400), DIMS(10, 400));
  ck_assert_int_eq(param_of("linear", &a, F32(64, 400), 1, &p), DLC_OK);
  check_uniform(&p, "bias", 1 / sqrt(400), DIMS(10));
  ck_assert_int_eq(param_of("linear", &a, F32(64, 400), 2, &p), DLC_END);
}
END_TEST

START_TEST(bias_begins_at_zero)
{
  dlc_param p;
  ck_assert_int_eq(param_of("bias", NULL, F32(2, 7, 3, 3), 0, &p), DLC_OK);
  ck_assert_str_eq(p.name, "bias");
  ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
  ck_assert_double_eq(p.a, 0);
  ck_assert_uint_eq(p.value.rank, 1);
  ck_assert_int_eq(p.value.dim[0], 7);
  ck_assert_int_eq(param_of("bias", NULL, F32(2, 7, 3, 3), 1, &p), DLC_END);
}
END_TEST

/* Parameters are asked for before the shape rule runs, so they refuse the same things. */
START_TEST(parameters_are_refused_with_the_layers_reason)
{
  dlc_linear linear = {10, 1};
  dlc_param p;
  ck_assert_int_eq(param_of("linear", &linear, F32(64), 0, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "input is [64], expected [batch, ..., features]");
}
END_TEST

/* ---- linear, bias ---- */

START_TEST(linear_gives_out_features_per_sample)
{
  dlc_linear a = {10, 1};
  inferred r = INFER("linear", &a, F32(64, 400), F32(10, 400), F32(10));
  check_shape(&r, 0, DLC_F32, DIMS(64, 10));
  r = INFER("linear_grad_input", NULL, F32(64, 10), F32(10, 400));
  check_shape(&r, 0, DLC_F32, DIMS(64, 400));
  r = INFER("linear_grad_weight", NULL, F32(64, 10), F32(64, 400));
  check_shape(&r, 0, DLC_F32, DIMS(10, 400));
}
END_TEST

START_TEST(linear_goes_over_the_last_dimension)
{
  dlc_linear a = {10, 1};
  inferred r = INFER("linear", &a, F32(6, 5, 4, 3), F32(10, 3), F32(10));
  check_shape(&r, 0, DLC_F32, DIMS(6, 5, 4, 10));
  r = INFER("linear_grad_input", NULL, F32(6, 5, 4, 10), F32(10, 3));
  check_shape(&r, 0, DLC_F32, DIMS(6, 5, 4, 3));
  r = INFER("linear_grad_weight", NULL, F32(6, 5, 4, 10), F32(6, 5, 4, 3));
  check_shape(&r, 0, DLC_F32, DIMS(10, 3));
  check_refused(INFER("linear_grad_weight", NULL, F32(6, 20, 10), F32(6, 5, 4, 3)),
                "x is [6, 5, 4, 3], expected [6, 20, 3]");
}
END_TEST

START_TEST(linear_refuses_what_does_not_fit)
{
  dlc_linear a = {10, 0};
  check_refused(INFER("linear", &a, F32(64), F32(10, 64)), "input is [64], expected [batch, ..., features]");
  check_refused(INFER("linear", &a, F32(64, 400), F32(10, 256)), "weight is [10, 256], expected [10, 400]");
  check_refused(INFER("linear_grad_input", NULL, F32(64, 10), F32(9, 400)), "weight is [9, 400], expected [10, 400]");
  check_refused(INFER("linear_grad_weight", NULL, F32(64, 10), F32(63, 400)), "x is [63, 400], expected [64, 400]");
  a.out_features = -3;
  check_refused(INFER("linear", &a, F32(64, 400), F32(10, 400)), "out_features is -3, expected at least 1");
}
END_TEST

START_TEST(bias_needs_one_number_per_channel)
{
  inferred r = INFER("bias", NULL, F32(2, 5, 3), F32(5));
  check_shape(&r, 0, DLC_F32, DIMS(2, 5, 3));
  r = INFER("bias_grad", NULL, F32(2, 5, 3));
  check_shape(&r, 0, DLC_F32, DIMS(5));
  check_refused(INFER("bias", NULL, F32(2, 5, 3), F32(3)), "bias is [3], expected [5]");
  check_refused(INFER("bias", NULL, F32(5), F32(5)), "input is [5], expected [batch, channels, ...]");
}
END_TEST

/* ---- max_pool2d ---- */

START_TEST(max_pool2d_strides_by_its_kernel_unless_told)
{
  dlc_max_pool2d a = {.kernel_size = {2, 3}};
  inferred r = INFER("max_pool2d", &a, F32(4, 6, 9, 9));
  check_shape(&r, 0, DLC_F32, DIMS(4, 6, 4, 3));
  check_shape(&r, 1, DLC_U8, DIMS(4, 6, 4, 3));
  ck_assert_int_eq(a.stride[0], 2);
  ck_assert_int_eq(a.stride[1], 3);
}
END_TEST

START_TEST(max_pool2d_rounds_up_in_ceil_mode_but_begins_no_window_in_the_last_padding)
{
  dlc_max_pool2d down = {{2, 2}, {2, 2}, {0}, 0}, up = {{2, 2}, {2, 2}, {0}, 1},
                 padded = {{2, 2}, {2, 2}, {1, 1, 1, 1}, 1};
  dlc_max_pool2d large = {{5, 5}, {2, 2}, {0}, 1};
  inferred r = INFER("max_pool2d", &down, F32(1, 1, 5, 7));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 2, 3));
  r = INFER("max_pool2d", &up, F32(1, 1, 5, 7));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 3, 4));
  r = INFER("max_pool2d", &padded, F32(1, 1, 5, 6));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 3, 4));
  r = INFER("max_pool2d", &large, F32(1, 1, 4, 4));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 1, 1));
  check_refused(INFER("max_pool2d", &large, F32(1, 1, 4, 3)),
                "input is 4x3, too small for kernel_size 5x5 with stride 2x2");
}
END_TEST

START_TEST(max_pool2d_refuses_what_cannot_be)
{
  static const struct {
    dlc_max_pool2d attr;
    const char *reason;
  } wrong[] = {
      {{{17, 16}, {0}, {0}, 0}, "kernel_size is 17x16, a window has at most 256 elements"},
      {{{3, 3}, {0}, {0, 2, 0, 0}, 0}, "padding is 2, at most half of kernel_size 3x3 is possible"},
      {{{3, 3}, {2, 0}, {0}, 0}, "stride is 0, expected at least 1"},
      {{{9, 9}, {0}, {0}, 0}, "input is 8x8, kernel_size 9x9 with padding 0 needs at least 9x9"},
      {{{2, -1}, {0}, {0}, 0}, "kernel_size is -1, expected at least 1"},
  };
  dlc_max_pool2d a = wrong[_i].attr;
  check_refused(INFER("max_pool2d", &a, F32(1, 1, 8, 8)), wrong[_i].reason);
}
END_TEST

/* Runs one node on its reference kernel. */
static void check_pool(const double *x, double expected, double expected_index)
{
  dlc_max_pool2d a = {.kernel_size = {2, 2}};
  const dlc_value v = F32(1, 1, 2, 2);
  double y = 7, index = 7;
  const inferred r = infer("max_pool2d", &a, &v, 1);
  ck_assert_int_eq(call("max_pool2d", &a, &r, &v, &x, 1, (double *[]){&y, &index}), DLC_OK);
  ck_assert_msg(y == expected || (isnan(y) && isnan(expected)), "%g, expected %g", y, expected);
  ck_assert_double_eq(index, expected_index);
}

START_TEST(max_pool2d_takes_the_first_maximum_and_nan_is_one)
{
  check_pool((double[]){1, 3, 3, 2}, 3, 1);
  check_pool((double[]){-INFINITY, -INFINITY, -INFINITY, -INFINITY}, -INFINITY, 0);
  check_pool((double[]){1, NAN, INFINITY, NAN}, NAN, 1);
  check_pool((double[]){NAN, 5, 6, 7}, NAN, 0);
}
END_TEST

START_TEST(max_pool2d_padding_never_wins)
{
  dlc_max_pool2d a = {{2, 2}, {2, 2}, {1, 1, 1, 1}, 0};
  const dlc_value v = F32(1, 1, 2, 2);
  const double x[4] = {-1, -2, -3, -4}, *in = x;
  double y[4], index[4];
  const inferred r = infer("max_pool2d", &a, &v, 1);
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 2, 2));
  ck_assert_int_eq(call("max_pool2d", &a, &r, &v, &in, 1, (double *[]){y, index}), DLC_OK);
  for (int i = 0; i < 4; i++) {
    ck_assert_double_eq(y[i], x[i]);
    ck_assert_double_eq(index[i], 3 - i);
  }
}
END_TEST

START_TEST(max_pool2d_grad_refuses_an_index_outside_of_the_input)
{
  dlc_max_pool2d_grad a = {{2, 2}, {2, 2}, {1, 1, 1, 1}, {2, 2}, 0};
  const dlc_value v[2] = {F32(1, 1, 2, 2), VALUE(DLC_U8, 1, 1, 2, 2)};
  const double dy[4] = {1, 1, 1, 1}, index[4] = {0, 2, 1, 0}, *in[2] = {dy, index};
  double dx[4], *out = dx;
  const inferred r = infer("max_pool2d_grad", &a, v, 2);
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 2, 2));
  ck_assert_int_eq(call("max_pool2d_grad", &a, &r, v, in, 2, &out), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "index 0 lies outside of the 2x2 input");
}
END_TEST

/* ---- element by element, views ---- */

START_TEST(relu_keeps_nan)
{
  const dlc_value v = F32(4);
  const double x[4] = {-1, 0, 2, NAN}, *in = x;
  double y[4], *out = y;
  const inferred r = infer("relu", NULL, &v, 1);
  ck_assert_int_eq(call("relu", NULL, &r, &v, &in, 1, &out), DLC_OK);
  ck_assert_double_eq(y[0], 0);
  ck_assert_double_eq(y[1], 0);
  ck_assert_double_eq(y[2], 2);
  ck_assert_double_nan(y[3]);
}
END_TEST

START_TEST(add_needs_equal_shapes)
{
  inferred r = INFER("add", NULL, F32(2, 3), F32(2, 3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3));
  check_refused(INFER("add", NULL, F32(2, 3), F32(3, 2)), "b is [3, 2], expected [2, 3]");
}
END_TEST

START_TEST(flatten_keeps_the_batch)
{
  inferred r = INFER("flatten", NULL, F32(64, 16, 4, 5));
  check_shape(&r, 0, DLC_F32, DIMS(64, 320));
  check_refused(INFER("flatten", NULL, F32(64)), "input is [64], expected [batch, ...]");
}
END_TEST

START_TEST(reshape_keeps_the_number_of_elements)
{
  dlc_reshape a = {3, {4, 1, 6}}, b = {2, {4, 5}}, c = {9, {1}};
  inferred r = INFER("reshape", &a, F32(2, 12));
  check_shape(&r, 0, DLC_F32, DIMS(4, 1, 6));
  check_refused(INFER("reshape", &b, F32(2, 12)), "input is [2, 12], of 24 elements; [4, 5] has 20");
  check_refused(INFER("reshape", &c, F32(2, 12)), "rank is 9, expected 0 to 8");
}
END_TEST

/* ---- classification ---- */

START_TEST(softmax_takes_any_shape)
{
  static const char *const ops[] = {"softmax", "log_softmax"};
  for (int i = 0; i < 2; i++) {
    inferred r = INFER(ops[i], NULL, F32(64, 10));
    check_shape(&r, 0, DLC_F32, DIMS(64, 10));
    r = INFER(ops[i], NULL, F32(4, 5, 10));
    check_shape(&r, 0, DLC_F32, DIMS(4, 5, 10));
    check_refused(INFER(ops[i], NULL, VALUE(DLC_I32, 64, 10)), "input is i32, expected f32");
  }
}
END_TEST

START_TEST(correct_counts_first_maxima)
{
  const dlc_value v[2] = {F32(4, 3), VALUE(DLC_I32, 4)};
  const double logits[12] = {1, 5, 5, 5, 5, 1, 0, 0, 0, 1, 9, NAN}, labels[4] = {1, 1, 0, 2}, *in[2] = {logits, labels};
  double count, *out = &count;
  dlc_correct top1 = {1}, top2 = {2}, none = {0};
  inferred r = infer("correct", &top1, v, 2);
  check_shape(&r, 0, DLC_F32, DIMS(1));
  ck_assert_int_eq(call("correct", &top1, &r, v, in, 2, &out), DLC_OK);
  ck_assert_double_eq(count, 3);
  r = infer("correct", &top2, v, 2);
  ck_assert_int_eq(call("correct", &top2, &r, v, in, 2, &out), DLC_OK);
  ck_assert_double_eq(count, 4);
  check_refused(infer("correct", &none, v, 2), "k is 0, expected at least 1");
}
END_TEST

/* ---- input ---- */

START_TEST(normalize_takes_bytes_and_one_mean_a_channel)
{
  inferred r = INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), F32(3), F32(3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 4, 4));
  check_refused(INFER("normalize", NULL, F32(2, 3, 4, 4), F32(3), F32(3)), "input is f32, expected u8");
  check_refused(INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4), F32(3), F32(3)),
                "input is [2, 3, 4], expected [batch, channels, height, width]");
  check_refused(INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), F32(1), F32(3)), "mean is [1], expected [3]");
  check_refused(INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), F32(3), F32(4)), "std is [4], expected [3]");
}
END_TEST

START_TEST(normalize_computes_in_the_type_of_its_mean)
{
  const inferred r = INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), VALUE(DLC_F64, 3), VALUE(DLC_F64, 3));
  check_shape(&r, 0, DLC_F64, DIMS(2, 3, 4, 4));
  check_refused(INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), VALUE(DLC_F64, 3), F32(3)),
                "std is f32, expected f64");
  check_refused(INFER("normalize", NULL, VALUE(DLC_U8, 2, 3, 4, 4), VALUE(DLC_I32, 3), VALUE(DLC_I32, 3)),
                "mean is i32, expected f32");
}
END_TEST

START_TEST(cast_keeps_the_shape)
{
  dlc_cast wider = {DLC_F64}, bytes = {DLC_U8};
  const inferred r = INFER("cast", &wider, F32(2, 3));
  check_shape(&r, 0, DLC_F64, DIMS(2, 3));
  check_refused(INFER("cast", &bytes, F32(2, 3)), "the result is u8, expected f32");
  check_refused(INFER("cast", &wider, VALUE(DLC_U8, 2, 3)), "input is u8, expected f32");
}
END_TEST

START_TEST(fill_has_the_shape_it_is_given)
{
  dlc_fill a = {.rank = 2, .dim = {3, 4}, .value = 0.5}, b = {.rank = 2, .dim = {3, 0}};
  inferred r = infer("fill", &a, NULL, 0);
  check_shape(&r, 0, DLC_F32, DIMS(3, 4));
  a.dtype = DLC_F64;
  r = infer("fill", &a, NULL, 0);
  check_shape(&r, 0, DLC_F64, DIMS(3, 4));
  check_refused(infer("fill", &b, NULL, 0), "shape [3, 0] has a dimension below 1");
}
END_TEST

static void add_rules(TCase *t)
{
  tcase_add_test(t, every_op_is_complete);
  tcase_add_test(t, defaults_are_pytorchs);
  tcase_add_test(t, linear_parameters_begin_within_one_over_root_of_fan_in);
  tcase_add_test(t, bias_begins_at_zero);
  tcase_add_test(t, parameters_are_refused_with_the_layers_reason);
}

static void add_layers(TCase *t)
{
  tcase_add_test(t, linear_gives_out_features_per_sample);
  tcase_add_test(t, linear_goes_over_the_last_dimension);
  tcase_add_test(t, linear_refuses_what_does_not_fit);
  tcase_add_test(t, bias_needs_one_number_per_channel);
  tcase_add_test(t, max_pool2d_strides_by_its_kernel_unless_told);
  tcase_add_test(t, max_pool2d_rounds_up_in_ceil_mode_but_begins_no_window_in_the_last_padding);
  tcase_add_loop_test(t, max_pool2d_refuses_what_cannot_be, 0, 5);
  tcase_add_test(t, max_pool2d_takes_the_first_maximum_and_nan_is_one);
  tcase_add_test(t, max_pool2d_padding_never_wins);
  tcase_add_test(t, max_pool2d_grad_refuses_an_index_outside_of_the_input);
  tcase_add_test(t, relu_keeps_nan);
  tcase_add_test(t, add_needs_equal_shapes);
  tcase_add_test(t, flatten_keeps_the_batch);
  tcase_add_test(t, reshape_keeps_the_number_of_elements);
}

static void add_steps(TCase *t)
{
  tcase_add_test(t, softmax_takes_any_shape);
  tcase_add_test(t, correct_counts_first_maxima);
  tcase_add_test(t, normalize_takes_bytes_and_one_mean_a_channel);
  tcase_add_test(t, normalize_computes_in_the_type_of_its_mean);
  tcase_add_test(t, cast_keeps_the_shape);
  tcase_add_test(t, fill_has_the_shape_it_is_given);
}

int main(void)
{
  Suite *suite = suite_create("ops");
  static const struct {
    const char *name;
    void (*add)(TCase *);
  } groups[] = {{"list and parameters", add_rules}, {"layers", add_layers}, {"losses and steps", add_steps}};
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    TCase *t = tcase_create(groups[i].name);
    groups[i].add(t);
    suite_add_tcase(suite, t);
  }
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
