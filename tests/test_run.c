/* Whole training runs on a small data set in memory: they learn, they are reproducible to the byte, they allocate
 * nothing after the first step, and what goes wrong is said. */
#include "base/clock.h"
#include "base/pool.h"
#include "host/host.h"
#include "rig.h"
#include "train/parameters.h"
#include "train/step_graph.h"
#include "train/train.h"
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Counts every allocation of the process, plugins and libraries included: they find these functions by name. */
#define COUNTS_ALLOCATIONS 1
#pragma GCC visibility push(default)
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static atomic_ulong allocations;
void *malloc(size_t n)
{
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(p, n);
}
#pragma GCC visibility pop
#endif

static const char model_text[] = "layers:\n"
                                 "  - conv2d: {name: conv1, out_channels: 3, kernel_size: 3, padding: same}\n"
                                 "  - relu\n"
                                 "  - max_pool2d: 2\n"
                                 "  - flatten\n"
                                 "  - linear: {name: fc1, out_features: 16}\n"
                                 "  - relu\n"
                                 "  - linear: {name: fc2, out_features: classes}\n";

typedef struct outcome {
  dlc_results results;
  double first_loss;
  unsigned long allocations; /* during steps after the first epoch began to repeat */
  uint32_t rows[3], batches;
  char *weights; /* the file's bytes */
  size_t length;
} outcome;

typedef struct settings {
  bool cpu;
  uint32_t threads, workers, epochs, batch, stop_after;
  const char *optimizer, *init_from, *dump;
  double lr, val_split;
  bool streamed;
  uint64_t seed;
  int64_t fail_at;
} settings;

static const settings usual = {
    .cpu = true, .threads = 2, .epochs = 3, .batch = 16, .optimizer = "adam", .lr = 0.01, .seed = 1, .fail_at = -1};

typedef struct watcher {
  outcome *o;
  uint32_t stop_after;
  unsigned long at_second_step;
  char *dump;
} watcher;

static bool on_batch(void *ctx, const dlc_progress *p)
{
  watcher *w = ctx;
  w->o->batches++;
  if (w->o->batches == 1) w->o->first_loss = p->loss;
#ifdef COUNTS_ALLOCATIONS
  if (w->o->batches == 2) w->at_second_step = allocations;
  w->o->allocations = allocations - w->at_second_step;
#endif
  return !w->stop_after || w->o->batches < w->stop_after;
}

static void on_row(void *ctx, const dlc_row *row)
{
  watcher *w = ctx;
  w->o->rows[row->kind]++;
}

static void on_dump(void *ctx, const char *text)
{
  watcher *w = ctx;
  w->dump = strdup(text);
}

static char *read_all(const char *path, size_t *length)
{
  FILE *f = fopen(path, "rb");
  ck_assert_msg(f != NULL, "%s is missing", path);
  fseek(f, 0, SEEK_END);
  *length = (size_t)ftell(f);
  rewind(f);
  char *data = malloc(*length + 1);
  ck_assert_uint_eq(fread(data, 1, *length, f), *length);
  fclose(f);
  return data;
}

/* Returns the status of the run; everything is closed again. */
static dlc_status run_it(const settings *s, outcome *o, char **dump)
{
  rig_data data;
  dlc_pool *pool;
  dlc_registry *registry;
  dlc_machine *machine;
  dlc_model *model;
  dlc_run *run;
  const void *backend = NULL;
  const dlc_host *host = NULL;
  const dlc_op *optimizer = NULL;
  char path[] = "/tmp/dlcore-run-XXXXXX";
  double attr[8];
  const char *missing;
  watcher w = {.o = o, .stop_after = s->stop_after};

  *o = (outcome){0};
  rig_data_open(&data, 200, 50, !s->streamed);
  data.fail_at = s->fail_at;
  rig_ok(dlc_pool_open(s->threads, &pool));
  const dlc_registry_config rc = {.plugin_path = TEST_PLUGIN_DIR, .pool = pool};
  rig_ok(dlc_registry_open(&rc, &registry));
  if (s->cpu) rig_ok(dlc_registry_find(registry, DLC_IFACE_BACKEND, "cpu", &backend, &host));
  const dlc_host own = rig_host(NULL);
  const dlc_machine_config mc = {.backend = backend, .host = s->cpu ? host : &own};
  rig_ok(dlc_machine_open(&mc, &machine));
  rig_ok(dlc_model_parse(model_text, strlen(model_text), "model.yaml", &model));
  rig_ok(rig_find(NULL, s->optimizer, &optimizer));
  memset(attr, 0, sizeof(attr));
  rig_ok(dlc_attr_defaults(optimizer, attr, &missing));
  const dlc_train_config config = {.model = model,
                                   .dataset = &rig_dataset,
                                   .data = rig_as_data(&data),
                                   .machine = machine,
                                   .finder = rig_finder(&own),
                                   .epochs = s->epochs,
                                   .batch_size = s->batch,
                                   .workers = s->workers,
                                   .seed = s->seed,
                                   .shuffle = true,
                                   .val_split = s->val_split,
                                   .method.lr = s->lr,
                                   .method.optimizer = optimizer,
                                   .method.optimizer_attr = attr,
                                   .init_from = s->init_from,
                                   .dump_graph = s->dump,
                                   .on_dump = on_dump,
                                   .on_batch = on_batch,
                                   .on_row = on_row,
                                   .ctx = &w};
  dlc_status status = dlc_run_open(&config, dlc_seconds(), &run);
  if (status >= 0) {
    status = dlc_run_train(run, &o->results);
    close(mkstemp(path));
    rig_ok(dlc_run_save(run, path));
    o->weights = read_all(path, &o->length);
    unlink(path);
    dlc_run_close(run);
  }
  if (dump) *dump = w.dump;
  else free(w.dump);
  dlc_model_free(model);
  dlc_machine_close(machine);
  dlc_registry_close(registry);
  dlc_pool_close(pool);
  rig_data_close(&data);
  return status;
}

