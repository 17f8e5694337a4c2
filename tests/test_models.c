/* The models that are shipped, against PyTorch's: tests/make_models.py wrote golden/models.txt, where the format is
 * explained, and has the formulas that are repeated here. */
#include "base/pool.h"
#include "base/status.h"
#include "graph/flops.h"
#include "graph/model.h"
#include "host/host.h"
#include "ops/ops.h"
#include "run/program.h"
#include "suite.h"
#include <math.h>

enum { MODELS_MAX = 64, TENSORS_MAX = 512, BATCH = 2 };

typedef struct tensor {
  char name[128], dtype[8], dims[64]; /* dims: "64x3x7x7", "" of a single number */
  double mean, std, min, max;         /* of a fresh network's, where it is of floats */
} tensor;

typedef struct expected {
  char name[64];
  int64_t chw[3], classes, parameters;
  double flops;
  uint32_t n_tensors;
  tensor *tensors;
  int64_t run_chw[3], run_classes; /* of the outputs; 0 where there are none */
  double *outputs;                 /* [BATCH, run_classes] */
} expected;

static expected models[MODELS_MAX];
static int n_models;

/* ---- what PyTorch says ---- */

/* Read before there is a test that could fail. */
static void require(bool holds, const char *line)
{
  if (holds) return;
  fprintf(stderr, "golden/models.txt: %s\n", line);
  exit(EXIT_FAILURE);
}

static void read_outputs(expected *m, const char *line)
{
  char *end;
  int at = 0;
  const int n =
      sscanf(line, "outputs %ldx%ldx%ld %ld%n", &m->run_chw[0], &m->run_chw[1], &m->run_chw[2], &m->run_classes, &at);
  require(n == 4, line);
  m->outputs = calloc((size_t)(BATCH * m->run_classes), sizeof *m->outputs);
  line += at;
  for (int64_t i = 0; i < BATCH * m->run_classes; i++, line = end) {
    m->outputs[i] = strtod(line, &end);
    require(end != line, "too few outputs");
  }
}

static void read_line(const char *line)
{
  expected *m = n_models ? &models[n_models - 1] : NULL;
  if (*line == '#') return;
  if (strncmp(line, "model ", 6) == 0) {
    require(n_models < MODELS_MAX, "too many models");
    m = &models[n_models++];
    m->tensors = calloc(TENSORS_MAX, sizeof *m->tensors);
    require(sscanf(line, "model %63s %ldx%ldx%ld %ld %ld %lf", m->name, &m->chw[0], &m->chw[1], &m->chw[2], &m->classes,
                   &m->parameters, &m->flops) == 7,
            line);
  } else if (strncmp(line, "outputs ", 8) == 0) {
    read_outputs(m, line);
  } else {
    tensor *t = &m->tensors[m->n_tensors++];
    require(m->n_tensors < TENSORS_MAX, "too many tensors");
    const int n =
        sscanf(line, "%127s %7s %63s %lf %lf %lf %lf", t->name, t->dtype, t->dims, &t->mean, &t->std, &t->min, &t->max);
    require(n == 7 || (n == 2 && strcmp(t->dtype, "i64") == 0), line);
  }
}

static void read_models(void)
{
  static char line[8192];
  FILE *f = fopen(TEST_SOURCE_DIR "/golden/models.txt", "r");
  require(f != NULL, "cannot be read");
  while (fgets(line, sizeof line, f)) read_line(line);
  fclose(f);
  require(n_models >= 20, "too few models");
}

static void free_models(void)
{
  for (int i = 0; i < n_models; i++) {
    free(models[i].tensors);
    free(models[i].outputs);
  }
}

static const tensor *find_tensor(const expected *m, const char *name, uint32_t *index)
{
  for (*index = 0; *index < m->n_tensors; ++*index)
    if (strcmp(m->tensors[*index].name, name) == 0) return &m->tensors[*index];
  return NULL;
}

/* ---- what dlcore makes of the file ---- */

static dlc_status find_op(void *ctx, const char *name, const dlc_op **op)
{
  (void)ctx;
  for (uint32_t i = 0; (*op = dlc_core_ops[i]); i++)
    if (strcmp((*op)->name, name) == 0) return DLC_OK;
  return dlc_fail(DLC_NOT_FOUND, "no op %s", name);
}

static dlc_model *read_model(const char *name)
{
  char path[PATH_MAX];
  dlc_model *model;
  snprintf(path, sizeof path, "%s/%s.yaml", TEST_MODEL_DIR, name);
  ck_assert_msg(dlc_model_read(path, &model) == DLC_OK, "%s", dlc_reason());
  ck_assert_str_eq(dlc_model_name(model), name);
  return model;
}

static dlc_graph_build *build(const dlc_model *model, const dlc_host *host, int64_t batch, const int64_t chw[3],
                              int64_t classes, bool training, dlc_model_graph *m)
{
  const int64_t dim[4] = {batch, chw[0], chw[1], chw[2]};
  const dlc_op_finder finder = {find_op, NULL, host};
  const dlc_model_use use = {.classes = classes, .training = training};
  dlc_graph_build *g;
  uint32_t input;
  ck_assert_int_eq(dlc_graph_new(&finder, &g), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input), DLC_OK);
  ck_assert_msg(dlc_model_build(model, g, input, &use, m) == DLC_OK, "%s", dlc_reason());
  return g;
}

