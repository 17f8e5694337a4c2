/* The rules of activations, dropout, joins and tokens: shapes, what a layer is built of, and what is refused. */
#include "graph/builder.h"
#include "infer.h"

#define KEY VALUE(DLC_I64, 3)

/* ---- shapes ---- */

START_TEST(activations_keep_the_shape)
{
  static const char *const ops[] = {"leaky_relu", "elu", "gelu", "silu", "relu6", "hardswish", "tanh", "sigmoid"};
  double attr = 0; /* of gelu: none */
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    char grad[32];
    snprintf(grad, sizeof grad, "%s_grad", ops[i]);
    inferred r = INFER(ops[i], &attr, F32(3, 4, 5));
    check_shape(&r, 0, DLC_F32, DIMS(3, 4, 5));
    r = INFER(grad, &attr, F32(3, 4, 5), F32(3, 4, 5));
    check_shape(&r, 0, DLC_F32, DIMS(3, 4, 5));
    check_refused(INFER(ops[i], &attr, VALUE(DLC_I32, 3)), "input is i32, expected f32");
    check_refused(INFER(grad, &attr, F32(3, 4), F32(4, 3)), "value is [4, 3], expected [3, 4]");
  }
}
END_TEST

START_TEST(dropout_keeps_a_mask_of_elements_and_dropout2d_one_of_channels)
{
  dlc_dropout a = {.p = 0.5};
  inferred r = INFER("dropout", &a, F32(2, 3, 4, 5), KEY);
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 4, 5));
  check_shape(&r, 1, DLC_U8, DIMS(2, 3, 4, 5));
  r = INFER("dropout2d", &a, F32(2, 3, 4, 5), KEY);
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 4, 5));
  check_shape(&r, 1, DLC_U8, DIMS(2, 3));
  r = INFER("dropout_grad", &a, F32(2, 3, 4, 5), VALUE(DLC_U8, 2, 3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 4, 5));
}
END_TEST

START_TEST(dropout_refuses_what_cannot_be)
{
  dlc_dropout a = {.p = 0.5}, below = {.p = -0.1}, none = {.p = NAN};
  check_refused(INFER("dropout", &below, F32(2, 3), KEY), "p is -0.1, expected 0 to 1");
  check_refused(INFER("dropout", &none, F32(2, 3), KEY), "p is nan, expected 0 to 1");
  check_refused(INFER("dropout", &a, F32(2, 3)), "1 inputs came, expected 2");
  check_refused(INFER("dropout", &a, F32(2, 3), VALUE(DLC_I64, 2)), "key is [2], expected [3]");
  check_refused(INFER("dropout2d", &a, F32(2), KEY), "input is [2], expected [batch, channels, ...]");
  check_refused(INFER("dropout_grad", &a, F32(2, 3), VALUE(DLC_U8, 2, 4)), "mask is [2, 4], expected [2, 3]");
}
END_TEST

START_TEST(concat_adds_up_one_dimension)
{
  dlc_concat a = {.dim = -3};
  inferred r = INFER("concat", &a, F32(2, 3, 4, 5), F32(2, 1, 4, 5), F32(2, 6, 4, 5));
  check_shape(&r, 0, DLC_F32, DIMS(2, 10, 4, 5));
  ck_assert_int_eq(a.dim, 1);
  check_refused(INFER("concat", &a, F32(2, 3, 4, 5), F32(2, 1, 4, 6)),
                "input 1 is [2, 1, 4, 6], expected [2, 1, 4, 5]");
  check_refused(INFER("concat", &a, F32(2, 3), F32(2, 3, 1)), "input 1 is [2, 3, 1], expected [2, 3]");
  a.dim = 2;
  check_refused(INFER("concat", &a, F32(2, 3), F32(2, 3)), "dim is 2, input is [2, 3]");
  a.dim = -3;
  check_refused(INFER("concat", &a, F32(2, 3), F32(2, 3)), "dim is -3, input is [2, 3]");
}
END_TEST

