/* Times training steps of a model file on a batch that is in memory: forward, loss, backward, update.
 *
 *   bench_steps PLUGINS MODEL.yaml CHANNELS SIDE CLASSES BATCH sgd|adam THREADS wall|processor
 *
 * For every line of standard input, a number of seconds, it runs steps for so long, at least one, and answers with a
 * line: the median of their milliseconds. */
#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"
#include "host/host.h"
#include "ops/ops.h"
#include "train/parameters.h"
#include "train/step_graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STEPS = 100000 };

static void must(dlc_status status)
{
  if (status >= 0) return;
  fprintf(stderr, "bench_steps: %s\n", dlc_reason());
  exit(EXIT_FAILURE);
}

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static double milliseconds(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct bench {
  dlc_input input;
  int64_t classes, batch;
  dlc_machine *machine;
  dlc_program *program;
  dlc_parameters parameters;
  clockid_t clock; /* of a step: the wall's, or the processor time of all threads */
} bench;

static void build(bench *b, const char *model_path, const char *optimizer, const dlc_host *host)
{
  static const dlc_sgd sgd;
  static const dlc_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  const bool is_sgd = strcmp(optimizer, "sgd") == 0;
  dlc_method method = {.optimizer_attr = is_sgd ? (const void *)&sgd : &adam, .lr = 1e-3};
  dlc_model *model;
  dlc_graph_build *g;
  dlc_model_graph m;
  must(find_op(NULL, optimizer, &method.optimizer));
  must(dlc_model_read(model_path, &model));
  const dlc_step_config config = {.model = model,
                                  .input = &b->input,
                                  .classes = b->classes,
                                  .method = &method,
                                  .training = true,
                                  .finder = {find_op, NULL, host},
                                  .batch = b->batch};
  must(dlc_step_graph(&config, &g, &m));
  must(dlc_parameters_describe(dlc_graph_view(g), &m, NULL, &b->parameters));
  must(dlc_program_add(b->machine, "step", g, &b->program)); /* takes the graph */
  must(dlc_machine_commit(b->machine));
  must(dlc_parameters_init(&b->parameters, b->machine, 1));
  dlc_model_graph_free(&m);
  dlc_model_free(model);
}

/* Noise; and a small learning rate, so that nothing grows without bounds in many steps on it. */
static void fill(bench *b)
{
  size_t bytes;
  float *pixels = dlc_machine_memory(b->machine, DLC_NAME_INPUT, &bytes);
  int32_t *labels = dlc_machine_memory(b->machine, DLC_NAME_LABELS, NULL);
  uint32_t words[4];
  for (uint32_t i = 0; i < bytes / sizeof *pixels; i++) {
    dlc_random_words(1, 1, 0, i, 0, words);
    pixels[i] = (float)(words[0] >> 8) * 0x1p-23f - 1.0f;
  }
  for (uint32_t i = 0; i < b->batch; i++) {
    dlc_random_words(1, 2, 0, i, 0, words);
    labels[i] = (int32_t)(words[0] % (uint32_t)b->classes);
  }
  *(float *)dlc_machine_memory(b->machine, DLC_NAME_LEARNING_RATE, NULL) = 1e-5f;
}

static double median_step(bench *b, double seconds)
{
  static double times[MAX_STEPS];
  int64_t *step = dlc_machine_memory(b->machine, DLC_NAME_STEP, NULL);
  int n = 0;
  const double end = milliseconds(CLOCK_MONOTONIC) + 1e3 * seconds;
  for (; n < MAX_STEPS && (n == 0 || milliseconds(CLOCK_MONOTONIC) < end); n++) {
    const double start = milliseconds(b->clock);
    ++*step;
    must(dlc_program_run(b->program));
    times[n] = milliseconds(b->clock) - start;
  }
  qsort(times, (size_t)n, sizeof *times, by_size);
  return times[n / 2];
}

int main(int argc, char **argv)
{
  if (argc != 10) {
    fputs("usage: bench_steps PLUGINS MODEL.yaml CHANNELS SIDE CLASSES BATCH sgd|adam THREADS wall|processor\n",
          stderr);
    return EXIT_FAILURE;
  }
  bench b = {.classes = atoi(argv[5]),
             .batch = atoi(argv[6]),
             .clock = strcmp(argv[9], "wall") == 0 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID};
  const int64_t channels = atoi(argv[3]), side = atoi(argv[4]);
  b.input.format = (dlc_sample_format){DLC_F32, channels, side, side, (size_t)(channels * side * side) * sizeof(float)};
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine_config machine = {0};
  must(dlc_pool_open((uint32_t)atoi(argv[8]), &pool));
  must(dlc_registry_open(&(dlc_registry_config){.plugin_path = argv[1], .pool = pool}, &registry));
  const void *backend;
  must(dlc_registry_find(registry, DLC_IFACE_BACKEND, "cpu", &backend, &machine.host));
  machine.backend = backend;
  must(dlc_machine_open(&machine, &b.machine));
  build(&b, argv[2], argv[7], dlc_registry_host(registry));
  fill(&b);

  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    printf("%.6f\n", median_step(&b, atof(line)));
    fflush(stdout);
  }
  dlc_parameters_free(&b.parameters);
  dlc_machine_close(b.machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  return EXIT_SUCCESS;
}
