/* Model files: the shipped ones have the published parameter counts, and a file that is wrong is refused with its line.
 */
#include "graph/model.h"
#include "rig.h"

static dlc_host host;

static dlc_status build(const char *text, const char *path, int64_t side, dlc_graph_build **g, dlc_model_graph *m,
                        dlc_model **model)
{
  const int64_t dim[] = {2, 1, side, side};
  uint32_t input;
  host = rig_host(NULL);
  const dlc_op_finder finder = rig_finder(&host);
  *g = NULL;
  *m = (dlc_model_graph){0};
  dlc_status status = path ? dlc_model_read(path, model) : dlc_model_parse(text, strlen(text), "m.yaml", model);
  if (status < 0) return status;
  rig_ok(dlc_graph_new(&finder, g));
  rig_ok(dlc_graph_value(*g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  return dlc_model_build(*model, *g, input, &(dlc_model_use){.classes = 10, .training = true}, m);
}

static void clean(dlc_graph_build *g, dlc_model_graph *m, dlc_model *model)
{
  dlc_model_graph_free(m);
  dlc_graph_free(g);
  dlc_model_free(model);
}

static void expect_parameters(const char *path, const char *name, int64_t count, const char *const *names, uint32_t n)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model;
  int64_t sum = 0;
  rig_ok(build(NULL, path, 28, &g, &m, &model));
  ck_assert_str_eq(dlc_model_name(model), name);
  ck_assert_uint_eq(m.n_params, n);
  for (uint32_t i = 0; i < m.n_params; i++) {
    const dlc_value *v = dlc_value_at(dlc_graph_view(g), m.params[i].value);
    ck_assert_str_eq(v->name, names[i]);
    sum += dlc_count(v);
  }
  ck_assert_int_eq(sum, count);
  clean(g, &m, model);
}

START_TEST(lenet_has_44426_parameters_with_pytorchs_names)
{
  static const char *const names[] = {"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight",
                                      "fc1.bias",     "fc2.weight", "fc2.bias",     "fc3.weight", "fc3.bias"};
  expect_parameters(TEST_MODEL_DIR "/lenet.yaml", "lenet", 44426, names, 10);
}
END_TEST

START_TEST(mlp_has_101770_parameters)
{
  static const char *const names[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
  expect_parameters(TEST_MODEL_DIR "/mlp.yaml", "mlp", 101770, names, 4);
}
END_TEST

START_TEST(a_layer_without_a_name_is_called_by_its_position)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model;
  rig_ok(build("layers: [flatten, {linear: 7}, relu, {linear: classes}]", NULL, 4, &g, &m, &model));
  ck_assert_uint_eq(m.n_params, 4);
  ck_assert_str_eq(dlc_value_at(dlc_graph_view(g), m.params[0].value)->name, "1.weight");
  ck_assert_str_eq(dlc_value_at(dlc_graph_view(g), m.params[3].value)->name, "3.bias");
  ck_assert_uint_eq(m.n_layers, 4);
  ck_assert_str_eq(m.layers[2].op->name, "relu");
  ck_assert_uint_eq(m.layers[3].first_param, 2);
  clean(g, &m, model);
}
END_TEST

static const struct {
  const char *text, *reason;
} wrong[] = {
    {"layers:\n  - conv2d: {out_channels: 6\n", "m.yaml:3:1: did not find expected ',' or '}'"},
    {"layers:\n\t- relu\n", "m.yaml:2:1: found character that cannot start any token"},
    {"", "m.yaml: the file is empty; expected `layers:`"},
    {"- relu\n", "m.yaml:1:1: expected `layers:`"},
    {"layers: 3\n", "m.yaml:1:9: `layers` must be a list"},
    {"layers: []\n", "m.yaml:1:9: `layers` is empty"},
    {"name: x\n", "m.yaml: no `layers:`"},
    {"layers: [relu]\nlayer: [relu]\n", "m.yaml:2:1: unknown key; a model has `name` and `layers`"},
    {"layers: [relu]\nlayers: [relu]\n", "m.yaml:2:1: `layers` is given twice"},
    {"layers:\n  - [relu]\n", "m.yaml:2:5: expected a layer: `relu` or `conv2d: {...}`"},
    {"layers:\n  - relu:\n    flatten:\n", "m.yaml:2:5: expected a layer: `relu` or `conv2d: {...}`"},
    {"layers:\n  - linear: {out_features: {a: 1}}\n", "m.yaml:2:28: expected a value or a list of values"},
    {"layers:\n  - linear: {out_features: 1, out_features: 2}\n", "m.yaml:2:31: this argument is given twice"},
    {"layers:\n  - relu: {name: a}\n  - relu: {name: a}\n", "m.yaml:3:5: a layer of this name stands further up"},
    {"layers:\n  - flatten\n  - lineer: 3\n", "m.yaml:3: layer `1`: no op `lineer`"},
    {"layers:\n  - relu_grad\n", "m.yaml:2: layer `0`: relu_grad is not a layer"},
    {"layers:\n  - add\n", "m.yaml:2: layer `0`: add is not a layer"},
    {"layers:\n  - relu: 3\n", "m.yaml:2: layer `0`: relu takes no arguments"},
    {"layers:\n  - conv2d: {name: c, out_channels: 6}\n", "m.yaml:2: layer `c`: conv2d needs `kernel_size`"},
    {"layers:\n  - conv2d: {name: c, out_channels: 6,\n     kernel_size: big}\n",
     "m.yaml:3: layer `c`: `kernel_size: big`: expected a whole number"},
    {"layers:\n  - flatten\n  - linear: {name: fc, out_features: 84}\n",
     "m.yaml:3: the last layer `fc` gives [2, 84]; expected [batch, 10], a number for each class"},
    {"layers:\n  - flatten\n  - conv2d: {name: c, out_channels: 6, kernel_size: 3}\n",
     "m.yaml:3: c (conv2d): input is [2, 16], expected [batch, channels, height, width]"},
};

START_TEST(a_wrong_model_file_is_refused_with_its_place)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model = NULL;
  ck_assert_int_lt(build(wrong[_i].text, NULL, 4, &g, &m, &model), 0);
  ck_assert_str_eq(dlc_reason(), wrong[_i].reason);
  clean(g, &m, model);
}
END_TEST