START_TEST(slice_counts_from_the_end_as_python_does)
{
  dlc_slice a = {.dim = 1, .begin = -3};
  inferred r = INFER("slice", &a, F32(2, 10, 4));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3, 4));
  ck_assert_int_eq(a.begin, 7);
  ck_assert_int_eq(a.end, 10);
  ck_assert_int_eq(a.size, 10);
  r = INFER("slice_grad", &a, F32(2, 3, 4));
  check_shape(&r, 0, DLC_F32, DIMS(2, 10, 4));
  check_refused(INFER("slice_grad", &a, F32(2, 4, 4)), "dy is [2, 4, 4], expected [2, 3, 4]");
}
END_TEST

START_TEST(slice_refuses_what_is_not_there)
{
  dlc_slice beyond = {.dim = 1, .begin = 0, .end = 11}, before = {.dim = 1, .begin = -11}, empty = {1, 4, 4, 0};
  check_refused(INFER("slice", &beyond, F32(2, 10)), "[begin, end) is [0, 11]; dimension 1 has 10 elements");
  check_refused(INFER("slice", &before, F32(2, 10)), "[begin, end) is [-11, 0]; dimension 1 has 10 elements");
  check_refused(INFER("slice", &empty, F32(2, 10)), "[begin, end) is [4, 4]; dimension 1 has 10 elements");
}
END_TEST

START_TEST(multiply_needs_equal_shapes)
{
  inferred r = INFER("multiply", NULL, F32(2, 3), F32(2, 3));
  check_shape(&r, 0, DLC_F32, DIMS(2, 3));
  check_refused(INFER("multiply", NULL, F32(2, 3), F32(3, 2)), "b is [3, 2], expected [2, 3]");
}
END_TEST

START_TEST(attention_shares_the_features_among_heads)
{
  dlc_attention a = {3}, seven = {7};
  inferred r = INFER("attention", &a, F32(2, 5, 12), F32(2, 5, 12), F32(2, 5, 12));
  check_shape(&r, 0, DLC_F32, DIMS(2, 5, 12));
  check_shape(&r, 1, DLC_F32, DIMS(2, 3, 5, 5));
  check_refused(INFER("attention", &seven, F32(2, 5, 12), F32(2, 5, 12), F32(2, 5, 12)),
                "12 features cannot be shared by num_heads 7");
  check_refused(INFER("attention", &a, F32(2, 5, 12), F32(2, 4, 12), F32(2, 4, 12)),
                "key is [2, 4, 12], expected [2, 5, 12]");
  check_refused(INFER("attention", &a, F32(2, 12), F32(2, 12), F32(2, 12)),
                "query is [2, 12], expected [batch, tokens, features]");
}
END_TEST

/* ---- parameters ---- */

START_TEST(multi_head_attention_begins_as_pytorchs)
{
  const dlc_attention a = {3};
  dlc_param p;
  ck_assert_int_eq(param_of("multi_head_attention", &a, F32(2, 5, 12), 0, &p), DLC_OK);
  check_uniform(&p, "in_proj_weight", sqrt(6.0 / 48), DIMS(36, 12));
  ck_assert_int_eq(param_of("multi_head_attention", &a, F32(2, 5, 12), 1, &p), DLC_OK);
  ck_assert_str_eq(p.name, "in_proj_bias");
  ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
  ck_assert_int_eq(p.value.dim[0], 36);
  ck_assert_int_eq(param_of("multi_head_attention", &a, F32(2, 5, 12), 2, &p), DLC_OK);
  check_uniform(&p, "out_proj.weight", 1 / sqrt(12), DIMS(12, 12));
  ck_assert_int_eq(param_of("multi_head_attention", &a, F32(2, 5, 12), 3, &p), DLC_OK);
  ck_assert_str_eq(p.name, "out_proj.bias");
  ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
  ck_assert_int_eq(param_of("multi_head_attention", &a, F32(2, 5, 12), 4, &p), DLC_END);
}
END_TEST

