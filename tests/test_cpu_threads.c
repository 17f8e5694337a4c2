/* The cpu plugin and threads: every op gives the same bytes for any number of them, whatever the shape, and none of
 * them sees denormal numbers. */
#include "cpu_node.h"
#include <check.h>

#define PLUGIN TEST_PLUGIN_DIR "/dlcore-cpu.so"
enum { MAX_THREADS = 4 };

static cpu_device devices[MAX_THREADS]; /* [i]: i + 1 threads */

static void open_devices(void)
{
  random_state = 88172645463325252ULL;
  for (uint32_t i = 0; i < MAX_THREADS; i++) ck_assert(cpu_open(&devices[i], PLUGIN, "auto", "auto", i + 1));
}

static void close_devices(void)
{
  for (int i = 0; i < MAX_THREADS; i++) cpu_close(&devices[i]);
}

/* Runs the node with 1 to 4 threads, compares the bytes of every output, frees the node. */
static void check_bytes(one_node *n)
{
  ck_assert_msg(node_infer(n) == DLC_OK, "%s", dlc_reason());
  void *before[DLC_MAX_OUT] = {0}, *first[DLC_MAX_OUT] = {0};
  for (uint32_t k = 0; k < n->n_out; k++) { /* what is updated must begin alike */
    const size_t bytes = dlc_bytes(&n->value[n->n_in + k]);
    before[k] = malloc(bytes);
    memcpy(before[k], n->data[n->n_in + k], bytes);
  }
  for (int i = 0; i < MAX_THREADS; i++) {
    for (uint32_t k = 0; k < n->n_out; k++) memcpy(n->data[n->n_in + k], before[k], dlc_bytes(&n->value[n->n_in + k]));
    ck_assert_msg(node_compute(n, &devices[i]) == DLC_OK, "%s: %s", n->op->name, dlc_reason());
    for (uint32_t k = 0; k < n->n_out; k++) {
      const size_t bytes = dlc_bytes(&n->value[n->n_in + k]);
      if (i > 0) {
        if (memcmp(first[k], n->data[n->n_in + k], bytes) != 0)
          ck_abort_msg("%s: output %u with %d threads differs from 1 thread's", n->op->name, k, i + 1);
        continue;
      }
      first[k] = malloc(bytes);
      memcpy(first[k], n->data[n->n_in + k], bytes);
    }
  }
  for (uint32_t k = 0; k < n->n_out; k++) {
    free(before[k]);
    free(first[k]);
  }
  node_free(n);
}

static one_node named(const char *op)
{
  one_node n;
  node_init(&n, op);
  return n;
}

static void check_conv(int64_t batch, int64_t c, int64_t o, int64_t size, int64_t k, int64_t stride, int64_t pad,
                       int64_t groups)
{
  const int64_t out = (size + 2 * pad - k) / stride + 1;
  one_node n = named("conv2d");
  n.attr.conv2d = (dlc_conv2d){o, {k, k}, {stride, stride}, {pad, pad, pad, pad}, 1, {1, 1}, groups};
  RANDOM(&n, 1, batch, c, size, size);
  RANDOM(&n, 1, o, c / groups, k, k);
  RANDOM(&n, 1, o);
  check_bytes(&n);
  const dlc_conv2d_grad attr = {{k, k}, {stride, stride}, {pad, pad, pad, pad}, {size, size}, {1, 1}, groups};
  n = named("conv2d_grad_input");
  n.attr.conv2d_grad = attr;
  RANDOM(&n, 1, batch, o, out, out);
  RANDOM(&n, 1, o, c / groups, k, k);
  check_bytes(&n);
  n = named("conv2d_grad_weight");
  n.attr.conv2d_grad = attr;
  RANDOM(&n, 1, batch, o, out, out);
  RANDOM(&n, 1, batch, c, size, size);
  check_bytes(&n);
  n = named("bias_grad");
  RANDOM(&n, 1, batch, o, out, out);
  check_bytes(&n);
}

