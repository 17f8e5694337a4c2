/* Fifty training steps of each network of the courses against PyTorch: tests/make_course_parity.py computed what is in
 * golden/course_*.safetensors, and says what it is, from the formulas that are repeated here.
 *
 * In float64 both compute the same numbers. In float32 dlcore must be as near to PyTorch as ROUNDING says, or, once
 * PyTorch's own ways to compute the same thing are further apart than that, as near to float64 as they are. */
#include "parity.h"

enum { STEPS = 50, SEED = 42, MAX_TENSORS = 128 };

/* ---- the networks, with what their recipes train them by ---- */

typedef struct course {
  const char *name;
  uint32_t channels, side, classes, batch;
  float mean[3], std[3];
  const char *optimizer;
  double lr;
  double rounding;       /* relative difference of losses that is rounding at any rate */
  uint32_t double_steps; /* as many in float64, where a step takes long: the reference kernels are slow */
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
    {"ann-001", 1, 28, 10, 64, UNIT, "sgd", 1e-3, 1e-5, 50},
    {"mnistnet-003", 1, 28, 10, 64, HALF, "sgd", 1e-3, 1e-5, 10},
    {"net-001", 1, 28, 10, 16, UNIT, "sgd", 1e-3, 1e-5, 2},
    {"net-002", 3, 32, 10, 128, HALF, "adam", 1e-3, 1e-5, 2},
    {"convnet-004", 3, 224, 2, 8, IMAGENET, "sgd", 1e-2, 1e-5, 2},
    {"amelie-001", 1, 28, 10, 64, UNIT, "sgd", 1e-3, 1e-4, 1},
    {"resnet-001", 1, 28, 10, 8, UNIT, "sgd", 1e-3, 1e-4, 2},
    {"cats-dogs-000", 3, 128, 2, 4, UNIT, "adam", 1e-4, 1e-4, 2},
};
enum { N_COURSES = sizeof courses / sizeof *courses, N_SMALL = 2 };

/* ---- the data: stripes under noise whose direction is the label, but in a quarter of the pictures ---- */

static uint8_t pixel(const course *c, uint32_t shown, uint32_t i)
{
  const uint32_t x = i % c->side, y = i / c->side % c->side, channel = i / (c->side * c->side) % c->channels;
  const bool bright = (y * shown + 3 * x + 5 * channel) % 28 < 14;
  return (uint8_t)((noise(102, i) & 127) + (bright ? 64 : 0));
}

static dlc_data *make_stripes(const course *c, uint32_t count)
{
  const uint32_t pixels = c->channels * c->side * c->side;
  dlc_data *d = make_data(count, c->channels, c->side, c->classes, c->mean, c->std);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t label = noise(1, i) % c->classes, other = noise(3, i) % c->classes;
    const uint32_t shown = noise(2, i) % 4 == 0 ? other : label;
    d->labels[i] = (int32_t)label;
    for (uint32_t p = i * pixels; p < (i + 1) * pixels; p++) d->samples[p] = pixel(c, shown, p);
  }
  return d;
}

/* ---- what the golden file says of the tensors ---- */

typedef struct described {
  char name[64];
  uint32_t rank;
  int64_t dim[4], count;
  double start, bound; /* before the first step uniform in start +- bound */
  double spread;       /* after the last, of PyTorch's ways from float64: largest difference over largest element */
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
        sscanf(text, "%63s %63s %lf %lf %lf%n", t[n].name, dims, &t[n].start, &t[n].bound, &t[n].spread, &length), 5);
    t[n].bound = (double)(float)t[n].bound; /* of which the text has nine digits */
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
    draw_weights(10 + k, d->start, d->bound, d->count, w);
  }
  ck_assert_msg(dlc_safetensors_write(path, tensors, written, NULL, 0) == DLC_OK, "%s", dlc_reason());
  for (uint32_t i = 0; i < written; i++) free(tensors[i].data);
}

/* ---- training ---- */

static void keep_loss(void *ctx, const dlc_row *row)
{
  if (row->kind != DLC_ROW_STEP) return;
  ck_assert(row->step >= 1 && row->step <= STEPS);
  ck_assert_str_eq(row->names[0], "train_loss");
  ((double *)ctx)[row->step - 1] = row->values[0];
}

typedef struct outcome {
  const char *backend; /* NULL: the reference kernels */
  uint32_t dtype, steps;
  double loss[STEPS];
  dlc_tensor_file golden, weights;
  described tensors[MAX_TENSORS];
} outcome;

