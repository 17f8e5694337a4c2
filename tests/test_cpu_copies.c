/* The cpu plugin's concat, slice, transpose and multiply against the reference kernels, and softmax on any rank. */
#include "cpu_check.h"

/* Rank 1 to 5, few elements; now and then many. */
static uint32_t random_shape(int s, int64_t dim[5])
{
  const uint32_t rank = (uint32_t)random_between(1, 5);
  for (uint32_t i = 0; i < rank; i++) dim[i] = random_between(1, s % 40 == 0 ? 2 : i < 2 ? 12 : 5);
  if (s % 40 == 0) dim[random_between(0, rank - 1)] = 5000;
  return rank;
}

START_TEST(concat_equals_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[5];
    one_node n;
    const uint32_t rank = random_shape(s, dim), inputs = (uint32_t)random_between(2, DLC_MAX_IN);
    node_init(&n, "concat");
    const int64_t at = random_between(0, rank - 1);
    n.attr.concat.dim = random_between(0, 1) ? at : at - rank;
    for (uint32_t i = 0; i < inputs; i++) {
      dim[at] = i ? random_between(1, 6) : dim[at];
      node_random(&n, 1, rank, dim);
    }
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

static dlc_slice random_slice(uint32_t rank, const int64_t *dim)
{
  dlc_slice a = {.dim = random_between(0, rank - 1)};
  a.size = dim[a.dim];
  a.begin = random_between(0, a.size - 1);
  a.end = random_between(a.begin + 1, a.size);
  return a;
}

START_TEST(slice_and_its_gradient_equal_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[5];
    one_node n;
    const uint32_t rank = random_shape(s, dim);
    const dlc_slice a = random_slice(rank, dim);
    node_init(&n, "slice");
    n.attr.slice = a;
    node_random(&n, 1, rank, dim);
    check_values(&n, 0, isas[_i]);
    node_init(&n, "slice_grad");
    n.attr.slice = a;
    dim[a.dim] = a.end - a.begin;
    node_random(&n, 1, rank, dim);
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(transpose_equals_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "transpose");
    RANDOM(&n, 1, random_between(1, 5), random_between(1, 70), s % 40 ? random_between(1, 70) : 900);
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(multiply_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[5];
    one_node n;
    const uint32_t rank = random_shape(s, dim);
    node_init(&n, "multiply");
    node_random(&n, 1, rank, dim);
    node_random(&n, 1, rank, dim);
    check_values(&n, 1, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(softmax_runs_over_the_last_dimension_of_any_rank)
{
  static const char *const ops[] = {"softmax", "log_softmax"};
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[5];
    one_node n;
    const uint32_t rank = random_shape(s, dim);
    dim[rank - 1] = random_between(1, 70);
    node_init(&n, ops[s % 2]);
    node_random(&n, 3, rank, dim);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *scale = malloc((size_t)dlc_count(&n.value[0]) * sizeof *scale); /* |x - max| <= 6 is rounded before exp */
    for (int64_t i = 0; i < dlc_count(&n.value[0]); i++)
      scale[i] = s % 2 ? 6 + log((double)dim[rank - 1]) : n.exact[1][i];
    compare(&n, 0, s % 2 ? 4 : 20, scale, isas[_i]);
    free(scale);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("copies");
  tcase_add_loop_test(tests, concat_equals_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, slice_and_its_gradient_equal_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, transpose_equals_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, multiply_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, softmax_runs_over_the_last_dimension_of_any_rank, 0, N_ISAS);
  return run_suite("cpu copies", tests);
}