START_TEST(a_class_token_begins_at_zero_and_positions_by_a_normal_distribution)
{
  dlc_param p;
  ck_assert_int_eq(param_of("class_token", NULL, F32(2, 5, 12), 0, &p), DLC_OK);
  ck_assert_uint_eq(p.init, DLC_INIT_CONSTANT);
  ck_assert_double_eq(p.a, 0);
  ck_assert_int_eq(p.value.dim[2], 12);
  ck_assert_int_eq(param_of("position_embedding", NULL, F32(2, 5, 12), 0, &p), DLC_OK);
  ck_assert_uint_eq(p.init, DLC_INIT_NORMAL);
  ck_assert_double_eq(p.a, 0);
  ck_assert_double_eq(p.b, 0.02);
  ck_assert_int_eq(p.value.dim[1], 5);
}
END_TEST

/* ---- what layers are built of ---- */

typedef struct layer {
  dlc_graph_build *g;
  uint32_t x, out;
  dlc_status status;
} layer;

static layer build_layer(const char *op, const void *attr, bool training, dlc_value x)
{
  layer l = {.out = DLC_NONE};
  const dlc_op_finder finder = core_op_finder();
  ck_assert_int_eq(dlc_graph_new(&finder, &l.g), DLC_OK);
  ck_assert_int_eq(dlc_graph_value(l.g, "x", DLC_ROLE_INPUT, x.dtype, x.rank, x.dim, &l.x), DLC_OK);
  dlc_graph_builder b = dlc_graph_builder_of(l.g, DLC_ROLE_ACTIVATION);
  l.status = op_named(op)->build(&b.table, attr, training, &l.x, 1, &l.out);
  return l;
}

START_TEST(dropout_is_a_node_in_training_alone)
{
  static const char *const ops[] = {"dropout", "dropout2d"};
  const dlc_dropout a = {.p = 0.5}, zero = {.p = 0};
  layer l = build_layer(ops[_i], &a, true, F32(2, 3));
  ck_assert_int_eq(l.status, DLC_OK);
  ck_assert_uint_eq(dlc_graph_view(l.g)->n_nodes, 1);
  ck_assert_str_eq(dlc_node_at(dlc_graph_view(l.g), 0)->op->name, ops[_i]);
  ck_assert_uint_eq(l.out, dlc_node_at(dlc_graph_view(l.g), 0)->out[0]);
  dlc_graph_free(l.g);
  for (int training = 0; training < 2; training++) {
    l = build_layer(ops[_i], training ? &zero : &a, training, F32(2, 3));
    ck_assert_int_eq(l.status, DLC_OK);
    ck_assert_uint_eq(dlc_graph_view(l.g)->n_nodes, 0);
    ck_assert_uint_eq(l.out, l.x);
    dlc_graph_free(l.g);
  }
}
END_TEST

START_TEST(every_dropout_of_a_graph_has_a_stream_of_its_own)
{
  const dlc_dropout a = {.p = 0.5};
  layer l = build_layer("dropout", &a, true, F32(2, 3));
  dlc_graph_builder b = dlc_graph_builder_of(l.g, DLC_ROLE_ACTIVATION);
  ck_assert_int_eq(op_named("dropout2d")->build(&b.table, &a, 1, &l.x, 1, &l.out), DLC_OK);
  const dlc_graph *g = dlc_graph_view(l.g);
  ck_assert_int_ne(((const dlc_dropout *)dlc_node_at(g, 0)->attr)->stream,
                   ((const dlc_dropout *)dlc_node_at(g, 1)->attr)->stream);
  ck_assert_uint_eq(dlc_node_at(g, 0)->in[1], dlc_node_at(g, 1)->in[1]); /* one key */
  dlc_graph_free(l.g);
}
END_TEST

/* reshape and unflatten, as a model file says the shape of a sample. */
static const char *const reshapes[][2] = {{"reshape", "shape"}, {"unflatten", "unflattened_size"}};

static layer reshaped(int which, const char *const *words, uint32_t n, dlc_value x)
{
  dlc_reshape a;
  ck_assert_int_eq(dlc_attr_set(op_named(reshapes[which][0]), &a, reshapes[which][1], words, n), DLC_OK);
  return build_layer(reshapes[which][0], &a, true, x);
}
#define RESHAPED(which, x, ...)                                                                                        \
  reshaped(which, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), x)