/* The steps of a course, and what PyTorch made of them. */
static void train(const course *c, outcome *o)
{
  static const dlc_sgd sgd = {0};
  static const dlc_adam adam = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  const bool is_adam = strcmp(c->optimizer, "adam") == 0;
  const char *before = in_folder("before.safetensors"), *after = in_folder("after.safetensors");
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/golden/course_%s.safetensors", TEST_SOURCE_DIR, c->name);
  read_tensors(path, &o->golden);
  const uint32_t n = read_descriptions(&o->golden, o->tensors);
  write_weights(o->tensors, n, before);
  dlc_train_config config = {.data = make_stripes(c, o->steps * c->batch),
                             .dtype = o->dtype,
                             .batch_size = c->batch,
                             .seed = SEED,
                             .method = {.lr = c->lr, .optimizer_attr = is_adam ? (const void *)&adam : &sgd},
                             .init_from = before,
                             .on_row = keep_loss,
                             .ctx = o->loss};
  ck_assert_int_eq(find_op(NULL, c->optimizer, &config.method.optimizer), DLC_OK);
  ck_assert_int_eq(train_one_epoch(config, c->name, o->backend, after), o->steps);
  free_data(config.data);
  read_tensors(after, &o->weights);
  ck_assert_uint_eq(o->weights.n, n);
}

static void free_outcome(outcome *o)
{
  dlc_safetensors_free(&o->golden);
  dlc_safetensors_free(&o->weights);
}

/* ---- comparing ---- */

/* It is luck whether rounding sends the gradient of an element near 0, or of two equal ones in a window, another way in
 * one step rather than in a later one: a few ways of PyTorch don't show the worst that can happen. */
enum { LUCK = 3 };

static void compare_floats(const course *c, const outcome *o)
{
  const float *pytorchs = tensor(&o->golden, "loss")->data, *spread = tensor(&o->golden, "spread")->data;
  const double *exact = doubles(&o->golden, "exact_loss", STEPS);
  for (uint32_t i = 0; i < o->steps; i++) {
    const double theirs = (double)pytorchs[i], limit = fmax(c->rounding, LUCK * (double)spread[i]);
    if ((double)spread[i] <= c->rounding)
      ck_assert_msg(fabs(o->loss[i] - theirs) <= c->rounding * theirs, "loss of step %u is %.9g, PyTorch's %.9g", i + 1,
                    o->loss[i], theirs);
    ck_assert_msg(fabs(o->loss[i] - exact[i]) <= limit * exact[i],
                  "loss of step %u is %.9g, in float64 %.9g; PyTorch's "
                  "are off by up to %.2g",
                  i + 1, o->loss[i], exact[i], (double)spread[i]);
  }
}

static void compare_tensors(const outcome *o)
{
  for (uint32_t k = 0; k < o->weights.n; k++) {
    const described *d = &o->tensors[k];
    const dlc_tensor *t = tensor(&o->weights, d->name);
    if (is_counter(d)) {
      ck_assert_int_eq(*(int64_t *)t->data, o->steps);
      continue;
    }
    ck_assert_uint_eq(t->rank, d->rank);
    ck_assert_mem_eq(t->dim, d->dim, d->rank * sizeof *d->dim);
    if (o->steps < STEPS) continue;
    const double limit = o->dtype == DLC_F64 ? 1e-10 : LUCK * d->spread + 1e-5;
    const double error = tensor_error(t, &o->golden, d->count / 100 | 1);
    ck_assert_msg(error <= limit, "%s is off by %.2g from float64, may be by %.2g", d->name, error, limit);
  }
}

static void compare_in_floats(const course *c, const char *backend)
{
  static outcome o;
  o = (outcome){.backend = backend, .dtype = DLC_F32, .steps = STEPS};
  train(c, &o);
  compare_floats(c, &o);
  compare_tensors(&o);
  free_outcome(&o);
}

START_TEST(fifty_steps_on_the_cpu_backend_equal_pytorchs)
{
  compare_in_floats(&courses[_i], "cpu");
}
END_TEST

START_TEST(fifty_steps_on_the_reference_kernels_equal_pytorchs)
{
  compare_in_floats(&courses[_i], NULL);
}
END_TEST

START_TEST(steps_in_float64_equal_pytorchs)
{
  static outcome o;
  o = (outcome){.dtype = DLC_F64, .steps = courses[_i].double_steps};
  train(&courses[_i], &o);
  const double *exact = doubles(&o.golden, "exact_loss", STEPS);
  for (uint32_t i = 0; i < o.steps; i++)
    ck_assert_msg(fabs(o.loss[i] - exact[i]) <= 1e-12 * exact[i], "loss of step %u is %.17g, PyTorch's %.17g", i + 1,
                  o.loss[i], exact[i]);
  compare_tensors(&o);
  free_outcome(&o);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("pytorch");
  tcase_add_checked_fixture(tests, make_folder, remove_folder);
  tcase_add_loop_test(tests, fifty_steps_on_the_cpu_backend_equal_pytorchs, 0, N_COURSES);
  tcase_add_loop_test(tests, fifty_steps_on_the_reference_kernels_equal_pytorchs, 0, N_SMALL);
  tcase_add_loop_test(tests, steps_in_float64_equal_pytorchs, 0, N_COURSES);
  return run_suite("course_parity", tests);
}
