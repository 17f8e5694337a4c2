/* A model file with batch normalisation, as PyTorch has it: what it computes in training, its running statistics after
 * several steps, and what it computes in evaluation then. tests/make_batch_norm.py wrote PyTorch's numbers. On the
 * reference kernels, in double. */
#include "graph/model.h"
#include "reference_run.h"
#include "suite.h"
#include "vectors.h"
#include <math.h>

static const char text[] = "layers:\n"
                           "  - conv2d: {name: conv, out_channels: 4, kernel_size: 3, padding: 1, bias: false}\n"
                           "  - batch_norm2d: {name: norm}\n"
                           "  - relu: {name: relu}\n"
                           "  - conv2d: {name: depthwise, out_channels: 4, kernel_size: 3, stride: 2, groups: 4}\n"
                           "  - batch_norm2d: {name: plain, eps: 1e-3, momentum: 0.25, affine: false}\n"
                           "  - flatten: {name: flatten}\n"
                           "  - linear: {name: fc, out_features: classes}\n";

static dlc_arena arena;
static json_t *golden;

static void open_golden(void)
{
  json_error_t error;
  golden = json_load_file(TEST_SOURCE_DIR "/golden/batch_norm.json", 0, &error);
  ck_assert_msg(golden != NULL, "%s", error.text);
}

static void close_golden(void)
{
  json_decref(golden);
  dlc_arena_free(&arena);
}

static vector_tensor tensor_of(const json_t *j, const char *name)
{
  vector_tensor t = {.data = NULL};
  ck_assert_msg(read_vector_tensor(&arena, j, &t), "%s is missing", name);
  return t;
}

/* ---- the network ---- */

typedef struct net {
  dlc_model *model;
  dlc_graph_build *g;
  dlc_model_graph m;
  uint32_t input;
  reference_run run;
} net;

static void open_net(net *n, bool training)
{
  const dlc_op_finder finder = core_op_finder();
  const int64_t dim[4] = {3, 2, 5, 6};
  *n = (net){.model = NULL};
  ck_assert_int_eq(dlc_model_parse(text, strlen(text), "m.yaml", &n->model), DLC_OK);
  ck_assert_int_eq(dlc_graph_new(&finder, &n->g), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(n->g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &n->input), DLC_OK);
  const dlc_model_use use = {.classes = 3, .training = training};
  ck_assert_msg(dlc_model_build(n->model, n->g, n->input, &use, &n->m) == DLC_OK, "%s", dlc_reason());
  ck_assert_int_eq(reference_open(dlc_graph_view(n->g), &n->run), DLC_OK);
}

static void close_net(net *n)
{
  reference_free(&n->run);
  dlc_model_graph_free(&n->m);
  dlc_graph_free(n->g);
  dlc_model_free(n->model);
}

/* Calls each(value of tensor k, PyTorch's) for all tensors of the model; there are no others in `group`. */
static void each_tensor(net *n, const char *group, void (*each)(net *n, uint32_t value, const vector_tensor *t))
{
  const json_t *all = json_object_get(golden, group);
  ck_assert_uint_eq(n->m.n_params, json_object_size(all));
  for (uint32_t k = 0; k < n->m.n_params; k++) {
    const dlc_value *v = dlc_value_at(n->run.g, n->m.params[k].value);
    const vector_tensor t = tensor_of(json_object_get(all, v->name), v->name);
    ck_assert_uint_eq(v->dtype, t.value.dtype);
    ck_assert_uint_eq(v->rank, t.value.rank);
    ck_assert_int_eq(dlc_count(v), dlc_count(&t.value));
    each(n, n->m.params[k].value, &t);
  }
}

static void set_tensor(net *n, uint32_t value, const vector_tensor *t)
{
  memcpy(n->run.data[value], t->data, (size_t)dlc_count(&t->value) * sizeof *t->data);
}

static void check_tensor(net *n, uint32_t value, const vector_tensor *t)
{
  const dlc_value *v = dlc_value_at(n->run.g, value);
  for (int64_t i = 0; i < dlc_count(v); i++)
    ck_assert_msg(fabs(n->run.data[value][i] - t->data[i]) <= 1e-10, "%s[%lld]: %.15g, PyTorch %.15g", v->name,
                  (long long)i, n->run.data[value][i], t->data[i]);
}

/* A kernel writes updates apart from what they update, where a run has one memory for both. */
static void keep_updates(net *n)
{
  for (uint32_t i = 0; i < n->run.g->n_nodes; i++) {
    const dlc_node *node = dlc_node_at(n->run.g, i);
    for (uint32_t k = 0; node->op->flags & DLC_OP_UPDATE && k < node->n_out; k++)
      memcpy(n->run.data[node->in[k]], n->run.data[node->out[k]],
             (size_t)dlc_count(dlc_value_at(n->run.g, node->in[k])) * sizeof(double));
  }
}

/* The network on batch `batch`, and what it should make of it. */
static void check_batch(net *n, size_t batch, const json_t *expected)
{
  const vector_tensor x = tensor_of(json_array_get(json_object_get(golden, "batches"), batch), "a batch");
  const vector_tensor logits = tensor_of(expected, "what is expected");
  set_tensor(n, n->input, &x);
  ck_assert_int_eq(reference_nodes(&n->run, n->run.g->n_nodes), DLC_OK);
  check_tensor(n, n->m.logits, &logits);
  keep_updates(n);
}

/* ---- the tests ---- */

START_TEST(training_uses_the_batch_and_follows_it_with_running_statistics)
{
  net n;
  open_golden();
  open_net(&n, true);
  each_tensor(&n, "tensors", set_tensor);
  const json_t *logits = json_object_get(golden, "logits");
  for (size_t batch = 0; batch < json_array_size(logits); batch++)
    check_batch(&n, batch, json_array_get(logits, batch));
  each_tensor(&n, "after", check_tensor);
  close_net(&n);
  close_golden();
}
END_TEST

START_TEST(evaluation_uses_running_statistics_and_leaves_them)
{
  net n;
  open_golden();
  open_net(&n, false);
  each_tensor(&n, "after", set_tensor);
  check_batch(&n, 0, json_object_get(golden, "evaluated"));
  each_tensor(&n, "after", check_tensor);
  close_net(&n);
  close_golden();
}
END_TEST

START_TEST(tensors_begin_as_pytorchs)
{
  static const struct {
    const char *name;
    double value;
  } expected[] = {{"norm.weight", 1},
                  {"norm.bias", 0},
                  {"norm.running_mean", 0},
                  {"norm.running_var", 1},
                  {"norm.num_batches_tracked", 0}};
  net n;
  open_net(&n, true);
  for (uint32_t k = 0; k < 5; k++) {
    const dlc_model_param *p = &n.m.params[1 + k]; /* after conv.weight */
    ck_assert_str_eq(dlc_value_at(n.run.g, p->value)->name, expected[k].name);
    ck_assert_uint_eq(p->init.kind, DLC_INIT_CONSTANT);
    ck_assert_double_eq(p->init.a, expected[k].value);
  }
  close_net(&n);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("PyTorch");
  tcase_add_test(tests, training_uses_the_batch_and_follows_it_with_running_statistics);
  tcase_add_test(tests, evaluation_uses_running_statistics_and_leaves_them);
  tcase_add_test(tests, tensors_begin_as_pytorchs);
  return run_suite("batch norm", tests);
}
