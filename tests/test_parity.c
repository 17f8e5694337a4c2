/* Ten training steps from given weights, in a given order, against PyTorch: tests/make_parity.py computed what is in
 * golden/parity_*.safetensors from the formulas that are repeated here. */
#include "base/clock.h"
#include "base/pool.h"
#include "base/status.h"
#include "host/host.h"
#include "ops/ops.h"
#include "suite.h"
#include "train/safetensors.h"
#include "train/train.h"
#include <math.h>

enum { STEPS = 10, BATCH = 64, COUNT = STEPS * BATCH, PIXELS = 28 * 28 };

static uint32_t noise(uint32_t stream, uint32_t i)
{
  uint32_t h = i + stream * 1000003u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* ---- the data: stripes whose direction is the label, under noise ---- */

struct dlc_data {
  uint8_t samples[COUNT * PIXELS];
  int32_t labels[COUNT];
  dlc_split split;
  dlc_dataset_info info;
};

static const char *const class_names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const float mean = 0.5f, deviation = 0.25f;

static dlc_data *make_data(void)
{
  dlc_data *d = calloc(1, sizeof *d);
  ck_assert_ptr_nonnull(d);
  for (uint32_t i = 0; i < COUNT; i++) {
    d->labels[i] = (int32_t)(noise(1, i) % 10);
    for (uint32_t p = 0; p < PIXELS; p++) {
      bool bright = (p / 28 * (uint32_t)d->labels[i] + 3 * (p % 28)) % 28 < 14;
      d->samples[i * PIXELS + p] = (uint8_t)(noise(102, i * PIXELS + p) % 128 + (bright ? 100 : 0));
    }
  }
  d->split = (dlc_split){sizeof(dlc_split), "train", COUNT, d->labels, d->samples};
  d->info = (dlc_dataset_info){.size = sizeof(dlc_dataset_info),
                               .n_classes = 10,
                               .class_names = class_names,
                               .channels = 1,
                               .height = 28,
                               .width = 28,
                               .n_splits = 1,
                               .splits = &d->split,
                               .mean = &mean,
                               .std = &deviation,
                               .origin = "a formula"};
  return d;
}

static const dlc_dataset_info *data_info(dlc_data *d)
{
  return &d->info;
}

static const dlc_dataset dataset = {.size = sizeof(dlc_dataset), .name = "parity", .info = data_info};

/* ---- the weights before the first step, as a file to begin with ---- */

typedef struct shape {
  const char *name; /* in the order of PyTorch's named_parameters() */
  uint32_t rank;
  int64_t dim[4];
} shape;

static const shape lenet[] = {{"conv1.weight", 4, {6, 1, 5, 5}},
                              {"conv1.bias", 1, {6}},
                              {"conv2.weight", 4, {16, 6, 5, 5}},
                              {"conv2.bias", 1, {16}},
                              {"fc1.weight", 2, {120, 256}},
                              {"fc1.bias", 1, {120}},
                              {"fc2.weight", 2, {84, 120}},
                              {"fc2.bias", 1, {84}},
                              {"fc3.weight", 2, {10, 84}},
                              {"fc3.bias", 1, {10}},
                              {0}};
static const shape mlp[] = {
    {"fc1.weight", 2, {128, 784}}, {"fc1.bias", 1, {128}}, {"fc2.weight", 2, {10, 128}}, {"fc2.bias", 1, {10}}, {0}};

static void write_weights(const shape *shapes, const char *path)
{
  dlc_tensor tensors[16] = {{0}};
  uint32_t n = 0;
  for (; shapes[n].name; n++) {
    float bound = strncmp(shapes[n].name, "conv", 4) == 0 ? 0.25f : 0.125f;
    int64_t count = 1;
    tensors[n] = (dlc_tensor){.name = shapes[n].name, .dtype = DLC_F32, .rank = shapes[n].rank};
    for (uint32_t d = 0; d < shapes[n].rank; d++) count *= tensors[n].dim[d] = shapes[n].dim[d];
    float *w = tensors[n].data = malloc((size_t)count * sizeof *w);
    ck_assert_ptr_nonnull(w);
    for (int64_t i = 0; i < count; i++) w[i] = (2 * ((float)(noise(10 + n, (uint32_t)i) >> 8) * 0x1p-24f) - 1) * bound;
  }
  ck_assert_msg(dlc_safetensors_write(path, tensors, n, NULL, 0) == DLC_OK, "%s", dlc_reason());
  for (uint32_t i = 0; i < n; i++) free(tensors[i].data);
}

/* ---- ten steps ---- */

typedef struct losses {
  double value[STEPS], sum;
} losses;

static bool keep_loss(void *ctx, const dlc_progress *p)
{
  losses *l = ctx;
  if (strcmp(p->phase, "train") != 0) return true;
  ck_assert_uint_le(p->batch, STEPS);
  double sum = p->loss * p->batch; /* batches of one size: the mean so far is a mean of batch means */
  l->value[p->batch - 1] = sum - l->sum;
  l->sum = sum;
  return true;
}

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static const dlc_sgd sgd = {.momentum = 0.9, .weight_decay = 5e-4};
static const dlc_sgd nesterov = {.momentum = 0.9, .weight_decay = 5e-4, .nesterov = 1};
static const dlc_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
static const dlc_adam adamw = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.1};
static const dlc_rmsprop rmsprop = {.alpha = 0.99, .eps = 1e-8, .momentum = 0.9, .centered = 1};
static const dlc_rmsprop moving = {.alpha = 0.99, .eps = 1e-8, .momentum = 0.9};
static const dlc_adagrad adagrad = {.lr_decay = 0.05, .eps = 1e-3};
static const dlc_lars lars = {.momentum = 0.9, .weight_decay = 1e-4, .trust_coefficient = 0.01, .eps = 1e-8};

