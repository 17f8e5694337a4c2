/* The rules of the ops over planes: shapes, and the reason for everything that cannot be. max_pool2d's are in
 * test_ops.c. */
#include "infer.h"

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

int main(void)
{
  TCase *tests = tcase_create("planes");
  tcase_add_test(tests, adaptive_avg_pool2d_gives_the_size_that_is_asked_for);
  return run_suite("ops over planes", tests);
}
