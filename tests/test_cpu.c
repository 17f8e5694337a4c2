/* The cpu plugin's kernels against the reference kernels (cpu_check.h): every op on hundreds of shapes, for every
 * instruction set that this machine allows. Larger families of ops have test_cpu_*.c of their own. */
#include "cpu_check.h"

/* ---- convolution ---- */

typedef struct conv_case {
  int64_t batch, channels, filters, size[2], out[2];
  dlc_conv2d attr;
} conv_case;

/* Input elements between the first and the last of a window, and one. */
static int64_t extent(const dlc_conv2d *a, int i)
{
  return a->dilation[i] * (a->kernel_size[i] - 1) + 1;
}

static bool too_small(const conv_case *c)
{
  return c->size[0] + c->attr.padding[0] + c->attr.padding[2] < extent(&c->attr, 0) ||
         c->size[1] + c->attr.padding[1] + c->attr.padding[3] < extent(&c->attr, 1);
}

/* Depthwise ones, most of them of stride 1. */
static void choose_depthwise(conv_case *c)
{
  c->channels = c->filters = c->attr.groups = random_between(2, 40);
  for (int i = 0; i < 2; i++) {
    c->attr.kernel_size[i] = random_between(1, 5);
    c->attr.stride[i] = random_between(0, 9) ? 1 : random_between(1, 6);
    c->attr.dilation[i] = random_between(0, 2) ? 1 : random_between(1, 4);
    c->size[i] = random_between(1, 20);
  }
  for (int i = 0; i < 4; i++) c->attr.padding[i] = random_between(0, 3) ? 0 : random_between(0, 3);
}

/* Many channels and small square kernels. */
static void choose_tiled(conv_case *c)
{
  const int64_t k = random_between(0, 1) ? 3 : 5;
  c->attr.groups = 1;
  c->channels = 16 * random_between(1, 3);
  c->filters = 16 * random_between(1, 3);
  for (int i = 0; i < 2; i++) {
    c->attr.kernel_size[i] = k;
    c->attr.stride[i] = c->attr.dilation[i] = 1;
    c->size[i] = random_between(1, 12);
  }
  for (int i = 0; i < 4; i++) c->attr.padding[i] = random_between(0, k - 1);
}

static void choose_any(conv_case *c)
{
  const int64_t groups = c->attr.groups = random_between(0, 2) ? 1 : random_between(1, 20);
  c->channels = groups * (groups > 1 ? random_between(1, 2) : channel_counts[random_between(0, 6)]);
  c->filters = groups * (groups > 1 ? random_between(1, 2) : channel_counts[random_between(0, 6)]);
  for (int i = 0; i < 2; i++) {
    c->attr.kernel_size[i] = random_between(1, 5);
    c->attr.stride[i] = random_between(0, 2) ? 1 : random_between(1, 6);
    c->attr.dilation[i] = random_between(0, 2) ? 1 : random_between(1, 4);
    c->size[i] = random_between(1, 20);
  }
  for (int i = 0; i < 4; i++) c->attr.padding[i] = random_between(0, 3) ? 0 : random_between(0, 3);
}

/* In turns: what has kernels of its own, too. */
static conv_case random_conv(int shape)
{
  conv_case c;
  do {
    c = (conv_case){.batch = random_between(1, 5)};
    if (shape % 3 == 0) choose_depthwise(&c);
    else if (shape % 12 == 1) choose_tiled(&c);
    else choose_any(&c);
    c.attr.out_channels = c.filters;
    c.attr.bias = random_between(0, 1);
  } while (too_small(&c));
  for (int i = 0; i < 2; i++)
    c.out[i] = (c.size[i] + c.attr.padding[i] + c.attr.padding[i + 2] - extent(&c.attr, i)) / c.attr.stride[i] + 1;
  return c;
}

static dlc_conv2d_grad grad_of(const conv_case *c)
{
  dlc_conv2d_grad a = {.size = {c->size[0], c->size[1]}, .groups = c->attr.groups};
  memcpy(a.kernel_size, c->attr.kernel_size, sizeof a.kernel_size);
  memcpy(a.stride, c->attr.stride, sizeof a.stride);
  memcpy(a.padding, c->attr.padding, sizeof a.padding);
  memcpy(a.dilation, c->attr.dilation, sizeof a.dilation);
  return a;
}

