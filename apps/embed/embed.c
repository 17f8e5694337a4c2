/* A program with dlcore inside: builds LeNet by calls instead of from a model file, trains it on pictures that it draws
 * itself, and prints the loss. What to read to do the same: graph/layer.h, graph/graph.h, train/update_graph.h,
 * run/program.h. Errors are handled in one way: say the reason and stop. */
#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"
#include "dlcore/ops.h"
#include "graph/layer.h"
#include "host/host.h"
#include "ops/ops.h"
#include "run/program.h"
#include "train/parameters.h"
#include "train/update_graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, SIDE = 28, CLASSES = 10, STEPS = 50, SEED = 1 };

static void must(dlc_status status)
{
  if (status >= 0) return;
  fprintf(stderr, "embed: %s\n", dlc_reason());
  exit(EXIT_FAILURE);
}

/* ---- the network ---- */

typedef struct net {
  dlc_graph_build *g;
  dlc_model_graph m; /* its layers and tensors */
} net;

/* One layer behind the value `x`. `attr` is the op's struct of dlcore/ops.h; NULL: it has none. */
static uint32_t layer(net *n, const char *name, const char *op, const void *attr, uint32_t x)
{
  const dlc_model_use use = {.classes = CLASSES, .training = true};
  dlc_layer l = {.name = name, .attr = attr, .from = &x, .n_from = 1};
  uint32_t out;
  must(dlc_graph_find_op(n->g, op, &l.op));
  must(dlc_layer_add(n->g, &n->m, &use, &l, &out));
  return out;
}

static uint32_t lenet(net *n, uint32_t x)
{
  const dlc_conv2d conv1 = {
      .out_channels = 6, .kernel_size = {5, 5}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .bias = 1};
  const dlc_conv2d conv2 = {
      .out_channels = 16, .kernel_size = {5, 5}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .bias = 1};
  const dlc_max_pool2d halve = {.kernel_size = {2, 2}};
  const dlc_linear fc1 = {120, 1}, fc2 = {84, 1}, fc3 = {CLASSES, 1};
  x = layer(n, "relu1", "relu", NULL, layer(n, "conv1", "conv2d", &conv1, x));
  x = layer(n, "pool1", "max_pool2d", &halve, x);
  x = layer(n, "relu2", "relu", NULL, layer(n, "conv2", "conv2d", &conv2, x));
  x = layer(n, "pool2", "max_pool2d", &halve, x);
  x = layer(n, "flatten", "flatten", NULL, x);
  x = layer(n, "relu3", "relu", NULL, layer(n, "fc1", "linear", &fc1, x));
  x = layer(n, "relu4", "relu", NULL, layer(n, "fc2", "linear", &fc2, x));
  return layer(n, "fc3", "linear", &fc3, x);
}

/* ---- the step: forward, loss, gradients, update ---- */

static void add_update(net *n, uint32_t loss)
{
  static const dlc_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  dlc_method method = {.optimizer_attr = &adam, .lr = 1e-3};
  uint32_t *parameters = calloc(2 * (size_t)n->m.n_params, sizeof *parameters);
  if (!parameters) must(dlc_fail_nomem());
  uint32_t *gradients = parameters + n->m.n_params;
  for (uint32_t i = 0; i < n->m.n_params; i++) parameters[i] = n->m.params[i].value;
  must(dlc_graph_find_op(n->g, "adam", &method.optimizer));
  must(dlc_graph_differentiate(n->g, loss, parameters, n->m.n_params, gradients));
  must(dlc_update_append(&method, n->g, &n->m, &(dlc_trained){n->m.n_params, parameters, gradients}));
  free(parameters);
}

static void build_step(net *n)
{
  const int64_t shape[4] = {BATCH, 1, SIDE, SIDE}, rows = BATCH;
  uint32_t x, labels, out[DLC_MAX_OUT];
  must(dlc_graph_value(n->g, "input", DLC_ROLE_INPUT, DLC_F32, 4, shape, &x));
  must(dlc_graph_value(n->g, "labels", DLC_ROLE_INPUT, DLC_I32, 1, &rows, &labels));
  n->m.logits = lenet(n, x);
  must(dlc_graph_pool_before_relu(n->g));
  must(dlc_graph_emit(n->g, "loss", "cross_entropy", NULL, (uint32_t[]){n->m.logits, labels}, 2, out));
  must(dlc_graph_mark(n->g, out[0], DLC_ROLE_OUTPUT, "loss"));
  add_update(n, out[0]);
  must(dlc_graph_prune(n->g));
}

/* ---- data: stripes under noise, whose direction is the class ---- */

static void draw(uint32_t step, float *pixels, int32_t *labels)
{
  for (uint32_t i = 0; i < BATCH; i++) {
    uint32_t words[4];
    dlc_random_words(SEED, 1, step, i, 0, words);
    labels[i] = (int32_t)(words[0] % CLASSES);
    for (uint32_t p = 0; p < SIDE * SIDE; p++) {
      if (p % 4 == 0) dlc_random_words(SEED, 2, step, i, p, words);
      const uint32_t phase = (p / SIDE * (uint32_t)labels[i] + 3 * (p % SIDE)) % SIDE;
      pixels[i * SIDE * SIDE + p] = (phase < SIDE / 2 ? 1.0f : -1.0f) + (float)(words[p % 4] >> 8) * 0x1p-24f - 0.5f;
    }
  }
}

/* ---- the machine ---- */

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static void train(dlc_machine *machine, const dlc_host *host)
{
  const dlc_op_finder finder = {find_op, NULL, host};
  net n = {0};
  dlc_parameters parameters;
  dlc_program *program;
  must(dlc_graph_new(&finder, &n.g));
  build_step(&n);
  must(dlc_parameters_describe(dlc_graph_view(n.g), &n.m, NULL, &parameters));
  must(dlc_program_add(machine, "step", n.g, &program)); /* takes the graph */
  must(dlc_machine_commit(machine));
  must(dlc_parameters_init(&parameters, machine, SEED));
  printf("%lld parameters on %s\n", (long long)parameters.count, dlc_machine_describe(machine));

  float *pixels = dlc_machine_memory(machine, "input", NULL), *loss = dlc_machine_memory(machine, "loss", NULL);
  int32_t *labels = dlc_machine_memory(machine, "labels", NULL);
  *(float *)dlc_machine_memory(machine, DLC_NAME_LEARNING_RATE, NULL) = 1e-3f;
  int64_t *step = dlc_machine_memory(machine, DLC_NAME_STEP, NULL);
  for (*step = 1; *step <= STEPS; ++*step) {
    draw((uint32_t)*step, pixels, labels);
    must(dlc_program_run(program));
    if (*step == 1 || *step % 10 == 0) printf("step %lld  loss %.4f\n", (long long)*step, (double)*loss);
  }
  dlc_parameters_free(&parameters);
  dlc_model_graph_free(&n.m);
}

int main(void)
{
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine_config config = {0};
  dlc_machine *machine;
  must(dlc_pool_open(dlc_cpu_count(), &pool));
  must(dlc_registry_open(&(dlc_registry_config){.pool = pool}, &registry));
  /* The best backend that plugins bring; the reference kernels without any. */
  config.backend = dlc_registry_best_backend(registry, NULL, &config.host);
  if (!config.backend) config.host = dlc_registry_host(registry);
  must(dlc_machine_open(&config, &machine));
  train(machine, dlc_registry_host(registry));
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  return EXIT_SUCCESS;
}
