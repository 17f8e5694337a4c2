/* The cpu plugin's ops over planes against the reference kernels; max_pool2d is in test_cpu.c. */
#include "cpu_check.h"

/* Small planes; now and then large ones. */
static void random_planes(int s, int64_t dim[4])
{
  const int64_t most = s % 30 ? 40 : 150;
  for (int i = 0; i < 4; i++) dim[i] = random_between(1, i == 0 ? 3 : i == 1 ? 5 : most);
  if (s % 7 == 0) dim[3] = dim[2];
}

/* Of windows that fit into planes of `size`. */
static dlc_avg_pool2d random_pool(int s, const int64_t size[2])
{
  dlc_avg_pool2d a = {.ceil_mode = random_between(0, 1), .count_include_pad = random_between(0, 1)};
  const int kind = s % 4; /* 0: all of it, 1: quarters, else any */
  for (int i = 0; i < 2; i++) {
    a.kernel_size[i] = kind == 0 ? size[i] : kind == 1 ? 2 : random_between(1, size[i] < 9 ? size[i] : 9);
    a.stride[i] = kind == 1 ? 2 : random_between(1, 7);
  }
  for (int i = 0; i < 4; i++) a.padding[i] = kind < 2 ? 0 : random_between(0, a.kernel_size[i % 2] / 2);
  return a;
}

START_TEST(avg_pool2d_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t x[4];
    one_node n;
    random_planes(s, x);
    for (int i = 2; i < 4; i++) x[i] += 1; /* a window of 2 fits */
    node_init(&n, "avg_pool2d");
    const dlc_avg_pool2d a = n.attr.avg_pool2d = random_pool(s, x + 2);
    node_random(&n, 1, 4, x);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    int64_t y[4];
    memcpy(y, n.value[1].dim, sizeof y);
    free(n.data[1]);
    check_sum(&n, isas[_i]);
    node_init(&n, "avg_pool2d_grad");
    dlc_avg_pool2d_grad *grad = &n.attr.avg_pool2d_grad;
    *grad =
        (dlc_avg_pool2d_grad){.size = {x[2], x[3]}, .ceil_mode = a.ceil_mode, .count_include_pad = a.count_include_pad};
    memcpy(grad->kernel_size, a.kernel_size, sizeof a.kernel_size);
    memcpy(grad->stride, a.stride, sizeof a.stride);
    memcpy(grad->padding, a.padding, sizeof a.padding);
    node_random(&n, 1, 4, y);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

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

START_TEST(pad2d_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t x[4], y[4];
    one_node n;
    dlc_pad2d a = {.mode = s % 2 ? DLC_PAD_REFLECT : DLC_PAD_ZERO};
    random_planes(s, x);
    for (int i = 0; i < 4; i++) {
      const int64_t most = s % 2 && x[2 + i % 2] <= 20 ? x[2 + i % 2] - 1 : 20;
      a.padding[i] = random_between(0, most);
      y[i] = i < 2 ? x[i] : x[i] + a.padding[i - 2] + a.padding[i];
    }
    node_init(&n, "pad2d");
    n.attr.pad2d = a;
    node_random(&n, 1, 4, x);
    check_values(&n, 0, isas[_i]);
    node_init(&n, "pad2d_grad");
    n.attr.pad2d = a;
    node_random(&n, 1, 4, y);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(upsample_nearest2d_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t x[4];
    one_node n;
    random_planes(s, x);
    const dlc_upsample_nearest2d a = {{s % 3 ? random_between(1, 4) : 2, s % 3 ? random_between(1, 4) : 2}};
    node_init(&n, "upsample_nearest2d");
    n.attr.upsample_nearest2d = a;
    node_random(&n, 1, 4, x);
    check_values(&n, 0, isas[_i]);
    for (int i = 0; i < 2; i++) x[2 + i] *= a.scale_factor[i];
    node_init(&n, "upsample_nearest2d_grad");
    n.attr.upsample_nearest2d = a;
    node_random(&n, 1, 4, x);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("planes");
  tcase_add_loop_test(tests, avg_pool2d_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, adaptive_avg_pool2d_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, pad2d_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, upsample_nearest2d_and_its_gradient_match_the_reference, 0, N_ISAS);
  return run_suite("cpu planes", tests);
}
