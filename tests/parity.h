/* What the comparisons of training runs with PyTorch share (test_parity.c, test_course_parity.c): pictures and weights
 * by formula, as tests/make_parity.py has them; a run of one epoch over them; how far off its tensors are. */
#ifndef TESTS_PARITY_H
#define TESTS_PARITY_H
#include "base/clock.h"
#include "base/pool.h"
#include "base/status.h"
#include "host/host.h"
#include "ops/ops.h"
#include "suite.h"
#include "train/safetensors.h"
#include "train/train.h"
#include <math.h>

static inline uint32_t noise(uint32_t stream, uint32_t i)
{
  uint32_t h = i + stream * 1000003u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* Uniform in start +- bound. */
static inline void draw_weights(uint32_t stream, double start, double bound, int64_t count, float *w)
{
  for (int64_t i = 0; i < count; i++)
    w[i] = (float)(start + (2 * ((noise(stream, (uint32_t)i) >> 8) * 0x1p-24) - 1) * bound);
}

/* ---- data in memory ---- */

struct dlc_data {
  uint8_t *samples;
  int32_t *labels;
  dlc_split split;
  dlc_dataset_info info;
};

/* `count` square pictures without samples and labels yet; classes: at most 10. */
static inline dlc_data *make_data(uint32_t count, uint32_t channels, uint32_t side, uint32_t classes, const float *mean,
                                  const float *std)
{
  static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  dlc_data *d = calloc(1, sizeof *d);
  ck_assert_ptr_nonnull(d);
  d->samples = malloc((size_t)count * channels * side * side);
  d->labels = malloc(count * sizeof *d->labels);
  ck_assert(d->samples && d->labels);
  d->split = (dlc_split){sizeof(dlc_split), "train", count, d->labels, d->samples};
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = classes,
                               .class_names = names,
                               .channels = channels,
                               .height = side,
                               .width = side,
                               .n_splits = 1,
                               .splits = &d->split,
                               .mean = mean,
                               .std = std,
                               .origin = "a formula"};
  return d;
}

static inline void free_data(dlc_data *d)
{
  free(d->samples);
  free(d->labels);
  free(d);
}

static inline const dlc_dataset_info *data_info(dlc_data *d)
{
  return &d->info;
}

/* ---- the run ---- */

static inline dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

/* One epoch of `config` (data, method and who is told), of a model that comes with dlcore, on a backend (NULL: the
 * reference kernels); writes the weights to `after`. Optimizer steps that were made. */
static inline int64_t train_one_epoch(dlc_train_config config, const char *model_name, const char *backend,
                                      const char *after)
{
  static const dlc_dataset dataset = {.size = sizeof(dlc_dataset), .name = "parity", .info = data_info};
  char path[PATH_MAX];
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  dlc_results results;
  const void *found = NULL;
  const dlc_host *host = NULL;
  ck_assert_int_eq(dlc_pool_open(2, &pool), DLC_OK);
  const dlc_registry_config registry_config = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  ck_assert_msg(dlc_registry_open(&registry_config, &registry) == DLC_OK, "%s", dlc_reason());
  if (backend)
    ck_assert_msg(dlc_registry_find(registry, DLC_IFACE_BACKEND, backend, &found, &host) == DLC_OK, "%s", dlc_reason());
  const dlc_machine_config machine_config = {.backend = found, .host = host};
  ck_assert_msg(dlc_machine_open(&machine_config, &machine) == DLC_OK, "%s", dlc_reason());
  snprintf(path, sizeof path, "%s/%s.yaml", TEST_MODEL_DIR, model_name);
  ck_assert_msg(dlc_model_read(path, &model) == DLC_OK, "%s", dlc_reason());
  config.model = model;
  config.dataset = &dataset;
  config.machine = machine;
  config.finder = (dlc_op_finder){find_op, NULL, dlc_registry_host(registry)};
  config.epochs = 1;
  ck_assert_msg(dlc_run_open(&config, dlc_seconds(), &run) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_run_train(run, &results) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_run_save(run, after) == DLC_OK, "%s", dlc_reason());
  dlc_run_close(run);
  dlc_model_free(model);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  return results.steps;
}

/* ---- what came of it ---- */

static inline void read_tensors(const char *path, dlc_tensor_file *file)
{
  ck_assert_msg(dlc_safetensors_read(path, file) == DLC_OK, "%s", dlc_reason());
}

static inline const dlc_tensor *tensor(const dlc_tensor_file *file, const char *name)
{
  const dlc_tensor *t = dlc_tensor_find(file, name);
  ck_assert_msg(t != NULL, "no tensor %s", name);
  return t;
}

/* Of a tensor that holds float64, with as many elements as expected. */
static inline const double *doubles(const dlc_tensor_file *file, const char *name, int64_t count)
{
  const dlc_tensor *t = tensor(file, name);
  ck_assert_uint_eq(t->dtype, DLC_F64);
  ck_assert_uint_eq(t->rank, 1);
  ck_assert_int_eq(t->dim[0], count);
  return t->data;
}

static inline double element(const dlc_tensor *t, int64_t i)
{
  return t->dtype == DLC_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

/* The largest difference of each stride-th element from what the golden file says, over the largest of these. */
static inline double tensor_error(const dlc_tensor *t, const dlc_tensor_file *golden, int64_t stride)
{
  int64_t count = 1;
  for (uint32_t d = 0; d < t->rank; d++) count *= t->dim[d];
  const int64_t n = (count + stride - 1) / stride;
  const double *expected = doubles(golden, t->name, n);
  double largest = 0, error = 0;
  for (int64_t i = 0; i < n; i++) {
    largest = fmax(largest, fabs(expected[i]));
    error = fmax(error, fabs(element(t, i * stride) - expected[i]));
  }
  return largest > 0 ? error / largest : error;
}

#endif
