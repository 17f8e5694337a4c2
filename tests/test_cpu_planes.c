/* The cpu plugin's ops over planes against the reference kernels; max_pool2d is in test_cpu.c. */
#include "cpu_check.h"

/* Small planes; now and then large ones. */
static void random_planes(int s, int64_t dim[4])
{
  const int64_t most = s % 30 ? 40 : 150;
  for (int i = 0; i < 4; i++) dim[i] = random_between(1, i == 0 ? 3 : i == 1 ? 5 : most);
  if (s % 7 == 0) dim[3] = dim[2];
}

START_TEST(adaptive_avg_pool2d_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t x[4], y[4];
    one_node n;
    random_planes(s, x);
    memcpy(y, x, sizeof y);
    const int kind = (int)random_between(0, 2); /* global, halves, any */
    for (int i = 2; i < 4; i++) {
      y[i] = kind == 0 ? 1 : random_between(1, 24);
      if (kind == 1) x[i] = 2 * y[i];
    }
    node_init(&n, "adaptive_avg_pool2d");
    n.attr.adaptive_avg_pool2d = (dlc_adaptive_avg_pool2d){{y[2], y[3]}};
    node_random(&n, 1, 4, x);
    check_sum(&n, isas[_i]);
    node_init(&n, "adaptive_avg_pool2d_grad");
    n.attr.plane_size = (dlc_plane_size){{x[2], x[3]}};
    node_random(&n, 1, 4, y);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("planes");
  tcase_add_loop_test(tests, adaptive_avg_pool2d_and_its_gradient_match_the_reference, 0, N_ISAS);
  return run_suite("cpu planes", tests);
}
