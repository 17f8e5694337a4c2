/* Fifty training steps of each network of the courses against PyTorch: tests/make_course_parity.py computed what is in
 * golden/course_*.safetensors, and says what it is, from the formulas that are repeated here. */
#include "base/clock.h"
#include "base/pool.h"
#include "base/status.h"
#include "host/host.h"
#include "ops/ops.h"
#include "suite.h"
#include "train/safetensors.h"
#include "train/train.h"
#include <math.h>

enum { STEPS = 50, SEED = 42, MAX_TENSORS = 128 };

static uint32_t noise(uint32_t stream, uint32_t i)
{
  uint32_t h = i + stream * 1000003u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* ---- the networks, with what their recipes train them by ---- */

typedef struct course {
  const char *name;
  uint32_t channels, side, classes, batch;
  float mean[3], std[3];
  const char *optimizer;
  double lr;
  double loss_error; /* relative, from PyTorch's float32 run; twice its own from float64 where that is more */
} course;

#define UNIT                                                                                                           \
  {0},                                                                                                                 \
  {                                                                                                                    \
    1, 1, 1                                                                                                            \
  }
#define HALF                                                                                                           \
  {0.5f, 0.5f, 0.5f},                                                                                                  \
  {                                                                                                                    \
    0.5f, 0.5f, 0.5f                                                                                                   \
  }
#define IMAGENET                                                                                                       \
  {0.485f, 0.456f, 0.406f},                                                                                            \
  {                                                                                                                    \
    0.229f, 0.224f, 0.225f                                                                                             \
  }

static const course courses[] = {
    {"ann-001", 1, 28, 10, 64, UNIT, "sgd", 1e-3, 1e-5},
    {"mnistnet-003", 1, 28, 10, 64, HALF, "sgd", 1e-3, 1e-5},
    {"net-001", 1, 28, 10, 64, UNIT, "sgd", 1e-3, 1e-5},
    {"net-002", 3, 32, 10, 128, HALF, "adam", 1e-3, 1e-5},
    {"convnet-004", 3, 224, 2, 8, IMAGENET, "sgd", 1e-2, 1e-5},
    {"amelie-001", 1, 28, 10, 64, UNIT, "sgd", 1e-3, 1e-4},
    {"resnet-001", 1, 28, 10, 8, UNIT, "sgd", 1e-3, 1e-4},
    {"cats-dogs-000", 3, 128, 2, 4, UNIT, "adam", 1e-4, 1e-4},
};
enum { N_COURSES = sizeof courses / sizeof *courses, N_SMALL = 2 };

/* ---- the data: stripes under noise whose direction is the label, but in a quarter of the pictures ---- */

struct dlc_data {
  uint8_t *samples;
  int32_t *labels;
  dlc_split split;
  dlc_dataset_info info;
};

static const char *const class_names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

static uint8_t pixel(const course *c, uint32_t shown, uint32_t i)
{
  const uint32_t x = i % c->side, y = i / c->side % c->side, channel = i / (c->side * c->side) % c->channels;
  const bool bright = (y * shown + 3 * x + 5 * channel) % 28 < 14;
  return (uint8_t)((noise(102, i) & 127) + (bright ? 64 : 0));
}

static dlc_data *make_data(const course *c)
{
  const uint32_t count = STEPS * c->batch, pixels = c->channels * c->side * c->side;
  dlc_data *d = calloc(1, sizeof *d);
  ck_assert_ptr_nonnull(d);
  d->samples = malloc((size_t)count * pixels);
  d->labels = malloc(count * sizeof *d->labels);
  ck_assert(d->samples && d->labels);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t label = noise(1, i) % c->classes, other = noise(3, i) % c->classes;
    const uint32_t shown = noise(2, i) % 4 == 0 ? other : label;
    d->labels[i] = (int32_t)label;
    for (uint32_t p = i * pixels; p < (i + 1) * pixels; p++) d->samples[p] = pixel(c, shown, p);
  }
  d->split = (dlc_split){sizeof(dlc_split), "train", count, d->labels, d->samples};
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = c->classes,
                               .class_names = class_names,
                               .channels = c->channels,
                               .height = c->side,
                               .width = c->side,
                               .n_splits = 1,
                               .splits = &d->split,
                               .mean = c->mean,
                               .std = c->std,
                               .origin = "a formula"};
  return d;
}

static void free_data(dlc_data *d)
{
  free(d->samples);
  free(d->labels);
  free(d);
}

static const dlc_dataset_info *data_info(dlc_data *d)
{
  return &d->info;
}

static const dlc_dataset dataset = {.size = sizeof(dlc_dataset), .name = "parity", .info = data_info};

/* ---- what the golden file says of the tensors ---- */

typedef struct described {
  char name[64];
  uint32_t rank;
  int64_t dim[4], count;
  double start, bound; /* before the first step uniform in start +- bound */
  double deviation;    /* after the last of PyTorch in float32 from float64: largest difference over largest element */
} described;

