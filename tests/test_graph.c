/* Graphs: what may be appended, what differentiation emits, what simplification may change and what not. */
#include "dlcore/ops.h"
#include "rig.h"
#include "suite.h"

static dlc_host host;
static dlc_graph_build *g;

static void setup(void)
{
  host = rig_host(NULL);
  const dlc_op_finder finder = rig_finder(&host);
  rig_ok(dlc_graph_new(&finder, &g));
}

static void teardown(void)
{
  dlc_graph_free(g);
}

static uint32_t value(const char *name, uint32_t role, uint32_t dtype, uint32_t rank, const int64_t *dim)
{
  uint32_t id;
  rig_ok(dlc_graph_value(g, name, role, dtype, rank, dim, &id));
  return id;
}

static uint32_t emit(const char *name, const char *op, const void *attr, uint32_t a, uint32_t b)
{
  const uint32_t in[2] = {a, b};
  uint32_t out[DLC_MAX_OUT];
  rig_ok(dlc_graph_emit(g, name, op, attr, in, b == DLC_NONE ? 1 : 2, out));
  return out[0];
}

static void expect_dump(const char *expected)
{
  dlc_str text = {0};
  dlc_graph_dump(dlc_graph_view(g), &text);
  ck_assert_str_eq(dlc_str_get(&text), expected);
  dlc_str_free(&text);
}

START_TEST(a_dump_shows_every_node_on_a_line)
{
  const int64_t x_dim[] = {2, 1, 6, 6}, w_dim[] = {3, 1, 3, 3};
  const dlc_conv2d conv = {3, {3, 3}, {1, 1}, {-1, -1, -1, -1}, 0, {1, 1}, 1};
  uint32_t x = value("input", DLC_ROLE_INPUT, DLC_F32, 4, x_dim);
  uint32_t w = value("conv1.weight", DLC_ROLE_PARAMETER, DLC_F32, 4, w_dim);
  emit("2", "flatten", NULL, emit("1", "relu", NULL, emit("conv1", "conv2d", &conv, x, w), DLC_NONE), DLC_NONE);
  expect_dump("%2 f32[2, 3, 6, 6] = conv2d(%0 input, %1 conv1.weight) {out_channels: 3, kernel_size: [3, 3], "
              "stride: [1, 1], padding: [1, 1, 1, 1], bias: false, dilation: [1, 1], groups: 1}  # conv1\n"
              "%3 f32[2, 3, 6, 6] = relu(%2)  # 1\n"
              "%4 f32[2, 108] = flatten(%3)  # 2\n");
}
END_TEST

START_TEST(a_node_that_does_not_fit_is_refused_with_its_layer)
{
  const int64_t a[] = {2, 3}, b[] = {2, 4};
  const uint32_t in[2] = {value("a", DLC_ROLE_INPUT, DLC_F32, 2, a), value("b", DLC_ROLE_INPUT, DLC_F32, 2, b)};
  uint32_t out[DLC_MAX_OUT];
  ck_assert_int_eq(dlc_graph_emit(g, "sum", "add", NULL, in, 2, out), DLC_INVALID);
  ck_assert_msg(strncmp(dlc_reason(), "sum (add): ", 11) == 0, "%s", dlc_reason());
  ck_assert_int_eq(dlc_graph_emit(g, "sum", "ad", NULL, in, 2, out), DLC_NOT_FOUND);
  ck_assert_uint_eq(dlc_graph_view(g)->n_nodes, 0);
}
END_TEST

START_TEST(an_op_gets_as_many_inputs_as_it_says)
{
  const int64_t dim[] = {2, 3};
  const uint32_t in[2] = {value("a", DLC_ROLE_INPUT, DLC_F32, 2, dim), value("b", DLC_ROLE_INPUT, DLC_F32, 2, dim)};
  uint32_t out[DLC_MAX_OUT];
  ck_assert_int_eq(dlc_graph_emit(g, "sum", "add", NULL, in, 1, out), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "sum (add): 1 inputs came, expected 2");
  ck_assert_int_eq(dlc_graph_emit(g, "r", "relu", NULL, in, 2, out), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "r (relu): 2 inputs came, expected 1");
}
END_TEST

START_TEST(the_outputs_of_a_node_may_be_written_over_its_inputs)
{
  const int64_t dim[] = {2, 3};
  uint32_t ids[DLC_MAX_OUT] = {value("x", DLC_ROLE_INPUT, DLC_F32, 2, dim)};
  rig_ok(dlc_graph_emit(g, "a", "relu", NULL, ids, 1, ids));
  expect_dump("%1 f32[2, 3] = relu(%0 x)  # a\n");
}
END_TEST