static void expect_same_weights(const settings *a, const settings *b, const char *what)
{
  outcome x, y;
  rig_ok(run_it(a, &x, NULL));
  rig_ok(run_it(b, &y, NULL));
  ck_assert_uint_eq(x.length, y.length);
  ck_assert_msg(memcmp(x.weights, y.weights, x.length) == 0, "weights differ between runs: %s", what);
  free(x.weights);
  free(y.weights);
}

START_TEST(learns_on_the_backend_and_on_the_reference_kernels)
{
  for (int cpu = 0; cpu < 2; cpu++) {
    settings s = usual;
    outcome o;
    s.cpu = cpu;
    s.epochs = 6;
    rig_ok(run_it(&s, &o, NULL));
    ck_assert_msg(o.results.test.accuracy > 0.95, "test accuracy %g", o.results.test.accuracy);
    ck_assert_msg(o.results.train.loss < o.first_loss / 2, "train loss %g, at first %g", o.results.train.loss,
                  o.first_loss);
    ck_assert_int_eq(o.results.test.samples, 50);
    ck_assert_int_eq(o.results.train.samples, 200);
    ck_assert_int_eq(o.results.steps, 6 * 13);
    ck_assert_int_eq(o.results.parameters, 3 * 9 + 3 + 16 * 108 + 16 + 4 * 16 + 4);
    ck_assert_uint_eq(o.rows[DLC_ROW_EPOCH], 6);
    ck_assert_uint_eq(o.rows[DLC_ROW_STEP], 6 * 13);
    free(o.weights);
  }
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bytes_for_any_threads_and_workers)
{
  static const uint32_t threads[] = {1, 2, 3, 4}, workers[] = {0, 1, 2, 8};
  for (int i = 0; i < 4; i++) {
    settings other = usual;
    char what[64];
    other.threads = threads[i];
    other.workers = workers[3 - i];
    other.streamed = i % 2;
    snprintf(what, sizeof(what), "2 threads, 0 workers and %u threads, %u workers", other.threads, other.workers);
    expect_same_weights(&usual, &other, what);
  }
}
END_TEST

START_TEST(another_seed_gives_other_weights)
{
  settings other = usual;
  outcome x, y;
  other.seed = 2;
  rig_ok(run_it(&usual, &x, NULL));
  rig_ok(run_it(&other, &y, NULL));
  ck_assert_mem_ne(x.weights, y.weights, x.length);
  free(x.weights);
  free(y.weights);
}
END_TEST

#ifdef COUNTS_ALLOCATIONS
START_TEST(nothing_is_allocated_after_the_first_step)
{
  for (int i = 0; i < 4; i++) {
    settings s = usual;
    outcome o;
    s.cpu = i & 1;
    s.workers = i & 2;
    s.epochs = 4;
    rig_ok(run_it(&s, &o, NULL));
    ck_assert_uint_gt(o.batches, 50);
    ck_assert_msg(o.allocations == 0, "%lu allocations after the first step (%s, %u workers)", o.allocations,
                  s.cpu ? "cpu" : "reference", s.workers);
    free(o.weights);
  }
}
END_TEST
#endif

START_TEST(a_validation_part_is_evaluated_every_epoch_and_the_test_split_at_the_end)
{
  settings s = usual;
  outcome o;
  s.val_split = 0.25;
  rig_ok(run_it(&s, &o, NULL));
  ck_assert_int_eq(o.results.train.samples, 150);
  ck_assert_int_eq(o.results.val.samples, 50);
  ck_assert_int_eq(o.results.test.samples, 50);
  ck_assert_uint_eq(o.batches, 3 * (10 + 4) + 4);
  free(o.weights);
}
END_TEST