static void dims_text(const dlc_value *v, char *text, size_t size)
{
  size_t n = 0;
  *text = 0;
  for (uint32_t i = 0; i < v->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, "%s%lld", i ? "x" : "", (long long)v->dim[i]);
}

static void expect_tensors(const expected *e, const dlc_graph *g, const dlc_model_graph *m)
{
  int64_t parameters = 0;
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    char dims[64];
    uint32_t index;
    const tensor *t = find_tensor(e, v->name, &index);
    ck_assert_msg(t != NULL, "%s: PyTorch has no tensor %s", e->name, v->name);
    dims_text(v, dims, sizeof dims);
    ck_assert_msg(strcmp(dims, t->dims) == 0 && v->dtype == (t->dtype[0] == 'f' ? DLC_F32 : DLC_I64),
                  "%s: %s is %s of type %u, expected %s %s", e->name, v->name, dims, v->dtype, t->dtype, t->dims);
    if (v->role == DLC_ROLE_PARAMETER) parameters += dlc_count(v);
  }
  ck_assert_msg(m->n_params == e->n_tensors, "%s: %u tensors, expected %u", e->name, m->n_params, e->n_tensors);
  ck_assert_msg(parameters == e->parameters, "%s: %lld parameters, expected %lld", e->name, (long long)parameters,
                (long long)e->parameters);
}

static void expect_flops(const expected *e, const dlc_graph *g)
{
  double flops = 0;
  for (uint32_t i = 0; i < g->n_nodes; i++) flops += dlc_node_flops(g, i);
  ck_assert_msg(flops == e->flops, "%s: %.0f FLOPs, expected %.0f", e->name, flops, e->flops);
}

static const dlc_host no_host = {.size = sizeof no_host};

START_TEST(tensors_parameters_and_flops_are_those_of_pytorch)
{
  const expected *e = &models[_i];
  dlc_model *model = read_model(e->name);
  dlc_model_graph m;
  dlc_graph_build *g = build(model, &no_host, 1, e->chw, e->classes, false, &m);
  expect_tensors(e, dlc_graph_view(g), &m);
  expect_flops(e, dlc_graph_view(g));
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  g = build(model, &no_host, BATCH, e->chw, e->classes, true, &m);
  expect_tensors(e, dlc_graph_view(g), &m);
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  dlc_model_free(model);
}
END_TEST

/* ---- how it begins ---- */

/* Mean, deviation and bounds of a distribution. */
typedef struct moments {
  double mean, std, low, high;
} moments;

static moments moments_of(const dlc_init *i)
{
  if (i->kind == DLC_INIT_CONSTANT) return (moments){i->a, 0, i->a, i->a};
  if (i->kind == DLC_INIT_UNIFORM) return (moments){(i->a + i->b) / 2, (i->b - i->a) / sqrt(12), i->a, i->b};
  if (i->low < i->high) ck_assert_double_ge(fmin(i->a - i->low, i->high - i->a), 6 * i->b); /* hardly cut */
  return (moments){i->a, i->b, -HUGE_VAL, HUGE_VAL};
}

/* That PyTorch's numbers were drawn from it: within five standard errors of its moments, inside of its bounds, and
 * beyond those of a uniform distribution of that deviation where it has none. */
static void expect_drawn_from(const dlc_init *init, int64_t n, const tensor *t, const char *model)
{
  const moments d = moments_of(init);
  const double rounding = 1e-6 * (fabs(d.mean) + d.std);
  ck_assert_msg(fabs(t->mean - d.mean) <= 5 * d.std / sqrt((double)n) + rounding, "%s: %s has mean %g, expected %g",
                model, t->name, t->mean, d.mean);
  ck_assert_msg(fabs(t->std - d.std) <= 5 * d.std / sqrt(2 * (double)n) + rounding,
                "%s: %s has deviation %g, expected %g", model, t->name, t->std, d.std);
  ck_assert_msg(t->min >= d.low - rounding && t->max <= d.high + rounding, "%s: %s is from %g to %g, expected %g to %g",
                model, t->name, t->min, t->max, d.low, d.high);
  if (init->kind == DLC_INIT_NORMAL && n >= 500)
    ck_assert_msg(t->max - d.mean > 2 * d.std, "%s: %s ends at %g, where its deviation is %g", model, t->name, t->max,
                  d.std);
}

START_TEST(a_fresh_network_is_drawn_from_pytorchs_distributions)
{
  const expected *e = &models[_i];
  dlc_model *model = read_model(e->name);
  dlc_model_graph m;
  dlc_graph_build *g = build(model, &no_host, BATCH, e->chw, e->classes, true, &m);
  for (uint32_t i = 0; i < m.n_params; i++) {
    const dlc_value *v = dlc_value_at(dlc_graph_view(g), m.params[i].value);
    uint32_t index;
    const tensor *t = find_tensor(e, v->name, &index);
    ck_assert_ptr_nonnull(t);
    if (v->dtype == DLC_F32) expect_drawn_from(&m.params[i].init, dlc_count(v), t, e->name);
  }
  dlc_model_graph_free(&m);
  dlc_graph_free(g);
  dlc_model_free(model);
}
END_TEST