static dlc_status grad_of_nothing(dlc_builder *b, const dlc_node *forward, const uint32_t *grad_out, uint32_t *grad_in)
{
  (void)b, (void)forward, (void)grad_out;
  grad_in[0] = 1000;
  return DLC_OK;
}

START_TEST(a_gradient_that_does_not_exist_is_refused)
{
  const int64_t dim[] = {1, 1};
  const uint32_t w = value("w", DLC_ROLE_PARAMETER, DLC_F32, 2, dim);
  const dlc_op *relu = NULL;
  uint32_t grad, loss[DLC_MAX_OUT];
  rig_ok(rig_find(NULL, "relu", &relu));
  dlc_op broken = *relu;
  broken.grad = grad_of_nothing;
  rig_ok(dlc_graph_node(g, "r", &broken, NULL, &w, 1, loss));
  ck_assert_int_eq(dlc_graph_differentiate(g, loss[0], &w, 1, &grad), DLC_INTERNAL);
  ck_assert_str_eq(dlc_reason(), "gradient of r (relu): value 1000 does not exist");
}
END_TEST

START_TEST(ranges_numbers_and_words_are_read_and_shown)
{
  typedef struct sample {
    double scale[2];
    dlc_numbers mean;
    int64_t mode;
  } sample;
  static const dlc_attr attrs[] = {DLC_ATTR(RANGE, sample, scale, "[0.08, 1.0]", ""),
                                   DLC_ATTR(NUMBERS, sample, mean, "[]", ""),
                                   DLC_ATTR_WORD(sample, mode, "zero|reflect", "zero", "")};
  const dlc_attr_table table = {"t", attrs, 3};
  sample a = {.mode = -1};
  const char *missing;
  dlc_str text = {0};
  rig_ok(dlc_attrs_defaults(&table, &a, &missing));
  rig_ok(dlc_attrs_set(&table, &a, "mean", (const char *const[]){"0.5", "-1", "2"}, 3));
  rig_ok(dlc_attrs_set(&table, &a, "mode", (const char *const[]){"reflect"}, 1));
  for (int i = 0; i < 3; i++) {
    dlc_attr_dump(&attrs[i], &a, &text);
    dlc_str_add(&text, " ");
  }
  ck_assert_str_eq(dlc_str_get(&text), "scale: [0.08, 1] mean: [0.5, -1, 2] mode: reflect ");
  dlc_str_free(&text);
  ck_assert_int_eq(dlc_attrs_set(&table, &a, "mode", (const char *const[]){"zer"}, 1), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "`mode: zer`: expected zero|reflect");
}
END_TEST

START_TEST(a_default_may_be_a_list_as_in_a_model_file)
{
  static const dlc_attr attrs[] = {{sizeof(dlc_attr), DLC_ATTR_PAIR, 0, "stride", "[2, 3]", "", NULL},
                                   {sizeof(dlc_attr), DLC_ATTR_PADDING, 16, "padding", "same", "", NULL}};
  const dlc_op op = {.size = sizeof op, .name = "t.op", .attrs = attrs, .n_attrs = 2, .attr_size = 48};
  int64_t attr[6];
  const char *missing;
  rig_ok(dlc_attr_defaults(&op, attr, &missing));
  ck_assert_mem_eq(attr, ((int64_t[]){2, 3, -1, -1, -1, -1}), sizeof attr);
}
END_TEST

START_TEST(a_value_needs_a_size)
{
  const int64_t zero[] = {2, 0}, huge[] = {INT64_MAX / 2, 4};
  uint32_t id;
  ck_assert_int_eq(dlc_graph_value(g, "x", DLC_ROLE_INPUT, DLC_F32, 2, zero, &id), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "x: dimension 1 is 0, expected at least 1");
  ck_assert_int_eq(dlc_graph_value(g, "x", DLC_ROLE_INPUT, DLC_F32, 2, huge, &id), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "x: a value with too many elements");
}
END_TEST

