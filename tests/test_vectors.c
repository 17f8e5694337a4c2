/* The reference kernels and the gradient rules against PyTorch's float64, within 1e-10 relative. */
#include "graph/builder.h"
#include "reference_run.h"
#include "suite.h"
#include "vectors.h"
#include <math.h>

#define TOLERANCE 1e-10

static const struct {
  const char *op;
  uint32_t cases; /* what make_vectors.py writes: a file cut short is noticed */
} files[] = {
    {"conv2d", 19},
    {"linear", 6},
    {"batch_norm2d", 5},
    {"batch_norm2d_eval", 5},
    {"batch_norm2d_update", 5},
    {"layer_norm", 6},
    {"bias", 3},
    {"relu", 3},
    {"max_pool2d", 13},
    {"avg_pool2d", 22},
    {"adaptive_avg_pool2d", 7},
    {"pad2d", 8},
    {"upsample_nearest2d", 4},
    {"flatten", 3},
    {"unflatten", 3},
    {"reshape", 3},
    {"add", 3},
    {"softmax", 9},
    {"log_softmax", 9},
    {"cross_entropy", 21},
    {"correct", 8},
    {"normalize", 2},
    {"fill", 3},
    {"cast", 2},
    {"sgd", 20},
    {"adam", 8},
    {"adamw", 8},
    {"rmsprop", 16},
    {"adagrad", 8},
    {"lars", 16},
    {"square_sum", 3},
    {"scale", 3},
    {"accumulate", 3},
    {"ema", 3},
    {"clip_factor", 4},
    {"l1_gradient", 2},
    {"leaky_relu", 6},
    {"elu", 6},
    {"gelu", 6},
    {"silu", 3},
    {"tanh", 3},
    {"sigmoid", 3},
    {"relu6", 3},
    {"hardswish", 3},
    {"dropout", 8},
    {"dropout2d", 4},
    {"multiply", 3},
    {"concat", 4},
    {"slice", 5},
    {"transpose", 1},
    {"tokens", 1},
    {"attention", 4},
    {"multi_head_attention", 4},
    {"class_token", 4},
    {"position_embedding", 4},
    {"nll_loss", 10},
    {"mse_loss", 5},
    {"bce_with_logits", 6},
    {"lerp", 3},
    {"mix", 4},
    {"roll", 2},
};

/* Relative to the largest element: sums may cancel in single ones. */
static void check_tensor(const char *op, const vector_case *c, const char *what, const dlc_value *v, const double *came,
                         const vector_tensor *expected)
{
  ck_assert_msg(v->dtype == expected->value.dtype, "%s, %s, %s: data type %u", op, c->name, what, v->dtype);
  ck_assert_msg(v->rank == expected->value.rank && memcmp(v->dim, expected->value.dim, v->rank * sizeof v->dim[0]) == 0,
                "%s, %s, %s: wrong shape", op, c->name, what);
  double largest = 0;
  for (int64_t i = 0; i < dlc_count(v); i++) largest = fmax(largest, fabs(expected->data[i]));
  for (int64_t i = 0; i < dlc_count(v); i++)
    ck_assert_msg(fabs(came[i] - expected->data[i]) <= TOLERANCE * largest, "%s, %s, %s[%lld]: %.17g, PyTorch %.17g",
                  op, c->name, what, (long long)i, came[i], expected->data[i]);
}

typedef struct built {
  dlc_graph_build *g;
  uint32_t in[DLC_MAX_IN], out[DLC_MAX_OUT], grad[DLC_MAX_IN], weights;
} built;

/* A layer made of other ops: its nodes. */
static dlc_status build_layer(const dlc_op *op, const vector_case *c, built *b)
{
  dlc_graph_builder rules = dlc_graph_builder_of(b->g, DLC_ROLE_ACTIVATION);
  rules.name = "layer";
  return op->build(&rules.table, c->attr, 1, b->in, c->n_in, b->out);
}