/* What is not said here: sgd with momentum at 0.01. */
static const dlc_sgd momentum = {.momentum = 0.9}, decayed = {.momentum = 0.9, .weight_decay = 0.1};
static const dlc_cross_entropy smoothing = {.label_smoothing = 0.125};
static const float class_weights[10] = {0.125f, 0.25f, 0.375f, 0.5f, 0.625f, 0.75f, 0.875f, 1, 1.125f, 1.25f};
static const dlc_param_group groups[] = {{"*.weight", &decayed, 1}, {"*.bias", &momentum, 4}};

static const struct job {
  const char *model, *name; /* name: of the golden file */
  const shape *shapes;
  int stride; /* of the elements that the golden file holds */
  const char *optimizer, *loss;
  dlc_method method;
} jobs[] = {
    {"lenet", "sgd", lenet, 11, "sgd", NULL, {.optimizer_attr = &sgd, .lr = 0.01}},
    {"lenet", "adam", lenet, 11, "adam", NULL, {.optimizer_attr = &adam, .lr = 1e-3}},
    {"mlp", "sgd", mlp, 11, "sgd", NULL, {.optimizer_attr = &sgd, .lr = 0.01}},
    {"mlp", "adam", mlp, 11, "adam", NULL, {.optimizer_attr = &adam, .lr = 1e-3}},
    {"mlp", "nesterov", mlp, 101, "sgd", NULL, {.optimizer_attr = &nesterov, .lr = 0.01}},
    {"mlp", "adamw", mlp, 101, "adamw", NULL, {.optimizer_attr = &adamw, .lr = 1e-3}},
    {"mlp", "rmsprop", mlp, 101, "rmsprop", NULL, {.optimizer_attr = &rmsprop, .lr = 3e-5}},
    {"mlp", "adagrad", mlp, 101, "adagrad", NULL, {.optimizer_attr = &adagrad, .lr = 2e-3}},
    {"mlp", "lars", mlp, 101, "lars", NULL, {.optimizer_attr = &lars, .lr = 0.2}},
    {"mlp", "smoothed", mlp, 101, NULL, "cross_entropy", {.loss_attr = &smoothing, .class_weights = class_weights}},
    {"mlp", "mse", mlp, 101, NULL, "mse_loss", {0}},
    {"mlp", "bce", mlp, 101, NULL, "bce_with_logits", {0}},
    {"mlp", "groups", mlp, 101, NULL, NULL, {.groups = groups, .n_groups = 2}},
    {"mlp", "clip", mlp, 101, NULL, NULL, {.clip_norm = 0.5}},
    {"mlp", "accumulate", mlp, 101, NULL, NULL, {.accumulate = 3, .clip_norm = 2}},
    {"mlp", "ema", mlp, 101, NULL, NULL, {.ema = 0.75}},
    {"mlp", "one_cycle_sgd", mlp, 101, NULL, NULL, {0}},
    {"mlp", "one_cycle_adam", mlp, 101, "adam", NULL, {.optimizer_attr = &adam, .lr = 1e-3}},
    {"mlp", "one_cycle_rmsprop", mlp, 101, "rmsprop", NULL, {.optimizer_attr = &moving, .lr = 3e-5}},
};
enum { N_JOBS = sizeof jobs / sizeof *jobs };

static dlc_method method_of(const struct job *j)
{
  dlc_method m = j->method;
  if (j->loss) ck_assert_int_eq(find_op(NULL, j->loss, &m.loss), DLC_OK);
  if (strncmp(j->name, "one_cycle", 9) == 0)
    ck_assert_int_eq(dlc_schedule_read("one_cycle:pct_start=0.4", &m.schedule), DLC_OK);
  if (!j->optimizer) m.optimizer_attr = &momentum, m.lr = 0.01;
  ck_assert_int_eq(find_op(NULL, j->optimizer ? j->optimizer : "sgd", &m.optimizer), DLC_OK);
  return m;
}