static void check_reshaped(layer l, size_t rank, const int64_t *dim)
{
  const dlc_graph *g = dlc_graph_view(l.g);
  inferred r = {.status = l.status, .n_out = 1, .out = {*dlc_value_at(g, l.out)}};
  check_shape(&r, 0, DLC_F32, rank, dim);
  ck_assert_str_eq(dlc_node_at(g, 0)->op->name, "reshape");
  dlc_graph_free(l.g);
}

static void check_not_reshaped(layer l, int which, const char *reason)
{
  char full[160];
  snprintf(full, sizeof full, "%s %s", reshapes[which][1], reason);
  ck_assert_int_eq(l.status, DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), full);
  dlc_graph_free(l.g);
}

START_TEST(reshape_keeps_the_batch)
{
  check_reshaped(RESHAPED(_i, F32(7, 400), "16", "5", "5"), DIMS(7, 16, 5, 5));
  check_reshaped(RESHAPED(_i, F32(7, 4, 6), "-1", "3"), DIMS(7, 8, 3));
  check_reshaped(RESHAPED(_i, F32(7, 2, 3, 4), "2", "-1"), DIMS(7, 2, 12));
  check_reshaped(RESHAPED(_i, F32(7, 2, 3), "6", "-1"), DIMS(7, 6, 1));
  check_reshaped(RESHAPED(_i, F32(7, 2), "1", "1", "1", "1", "1", "1", "2"), DIMS(7, 1, 1, 1, 1, 1, 1, 2));
}
END_TEST

START_TEST(reshape_refuses_what_a_sample_does_not_fit)
{
  const dlc_value x = F32(7, 400);
  check_not_reshaped(RESHAPED(_i, x, "16", "5", "6"), _i,
                     "[16, 5, 6] does not hold the 400 elements of a sample of [7, 400]");
  check_not_reshaped(RESHAPED(_i, x, "-1", "3"), _i, "[-1, 3] does not hold the 400 elements of a sample of [7, 400]");
  check_not_reshaped(RESHAPED(_i, x, "200"), _i, "[200] does not hold the 400 elements of a sample of [7, 400]");
  check_not_reshaped(RESHAPED(_i, x, "-1", "-1"), _i, "is [-1, -1]; expected numbers from 1, and -1 at most once");
  check_not_reshaped(RESHAPED(_i, x, "0", "-1"), _i, "is [0, -1]; expected numbers from 1, and -1 at most once");
  check_not_reshaped(RESHAPED(_i, x, "2", "2", "2", "2", "5", "5", "1", "1"), _i,
                     "has 8 dimensions, at most 7 are possible beside the batch");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("rules");
  tcase_add_test(t, activations_keep_the_shape);
  tcase_add_test(t, dropout_keeps_a_mask_of_elements_and_dropout2d_one_of_channels);
  tcase_add_test(t, dropout_refuses_what_cannot_be);
  tcase_add_test(t, concat_adds_up_one_dimension);
  tcase_add_test(t, slice_counts_from_the_end_as_python_does);
  tcase_add_test(t, slice_refuses_what_is_not_there);
  tcase_add_test(t, multiply_needs_equal_shapes);
  tcase_add_test(t, attention_shares_the_features_among_heads);
  tcase_add_test(t, multi_head_attention_begins_as_pytorchs);
  tcase_add_test(t, a_class_token_begins_at_zero_and_positions_by_a_normal_distribution);
  tcase_add_loop_test(t, dropout_is_a_node_in_training_alone, 0, 2);
  tcase_add_test(t, every_dropout_of_a_graph_has_a_stream_of_its_own);
  tcase_add_loop_test(t, reshape_keeps_the_batch, 0, 2);
  tcase_add_loop_test(t, reshape_refuses_what_a_sample_does_not_fit, 0, 2);
  return run_suite("ops: elementwise", t);
}
