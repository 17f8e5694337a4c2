/* The rules of conv2d: output shapes, paddings, groups, dilation, and what is refused. */
#include "infer.h"

static dlc_conv2d conv_of(int64_t out, int64_t kernel, int64_t stride, int64_t padding)
{
  return (dlc_conv2d){out, {kernel, kernel}, {stride, stride}, {padding, padding, padding, padding}, 0, {1, 1}, 1};
}

START_TEST(conv2d_output_is_floor_of_padded_minus_kernel_over_stride_plus_one)
{
  dlc_conv2d a = {4, {3, 2}, {2, 3}, {1, 0, 2, 1}, 1, {1, 1}, 1};
  inferred r = INFER("conv2d", &a, F32(5, 3, 8, 7), F32(4, 3, 3, 2), F32(4));
  check_shape(&r, 0, DLC_F32, DIMS(5, 4, 5, 3));
}
END_TEST

START_TEST(conv2d_same_puts_the_smaller_part_before)
{
  dlc_conv2d a = {1, {4, 3}, {1, 1}, {-1, -1, -1, -1}, 0, {1, 1}, 1};
  inferred r = INFER("conv2d", &a, F32(1, 1, 5, 6), F32(1, 1, 4, 3));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 5, 6));
  const int64_t expected[4] = {1, 1, 2, 1};
  for (int i = 0; i < 4; i++) ck_assert_int_eq(a.padding[i], expected[i]);
}
END_TEST

START_TEST(conv2d_same_pads_what_dilation_takes)
{
  dlc_conv2d a = {1, {3, 2}, {1, 1}, {-1, -1, -1, -1}, 0, {2, 5}, 1};
  inferred r = INFER("conv2d", &a, F32(1, 1, 5, 6), F32(1, 1, 3, 2));
  check_shape(&r, 0, DLC_F32, DIMS(1, 1, 5, 6));
  const int64_t expected[4] = {2, 2, 2, 3};
  for (int i = 0; i < 4; i++) ck_assert_int_eq(a.padding[i], expected[i]);
}
END_TEST

START_TEST(conv2d_dilation_widens_the_window)
{
  dlc_conv2d a = {4, {3, 2}, {2, 1}, {0}, 0, {3, 2}, 1};
  inferred r = INFER("conv2d", &a, F32(5, 3, 10, 7), F32(4, 3, 3, 2));
  check_shape(&r, 0, DLC_F32, DIMS(5, 4, 2, 5));
  check_refused(INFER("conv2d", &a, F32(5, 3, 6, 7), F32(4, 3, 3, 2)),
                "input is 6x7, kernel_size 3x2 with dilation 3x2, padding 0 needs at least 7x3");
  a.dilation[1] = 0;
  check_refused(INFER("conv2d", &a, F32(5, 3, 10, 7), F32(4, 3, 3, 2)), "dilation is 0, expected at least 1");
}
END_TEST

START_TEST(conv2d_groups_share_out_the_channels)
{
  dlc_conv2d a = conv_of(6, 3, 1, 0);
  dlc_param p;
  a.groups = 2;
  inferred r = INFER("conv2d", &a, F32(5, 4, 8, 7), F32(6, 2, 3, 3));
  check_shape(&r, 0, DLC_F32, DIMS(5, 6, 6, 5));
  ck_assert_int_eq(param_of("conv2d", &a, F32(5, 4, 8, 7), 0, &p), DLC_OK);
  check_uniform(&p, "weight", 1 / sqrt(18), DIMS(6, 2, 3, 3));
  dlc_conv2d_grad g = {{3, 3}, {1, 1}, {0}, {8, 7}, {1, 1}, 2};
  r = INFER("conv2d_grad_input", &g, F32(5, 6, 6, 5), F32(6, 2, 3, 3));
  check_shape(&r, 0, DLC_F32, DIMS(5, 4, 8, 7));
  r = INFER("conv2d_grad_weight", &g, F32(5, 6, 6, 5), F32(5, 4, 8, 7));
  check_shape(&r, 0, DLC_F32, DIMS(6, 2, 3, 3));
}
END_TEST

START_TEST(conv2d_refuses_groups_that_leave_a_rest)
{
  dlc_conv2d a = conv_of(6, 3, 1, 0);
  a.groups = 3;
  check_refused(INFER("conv2d", &a, F32(5, 4, 8, 7), F32(6, 2, 3, 3)),
                "groups is 3, which does not divide the 4 input channels");
  a.groups = 4;
  check_refused(INFER("conv2d", &a, F32(5, 4, 8, 7), F32(6, 1, 3, 3)),
                "groups is 4, which does not divide the 6 out_channels");
  a.groups = 0;
  check_refused(INFER("conv2d", &a, F32(5, 4, 8, 7), F32(6, 1, 3, 3)), "groups is 0, expected at least 1");
}
END_TEST