static void ten_steps(const struct job *j, const char *backend, const char *before, const char *after, losses *l)
{
  char path[PATH_MAX];
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  dlc_results results;
  const void *found = NULL;
  const dlc_host *host = NULL;
  dlc_data *data = make_data();

  ck_assert_int_eq(dlc_pool_open(2, &pool), DLC_OK);
  const dlc_registry_config registry_config = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  ck_assert_msg(dlc_registry_open(&registry_config, &registry) == DLC_OK, "%s", dlc_reason());
  if (backend)
    ck_assert_msg(dlc_registry_find(registry, DLC_IFACE_BACKEND, backend, &found, &host) == DLC_OK, "%s", dlc_reason());
  const dlc_machine_config machine_config = {.backend = found, .host = host};
  ck_assert_msg(dlc_machine_open(&machine_config, &machine) == DLC_OK, "%s", dlc_reason());
  snprintf(path, sizeof path, "%s/%s.yaml", TEST_MODEL_DIR, j->model);
  ck_assert_msg(dlc_model_read(path, &model) == DLC_OK, "%s", dlc_reason());
  const dlc_train_config config = {.model = model,
                                   .dataset = &dataset,
                                   .data = data,
                                   .machine = machine,
                                   .finder = {find_op, NULL, dlc_registry_host(registry)},
                                   .epochs = 1,
                                   .batch_size = BATCH,
                                   .method = method_of(j),
                                   .init_from = before,
                                   .on_batch = keep_loss,
                                   .ctx = l};
  ck_assert_msg(dlc_run_open(&config, dlc_seconds(), &run) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_run_train(run, &results) == DLC_OK, "%s", dlc_reason());
  const int each = j->method.accumulate ? (int)j->method.accumulate : 1;
  ck_assert_int_eq(results.steps, (STEPS + each - 1) / each);
  ck_assert_msg(dlc_run_save(run, after) == DLC_OK, "%s", dlc_reason());

  dlc_run_close(run);
  dlc_model_free(model);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  free(data);
}

static const dlc_tensor *tensor(const dlc_tensor_file *file, const char *name)
{
  for (uint32_t i = 0; i < file->n; i++)
    if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
  ck_abort_msg("no tensor %s", name);
}

static int64_t elements(const dlc_tensor *t)
{
  int64_t n = 1;
  for (uint32_t d = 0; d < t->rank; d++) n *= t->dim[d];
  return n;
}

/* The largest difference over the largest weight of the tensor is at most 1e-4. */
static void compare_weights(const char *path, const dlc_tensor_file *golden, int stride)
{
  dlc_tensor_file ours;
  ck_assert_msg(dlc_safetensors_read(path, &ours) == DLC_OK, "%s", dlc_reason());
  ck_assert_uint_eq(ours.n, golden->n - 1);
  for (uint32_t k = 0; k < ours.n; k++) {
    const dlc_tensor *t = &ours.tensors[k], *g = tensor(golden, t->name);
    const float *w = t->data, *expected = g->data;
    double largest = 0, error = 0;
    ck_assert_int_eq(elements(g), (elements(t) + stride - 1) / stride);
    for (int64_t i = 0; i < elements(g); i++) {
      largest = fmax(largest, fabs((double)expected[i]));
      error = fmax(error, fabs((double)w[i * stride] - (double)expected[i]));
    }
    ck_assert_msg(error <= 1e-4 * largest, "%s is off by %g, its largest weight is %g", t->name, error, largest);
  }
  dlc_safetensors_free(&ours);
}

static void compare(const struct job *j, const char *backend)
{
  char path[PATH_MAX];
  const char *before = in_folder("before.safetensors"), *after = in_folder("after.safetensors");
  losses l = {.sum = 0};
  dlc_tensor_file golden;
  snprintf(path, sizeof path, "%s/golden/parity_%s_%s.safetensors", TEST_SOURCE_DIR, j->model, j->name);
  ck_assert_msg(dlc_safetensors_read(path, &golden) == DLC_OK, "%s", dlc_reason());

  write_weights(j->shapes, before);
  ten_steps(j, backend, before, after, &l);
  const float *expected = tensor(&golden, "loss")->data;
  for (int i = 0; i < STEPS; i++)
    ck_assert_msg(fabs(l.value[i] - (double)expected[i]) <= 1e-5 * (double)expected[i],
                  "loss of step %d is %.9g, PyTorch's %.9g", i + 1, l.value[i], (double)expected[i]);
  compare_weights(after, &golden, j->stride);
  dlc_safetensors_free(&golden);
}

START_TEST(ten_steps_on_the_cpu_backend_equal_pytorchs)
{
  compare(&jobs[_i], "cpu");
}
END_TEST

START_TEST(ten_steps_on_the_reference_kernels_equal_pytorchs)
{
  compare(&jobs[_i], NULL);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("pytorch");
  tcase_add_checked_fixture(tests, make_folder, remove_folder);
  tcase_add_loop_test(tests, ten_steps_on_the_cpu_backend_equal_pytorchs, 0, N_JOBS);
  tcase_add_loop_test(tests, ten_steps_on_the_reference_kernels_equal_pytorchs, 0, N_JOBS);
  return run_suite("parity", tests);
}