/* The tensors of state_dict(), in its order; how many. */
static uint32_t read_descriptions(const dlc_tensor_file *golden, described *t)
{
  const char *text = dlc_metadata_find(golden, "tensors");
  ck_assert_ptr_nonnull(text);
  for (uint32_t n = 0;; n++) {
    char dims[64];
    int length = 0;
    ck_assert_uint_lt(n, MAX_TENSORS);
    t[n] = (described){.count = 1};
    ck_assert_int_eq(
        sscanf(text, "%63s %63s %lf %lf %lf%n", t[n].name, dims, &t[n].start, &t[n].bound, &t[n].deviation, &length),
        5);
    for (char *d = dims; *d; d += *d == 'x') t[n].count *= t[n].dim[t[n].rank++] = strtoll(d, &d, 10);
    text += length;
    if (*text++ == '\0') return n + 1;
  }
}

/* num_batches_tracked, the one that counts and has no shape, begins at 0 by itself. */
static bool is_counter(const described *t)
{
  const char *last = strrchr(t->name, '.');
  return last && strcmp(last, ".num_batches_tracked") == 0;
}

static void write_weights(const described *descriptions, uint32_t n, const char *path)
{
  dlc_tensor tensors[MAX_TENSORS] = {{0}};
  uint32_t written = 0;
  for (uint32_t k = 0; k < n; k++) {
    const described *d = &descriptions[k];
    if (is_counter(d)) continue;
    dlc_tensor *t = &tensors[written++];
    *t = (dlc_tensor){.name = d->name, .dtype = DLC_F32, .rank = d->rank};
    memcpy(t->dim, d->dim, sizeof d->dim);
    float *w = t->data = malloc((size_t)d->count * sizeof *w);
    ck_assert_ptr_nonnull(w);
    for (int64_t i = 0; i < d->count; i++)
      w[i] = (float)(d->start + (2 * ((noise(10 + k, (uint32_t)i) >> 8) * 0x1p-24) - 1) * d->bound);
  }
  ck_assert_msg(dlc_safetensors_write(path, tensors, written, NULL, 0) == DLC_OK, "%s", dlc_reason());
  for (uint32_t i = 0; i < written; i++) free(tensors[i].data);
}

/* ---- fifty steps ---- */

static void keep_loss(void *ctx, const dlc_row *row)
{
  if (row->kind != DLC_ROW_STEP) return;
  ck_assert(row->step >= 1 && row->step <= STEPS);
  ck_assert_str_eq(row->names[0], "train_loss");
  ((double *)ctx)[row->step - 1] = row->values[0];
}

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static void fifty_steps(const course *c, const char *backend, const char *before, const char *after, double *loss)
{
  static const dlc_sgd sgd = {0};
  static const dlc_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  char path[PATH_MAX];
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  dlc_results results;
  const void *found = NULL;
  const dlc_host *host = NULL;
  dlc_data *data = make_data(c);

  ck_assert_int_eq(dlc_pool_open(2, &pool), DLC_OK);
  const dlc_registry_config registry_config = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  ck_assert_msg(dlc_registry_open(&registry_config, &registry) == DLC_OK, "%s", dlc_reason());
  if (backend)
    ck_assert_msg(dlc_registry_find(registry, DLC_IFACE_BACKEND, backend, &found, &host) == DLC_OK, "%s", dlc_reason());
  const dlc_machine_config machine_config = {.backend = found, .host = host};
  ck_assert_msg(dlc_machine_open(&machine_config, &machine) == DLC_OK, "%s", dlc_reason());
  snprintf(path, sizeof path, "%s/%s.yaml", TEST_MODEL_DIR, c->name);
  ck_assert_msg(dlc_model_read(path, &model) == DLC_OK, "%s", dlc_reason());
  const bool is_adam = strcmp(c->optimizer, "adam") == 0;
  dlc_train_config config = {.model = model,
                             .dataset = &dataset,
                             .data = data,
                             .machine = machine,
                             .finder = {find_op, NULL, dlc_registry_host(registry)},
                             .epochs = 1,
                             .batch_size = c->batch,
                             .seed = SEED,
                             .method = {.lr = c->lr, .optimizer_attr = is_adam ? (const void *)&adam : &sgd},
                             .init_from = before,
                             .on_row = keep_loss,
                             .ctx = loss};
  ck_assert_int_eq(find_op(NULL, c->optimizer, &config.method.optimizer), DLC_OK);
  ck_assert_msg(dlc_run_open(&config, dlc_seconds(), &run) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_run_train(run, &results) == DLC_OK, "%s", dlc_reason());
  ck_assert_int_eq(results.steps, STEPS);
  ck_assert_msg(dlc_run_save(run, after) == DLC_OK, "%s", dlc_reason());

  dlc_run_close(run);
  dlc_model_free(model);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  free_data(data);
}

/* ---- comparing ---- */