START_TEST(conv2d_refuses_same_with_a_stride)
{
  dlc_conv2d a = conv_of(1, 3, 2, -1);
  check_refused(INFER("conv2d", &a, F32(1, 1, 5, 5), F32(1, 1, 3, 3)), "padding same needs stride 1, stride is 2x2");
}
END_TEST

START_TEST(conv2d_refuses_a_kernel_larger_than_the_padded_input)
{
  dlc_conv2d a = conv_of(6, 5, 1, 0);
  check_refused(INFER("conv2d", &a, F32(1, 1, 3, 3), F32(6, 1, 5, 5)),
                "input is 3x3, kernel_size 5x5 with padding 0 needs at least 5x5");
  dlc_conv2d b = {6, {5, 2}, {1, 1}, {1, 0, 0, 1}, 0, {1, 1}, 1};
  check_refused(INFER("conv2d", &b, F32(1, 1, 3, 8), F32(6, 1, 5, 2)),
                "input is 3x8, kernel_size 5x2 with padding [1, 0, 0, 1] needs at least 4x1");
}
END_TEST

START_TEST(conv2d_refuses_other_than_images)
{
  dlc_conv2d a = conv_of(6, 3, 1, 0);
  check_refused(INFER("conv2d", &a, F32(64, 400), F32(6, 1, 3, 3)),
                "input is [64, 400], expected [batch, channels, height, width]");
  check_refused(INFER("conv2d", &a, VALUE(DLC_U8, 1, 1, 5, 5), F32(6, 1, 3, 3)), "input is u8, expected f32");
}
END_TEST

START_TEST(conv2d_refuses_parameters_of_another_shape)
{
  dlc_conv2d a = conv_of(6, 3, 1, 0);
  check_refused(INFER("conv2d", &a, F32(1, 3, 8, 8), F32(6, 1, 3, 3)), "weight is [6, 1, 3, 3], expected [6, 3, 3, 3]");
  check_refused(INFER("conv2d", &a, F32(1, 3, 8, 8)), "1 inputs came, expected 2");
  a.bias = 1;
  check_refused(INFER("conv2d", &a, F32(1, 3, 8, 8), F32(6, 3, 3, 3), F32(5)), "bias is [5], expected [6]");
  check_refused(INFER("conv2d", &a, F32(1, 3, 8, 8), F32(6, 3, 3, 3), VALUE(DLC_F64, 6)), "bias is f64, expected f32");
}
END_TEST

START_TEST(conv2d_refuses_attributes_out_of_range)
{
  static const struct {
    dlc_conv2d attr;
    const char *reason;
  } wrong[] = {
      {{0, {3, 3}, {1, 1}, {0}, 0, {1, 1}, 1}, "out_channels is 0, expected at least 1"},
      {{1, {0, 3}, {1, 1}, {0}, 0, {1, 1}, 1}, "kernel_size is 0, expected at least 1"},
      {{1, {3, 3}, {1, 0}, {0}, 0, {1, 1}, 1}, "stride is 0, expected at least 1"},
      {{1, {3, 3}, {1, 1}, {0, 0, -2, 0}, 0, {1, 1}, 1}, "padding is -2, expected at least 0"},
      {{INT64_MAX, {3, 3}, {1, 1}, {0}, 0, {1, 1}, 1}, "out_channels is 9223372036854775807, expected 1 to 2147483647"},
      {{1, {3, 3}, {1, 1}, {INT64_MAX, 0, 0, 0}, 0, {1, 1}, 1},
       "padding is 9223372036854775807, expected 0 to 2147483647"},
  };
  dlc_conv2d a = wrong[_i].attr;
  check_refused(INFER("conv2d", &a, F32(1, 1, 8, 8), F32(1, 1, 3, 3)), wrong[_i].reason);
}
END_TEST

START_TEST(conv2d_refuses_outputs_without_an_address)
{
  dlc_conv2d a = conv_of(INT32_MAX, 1, 1, INT32_MAX / 2);
  check_refused(INFER("conv2d", &a, F32(1, 1, 1, 1), F32(INT32_MAX, 1, 1, 1)),
                "shape [1, 2147483647, 2147483647, 2147483647] is too large");
}
END_TEST