START_TEST(convolutions_give_the_same_bytes)
{
  open_devices();
  check_conv(64, 1, 6, 28, 5, 1, 0, 1);
  check_conv(64, 6, 16, 12, 5, 1, 0, 1);
  check_conv(61, 16, 32, 16, 3, 1, 1, 1);
  check_conv(33, 3, 17, 32, 3, 2, 1, 1);
  check_conv(61, 17, 33, 16, 3, 1, 1, 1);
  check_conv(1, 64, 64, 16, 3, 1, 1, 1);
  check_conv(1, 65, 65, 16, 3, 1, 1, 1);
  check_conv(30, 128, 256, 7, 3, 1, 1, 1);
  check_conv(9, 16, 48, 21, 5, 1, 2, 1);
  check_conv(2, 33, 50, 9, 3, 2, 1, 1);
  check_conv(20, 64, 64, 16, 3, 1, 1, 4);
  check_conv(20, 64, 64, 16, 3, 1, 1, 64);
  close_devices();
}
END_TEST

static void check_batch_norm2d(int64_t batch, int64_t channels, int64_t height, int64_t width)
{
  const dlc_batch_norm2d attr = {.eps = 1e-5, .momentum = 0.1, .affine = 1};
  one_node n = named("batch_norm2d");
  n.attr.batch_norm2d = attr;
  RANDOM(&n, 1, batch, channels, height, width);
  for (int i = 0; i < 2; i++) RANDOM(&n, 1, channels);
  check_bytes(&n);
  for (int g = 0; g < 2; g++) {
    n = named(g ? "batch_norm2d_eval_grad" : "batch_norm2d_grad");
    n.attr.batch_norm2d = attr;
    for (int i = 0; i < 2; i++) RANDOM(&n, 1, batch, channels, height, width);
    for (int i = 0; i < 3; i++) {
      float *x = RANDOM(&n, 1, channels);
      for (int64_t k = 0; k < channels; k++) x[k] = fabsf(x[k]);
    }
    check_bytes(&n);
  }
  n = named("batch_norm2d_eval");
  n.attr.batch_norm2d = attr;
  RANDOM(&n, 1, batch, channels, height, width);
  for (int i = 0; i < 4; i++) {
    float *x = RANDOM(&n, 1, channels);
    for (int64_t k = 0; k < channels; k++) x[k] = fabsf(x[k]);
  }
  check_bytes(&n);
}

static void check_layer_norm(int64_t rows, int64_t length)
{
  const dlc_layer_norm attr = {.dims = 1, .eps = 1e-5, .affine = 1};
  one_node n = named("layer_norm");
  n.attr.layer_norm = attr;
  RANDOM(&n, 1, rows, length);
  for (int i = 0; i < 2; i++) RANDOM(&n, 1, length);
  check_bytes(&n);
  n = named("layer_norm_grad");
  n.attr.layer_norm = attr;
  for (int i = 0; i < 2; i++) RANDOM(&n, 1, rows, length);
  for (int i = 0; i < 2; i++) RANDOM(&n, 1, rows);
  RANDOM(&n, 1, length);
  check_bytes(&n);
}

START_TEST(normalisations_give_the_same_bytes)
{
  open_devices();
  check_batch_norm2d(64, 64, 16, 16);
  check_batch_norm2d(33, 300, 3, 3);
  check_batch_norm2d(2, 3, 150, 117);
  check_layer_norm(3000, 64);
  check_layer_norm(77, 1001);
  close_devices();
}
END_TEST

static void check_linear(int64_t batch, int64_t in, int64_t out)
{
  one_node n = named("linear");
  n.attr.linear = (dlc_linear){out, 1};
  RANDOM(&n, 1, batch, in);
  RANDOM(&n, 1, out, in);
  RANDOM(&n, 1, out);
  check_bytes(&n);
  n = named("linear_grad_input");
  RANDOM(&n, 1, batch, out);
  RANDOM(&n, 1, out, in);
  check_bytes(&n);
  n = named("linear_grad_weight");
  RANDOM(&n, 1, batch, out);
  RANDOM(&n, 1, batch, in);
  check_bytes(&n);
  n = named("bias_grad");
  RANDOM(&n, 1, 100 * batch, out);
  check_bytes(&n);
}