START_TEST(a_value_used_twice_gets_the_sum_of_its_gradients)
{
  const int64_t dim[] = {1, 1};
  const uint32_t w = value("w", DLC_ROLE_PARAMETER, DLC_F32, 2, dim);
  const uint32_t loss = emit("sum", "add", NULL, w, w);
  uint32_t grad;
  rig_ok(dlc_graph_differentiate(g, loss, &w, 1, &grad));
  expect_dump("%1 f32[1, 1] = add(%0 w, %0 w)  # sum\n"
              "%2 f32[1, 1] = fill() {value: 1}  # loss\n"
              "%3 f32[1, 1] = add(%2, %2)  # sum\n");
  ck_assert_uint_eq(grad, 3);
}
END_TEST

START_TEST(only_what_leads_to_the_loss_is_differentiated)
{
  const int64_t dim[] = {1, 1};
  const uint32_t w = value("w", DLC_ROLE_PARAMETER, DLC_F32, 2, dim),
                 u = value("u", DLC_ROLE_PARAMETER, DLC_F32, 2, dim);
  const uint32_t wanted[2] = {w, u};
  uint32_t grads[2];
  emit("side", "relu", NULL, u, DLC_NONE);
  const uint32_t loss = emit("r", "relu", NULL, w, DLC_NONE);
  rig_ok(dlc_graph_differentiate(g, loss, wanted, 2, grads));
  ck_assert_uint_ne(grads[0], DLC_NONE);
  ck_assert_uint_eq(grads[1], DLC_NONE);
  ck_assert_uint_eq(dlc_value_at(dlc_graph_view(g), grads[0])->role, DLC_ROLE_GRADIENT);
}
END_TEST

START_TEST(an_op_without_a_gradient_is_an_error_only_where_one_must_flow)
{
  const int64_t dim[] = {3, 2}, rows[] = {3};
  const uint32_t x = value("x", DLC_ROLE_PARAMETER, DLC_F32, 2, dim);
  const uint32_t labels = value("labels", DLC_ROLE_INPUT, DLC_I32, 1, rows);
  const uint32_t count = emit("acc", "correct", NULL, x, labels);
  uint32_t grad;
  ck_assert_int_eq(dlc_graph_differentiate(g, count, &x, 1, &grad), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "acc: op correct has no gradient");
}
END_TEST

START_TEST(pruning_keeps_outputs_and_updates_and_what_they_need)
{
  const int64_t dim[] = {4, 2};
  const uint32_t x = value("x", DLC_ROLE_INPUT, DLC_F32, 2, dim);
  const uint32_t a = emit("a", "relu", NULL, x, DLC_NONE);
  emit("dead", "relu", NULL, a, DLC_NONE);
  const uint32_t b = emit("b", "softmax", NULL, a, DLC_NONE);
  rig_ok(dlc_graph_mark(g, b, DLC_ROLE_OUTPUT, "out"));
  rig_ok(dlc_graph_prune(g));
  expect_dump("%1 f32[4, 2] = relu(%0 x)  # a\n"
              "%3 f32[4, 2] = softmax(%1)  # b\n");
}
END_TEST

START_TEST(a_pool_that_alone_reads_a_relu_goes_before_it)
{
  const int64_t dim[] = {1, 2, 4, 4};
  const dlc_max_pool2d pool = {.kernel_size = {2, 2}};
  const uint32_t x = value("x", DLC_ROLE_INPUT, DLC_F32, 4, dim);
  const uint32_t r = emit("r", "relu", NULL, x, DLC_NONE);
  const uint32_t p = emit("p", "max_pool2d", &pool, r, DLC_NONE);
  emit("f", "flatten", NULL, p, DLC_NONE);
  rig_ok(dlc_graph_pool_before_relu(g));
  expect_dump("%1 f32[1, 2, 2, 2], %3 u8[1, 2, 2, 2] = max_pool2d(%0 x) {kernel_size: [2, 2], stride: [2, 2], "
              "padding: [0, 0, 0, 0], ceil_mode: false}  # p\n"
              "%2 f32[1, 2, 2, 2] = relu(%1)  # r\n"
              "%4 f32[1, 8] = flatten(%2)  # f\n");
}
END_TEST

START_TEST(a_pool_stays_where_the_relu_has_another_reader)
{
  const int64_t dim[] = {1, 2, 4, 4};
  const dlc_max_pool2d pool = {.kernel_size = {2, 2}};
  const uint32_t x = value("x", DLC_ROLE_INPUT, DLC_F32, 4, dim);
  const uint32_t r = emit("r", "relu", NULL, x, DLC_NONE);
  emit("p", "max_pool2d", &pool, r, DLC_NONE);
  emit("f", "flatten", NULL, r, DLC_NONE);
  rig_ok(dlc_graph_pool_before_relu(g));
  ck_assert_str_eq(dlc_node_at(dlc_graph_view(g), 0)->op->name, "relu");
}
END_TEST

