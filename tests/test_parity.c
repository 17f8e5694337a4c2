/* Ten training steps from given weights, in a given order, against PyTorch: tests/make_parity.py computed what is in
 * golden/parity_*.safetensors, in float64, from the formulas that are repeated here. */
#include "parity.h"

enum { STEPS = 10, BATCH = 64, COUNT = STEPS * BATCH, SIDE = 28, PIXELS = SIDE * SIDE };

/* Stripes whose direction is the label, under noise. */
static dlc_data *make_stripes(void)
{
  static const float mean = 0.5f, deviation = 0.25f;
  dlc_data *d = make_data(COUNT, 1, SIDE, 10, &mean, &deviation);
  for (uint32_t i = 0; i < COUNT; i++) {
    d->labels[i] = (int32_t)(noise(1, i) % 10);
    for (uint32_t p = 0; p < PIXELS; p++) {
      bool bright = (p / SIDE * (uint32_t)d->labels[i] + 3 * (p % SIDE)) % 28 < 14;
      d->samples[i * PIXELS + p] = (uint8_t)(noise(102, i * PIXELS + p) % 128 + (bright ? 100 : 0));
    }
  }
  return d;
}

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
    const double bound = strncmp(shapes[n].name, "conv", 4) == 0 ? 0.25 : 0.125;
    int64_t count = 1;
    tensors[n] = (dlc_tensor){.name = shapes[n].name, .dtype = DLC_F32, .rank = shapes[n].rank};
    for (uint32_t d = 0; d < shapes[n].rank; d++) count *= tensors[n].dim[d] = shapes[n].dim[d];
    float *w = tensors[n].data = malloc((size_t)count * sizeof *w);
    ck_assert_ptr_nonnull(w);
    draw_weights(10 + n, 0, bound, count, w);
  }
  ck_assert_msg(dlc_safetensors_write(path, tensors, n, NULL, 0) == DLC_OK, "%s", dlc_reason());
  for (uint32_t i = 0; i < n; i++) free(tensors[i].data);
}

/* ---- ten steps ---- */

typedef struct losses {
  double value[STEPS], sum;
} losses;

/* Of a step of one batch. */
static void keep_step(void *ctx, const dlc_row *row)
{
  if (row->kind != DLC_ROW_STEP) return;
  ck_assert_int_le(row->step, STEPS);
  ck_assert_str_eq(row->names[0], "train_loss");
  ((losses *)ctx)->value[row->step - 1] = row->values[0];
}

/* Of a batch among several of a step. */
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
static const dlc_param_group groups[] = {{.match = "*.weight", .attr = &decayed, .lr_scale = 1},
                                         {.match = "*.bias", .attr = &momentum, .lr_scale = 4}};

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
    {"mlp", "l1", mlp, 101, NULL, NULL, {.l1 = 1e-3}},
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

static void ten_steps(const struct job *j, const char *backend, uint32_t dtype, const char *before, const char *after,
                      losses *l)
{
  dlc_data *data = make_stripes();
  const int each = j->method.accumulate ? (int)j->method.accumulate : 1;
  const dlc_train_config config = {.data = data,
                                   .dtype = dtype,
                                   .batch_size = BATCH,
                                   .method = method_of(j),
                                   .init_from = before,
                                   .on_row = each == 1 ? keep_step : NULL,
                                   .on_batch = each == 1 ? NULL : keep_loss,
                                   .ctx = l};
  ck_assert_int_eq(train_one_epoch(config, j->model, backend, after), (STEPS + each - 1) / each);
  free_data(data);
}

static void compare(const struct job *j, const char *backend, uint32_t dtype, double loss_error, double weights_error)
{
  char path[PATH_MAX];
  const char *before = in_folder("before.safetensors"), *after = in_folder("after.safetensors");
  losses l = {.sum = 0};
  dlc_tensor_file golden, ours;
  snprintf(path, sizeof path, "%s/golden/parity_%s_%s.safetensors", TEST_SOURCE_DIR, j->model, j->name);
  read_tensors(path, &golden);

  write_weights(j->shapes, before);
  ten_steps(j, backend, dtype, before, after, &l);
  const double *expected = doubles(&golden, "loss", STEPS);
  for (int i = 0; i < STEPS; i++)
    ck_assert_msg(fabs(l.value[i] - expected[i]) <= loss_error * expected[i],
                  "loss of step %d is %.17g, PyTorch's %.17g", i + 1, l.value[i], expected[i]);
  read_tensors(after, &ours);
  ck_assert_uint_eq(ours.n, golden.n - 1);
  for (uint32_t k = 0; k < ours.n; k++) {
    const double error = tensor_error(&ours.tensors[k], &golden, j->stride);
    ck_assert_msg(error <= weights_error, "%s is off by %.2g of its largest weight", ours.tensors[k].name, error);
  }
  dlc_safetensors_free(&ours);
  dlc_safetensors_free(&golden);
}

START_TEST(ten_steps_on_the_cpu_backend_equal_pytorchs)
{
  compare(&jobs[_i], "cpu", DLC_F32, 1e-5, 1e-4);
}
END_TEST

START_TEST(ten_steps_on_the_reference_kernels_equal_pytorchs)
{
  compare(&jobs[_i], NULL, DLC_F32, 1e-5, 1e-4);
}
END_TEST

START_TEST(ten_steps_in_float64_equal_pytorchs)
{
  compare(&jobs[_i], NULL, DLC_F64, 1e-12, 1e-12);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("pytorch");
  tcase_add_checked_fixture(tests, make_folder, remove_folder);
  tcase_set_timeout(tests, 60); /* reference kernels, perhaps without optimisation */
  tcase_add_loop_test(tests, ten_steps_on_the_cpu_backend_equal_pytorchs, 0, N_JOBS);
  tcase_add_loop_test(tests, ten_steps_on_the_reference_kernels_equal_pytorchs, 0, N_JOBS);
  tcase_add_loop_test(tests, ten_steps_in_float64_equal_pytorchs, 0, N_JOBS);
  return run_suite("parity", tests);
}