START_TEST(a_layer_that_does_not_fit_says_what_came_and_what_was_expected)
{
  dlc_graph_build *g;
  dlc_model_graph m;
  dlc_model *model;
  ck_assert_int_lt(build("layers:\n  - conv2d: {name: c1, out_channels: 6, kernel_size: 5}\n", NULL, 4, &g, &m, &model),
                   0);
  ck_assert_msg(strncmp(dlc_reason(), "m.yaml:2: c1 (conv2d): ", 23) == 0 && strstr(dlc_reason(), "4x4") &&
                    strstr(dlc_reason(), "5x5"),
                "%s", dlc_reason());
  clean(g, &m, model);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
  dlc_model *model;
  ck_assert_int_eq(dlc_model_read("/nowhere/m.yaml", &model), DLC_IO);
  ck_assert_str_eq(dlc_reason(), "cannot read /nowhere/m.yaml: No such file or directory");
}
END_TEST

int main(void)
{
  Suite *s = suite_create("model");
  TCase *c = tcase_create("model");
  tcase_add_test(c, lenet_has_44426_parameters_with_pytorchs_names);
  tcase_add_test(c, mlp_has_101770_parameters);
  tcase_add_test(c, a_layer_without_a_name_is_called_by_its_position);
  tcase_add_loop_test(c, a_wrong_model_file_is_refused_with_its_place, 0, sizeof(wrong) / sizeof(*wrong));
  tcase_add_test(c, a_layer_that_does_not_fit_says_what_came_and_what_was_expected);
  tcase_add_test(c, a_missing_file_is_named);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