START_TEST(conv2d_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    conv_case c = random_conv(s);
    one_node n;
    node_init(&n, "conv2d");
    n.attr.conv2d = c.attr;
    RANDOM(&n, 1, c.batch, c.channels, c.size[0], c.size[1]);
    RANDOM(&n, 1, c.filters, c.channels / c.attr.groups, c.attr.kernel_size[0], c.attr.kernel_size[1]);
    if (c.attr.bias) RANDOM(&n, 1, c.filters);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(conv2d_grad_input_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    conv_case c = random_conv(s);
    one_node n;
    node_init(&n, "conv2d_grad_input");
    n.attr.conv2d_grad = grad_of(&c);
    RANDOM(&n, 1, c.batch, c.filters, c.out[0], c.out[1]);
    RANDOM(&n, 1, c.filters, c.channels / c.attr.groups, c.attr.kernel_size[0], c.attr.kernel_size[1]);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(conv2d_grad_weight_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    conv_case c = random_conv(s);
    one_node n;
    node_init(&n, "conv2d_grad_weight");
    n.attr.conv2d_grad = grad_of(&c);
    RANDOM(&n, 1, c.batch, c.filters, c.out[0], c.out[1]);
    RANDOM(&n, 1, c.batch, c.channels, c.size[0], c.size[1]);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

/* So many weights that the cpu plugin deals out the channels, too. */
START_TEST(conv2d_grad_weight_with_many_channels_matches_the_reference)
{
  if (!open_isa(_i)) return;
  one_node n;
  node_init(&n, "conv2d_grad_weight");
  n.attr.conv2d_grad = (dlc_conv2d_grad){{3, 3}, {1, 1}, {1, 1, 1, 1}, {4, 5}, {1, 1}, 1};
  RANDOM(&n, 1, 3, 256, 4, 5);
  RANDOM(&n, 1, 3, 128, 4, 5);
  check_sum(&n, isas[_i]);
  cpu_close(&device);
}
END_TEST

/* ---- linear ---- */

static int64_t random_extent(void)
{
  return random_between(0, 3) ? random_between(1, 40) : random_between(41, 300);
}

/* [batch, features], or about as much in three dimensions. */
static void random_rows(one_node *n, int shape, int64_t batch, int64_t features)
{
  const int64_t dim[3] = {(batch + 2) / 3, 3, features};
  node_random(n, 1, shape % 3 == 1 ? 3 : 2, shape % 3 == 1 ? dim : (const int64_t[]){batch, features});
}

START_TEST(linear_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t batch = random_extent(), in = random_extent(), out = random_extent();
    one_node n;
    node_init(&n, "linear");
    n.attr.linear = (dlc_linear){out, random_between(0, 1)};
    random_rows(&n, s, batch, in);
    RANDOM(&n, 1, out, in);
    if (n.attr.linear.bias) RANDOM(&n, 1, out);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(linear_gradients_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const bool large = s % 60 == 0; /* enough for OpenBLAS */
    const int64_t batch = large ? random_between(16, 40) : random_extent();
    const int64_t in = large ? 701 : random_extent(), out = large ? 333 : random_extent();
    one_node n;
    node_init(&n, "linear_grad_input");
    random_rows(&n, s, batch, out);
    RANDOM(&n, 1, out, in);
    check_sum(&n, isas[_i]);
    node_init(&n, "linear_grad_weight");
    random_rows(&n, s, batch, out);
    random_rows(&n, s, batch, in);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

/* ---- pooling ---- */

static one_node random_pool(void)
{
  one_node n;
  do {
    node_init(&n, "max_pool2d");
    dlc_max_pool2d *a = &n.attr.max_pool2d;
    const bool usual = random_between(0, 2) == 0;
    for (int i = 0; i < 2; i++) {
      a->kernel_size[i] = usual ? 2 : random_between(1, 5);
      a->stride[i] = usual ? 2 : random_between(1, 6);
    }
    for (int i = 0; i < 4; i++) a->padding[i] = usual ? 0 : random_between(0, a->kernel_size[i % 2] / 2);
    a->ceil_mode = random_between(0, 2) == 0;
    float *x =
        INPUT(&n, DLC_F32, random_between(1, 3), random_between(1, 4), random_between(1, 40), random_between(1, 40));
    fill_with_ties(x, dlc_count(&n.value[0]));
    if (node_infer(&n) == DLC_OK) return n;
    free(x);
  } while (true);
}

START_TEST(max_pool2d_equals_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n = random_pool();
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    compare(&n, 0, 0, NULL, isas[_i]);
    compare(&n, 1, 0, NULL, isas[_i]);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(max_pool2d_grad_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node pool = random_pool(), n;
    node_reference(&pool);
    const dlc_max_pool2d *a = &pool.attr.max_pool2d;
    const dlc_value *x = &pool.value[0], *y = &pool.value[1];
    node_init(&n, "max_pool2d_grad");
    n.attr.max_pool2d_grad = (dlc_max_pool2d_grad){{a->kernel_size[0], a->kernel_size[1]},
                                                   {a->stride[0], a->stride[1]},
                                                   {a->padding[0], a->padding[1], a->padding[2], a->padding[3]},
                                                   {x->dim[2], x->dim[3]},
                                                   a->ceil_mode};
    node_random(&n, 1, 4, y->dim);
    uint8_t *index = node_input(&n, DLC_U8, 4, y->dim);
    for (int64_t i = 0; i < dlc_count(y); i++) index[i] = (uint8_t)pool.exact[2][i];
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *of_windows = malloc((size_t)dlc_count(x) * sizeof(double)); /* at most 25 terms below 1 */
    for (int64_t i = 0; i < dlc_count(x); i++) of_windows[i] = n.exact[2][i] == 0 ? 0 : 25;
    compare(&n, 0, 1, of_windows, isas[_i]);
    free(of_windows);
    node_free(&n);
    node_free(&pool);
  }
  cpu_close(&device);
}
END_TEST

/* ---- elementwise ---- */

START_TEST(elementwise_ops_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t a = random_between(1, 7), b = random_between(1, 33), c = s % 50 ? random_between(1, 70) : 5000;
    one_node n;
    node_init(&n, "relu");
    float *x = RANDOM(&n, 1, a, b, c);
    x[random_between(0, a * b * c - 1)] = NAN;
    check_values(&n, 0, isas[_i]);

    node_init(&n, "relu_grad");
    RANDOM(&n, 1, a, b, c);
    RANDOM(&n, 1, a, b, c);
    check_values(&n, 0, isas[_i]);

    node_init(&n, "add");
    RANDOM(&n, 1, a, b, c);
    RANDOM(&n, 1, a, b, c);
    check_values(&n, 1, isas[_i]);

    node_init(&n, "fill");
    n.attr.fill = (dlc_fill){.rank = 3, .dim = {a, b, c}, .value = 1.5};
    check_values(&n, 0, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(bias_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t batch = random_between(1, 70), channels = channel_counts[random_between(0, 6)];
    const int64_t height = s % 2 ? 1 : random_between(1, 20), width = s % 2 ? 1 : random_between(1, 20);
    one_node n;
    node_init(&n, "bias");
    RANDOM(&n, 1, batch, channels, height, width);
    RANDOM(&n, 1, channels);
    check_values(&n, 1, isas[_i]);
    node_init(&n, "bias_grad");
    RANDOM(&n, 1, batch, channels, height, width);
    check_sum(&n, isas[_i]);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(normalize_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t batch = random_between(1, 9), channels = random_between(1, 4);
    one_node n;
    node_init(&n, "normalize");
    uint8_t *x = INPUT(&n, DLC_U8, batch, channels, random_between(1, 30), random_between(1, 30));
    const int64_t count = dlc_count(&n.value[0]);
    for (int64_t i = 0; i < count; i++) x[i] = (uint8_t)random_word();
    float *mean = INPUT(&n, DLC_F32, channels), *std = INPUT(&n, DLC_F32, channels);
    for (int64_t i = 0; i < channels; i++) {
      mean[i] = 0.5f + 0.4f * random_signed();
      std[i] = 0.3f + 0.2f * random_signed();
    }
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *terms = malloc((size_t)count * sizeof *terms); /* x / 255 and mean, each divided by std */
    for (int64_t i = 0; i < count; i++) {
      const int64_t c = i / (n.value[0].dim[2] * n.value[0].dim[3]) % channels;
      terms[i] = (x[i] / 255.0 + mean[c]) / std[c];
    }
    compare(&n, 0, 3, terms, isas[_i]);
    free(terms);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* ---- rows of classes ---- */

START_TEST(softmax_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, s % 3 ? 20 : 130);
    one_node n;
    node_init(&n, "softmax");
    RANDOM(&n, 30, rows, classes);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    /* x - max is rounded before the exponential: up to 60 * eps / 2 of the result */
    compare(&n, 0, 80, NULL, isas[_i]);

    one_node grad;
    node_init(&grad, "softmax_grad");
    RANDOM(&grad, 1, rows, classes);
    float *y = INPUT(&grad, DLC_F32, rows, classes);
    memcpy(y, n.data[1], (size_t)(rows * classes) * sizeof *y);
    ck_assert_int_eq(node_infer(&grad), DLC_OK);
    node_reference(&grad);
    ck_assert_int_eq(node_compute(&grad, &device), DLC_OK);
    double *terms = malloc((size_t)(rows * classes) * sizeof *terms);
    for (int64_t i = 0; i < rows * classes; i++) terms[i] = 2.0 * y[i]; /* |dy| < 1 and so is its mean */
    compare(&grad, 0, 4, terms, isas[_i]);
    free(terms);
    node_free(&grad);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(log_softmax_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = random_between(1, 70), classes = random_between(1, s % 3 ? 20 : 130);
    double *terms = malloc((size_t)(rows * classes) * sizeof *terms);
    one_node n;
    node_init(&n, "log_softmax");
    RANDOM(&n, 30, rows, classes);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    for (int64_t i = 0; i < rows * classes; i++) terms[i] = 60 + log((double)classes);
    compare(&n, 0, 4, terms, isas[_i]);

    one_node grad;
    node_init(&grad, "log_softmax_grad");
    RANDOM(&grad, 1, rows, classes);
    float *y = INPUT(&grad, DLC_F32, rows, classes);
    memcpy(y, n.data[1], (size_t)(rows * classes) * sizeof *y);
    ck_assert_int_eq(node_infer(&grad), DLC_OK);
    node_reference(&grad);
    ck_assert_int_eq(node_compute(&grad, &device), DLC_OK);
    for (int64_t i = 0; i < rows * classes; i++) terms[i] = 1 + exp(y[i]) * (double)classes;
    compare(&grad, 0, 6, terms, isas[_i]);
    free(terms);
    node_free(&grad);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* ---- the backend ---- */

START_TEST(double_is_left_to_the_reference_kernels)
{
  ck_assert(open_isa(0));
  one_node n;
  node_init(&n, "relu");
  INPUT(&n, DLC_F64, 4);
  ck_assert_int_eq(node_infer(&n), DLC_OK);
  ck_assert_int_eq(node_compute(&n, &device), DLC_UNSUPPORTED);
  node_free(&n);
  cpu_close(&device);
}
END_TEST

START_TEST(the_description_names_instruction_set_openblas_and_threads)
{
  ck_assert(cpu_open(&device, PLUGIN, "baseline", "auto", 2));
  const char *text = device.backend->describe(device.device);
  ck_assert_msg(strstr(text, "baseline kernels") && strstr(text, "OpenBLAS 0.") && strstr(text, "2 threads"), "%s",
                text);
  cpu_close(&device);
}
END_TEST

START_TEST(openblas_takes_the_kernels_that_the_option_names_and_the_environment_stays)
{
  unsetenv("OPENBLAS_CORETYPE");
  setenv("OPENBLAS_NUM_THREADS", "7", 1);
  ck_assert(cpu_open(&device, PLUGIN, "baseline", "nehalem", 1));
#if defined(__x86_64__)
  const char *text = device.backend->describe(device.device);
  ck_assert_msg(strstr(text, "with Nehalem kernels"), "%s", text);
#endif
  ck_assert_ptr_null(getenv("OPENBLAS_CORETYPE"));
  ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "7");
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("kernels");
  tcase_add_loop_test(tests, conv2d_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, conv2d_grad_input_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, conv2d_grad_weight_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, conv2d_grad_weight_with_many_channels_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, linear_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, linear_gradients_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, max_pool2d_equals_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, max_pool2d_grad_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, elementwise_ops_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, bias_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, normalize_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, softmax_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, log_softmax_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_test(tests, double_is_left_to_the_reference_kernels);
  tcase_add_test(tests, the_description_names_instruction_set_openblas_and_threads);
  tcase_add_test(tests, openblas_takes_the_kernels_that_the_option_names_and_the_environment_stays);
  return run_suite("cpu", tests);
}