START_TEST(a_run_can_be_stopped_at_any_batch)
{
  settings s = usual;
  outcome o;
  s.stop_after = 5;
  rig_ok(run_it(&s, &o, NULL));
  ck_assert(o.results.interrupted);
  ck_assert_int_eq(o.results.steps, 5);
  ck_assert_uint_eq(o.results.epochs, 0);
  free(o.weights);
}
END_TEST

START_TEST(a_loss_that_is_not_a_number_ends_the_run_with_the_step)
{
  settings s = usual;
  outcome o;
  s.optimizer = "sgd";
  s.lr = 1e30;
  ck_assert_int_eq(run_it(&s, &o, NULL), DLC_INVALID);
  ck_assert_msg(strstr(dlc_reason(), "at step ") && strstr(dlc_reason(), "try a smaller --lr"), "%s", dlc_reason());
  free(o.weights);
}
END_TEST

START_TEST(a_sample_that_cannot_be_read_ends_the_run)
{
  for (uint32_t workers = 0; workers < 3; workers++) {
    settings s = usual;
    outcome o;
    s.streamed = true;
    s.fail_at = 30;
    s.workers = workers;
    ck_assert_int_eq(run_it(&s, &o, NULL), DLC_IO);
    ck_assert_str_eq(dlc_reason(), "sample 30 of train: cannot read it");
    free(o.weights);
  }
}
END_TEST

START_TEST(weights_of_one_run_start_another)
{
  char path[] = "/tmp/dlcore-init-XXXXXX";
  settings s = usual;
  outcome o, p;
  rig_ok(run_it(&s, &o, NULL));
  int fd = mkstemp(path);
  ck_assert_int_eq(write(fd, o.weights, o.length), (ssize_t)o.length);
  close(fd);
  s.init_from = path;
  s.lr = 0;
  s.optimizer = "sgd";
  s.seed = 77;
  rig_ok(run_it(&s, &p, NULL));
  ck_assert_mem_eq(o.weights, p.weights, o.length);
  unlink(path);
  free(o.weights);
  free(p.weights);
}
END_TEST

static dlc_status state_of_ones(const dlc_host *h, const void *attr, const dlc_value *const *in, uint32_t k,
                                dlc_param *p)
{
  (void)h, (void)attr;
  if (k) return DLC_END;
  *p = (dlc_param){.size = sizeof *p, .name = "ones", .value = *in[0], .init = DLC_INIT_CONSTANT, .a = 1};
  return DLC_OK;
}

START_TEST(an_optimizer_whose_state_would_not_begin_with_0_is_refused)
{
  rig_data data;
  dlc_model *model;
  const dlc_op *sgd = NULL;
  dlc_graph_build *g;
  dlc_model_graph m;
  const dlc_host host = rig_host(NULL);
  const dlc_sgd attr = {.momentum = 0.9};
  rig_data_open(&data, 4, 0, 1);
  rig_ok(dlc_model_parse(model_text, strlen(model_text), "model.yaml", &model));
  rig_ok(rig_find(NULL, "sgd", &sgd));
  dlc_op optimizer = *sgd;
  optimizer.param = state_of_ones;
  dlc_input input;
  rig_ok(dlc_input_plan(&data.info, NULL, NULL, &input));
  const dlc_method method = {.optimizer = &optimizer, .optimizer_attr = &attr, .lr = 1};
  const dlc_step_config config = {.model = model,
                                  .input = &input,
                                  .classes = RIG_CLASSES,
                                  .method = &method,
                                  .training = true,
                                  .finder = rig_finder(&host),
                                  .batch = 2};
  ck_assert_int_eq(dlc_step_graph(&config, &g, &m), DLC_UNSUPPORTED);
  ck_assert_str_eq(dlc_reason(), "optimizer sgd: state 0 has no name, or does not begin with 0");
  dlc_model_free(model);
  rig_data_close(&data);
}
END_TEST

/* A layer that lets no gradient through, as torch.Tensor.detach. */
static dlc_status detach_infer(const dlc_host *h, void *attr, uint32_t n_in, const dlc_value *const *in,
                               uint32_t *n_out, dlc_value *out)
{
  (void)h, (void)attr, (void)n_in;
  *n_out = 1;
  out[0].dtype = in[0]->dtype;
  out[0].rank = in[0]->rank;
  memcpy(out[0].dim, in[0]->dim, sizeof out[0].dim);
  return DLC_OK;
}

static dlc_status detach_grad(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  (void)b, (void)forward, (void)grad_out, (void)grad_in;
  return DLC_OK;
}

static dlc_status detach_reference(const dlc_call *call)
{
  memcpy(call->out[0], call->in[0], (size_t)dlc_count(call->iv[0]) * sizeof(double));
  return DLC_OK;
}

