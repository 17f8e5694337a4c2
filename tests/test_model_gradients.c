/* Gradients of whole networks with branches and shared weights, in double: against central differences, and against
 * the same network with weights of its own everywhere. */
#include "graph/model.h"
#include "reference_run.h"
#include "suite.h"
#include <math.h>

enum { BATCH = 2, SIDE = 6, CLASSES = 3, PARAMS_MAX = 64 };

typedef struct net {
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model;
  uint32_t input, labels, loss, n_forward; /* n_forward: nodes up to the loss */
  uint32_t grads[PARAMS_MAX];              /* of m.params */
  reference_run run;
} net;

/* A reproducible number in [-1, 1) for element i of value v. */
static double number(uint32_t v, int64_t i)
{
  uint32_t h = (uint32_t)i + v * 1000003u;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return (double)(h ^ h >> 16) * 0x1p-31 - 1;
}

static void ok(dlc_status status)
{
  ck_assert_msg(status >= 0, "%s", dlc_reason());
}

static void open_net(net *n, const char *text)
{
  const dlc_op_finder finder = core_op_finder();
  const int64_t dim[4] = {BATCH, 1, SIDE, SIDE}, rows = BATCH;
  uint32_t wanted[PARAMS_MAX], out[DLC_MAX_OUT];
  *n = (net){0};
  ok(dlc_model_parse(text, strlen(text), "m.yaml", &n->model));
  ok(dlc_graph_new(&finder, &n->g));
  ok(dlc_graph_value(n->g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &n->input));
  ok(dlc_model_build(n->model, n->g, n->input, &(dlc_model_use){.classes = CLASSES, .training = true}, &n->m));
  ok(dlc_graph_value(n->g, "labels", DLC_ROLE_INPUT, DLC_I32, 1, &rows, &n->labels));
  ok(dlc_graph_emit(n->g, "loss", "cross_entropy", NULL, (uint32_t[]){n->m.logits, n->labels}, 2, out));
  n->loss = out[0];
  n->n_forward = dlc_graph_view(n->g)->n_nodes;
  ck_assert_uint_le(n->m.n_params, PARAMS_MAX);
  for (uint32_t i = 0; i < n->m.n_params; i++) wanted[i] = n->m.params[i].value;
  ok(dlc_graph_differentiate(n->g, n->loss, wanted, n->m.n_params, n->grads));
  ok(reference_open(dlc_graph_view(n->g), &n->run));
  for (int64_t i = 0; i < BATCH * SIDE * SIDE; i++) n->run.data[n->input][i] = number(1, i);
  for (int64_t i = 0; i < BATCH; i++) n->run.data[n->labels][i] = (double)(i % CLASSES);
}

static void close_net(net *n)
{
  reference_free(&n->run);
  dlc_model_graph_free(&n->m);
  dlc_graph_free(n->g);
  dlc_model_free(n->model);
}

static double *param(const net *n, uint32_t i, int64_t *count)
{
  *count = dlc_count(dlc_value_at(n->run.g, n->m.params[i].value));
  return n->run.data[n->m.params[i].value];
}

static double loss_of(net *n)
{
  ok(reference_nodes(&n->run, n->n_forward));
  return n->run.data[n->loss][0];
}

/* ---- central differences ---- */

static const char branching[] =
    "blocks:\n"
    "  basic:\n"
    "    parameters: {channels: , stride: 1}\n"
    "    layers:\n"
    "      - residual:\n"
    "          layers:\n"
    "            - conv2d: {name: conv1, out_channels: $channels, kernel_size: 3, stride: $stride, padding: 1}\n"
    "            - tanh\n"
    "            - conv2d: {name: conv2, out_channels: $channels, kernel_size: 3, padding: 1, bias: false}\n"
    "          shortcut: {name: down, layers: [conv2d: {out_channels: $channels, kernel_size: 1, stride: $stride}]}\n"
    "      - sigmoid\n"
    "layers:\n"
    "  - basic: 3\n"
    "  - sequence: {name: stage, layers: [basic: {channels: 4, stride: 2}, repeat: {times: 2, layers: [basic: 4]}]}\n"
    "  - parallel: {branches: [[], [conv2d: {out_channels: 2, kernel_size: 1}, tanh], [sigmoid]]}\n"
    "  - parallel: {join: multiply, branches: [[tanh], [conv2d: {out_channels: 10, kernel_size: 1}, sigmoid]]}\n"
    "  - reshape: [-1, 18]\n"
    "  - flatten: {name: features}\n"
    "  - linear: {name: a, out_features: 90}\n"
    "  - tanh\n"
    "  - linear: {name: b, share: a}\n"
    "  - add: {from: [b, features]}\n"
    "  - linear: classes\n";

/* Every element of every parameter, but of the larger ones a part. */
static void check_param(net *n, uint32_t i)
{
  const double step = 1e-5;
  int64_t count;
  double *p = param(n, i, &count), largest = 0;
  const double *gradient = n->run.data[n->grads[i]];
  const char *name = dlc_value_at(n->run.g, n->m.params[i].value)->name;
  for (int64_t k = 0; k < count; k++) largest = fmax(largest, fabs(gradient[k]));
  ck_assert_msg(largest > 0, "%s: its gradient is 0", name);
  for (int64_t k = 0; k<count; k += count> 200 ? count / 100 : 1) {
    const double before = p[k];
    p[k] = before + step;
    const double more = loss_of(n);
    p[k] = before - step;
    const double less = loss_of(n), slope = (more - less) / (2 * step);
    p[k] = before;
    ck_assert_msg(fabs(slope - gradient[k]) <= 1e-6 * largest, "%s[%lld]: gradient %.10g, central difference %.10g",
                  name, (long long)k, gradient[k], slope);
  }
}