START_TEST(attributes_are_read_as_written_in_a_model_file)
{
  const dlc_op *conv = NULL;
  dlc_conv2d a = {0};
  const char *missing;
  const char *const two[] = {"1", "2"}, *const four[] = {"1", "2", "3", "4"}, *const same[] = {"same"};
  rig_ok(rig_find(NULL, "conv2d", &conv));
  rig_ok(dlc_attr_defaults(conv, &a, &missing));
  ck_assert_str_eq(missing, "out_channels");
  ck_assert_int_eq(a.stride[1], 1);
  ck_assert_int_eq(a.bias, 1);
  rig_ok(dlc_attr_set(conv, &a, "kernel_size", two, 2));
  ck_assert_int_eq(a.kernel_size[0], 1);
  ck_assert_int_eq(a.kernel_size[1], 2);
  rig_ok(dlc_attr_set(conv, &a, "padding", two, 2));
  ck_assert_int_eq(a.padding[0] * 1000 + a.padding[1] * 100 + a.padding[2] * 10 + a.padding[3], 1212);
  rig_ok(dlc_attr_set(conv, &a, "padding", four, 4));
  ck_assert_int_eq(a.padding[0] * 1000 + a.padding[1] * 100 + a.padding[2] * 10 + a.padding[3], 1234);
  rig_ok(dlc_attr_set(conv, &a, "padding", same, 1));
  ck_assert_int_eq(a.padding[3], -1);
}
END_TEST

START_TEST(attributes_that_cannot_be_are_refused)
{
  static const struct {
    const char *name, *word;
    uint32_t count;
    const char *reason;
  } cases[] = {
      {"kernal_size", "3", 1, "conv2d has no `kernal_size`; did you mean `kernel_size`?"},
      {"kernel_size", "3.5", 1, "`kernel_size: 3.5`: expected a whole number"},
      {"kernel_size", "99999999999999999999", 1, "`kernel_size: 99999999999999999999`: expected a whole number"},
      {"bias", "maybe", 1, "`bias: maybe`: expected true or false"},
      {"padding", "-1", 1, "`padding: -1`: expected 0 or more"},
      {"padding", "1", 3, "`padding` has 3 numbers; expected 1, 2, 4 or same"},
      {"out_channels", "1", 2, "`out_channels` has 2 values; expected one"},
      {"zzzzzz", "1", 1,
       "conv2d has no `zzzzzz`; it has out_channels, kernel_size, stride, padding, bias, dilation, groups"},
  };
  const dlc_op *conv = NULL;
  dlc_conv2d a = {0};
  rig_ok(rig_find(NULL, "conv2d", &conv));
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    const char *const words[] = {cases[i].word, cases[i].word, cases[i].word};
    ck_assert_int_eq(dlc_attr_set(conv, &a, cases[i].name, words, cases[i].count), DLC_INVALID);
    ck_assert_str_eq(dlc_reason(), cases[i].reason);
  }
}
END_TEST

int main(void)
{
  TCase *c = tcase_create("graph");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, a_dump_shows_every_node_on_a_line);
  tcase_add_test(c, a_node_that_does_not_fit_is_refused_with_its_layer);
  tcase_add_test(c, an_op_gets_as_many_inputs_as_it_says);
  tcase_add_test(c, the_outputs_of_a_node_may_be_written_over_its_inputs);
  tcase_add_test(c, a_gradient_that_does_not_exist_is_refused);
  tcase_add_test(c, ranges_numbers_and_words_are_read_and_shown);
  tcase_add_test(c, a_default_may_be_a_list_as_in_a_model_file);
  tcase_add_test(c, a_value_needs_a_size);
  tcase_add_test(c, a_value_used_twice_gets_the_sum_of_its_gradients);
  tcase_add_test(c, only_what_leads_to_the_loss_is_differentiated);
  tcase_add_test(c, an_op_without_a_gradient_is_an_error_only_where_one_must_flow);
  tcase_add_test(c, pruning_keeps_outputs_and_updates_and_what_they_need);
  tcase_add_test(c, a_pool_that_alone_reads_a_relu_goes_before_it);
  tcase_add_test(c, a_pool_stays_where_the_relu_has_another_reader);
  tcase_add_test(c, attributes_are_read_as_written_in_a_model_file);
  tcase_add_test(c, attributes_that_cannot_be_are_refused);
  return run_suite("graph", c);
}