START_TEST(conv2d_gradients_refuse_what_the_convolution_never_gave)
{
  dlc_conv2d_grad a = {{3, 3}, {1, 1}, {0}, {6, 6}, {1, 1}, 1};
  inferred r = INFER("conv2d_grad_input", &a, F32(2, 4, 4, 4), F32(4, 3, 3, 3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 6, 6));
  r = INFER("conv2d_grad_weight", &a, F32(2, 4, 4, 4), F32(2, 3, 6, 6));
  check_shape(&r, 0, DLC_F32, DIMS(4, 3, 3, 3));
  check_refused(INFER("conv2d_grad_input", &a, F32(2, 4, 5, 4), F32(4, 3, 3, 3)),
                "dy is [2, 4, 5, 4], expected [2, 4, 4, 4]");
  check_refused(INFER("conv2d_grad_input", &a, F32(2, 4, 4, 4), F32(5, 3, 3, 3)),
                "weight is [5, 3, 3, 3], expected [4, 3, 3, 3]");
  check_refused(INFER("conv2d_grad_weight", &a, F32(2, 4, 4, 4), F32(2, 3, 6, 5)),
                "x is [2, 3, 6, 5], expected [2, 3, 6, 6]");
}
END_TEST

START_TEST(conv2d_parameters_begin_within_one_over_root_of_fan_in)
{
  dlc_conv2d a = {6, {5, 3}, {1, 1}, {0}, 1, {1, 1}, 1};
  dlc_param p;
  ck_assert_int_eq(param_of("conv2d", &a, F32(64, 3, 28, 28), 0, &p), DLC_OK);
  check_uniform(&p, "weight", 1 / sqrt(45), DIMS(6, 3, 5, 3));
  ck_assert_int_eq(param_of("conv2d", &a, F32(64, 3, 28, 28), 1, &p), DLC_OK);
  check_uniform(&p, "bias", 1 / sqrt(45), DIMS(6));
  ck_assert_int_eq(param_of("conv2d", &a, F32(64, 3, 28, 28), 2, &p), DLC_END);
  a.bias = 0;
  ck_assert_int_eq(param_of("conv2d", &a, F32(64, 3, 28, 28), 1, &p), DLC_END);
}
END_TEST

START_TEST(conv2d_parameters_are_refused_with_the_layers_reason)
{
  dlc_conv2d conv = conv_of(6, 3, 1, 0), none = conv_of(0, 3, 1, 0);
  dlc_param p;
  ck_assert_int_eq(param_of("conv2d", &conv, F32(64, 400), 0, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "input is [64, 400], expected [batch, channels, height, width]");
  ck_assert_int_eq(param_of("conv2d", &none, F32(64, 3, 8, 8), 0, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "out_channels is 0, expected at least 1");
  conv.kernel_size[0] = INT32_MAX;
  conv.out_channels = INT32_MAX;
  ck_assert_int_eq(param_of("conv2d", &conv, F32(1, INT32_MAX, 1, 1), 0, &p), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "shape [2147483647, 2147483647, 2147483647, 3] is too large");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("rules");
  tcase_add_test(t, conv2d_output_is_floor_of_padded_minus_kernel_over_stride_plus_one);
  tcase_add_test(t, conv2d_same_puts_the_smaller_part_before);
  tcase_add_test(t, conv2d_refuses_same_with_a_stride);
  tcase_add_test(t, conv2d_refuses_a_kernel_larger_than_the_padded_input);
  tcase_add_test(t, conv2d_refuses_other_than_images);
  tcase_add_test(t, conv2d_refuses_parameters_of_another_shape);
  tcase_add_loop_test(t, conv2d_refuses_attributes_out_of_range, 0, 6);
  tcase_add_test(t, conv2d_refuses_outputs_without_an_address);
  tcase_add_test(t, conv2d_gradients_refuse_what_the_convolution_never_gave);
  tcase_add_test(t, conv2d_parameters_begin_within_one_over_root_of_fan_in);
  tcase_add_test(t, conv2d_same_pads_what_dilation_takes);
  tcase_add_test(t, conv2d_dilation_widens_the_window);
  tcase_add_test(t, conv2d_groups_share_out_the_channels);
  tcase_add_test(t, conv2d_refuses_groups_that_leave_a_rest);
  tcase_add_test(t, conv2d_parameters_are_refused_with_the_layers_reason);
  return run_suite("conv2d", t);
}