START_TEST(gradients_of_a_branching_network_are_central_differences)
{
  net n;
  int64_t count;
  open_net(&n, branching);
  for (uint32_t i = 0; i < n.m.n_params; i++) {
    double *p = param(&n, i, &count);
    const dlc_value *v = dlc_value_at(n.run.g, n.m.params[i].value);
    const double bound = v->rank > 1 ? sqrt(6.0 * (double)v->dim[0] / (double)count) : 0.5;
    for (int64_t k = 0; k < count; k++) p[k] = number(100 + i, k) * bound;
  }
  ok(reference_nodes(&n.run, dlc_graph_view(n.g)->n_nodes));
  for (uint32_t i = 0; i < n.m.n_params; i++) check_param(&n, i);
  close_net(&n);
}
END_TEST

/* ---- shared weights ---- */

/* Fills every parameter by its shape alone, so that those of one shape are equal. */
static void fill_alike(net *n)
{
  int64_t count;
  for (uint32_t i = 0; i < n->m.n_params; i++) {
    double *p = param(n, i, &count);
    for (int64_t k = 0; k < count; k++) p[k] = number((uint32_t)count, k) / 4;
  }
}

START_TEST(a_shared_weight_gets_the_sum_of_its_gradients)
{
  net shared, apart;
  open_net(&shared, "layers: [flatten, linear: {name: a, out_features: 36}, tanh, linear: {share: a}, tanh, "
                    "linear: {share: a}, linear: {name: last, out_features: classes}]");
  open_net(&apart, "layers: [flatten, linear: 36, tanh, linear: 36, tanh, linear: 36, linear: classes]");
  ck_assert_uint_eq(shared.m.n_params, 4);
  ck_assert_uint_eq(apart.m.n_params, 8);
  fill_alike(&shared);
  fill_alike(&apart);
  ok(reference_nodes(&shared.run, dlc_graph_view(shared.g)->n_nodes));
  ok(reference_nodes(&apart.run, dlc_graph_view(apart.g)->n_nodes));
  ck_assert_double_eq(shared.run.data[shared.loss][0], apart.run.data[apart.loss][0]);
  for (uint32_t i = 0; i < 2; i++) { /* weight, bias */
    int64_t count;
    param(&shared, i, &count);
    for (int64_t k = 0; k < count; k++) {
      double sum = 0;
      for (uint32_t layer = 3; layer-- > 0;) sum += apart.run.data[apart.grads[2 * layer + i]][k];
      ck_assert_double_eq_tol(shared.run.data[shared.grads[i]][k], sum, 1e-14);
    }
  }
  close_net(&shared);
  close_net(&apart);
}
END_TEST

/* Two sums of gradients: of what goes around the residual, and of the weight that is used twice. */
START_TEST(a_dump_shows_where_gradients_meet)
{
  net n;
  dlc_str text = {0};
  open_net(&n, "layers: [flatten, linear: {name: a, out_features: 36, bias: false}, residual: [linear: {share: a}], "
               "linear: {name: last, out_features: classes, bias: false}]");
  dlc_graph_dump(dlc_graph_view(n.g), &text);
  ck_assert_str_eq(dlc_str_get(&text),
                   "%1 f32[2, 36] = flatten(%0 input)  # 0\n"
                   "%3 f32[2, 36] = linear(%1, %2 a.weight) {out_features: 36, bias: false}  # a\n"
                   "%4 f32[2, 36] = linear(%3, %2 a.weight) {out_features: 36, bias: false}  # 2.0\n"
                   "%5 f32[2, 36] = add(%4, %3)  # 2\n"
                   "%7 f32[2, 3] = linear(%5, %6 last.weight) {out_features: 3, bias: false}  # last\n"
                   "%9 f32[1], %10 f32[2, 3] = cross_entropy(%7, %8 labels) {label_smoothing: 0}  # loss\n"
                   "%11 f32[1] = fill() {value: 1}  # loss\n"
                   "%12 f32[2, 3] = cross_entropy_grad(%11, %10, %8 labels) {label_smoothing: 0}  # loss\n"
                   "%13 f32[2, 36] = linear_grad_input(%12, %6 last.weight)  # last\n"
                   "%14 f32[3, 36] = linear_grad_weight(%12, %5)  # last\n"
                   "%15 f32[2, 36] = linear_grad_input(%13, %2 a.weight)  # 2.0\n"
                   "%16 f32[36, 36] = linear_grad_weight(%13, %3)  # 2.0\n"
                   "%17 f32[2, 36] = add(%13, %15)  # 2.0\n"
                   "%18 f32[2, 36] = linear_grad_input(%17, %2 a.weight)  # a\n"
                   "%19 f32[36, 36] = linear_grad_weight(%17, %1)  # a\n"
                   "%20 f32[36, 36] = add(%16, %19)  # a\n");
  dlc_str_free(&text);
  close_net(&n);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("model_gradients");
  tcase_add_test(t, gradients_of_a_branching_network_are_central_differences);
  tcase_add_test(t, a_shared_weight_gets_the_sum_of_its_gradients);
  tcase_add_test(t, a_dump_shows_where_gradients_meet);
  return run_suite("model_gradients", t);
}