static const dlc_tensor *tensor(const dlc_tensor_file *file, const char *name)
{
  const dlc_tensor *t = dlc_tensor_find(file, name);
  ck_assert_msg(t != NULL, "no tensor %s", name);
  return t;
}

/* What differs from `exact`, at most, over it. */
static double losses_error(const double *loss, const dlc_tensor *exact)
{
  double error = 0;
  for (int i = 0; i < STEPS; i++) {
    const double expected = (double)((const float *)exact->data)[i];
    error = fmax(error, fabs(loss[i] - expected) / expected);
  }
  return error;
}

/* Where rounding decides on which side of 0 an element falls, or which of a window is the largest, its gradient goes
 * another way. That happens to each program at other steps, so one is not as far from exact as another, but for luck.
 */
enum { LUCK = 10 };

static void compare_losses(const course *c, const dlc_tensor_file *golden, const double *loss)
{
  const float *expected = tensor(golden, "loss")->data;
  double pytorchs[STEPS];
  for (int i = 0; i < STEPS; i++) pytorchs[i] = (double)expected[i];
  const dlc_tensor *exact = tensor(golden, "exact_loss");
  const double theirs = losses_error(pytorchs, exact), error = losses_error(loss, exact);
  ck_assert_msg(error <= LUCK * theirs + 1e-6, "losses are off by %.2g from float64, PyTorch's by %.2g", error, theirs);
  for (int i = 0; i < STEPS; i++)
    ck_assert_msg(fabs(loss[i] - pytorchs[i]) <= fmax(c->loss_error, 2 * theirs) * pytorchs[i],
                  "loss of step %d is %.9g, PyTorch's %.9g", i + 1, loss[i], pytorchs[i]);
}

/* The largest difference from what is exact, over the largest element. */
static double weights_error(const described *d, const float *w, const dlc_tensor *exact)
{
  const int64_t stride = d->count / 100 | 1;
  const float *expected = exact->data;
  double largest = 0, error = 0;
  ck_assert_int_eq(exact->dim[0], (d->count + stride - 1) / stride);
  for (int64_t i = 0; i < exact->dim[0]; i++) {
    largest = fmax(largest, fabs((double)expected[i]));
    error = fmax(error, fabs((double)w[i * stride] - (double)expected[i]));
  }
  return largest > 0 ? error / largest : error;
}

static void compare_weights(const dlc_tensor_file *golden, const described *descriptions, uint32_t n, const char *path)
{
  dlc_tensor_file ours;
  ck_assert_msg(dlc_safetensors_read(path, &ours) == DLC_OK, "%s", dlc_reason());
  ck_assert_uint_eq(ours.n, n);
  for (uint32_t k = 0; k < n; k++) {
    const described *d = &descriptions[k];
    const dlc_tensor *t = tensor(&ours, d->name);
    if (is_counter(d)) {
      ck_assert_int_eq(*(int64_t *)t->data, STEPS);
      continue;
    }
    ck_assert_uint_eq(t->rank, d->rank);
    ck_assert_mem_eq(t->dim, d->dim, d->rank * sizeof *d->dim);
    const double error = weights_error(d, t->data, tensor(golden, d->name));
    ck_assert_msg(error <= LUCK * d->deviation + 1e-5, "%s is off by %.2g from float64, PyTorch's by %.2g", d->name,
                  error, d->deviation);
  }
  dlc_safetensors_free(&ours);
}

static void compare(const course *c, const char *backend)
{
  char path[PATH_MAX];
  const char *before = in_folder("before.safetensors"), *after = in_folder("after.safetensors");
  static described descriptions[MAX_TENSORS];
  double loss[STEPS] = {0};
  dlc_tensor_file golden;
  snprintf(path, sizeof path, "%s/golden/course_%s.safetensors", TEST_SOURCE_DIR, c->name);
  ck_assert_msg(dlc_safetensors_read(path, &golden) == DLC_OK, "%s", dlc_reason());
  const uint32_t n = read_descriptions(&golden, descriptions);

  write_weights(descriptions, n, before);
  fifty_steps(c, backend, before, after, loss);
  compare_losses(c, &golden, loss);
  compare_weights(&golden, descriptions, n, after);
  dlc_safetensors_free(&golden);
}

START_TEST(fifty_steps_on_the_cpu_backend_equal_pytorchs)
{
  compare(&courses[_i], "cpu");
}
END_TEST

START_TEST(fifty_steps_on_the_reference_kernels_equal_pytorchs)
{
  compare(&courses[_i], NULL);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("pytorch");
  tcase_add_checked_fixture(tests, make_folder, remove_folder);
  tcase_add_loop_test(tests, fifty_steps_on_the_cpu_backend_equal_pytorchs, 0, N_COURSES);
  tcase_add_loop_test(tests, fifty_steps_on_the_reference_kernels_equal_pytorchs, 0, N_SMALL);
  return run_suite("course_parity", tests);
}