static const dlc_op detach = {.size = sizeof(dlc_op),
                              .name = "detach",
                              .version = 1,
                              .kind = DLC_OP_LAYER,
                              .n_data = 1,
                              .infer = detach_infer,
                              .grad = detach_grad,
                              .reference = detach_reference};

static dlc_status find_detach(void *ctx, const char *name, const dlc_op **op)
{
  if (strcmp(name, "detach") != 0) return rig_find(ctx, name, op);
  *op = &detach;
  return DLC_OK;
}

static bool updates(const dlc_graph *g, const char *parameter)
{
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    if (n->op->kind == DLC_OP_OPTIMIZER && strcmp(dlc_value_at(g, n->in[0])->name, parameter) == 0) return true;
  }
  return false;
}

/* As in PyTorch, where its gradient is None: not even weight decay changes it, whether gradients are summed or not. */
START_TEST(a_parameter_that_no_gradient_reaches_is_not_updated)
{
  static const char text[] = "layers: [flatten, linear: {name: still, out_features: 4}, detach, "
                             "linear: {name: fc, out_features: classes}]";
  rig_data data;
  dlc_model *model;
  dlc_input input;
  const dlc_host host = rig_host(NULL);
  const dlc_sgd attr = {.weight_decay = 0.5};
  dlc_method method = {.optimizer_attr = &attr, .lr = 1, .clip_norm = 1};
  rig_data_open(&data, 4, 0, 1);
  rig_ok(dlc_model_parse(text, strlen(text), "model.yaml", &model));
  rig_ok(rig_find(NULL, "sgd", &method.optimizer));
  rig_ok(dlc_input_plan(&data.info, NULL, NULL, &input));
  for (method.accumulate = 1; method.accumulate <= 2; method.accumulate++) {
    const dlc_step_config config = {.model = model,
                                    .input = &input,
                                    .classes = RIG_CLASSES,
                                    .method = &method,
                                    .training = true,
                                    .finder = {.find = find_detach, .host = &host},
                                    .batch = 2};
    dlc_graph_build *step, *apply = NULL;
    dlc_model_graph m;
    rig_ok(dlc_step_graph(&config, &step, &m));
    if (method.accumulate > 1) rig_ok(dlc_apply_graph(&config, dlc_graph_view(step), &m, &apply));
    const dlc_graph *g = dlc_graph_view(apply ? apply : step);
    ck_assert(updates(g, "fc.weight"));
    ck_assert_msg(!updates(g, "still.weight"), "still.weight is updated, accumulating %u", method.accumulate);
    dlc_model_graph_free(&m);
    dlc_graph_free(step);
    if (apply) dlc_graph_free(apply);
  }
  dlc_model_free(model);
  rig_data_close(&data);
}
END_TEST

START_TEST(the_graph_can_be_dumped_at_every_stage)
{
  static const char *const stages[] = {"forward", "loss", "backward", "update", "plan"};
  static const char *const holds[] = {"= conv2d(", "= cross_entropy(", "= conv2d_grad_weight(", "= adam(", " by cpu"};
  for (int i = 0; i < 5; i++) {
    settings s = usual;
    outcome o;
    char *dump = NULL;
    s.dump = stages[i];
    s.epochs = 1;
    rig_ok(run_it(&s, &o, &dump));
    ck_assert_msg(dump && strstr(dump, holds[i]), "stage %s: %s", stages[i], dump ? dump : "nothing");
    if (i < 4) ck_assert_msg(i == 3 || !strstr(dump, holds[i + 1]), "stage %s already has the next one", stages[i]);
    free(dump);
    free(o.weights);
  }
}
END_TEST

int main(void)
{
  Suite *s = suite_create("run");
  TCase *c = tcase_create("run");
  tcase_add_test(c, learns_on_the_backend_and_on_the_reference_kernels);
  tcase_add_test(c, the_same_seed_gives_the_same_bytes_for_any_threads_and_workers);
  tcase_add_test(c, another_seed_gives_other_weights);
#ifdef COUNTS_ALLOCATIONS
  tcase_add_test(c, nothing_is_allocated_after_the_first_step);
#endif
  tcase_add_test(c, a_validation_part_is_evaluated_every_epoch_and_the_test_split_at_the_end);
  tcase_add_test(c, a_run_can_be_stopped_at_any_batch);
  tcase_add_test(c, a_loss_that_is_not_a_number_ends_the_run_with_the_step);
  tcase_add_test(c, a_sample_that_cannot_be_read_ends_the_run);
  tcase_add_test(c, weights_of_one_run_start_another);
  tcase_add_test(c, an_optimizer_whose_state_would_not_begin_with_0_is_refused);
  tcase_add_test(c, a_parameter_that_no_gradient_reaches_is_not_updated);
  tcase_add_test(c, the_graph_can_be_dumped_at_every_stage);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