static void build(const dlc_op *op, const vector_case *c, built *b)
{
  uint32_t loss, wanted[DLC_MAX_IN], n_wanted = 0;
  const dlc_op_finder finder = core_op_finder();
  ck_assert_int_eq(dlc_graph_new(&finder, &b->g), DLC_OK);
  for (uint32_t i = 0; i < c->n_in; i++) {
    const dlc_value *v = &c->in[i].value;
    ck_assert_int_eq(dlc_graph_value(b->g, "in", DLC_ROLE_INPUT, v->dtype, v->rank, v->dim, &b->in[i]), DLC_OK);
    if (c->grad_in[i].data) wanted[n_wanted++] = b->in[i];
  }
  const dlc_status status =
      op->infer ? dlc_graph_node(b->g, "layer", op, c->attr, b->in, c->n_in, b->out) : build_layer(op, c, b);
  ck_assert_msg(status == DLC_OK, "%s: %s", c->name, dlc_reason());
  if (n_wanted == 0) return;
  ck_assert_int_eq(append_weighted_sum(b->g, b->out[0], &b->weights, &loss), DLC_OK);
  ck_assert_int_eq(dlc_graph_differentiate(b->g, loss, wanted, n_wanted, b->grad), DLC_OK);
}

static void check_case(const dlc_op *op, const vector_case *c)
{
  built b;
  reference_run run;
  char what[32];
  build(op, c, &b);
  const dlc_graph *g = dlc_graph_view(b.g);
  ck_assert_int_eq(reference_open(g, &run), DLC_OK);
  for (uint32_t i = 0; i < c->n_in; i++)
    memcpy(run.data[b.in[i]], c->in[i].data, (size_t)dlc_count(&c->in[i].value) * sizeof(double));
  if (c->grad_output.data)
    memcpy(run.data[b.weights], c->grad_output.data, (size_t)dlc_count(&c->grad_output.value) * sizeof(double));
  ck_assert_int_eq(reference_nodes(&run, g->n_nodes), DLC_OK);
  ck_assert_uint_eq(op->infer ? dlc_node_at(g, 0)->n_out : 1, c->n_out);
  for (uint32_t k = 0; k < c->n_out; k++) {
    snprintf(what, sizeof what, "output %u", k);
    check_tensor(op->name, c, what, dlc_value_at(g, b.out[k]), run.data[b.out[k]], &c->out[k]);
  }
  for (uint32_t i = 0, w = 0; i < c->n_in; i++) {
    if (!c->grad_in[i].data) continue;
    snprintf(what, sizeof what, "gradient of input %u", i);
    check_tensor(op->name, c, what, dlc_value_at(g, b.grad[w]), run.data[b.grad[w]], &c->grad_in[i]);
    w++;
  }
  reference_free(&run);
  dlc_graph_free(b.g);
}

START_TEST(reference_kernels_and_gradients_equal_pytorch)
{
  const dlc_op *op = NULL;
  vector_file file;
  ck_assert_int_eq(find_core_op(NULL, files[_i].op, &op), DLC_OK);
  const dlc_status status = vectors_read(op, &file);
  ck_assert_msg(status == DLC_OK, "%s", dlc_reason());
  ck_assert_uint_eq(file.n, files[_i].cases);
  for (uint32_t i = 0; i < file.n; i++) check_case(op, &file.cases[i]);
  vectors_free(&file);
}
END_TEST

/* Gradient ops are covered by the op whose gradient they are. */
START_TEST(every_op_has_vectors)
{
  for (const dlc_op *const *o = dlc_core_ops; *o; o++) {
    bool found = strstr((*o)->name, "_grad") != NULL;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) found |= strcmp(files[i].op, (*o)->name) == 0;
    ck_assert_msg(found, "%s is compared with nothing", (*o)->name);
  }
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("PyTorch");
  tcase_add_loop_test(tests, reference_kernels_and_gradients_equal_pytorch, 0, sizeof files / sizeof files[0]);
  tcase_add_test(tests, every_op_has_vectors);
  return run_suite("vectors", tests);
}
