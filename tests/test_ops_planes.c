/* The rules of the ops over planes: shapes, and the reason for everything that cannot be. max_pool2d's are in
 * test_ops.c. */
#include "infer.h"

START_TEST(avg_pool2d_begins_with_pytorchs_defaults)
{
  const char *missing;
  dlc_avg_pool2d a = {.stride = {9, 9}, .padding = {9, 9, 9, 9}, .ceil_mode = 9, .count_include_pad = 9};
  ck_assert_int_eq(dlc_attr_defaults(op_named("avg_pool2d"), &a, &missing), DLC_OK);
  ck_assert_str_eq(missing, "kernel_size");
  ck_assert_int_eq(a.padding[0] | a.padding[1] | a.padding[2] | a.padding[3] | a.ceil_mode, 0);
  ck_assert_int_eq(a.count_include_pad, 1);
  a.kernel_size[0] = 2;
  a.kernel_size[1] = 3;
  inferred r = INFER("avg_pool2d", &a, F32(4, 6, 9, 9));
  check_shape(&r, 0, DLC_F32, DIMS(4, 6, 4, 3));
  ck_assert_int_eq(a.stride[0], 2);
  ck_assert_int_eq(a.stride[1], 3);
}
END_TEST

START_TEST(avg_pool2d_refuses_what_cannot_be)
{
  dlc_avg_pool2d padded = {.kernel_size = {3, 3}, .padding = {0, 2, 0, 0}}, large = {.kernel_size = {9, 9}};
  dlc_avg_pool2d_grad grad = {.kernel_size = {2, 2}, .stride = {2, 2}, .size = {8, 8}};
  check_refused(INFER("avg_pool2d", &padded, F32(1, 1, 8, 8)),
                "padding is 2, at most half of kernel_size 3x3 is possible");
  check_refused(INFER("avg_pool2d", &large, F32(1, 1, 8, 8)),
                "input is 8x8, kernel_size 9x9 with padding 0 needs at least 9x9");
  check_refused(INFER("avg_pool2d_grad", &grad, F32(1, 1, 4, 5)), "dy is [1, 1, 4, 5], expected [1, 1, 4, 4]");
}
END_TEST

START_TEST(adaptive_avg_pool2d_gives_the_size_that_is_asked_for)
{
  const char *missing;
  dlc_adaptive_avg_pool2d a = {{9, 9}}, large = {{7, 30}}, zero = {{1, 0}};
  ck_assert_int_eq(dlc_attr_defaults(op_named("adaptive_avg_pool2d"), &a, &missing), DLC_OK);
  ck_assert_ptr_null(missing);
  inferred r = INFER("adaptive_avg_pool2d", &a, F32(2, 3, 8, 9));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 1, 1));
  r = INFER("adaptive_avg_pool2d", &large, F32(2, 3, 8, 9));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 7, 30));
  check_refused(INFER("adaptive_avg_pool2d", &zero, F32(2, 3, 8, 9)), "output_size is 0, expected at least 1");
  check_refused(INFER("adaptive_avg_pool2d", &a, F32(2, 3)),
                "input is [2, 3], expected [batch, channels, height, width]");
}
END_TEST

START_TEST(pad2d_reflects_less_than_there_is)
{
  const char *missing;
  dlc_pad2d a = {.mode = 9}, large = {{1, 3, 1, 1}, DLC_PAD_REFLECT}, negative = {{-1, -1, -1, -1}, DLC_PAD_ZERO};
  ck_assert_int_eq(dlc_attr_defaults(op_named("pad2d"), &a, &missing), DLC_OK);
  ck_assert_str_eq(missing, "padding");
  ck_assert_int_eq(a.mode, DLC_PAD_ZERO);
  memcpy(a.padding, (int64_t[]){0, 1, 2, 3}, sizeof a.padding);
  inferred r = INFER("pad2d", &a, F32(2, 3, 3, 3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 5, 7));
  check_refused(INFER("pad2d", &large, F32(2, 3, 3, 3)), "padding is 3, less than the input's 3x3 can be reflected");
  check_refused(INFER("pad2d", &negative, F32(2, 3, 3, 3)), "padding is -1, expected at least 0");
  check_refused(INFER("pad2d_grad", &a, F32(2, 3, 2, 7)), "shape [2, 3, 0, 3] has a dimension below 1");
}
END_TEST

START_TEST(upsample_nearest2d_multiplies_height_and_width)
{
  dlc_upsample_nearest2d a = {{2, 3}}, none = {{2, 0}};
  inferred r = INFER("upsample_nearest2d", &a, F32(2, 3, 4, 5));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 8, 15));
  check_refused(INFER("upsample_nearest2d", &none, F32(2, 3, 4, 5)), "scale_factor is 0, expected at least 1");
  check_refused(INFER("upsample_nearest2d_grad", &a, F32(2, 3, 8, 16)),
                "dy is 8x16, expected multiples of scale_factor 2x3");
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("planes");
  tcase_add_test(tests, avg_pool2d_begins_with_pytorchs_defaults);
  tcase_add_test(tests, avg_pool2d_refuses_what_cannot_be);
  tcase_add_test(tests, adaptive_avg_pool2d_gives_the_size_that_is_asked_for);
  tcase_add_test(tests, pad2d_reflects_less_than_there_is);
  tcase_add_test(tests, upsample_nearest2d_multiplies_height_and_width);
  return run_suite("ops over planes", tests);
}