START_TEST(linear_layers_give_the_same_bytes)
{
  open_devices();
  check_linear(64, 784, 128);
  check_linear(61, 256, 120);
  check_linear(64, 1024, 777); /* OpenBLAS */
  close_devices();
}
END_TEST

START_TEST(pooling_gives_the_same_bytes)
{
  open_devices();
  for (int64_t k = 2; k <= 3; k++) {
    one_node n = named("max_pool2d");
    n.attr.max_pool2d = (dlc_max_pool2d){.kernel_size = {k, k}, .stride = {2, 2}};
    RANDOM(&n, 1, 64, 6, 25, 24);
    check_bytes(&n);
    n = named("max_pool2d_grad");
    n.attr.max_pool2d_grad = (dlc_max_pool2d_grad){.kernel_size = {k, k}, .stride = {2, 2}, .size = {25, 24}};
    const int64_t height = (25 - k) / 2 + 1, width = (24 - k) / 2 + 1;
    RANDOM(&n, 1, 64, 6, height, width);
    uint8_t *index = INPUT(&n, DLC_U8, 64, 6, height, width);
    for (int64_t i = 0; i < 64 * 6 * height * width; i++) index[i] = (uint8_t)random_between(0, k * k - 1);
    check_bytes(&n);
  }
  close_devices();
}
END_TEST

START_TEST(the_other_ops_give_the_same_bytes)
{
  open_devices();
  static const char *const one_input[] = {"relu", "softmax", "log_softmax"};
  static const char *const two_inputs[] = {"relu_grad", "add", "softmax_grad", "log_softmax_grad"};
  for (int i = 0; i < 3; i++) {
    one_node n = named(one_input[i]);
    RANDOM(&n, 4, 1001, 301);
    check_bytes(&n);
  }
  for (int i = 0; i < 4; i++) {
    one_node n = named(two_inputs[i]);
    RANDOM(&n, 4, 1001, 301);
    RANDOM(&n, 4, 1001, 301);
    check_bytes(&n);
  }
  one_node n = named("bias");
  RANDOM(&n, 1, 201, 17, 13, 14);
  RANDOM(&n, 1, 17);
  check_bytes(&n);
  n = named("normalize");
  uint8_t *x = INPUT(&n, DLC_U8, 201, 3, 32, 32);
  for (int64_t i = 0; i < dlc_count(&n.value[0]); i++) x[i] = (uint8_t)random_word();
  RANDOM(&n, 1, 3);
  RANDOM(&n, 1, 3);
  check_bytes(&n);
  close_devices();
}
END_TEST

START_TEST(losses_give_the_same_bytes)
{
  static const char *const losses[] = {"cross_entropy", "nll_loss", "mse_loss", "bce_with_logits"};
  static const char *const grads[] = {"cross_entropy_grad", "mse_loss_grad", "bce_with_logits_grad"};
  open_devices();
  for (int i = 0; i < 4; i++) {
    one_node n = named(losses[i]);
    RANDOM(&n, 4, 1001, 301);
    INPUT(&n, DLC_I32, 1001);
    check_bytes(&n);
  }
  for (int i = 0; i < 3; i++) {
    one_node n = named(grads[i]);
    RANDOM(&n, 1, 1);
    RANDOM(&n, 4, 1001, 301);
    INPUT(&n, DLC_I32, 1001);
    check_bytes(&n);
  }
  close_devices();
}
END_TEST

