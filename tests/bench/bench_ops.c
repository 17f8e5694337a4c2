/* Microseconds and GFLOP/s of each node of training steps on the cpu plugin, one node at a time.
 *
 *   bench_ops PATH/dlcore-cpu.so [batch] [threads] [isa] [only]
 *
 * Each node runs 300 times, or for 0.3 seconds; the fastest is shown, because other programs can only add to it. Data
 * is in the caches, as it mostly is in a step. With one thread it is processor time that counts. */
#include "../cpu_node.h"
#include <time.h>

static clockid_t timer = CLOCK_MONOTONIC;

static double seconds(void)
{
  struct timespec t;
  clock_gettime(timer, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cpu_device device;
static double total;
static const char *only = ""; /* part of the names to measure */

/* Times the node, shows a line, frees the node. `flops`: 0 where memory is what counts. */
static void measure(const char *what, one_node *n, double flops)
{
  ready r;
  if (!strstr(what, only)) return; /* what it held lives to the end */
  need(node_infer(n) == DLC_OK, what);
  need(node_prepare(n, &device, &r) == DLC_OK, what);
  double best = 1e9;
  const double end = seconds() + 0.3;
  for (int i = 0; i < 300 && (i < 5 || seconds() < end); i++) {
    const double start = seconds();
    need(node_launch(n, &r) == DLC_OK, what);
    const double t = seconds() - start;
    if (t < best) best = t;
  }
  total += best;
  printf("  %-36s %8.1f us", what, best * 1e6);
  if (flops > 0) printf(" %8.1f GFLOP/s", flops / best * 1e-9);
  putchar('\n');
  ready_free(&r);
  node_free(n);
}

static one_node named(const char *op)
{
  one_node n;
  node_init(&n, op);
  return n;
}

/* conv2d and its gradients, `k` by `k`. */
typedef struct filters {
  int64_t c, o, size, k, stride, pad, groups;
} filters;

static void conv(const char *name, int64_t batch, filters f, bool grad_input)
{
  const int64_t out = (f.size + 2 * f.pad - f.k) / f.stride + 1;
  const double flops = 2.0 * (double)(batch * f.o * out * out * (f.c / f.groups) * f.k * f.k);
  const dlc_conv2d_grad attr = {.kernel_size = {f.k, f.k},
                                .stride = {f.stride, f.stride},
                                .padding = {f.pad, f.pad, f.pad, f.pad},
                                .size = {f.size, f.size},
                                .dilation = {1, 1},
                                .groups = f.groups};
  char what[80];
  one_node n = named("conv2d");
  n.attr.conv2d = (dlc_conv2d){.out_channels = f.o, .dilation = {1, 1}, .groups = f.groups};
  memcpy(n.attr.conv2d.kernel_size, attr.kernel_size, sizeof attr.kernel_size);
  memcpy(n.attr.conv2d.stride, attr.stride, sizeof attr.stride);
  memcpy(n.attr.conv2d.padding, attr.padding, sizeof attr.padding);
  RANDOM(&n, 1, batch, f.c, f.size, f.size);
  RANDOM(&n, 1, f.o, f.c / f.groups, f.k, f.k);
  snprintf(what, sizeof what, "%s conv2d", name);
  measure(what, &n, flops);

  if (grad_input) {
    n = named("conv2d_grad_input");
    n.attr.conv2d_grad = attr;
    RANDOM(&n, 1, batch, f.o, out, out);
    RANDOM(&n, 1, f.o, f.c / f.groups, f.k, f.k);
    snprintf(what, sizeof what, "%s conv2d_grad_input", name);
    measure(what, &n, flops);
  }
  n = named("conv2d_grad_weight");
  n.attr.conv2d_grad = attr;
  RANDOM(&n, 1, batch, f.o, out, out);
  RANDOM(&n, 1, batch, f.c, f.size, f.size);
  snprintf(what, sizeof what, "%s conv2d_grad_weight", name);
  measure(what, &n, flops);
}

static void bias_grad(const char *name, int64_t batch, int64_t channels, int64_t size)
{
  char what[80];
  one_node n = named("bias_grad");
  RANDOM(&n, 1, batch, channels, size, size);
  snprintf(what, sizeof what, "%s bias_grad", name);
  measure(what, &n, 0);
}

static void batch_norm(const char *name, int64_t batch, int64_t c, int64_t size)
{
  const dlc_batch_norm2d attr = {.eps = 1e-5, .momentum = 0.1, .affine = 1};
  char what[80];
  one_node n = named("batch_norm2d");
  n.attr.batch_norm2d = attr;
  RANDOM(&n, 1, batch, c, size, size);
  RANDOM(&n, 1, c);
  RANDOM(&n, 1, c);
  snprintf(what, sizeof what, "%s batch_norm2d", name);
  measure(what, &n, 0);

  n = named("batch_norm2d_grad");
  n.attr.batch_norm2d = attr;
  RANDOM(&n, 1, batch, c, size, size);
  RANDOM(&n, 1, batch, c, size, size);
  RANDOM(&n, 1, c);
  float *var = RANDOM(&n, 1, c);
  for (int64_t i = 0; i < c; i++) var[i] = fabsf(var[i]);
  RANDOM(&n, 1, c);
  snprintf(what, sizeof what, "%s batch_norm2d_grad", name);
  measure(what, &n, 0);
}

static void pool(const char *name, int64_t batch, int64_t c, int64_t size)
{
  char what[80];
  one_node n = named("max_pool2d");
  n.attr.max_pool2d = (dlc_max_pool2d){.kernel_size = {2, 2}, .stride = {2, 2}};
  RANDOM(&n, 1, batch, c, size, size);
  snprintf(what, sizeof what, "%s max_pool2d", name);
  measure(what, &n, 0);

  n = named("max_pool2d_grad");
  n.attr.max_pool2d_grad = (dlc_max_pool2d_grad){.kernel_size = {2, 2}, .stride = {2, 2}, .size = {size, size}};
  RANDOM(&n, 1, batch, c, size / 2, size / 2);
  uint8_t *index = INPUT(&n, DLC_U8, batch, c, size / 2, size / 2);
  for (int64_t i = 0; i < dlc_count(&n.value[1]); i++) index[i] = random_word() % 4;
  snprintf(what, sizeof what, "%s max_pool2d_grad", name);
  measure(what, &n, 0);
}

static void relu(const char *name, int64_t batch, int64_t size)
{
  char what[80];
  one_node n = named("relu");
  RANDOM(&n, 1, batch, size);
  snprintf(what, sizeof what, "%s relu", name);
  measure(what, &n, 0);
  n = named("relu_grad");
  RANDOM(&n, 1, batch, size);
  RANDOM(&n, 1, batch, size);
  snprintf(what, sizeof what, "%s relu_grad", name);
  measure(what, &n, 0);
}

static void linear(const char *name, int64_t batch, int64_t in, int64_t out, bool grad_input)
{
  const double flops = 2.0 * (double)(batch * in * out);
  char what[80];
  one_node n = named("linear");
  n.attr.linear = (dlc_linear){out, 1};
  RANDOM(&n, 1, batch, in);
  RANDOM(&n, 1, out, in);
  RANDOM(&n, 1, out);
  snprintf(what, sizeof what, "%s linear", name);
  measure(what, &n, flops);
  if (grad_input) {
    n = named("linear_grad_input");
    RANDOM(&n, 1, batch, out);
    RANDOM(&n, 1, out, in);
    snprintf(what, sizeof what, "%s linear_grad_input", name);
    measure(what, &n, flops);
  }
  n = named("linear_grad_weight");
  RANDOM(&n, 1, batch, out);
  RANDOM(&n, 1, batch, in);
  snprintf(what, sizeof what, "%s linear_grad_weight", name);
  measure(what, &n, flops);
  n = named("bias_grad");
  RANDOM(&n, 1, batch, out);
  snprintf(what, sizeof what, "%s bias_grad", name);
  measure(what, &n, 0);
}

static void sgd(const char *name, int64_t count)
{
  char what[80];
  one_node n = named("sgd");
  n.attr.sgd = (dlc_sgd){.momentum = 0.9};
  RANDOM(&n, 1, count);
  RANDOM(&n, 0.01f, count);
  RANDOM(&n, 0.01f, count);
  *(float *)INPUT(&n, DLC_F32, 1) = 0.01f;
  *(int64_t *)INPUT(&n, DLC_I64, 1) = 1;
  snprintf(what, sizeof what, "%s sgd", name);
  measure(what, &n, 0);
}

static void ends(int64_t batch)
{
  one_node n = named("normalize");
  INPUT(&n, DLC_U8, batch, 1, 28, 28);
  RANDOM(&n, 1, 1);
  *(float *)INPUT(&n, DLC_F32, 1) = 0.3f;
  measure("normalize", &n, 0);
  n = named("cross_entropy");
  RANDOM(&n, 1, batch, 10);
  INPUT(&n, DLC_I32, batch);
  measure("cross_entropy", &n, 0);
  n = named("cross_entropy_grad");
  RANDOM(&n, 1, 1);
  RANDOM(&n, 1, batch, 10);
  INPUT(&n, DLC_I32, batch);
  measure("cross_entropy_grad", &n, 0);
  n = named("correct");
  RANDOM(&n, 1, batch, 10);
  INPUT(&n, DLC_I32, batch);
  measure("correct", &n, 0);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: bench_ops PATH/dlcore-cpu.so [batch] [threads] [isa] [only]\n");
    return 2;
  }
  const int64_t batch = argc > 2 ? atoi(argv[2]) : 64;
  const uint32_t threads = argc > 3 ? (uint32_t)atoi(argv[3]) : dlc_cpu_count();
  if (threads == 1) timer = CLOCK_PROCESS_CPUTIME_ID;
  if (!cpu_open(&device, argv[1], argc > 4 ? argv[4] : "auto", "auto", threads)) return 1;
  if (argc > 5) only = argv[5];
  printf("%s; batch %lld\n", device.backend->describe(device.device), (long long)batch);

  puts("lenet");
  ends(batch);
  conv("conv1", batch, (filters){1, 6, 28, 5, 1, 0, 1}, false);
  bias_grad("conv1", batch, 6, 24);
  pool("pool1", batch, 6, 24);
  relu("relu1", batch, 6 * 12 * 12);
  conv("conv2", batch, (filters){6, 16, 12, 5, 1, 0, 1}, true);
  bias_grad("conv2", batch, 16, 8);
  pool("pool2", batch, 16, 8);
  relu("relu2", batch, 256);
  linear("fc1", batch, 256, 120, true);
  relu("relu3", batch, 120);
  linear("fc2", batch, 120, 84, true);
  relu("relu4", batch, 84);
  linear("fc3", batch, 84, 10, true);
  sgd("fc1.weight", 30720);
  sgd("fc2.weight", 10080);
  sgd("the other", 6 * 25 + 6 + 2400 + 16 + 120 + 84 + 850);
  printf("  %-36s %8.1f us\n", "sum", total * 1e6);

  puts("mlp");
  total = 0;
  ends(batch);
  linear("fc1", batch, 784, 128, false);
  relu("relu", batch, 128);
  linear("fc2", batch, 128, 10, true);
  sgd("fc1.weight", 100352);
  sgd("the other", 128 + 1290);
  printf("  %-36s %8.1f us\n", "sum", total * 1e6);

  puts("resnet18 on 32x32 pixels");
  conv("3->64 32x32", batch, (filters){3, 64, 32, 3, 1, 1, 1}, false);
  conv("64->64 32x32", batch, (filters){64, 64, 32, 3, 1, 1, 1}, true);
  conv("64->128 32x32 stride 2", batch, (filters){64, 128, 32, 3, 2, 1, 1}, true);
  conv("64->128 32x32 1x1 stride 2", batch, (filters){64, 128, 32, 1, 2, 0, 1}, true);
  conv("128->128 16x16", batch, (filters){128, 128, 16, 3, 1, 1, 1}, true);
  conv("256->256 8x8", batch, (filters){256, 256, 8, 3, 1, 1, 1}, true);
  conv("512->512 4x4", batch, (filters){512, 512, 4, 3, 1, 1, 1}, true);
  batch_norm("64 32x32", batch, 64, 32);
  batch_norm("512 4x4", batch, 512, 4);

  puts("resnet-001, cats-dogs-000");
  conv("64->64 28x28", batch, (filters){64, 64, 28, 3, 1, 1, 1}, true);
  conv("128->128 14x14", batch, (filters){128, 128, 14, 3, 1, 1, 1}, true);
  conv("256->256 7x7", batch, (filters){256, 256, 7, 3, 1, 1, 1}, true);
  conv("128->256 14x14 stride 2", batch, (filters){128, 256, 14, 3, 2, 1, 1}, true);
  conv("3->32 128x128 5x5", batch, (filters){3, 32, 128, 5, 1, 2, 1}, false);
  conv("32->64 64x64 5x5", batch, (filters){32, 64, 64, 5, 1, 2, 1}, true);
  conv("64->128 32x32 5x5", batch, (filters){64, 128, 32, 5, 1, 2, 1}, true);
  conv("128->256 16x16 5x5", batch, (filters){128, 256, 16, 5, 1, 2, 1}, true);

  puts("others");
  conv("depthwise 32 28x28", batch, (filters){32, 32, 28, 3, 1, 1, 32}, true);
  conv("depthwise 192 14x14", batch, (filters){192, 192, 14, 3, 1, 1, 192}, true);
  conv("depthwise 960 7x7", batch, (filters){960, 960, 7, 3, 1, 1, 960}, true);
  linear("1024->1024", batch, 1024, 1024, true);
  cpu_close(&device);
  return 0;
}