/* ---- running it ---- */

static double noise(uint32_t stream, uint32_t i) /* [-1, 1) */
{
  uint32_t h = i + stream * 1000003u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  h ^= h >> 16;
  return 2 * ((double)(h >> 8) * 0x1p-24) - 1;
}

static bool ends_with(const char *text, const char *end)
{
  return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void fill(uint32_t k, const dlc_value *v, float *out)
{
  const bool positive = ends_with(v->name, "running_var") || (v->rank == 1 && ends_with(v->name, "weight"));
  const int64_t n = dlc_count(v);
  for (int64_t i = 0; i < n; i++) {
    const double u = noise(10 + k, (uint32_t)i);
    out[i] = (float)(positive ? 1 + u / 2 : v->rank <= 1 ? u / 4 : u * sqrt(6.0 / (double)(n / v->dim[0])));
  }
}

static void fill_all(const expected *e, const dlc_graph *g, const dlc_model_graph *m, const dlc_machine *machine)
{
  float *x = dlc_machine_memory(machine, "input", NULL);
  for (int64_t i = 0; i < BATCH * e->run_chw[0] * e->run_chw[1] * e->run_chw[2]; i++)
    x[i] = (float)noise(1, (uint32_t)i);
  for (uint32_t i = 0; i < m->n_params; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    uint32_t k;
    ck_assert_ptr_nonnull(find_tensor(e, v->name, &k));
    if (v->dtype == DLC_F32) fill(k, v, dlc_machine_memory(machine, v->name, NULL));
  }
}

static void expect_outputs(const expected *e, const float *y)
{
  const int64_t n = BATCH * e->run_classes;
  double largest = 0, error = 0;
  for (int64_t i = 0; i < n; i++) {
    largest = fmax(largest, fabs(e->outputs[i]));
    if (!(fabs((double)y[i] - e->outputs[i]) <= error)) error = fabs((double)y[i] - e->outputs[i]);
  }
  ck_assert_msg(error <= 1e-4 * largest, "%s: an output is off by %g, the largest is %g", e->name, error, largest);
}

static void run(const expected *e, dlc_machine *machine, const dlc_host *host)
{
  dlc_model *model = read_model(e->name);
  dlc_model_graph m;
  dlc_program *program;
  dlc_graph_build *g = build(model, host, BATCH, e->run_chw, e->run_classes, false, &m), *same;
  dlc_model_graph description;
  same = build(model, host, BATCH, e->run_chw, e->run_classes, false, &description);
  ck_assert_int_eq(dlc_graph_pool_before_relu(g), DLC_OK);
  ck_assert_int_eq(dlc_graph_mark(g, m.logits, DLC_ROLE_OUTPUT, "outputs"), DLC_OK);
  ck_assert_int_eq(dlc_graph_prune(g), DLC_OK);
  ck_assert_msg(dlc_program_add(machine, e->name, g, &program) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_machine_commit(machine) == DLC_OK, "%s", dlc_reason());
  fill_all(e, dlc_graph_view(same), &description, machine);
  ck_assert_msg(dlc_program_run(program) == DLC_OK, "%s", dlc_reason());
  expect_outputs(e, dlc_machine_memory(machine, "outputs", NULL));
  dlc_model_graph_free(&m);
  dlc_model_graph_free(&description);
  dlc_graph_free(same);
  dlc_model_free(model);
}

START_TEST(outputs_are_those_of_pytorch)
{
  const expected *e = &models[_i];
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  const void *backend;
  const dlc_host *host;
  if (!e->outputs) return;
  ck_assert_int_eq(dlc_pool_open(2, &pool), DLC_OK);
  const dlc_registry_config config = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  ck_assert_msg(dlc_registry_open(&config, &registry) == DLC_OK, "%s", dlc_reason());
  ck_assert_msg(dlc_registry_find(registry, DLC_IFACE_BACKEND, "cpu", &backend, &host) == DLC_OK, "%s", dlc_reason());
  const dlc_machine_config machine_config = {.backend = backend, .host = host};
  ck_assert_msg(dlc_machine_open(&machine_config, &machine) == DLC_OK, "%s", dlc_reason());
  run(e, machine, host);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
}
END_TEST

int main(void)
{
  read_models();
  TCase *t = tcase_create("models");
  tcase_add_loop_test(t, tensors_parameters_and_flops_are_those_of_pytorch, 0, n_models);
  tcase_add_loop_test(t, a_fresh_network_is_drawn_from_pytorchs_distributions, 0, n_models);
  tcase_add_loop_test(t, outputs_are_those_of_pytorch, 0, n_models);
  const int failed = run_suite("models", t);
  free_models();
  return failed;
}