/* With as many states, drawn from [0, 1), as the optimizer has. */
static void check_optimizer(one_node n, int states)
{
  enum { COUNT = 200001 };
  RANDOM(&n, 1, COUNT);
  for (int i = 0; i < states; i++) {
    float *x = RANDOM(&n, 1, COUNT);
    for (int j = 0; j < COUNT; j++) x[j] = fabsf(x[j]);
  }
  RANDOM(&n, 1, COUNT);
  *(float *)INPUT(&n, DLC_F32, 1) = 0.1f;
  *(int64_t *)INPUT(&n, DLC_I64, 1) = 1;
  check_bytes(&n);
}

START_TEST(optimizers_give_the_same_bytes)
{
  open_devices();
  one_node n = named("sgd");
  n.attr.sgd = (dlc_sgd){.momentum = 0.9, .weight_decay = 0.01, .nesterov = 1};
  check_optimizer(n, 1);
  n = named("adam");
  n.attr.adam = (dlc_adam){.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  check_optimizer(n, 2);
  n = named("rmsprop");
  n.attr.rmsprop = (dlc_rmsprop){.alpha = 0.99, .eps = 1e-8, .momentum = 0.9};
  check_optimizer(n, 2);
  n = named("adagrad");
  n.attr.adagrad = (dlc_adagrad){.eps = 1e-10};
  check_optimizer(n, 1);
  n = named("lars");
  n.attr.lars = (dlc_lars){.momentum = 0.9, .weight_decay = 0.01, .trust_coefficient = 0.01};
  check_optimizer(n, 1);
  close_devices();
}
END_TEST

START_TEST(updates_give_the_same_bytes)
{
  static const char *const updates[] = {"accumulate", "ema"};
  open_devices();
  one_node n = named("square_sum");
  RANDOM(&n, 1, 1000003);
  check_bytes(&n);
  n = named("scale");
  RANDOM(&n, 1, 200001);
  RANDOM(&n, 1, 1);
  check_bytes(&n);
  for (int i = 0; i < 2; i++) {
    n = named(updates[i]);
    RANDOM(&n, 1, 200001);
    RANDOM(&n, 1, 200001);
    RANDOM(&n, 1, 1);
    check_bytes(&n);
  }
  n = named("mix");
  RANDOM(&n, 1, 61, 3, 31, 30);
  RANDOM(&n, 1, 1);
  memcpy(INPUT(&n, DLC_I64, 4), (const int64_t[]){3, 4, 20, 25}, 4 * sizeof(int64_t));
  check_bytes(&n);
  close_devices();
}
END_TEST

START_TEST(denormal_numbers_count_as_zero_on_every_thread_and_only_in_kernels)
{
  open_devices();
  for (int i = 0; i < MAX_THREADS; i++) {
    one_node n = named("add");
    float *a = INPUT(&n, DLC_F32, 300000), *b = INPUT(&n, DLC_F32, 300000);
    for (int j = 0; j < 300000; j++) a[j] = b[j] = 1e-40f;
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &devices[i]), DLC_OK);
    for (int j = 0; j < 300000; j++)
      if (((float *)n.data[2])[j] != 0) ck_abort_msg("element %d with %d threads", j, i + 1);
    node_free(&n);
    volatile float tiny = 1e-40f;
    ck_assert_msg(tiny * 2 > 0, "the caller's floating-point mode has changed");
  }
  close_devices();
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("threads");
  tcase_add_test(tests, convolutions_give_the_same_bytes);
  tcase_add_test(tests, normalisations_give_the_same_bytes);
  tcase_add_test(tests, linear_layers_give_the_same_bytes);
  tcase_add_test(tests, pooling_gives_the_same_bytes);
  tcase_add_test(tests, the_other_ops_give_the_same_bytes);
  tcase_add_test(tests, losses_give_the_same_bytes);
  tcase_add_test(tests, optimizers_give_the_same_bytes);
  tcase_add_test(tests, updates_give_the_same_bytes);
  tcase_add_test(tests, denormal_numbers_count_as_zero_on_every_thread_and_only_in_kernels);
  Suite *suite = suite_create("cpu threads");
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
