/* The rules of batch_norm2d and layer_norm: shapes, tensors, and what is refused. */
#include "infer.h"

START_TEST(batch_norm2d_gives_the_statistics_of_every_channel)
{
  dlc_batch_norm2d a = {1e-5, 0.1, 1};
  inferred r = INFER("batch_norm2d", &a, F32(8, 6, 5, 4), F32(6), F32(6));
  check_shape(&r, 0, DLC_F32, DIMS(8, 6, 5, 4));
  check_shape(&r, 1, DLC_F32, DIMS(6));
  check_shape(&r, 2, DLC_F32, DIMS(6));
  r = INFER("batch_norm2d_grad", &a, F32(8, 6, 5, 4), F32(8, 6, 5, 4), F32(6), F32(6), F32(6));
  check_shape(&r, 0, DLC_F32, DIMS(8, 6, 5, 4));
  check_shape(&r, 1, DLC_F32, DIMS(6));
  check_shape(&r, 2, DLC_F32, DIMS(6));
}
END_TEST

START_TEST(batch_norm2d_owns_pytorchs_tensors)
{
  static const struct {
    const char *name;
    double value;
    uint32_t role, dtype, rank;
  } expected[] = {{"weight", 1, 0, DLC_F32, 1},
                  {"bias", 0, 0, DLC_F32, 1},
                  {"running_mean", 0, DLC_ROLE_STATE, DLC_F32, 1},
                  {"running_var", 1, DLC_ROLE_STATE, DLC_F32, 1},
                  {"num_batches_tracked", 0, DLC_ROLE_STATE, DLC_I64, 0}};
  dlc_batch_norm2d a = {1e-5, 0.1, 1};
  dlc_param p;
  for (int affine = 0; affine < 2; affine++) {
    a.affine = affine;
    for (uint32_t k = affine ? 0 : 2; k < 5; k++) {
      ck_assert_int_eq(param_of("batch_norm2d", &a, F32(8, 6, 5, 4), affine ? k : k - 2, &p), DLC_OK);
      ck_assert_str_eq(p.name, expected[k].name);
      ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
      ck_assert_double_eq(p.a, expected[k].value);
      ck_assert_uint_eq(p.role, expected[k].role);
      ck_assert_uint_eq(p.value.dtype, expected[k].dtype);
      ck_assert_uint_eq(p.value.rank, expected[k].rank);
      if (p.value.rank == 1) ck_assert_int_eq(p.value.dim[0], 6);
    }
    ck_assert_int_eq(param_of("batch_norm2d", &a, F32(8, 6, 5, 4), affine ? 5 : 3, &p), DLC_END);
  }
}
END_TEST

START_TEST(batch_norm2d_refuses_what_does_not_fit)
{
  dlc_batch_norm2d a = {1e-5, 0.1, 1}, eps = {-1, 0.1, 1}, momentum = {1e-5, 1.5, 1};
  dlc_batch_norm2d_update one = {0.1, 1};
  check_refused(INFER("batch_norm2d", &a, F32(8, 6), F32(6), F32(6)),
                "input is [8, 6], expected [batch, channels, height, width]");
  check_refused(INFER("batch_norm2d", &a, F32(8, 6, 5, 4), F32(5), F32(6)), "weight is [5], expected [6]");
  check_refused(INFER("batch_norm2d", &a, F32(8, 6, 5, 4), F32(6)), "2 inputs came, expected 3");
  check_refused(INFER("batch_norm2d", &eps, F32(8, 6, 5, 4), F32(6), F32(6)), "eps is -1, expected at least 0");
  check_refused(INFER("batch_norm2d", &momentum, F32(8, 6, 5, 4), F32(6), F32(6)), "momentum is 1.5, expected 0 to 1");
  check_refused(INFER("batch_norm2d_eval", &a, F32(8, 6, 5, 4), F32(6), F32(7), F32(6), F32(6)),
                "running_var is [7], expected [6]");
  check_refused(INFER("batch_norm2d_update", &one, F32(6), F32(6), VALUE(DLC_I64, 1), F32(6), F32(6)),
                "count is 1, expected 2 to 9223372036854775807");
}
END_TEST

START_TEST(batch_norm2d_needs_more_than_one_value_per_channel_in_training)
{
  dlc_batch_norm2d a = {1e-5, 0.1, 0};
  check_refused(INFER("batch_norm2d", &a, F32(1, 6, 1, 1)),
                "input is [1, 6, 1, 1], more than one value per channel is needed in training");
  inferred r = INFER("batch_norm2d", &a, F32(2, 6, 1, 1));
  check_shape(&r, 0, DLC_F32, DIMS(2, 6, 1, 1));
  r = INFER("batch_norm2d_eval", &a, F32(1, 6, 1, 1), F32(6), F32(6));
  check_shape(&r, 0, DLC_F32, DIMS(1, 6, 1, 1));
}
END_TEST

START_TEST(layer_norm_takes_rows_of_the_last_dimensions)
{
  dlc_layer_norm a = {2, 1e-5, 1};
  dlc_param p;
  inferred r = INFER("layer_norm", &a, F32(8, 6, 5, 4), F32(5, 4), F32(5, 4));
  check_shape(&r, 0, DLC_F32, DIMS(8, 6, 5, 4));
  check_shape(&r, 1, DLC_F32, DIMS(48));
  check_shape(&r, 2, DLC_F32, DIMS(48));
  r = INFER("layer_norm_grad", &a, F32(8, 6, 5, 4), F32(8, 6, 5, 4), F32(48), F32(48), F32(5, 4));
  check_shape(&r, 0, DLC_F32, DIMS(8, 6, 5, 4));
  check_shape(&r, 1, DLC_F32, DIMS(5, 4));
  check_shape(&r, 2, DLC_F32, DIMS(5, 4));
  ck_assert_int_eq(param_of("layer_norm", &a, F32(8, 6, 5, 4), 0, &p), DLC_OK);
  ck_assert_str_eq(p.name, "weight");
  ck_assert_double_eq(p.a, 1);
  ck_assert_uint_eq(p.value.rank, 2);
  ck_assert_int_eq(param_of("layer_norm", &a, F32(8, 6, 5, 4), 1, &p), DLC_OK);
  ck_assert_str_eq(p.name, "bias");
  ck_assert_double_eq(p.a, 0);
  ck_assert_int_eq(param_of("layer_norm", &a, F32(8, 6, 5, 4), 2, &p), DLC_END);
}
END_TEST

START_TEST(layer_norm_refuses_what_does_not_fit)
{
  dlc_layer_norm a = {1, 1e-5, 1}, none = {0, 1e-5, 0}, more = {3, 1e-5, 0};
  check_refused(INFER("layer_norm", &a, F32(8, 6), F32(8), F32(6)), "weight is [8], expected [6]");
  check_refused(INFER("layer_norm", &none, F32(8, 6)), "dims is 0, expected 1 to 2");
  check_refused(INFER("layer_norm", &more, F32(8, 6)), "dims is 3, expected 1 to 2");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("rules");
  tcase_add_test(t, batch_norm2d_gives_the_statistics_of_every_channel);
  tcase_add_test(t, batch_norm2d_owns_pytorchs_tensors);
  tcase_add_test(t, batch_norm2d_refuses_what_does_not_fit);
  tcase_add_test(t, batch_norm2d_needs_more_than_one_value_per_channel_in_training);
  tcase_add_test(t, layer_norm_takes_rows_of_the_last_dimensions);
  tcase_add_test(t, layer_norm_refuses_what_does_not_fit);
  return run_suite("norm", t);
}
