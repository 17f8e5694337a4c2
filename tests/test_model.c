/* Model files: what each construct is written out to, and what its tensors are called. */
#include "model_fixture.h"
#include "suite.h"

/* Elementwise layers on a picture of 16 pixels and a flatten at the end: 16 classes. */
static void expect_nodes(const char *text, const char *nodes)
{
  built b;
  dlc_str shown = {0};
  rig_ok(build_model(&b, text, 4, 16));
  show_nodes(b.g, &shown);
  ck_assert_str_eq(dlc_str_get(&shown), nodes);
  dlc_str_free(&shown);
  free_built(&b);
}

static void expect_tensors(const char *text, const char *tensors)
{
  built b;
  dlc_str shown = {0};
  rig_ok(build_model(&b, text, 4, 10));
  for (uint32_t i = 0; i < b.m.n_params; i++)
    dlc_str_addf(&shown, i ? " %s" : "%s", dlc_value_at(dlc_graph_view(b.g), b.m.params[i].value)->name);
  ck_assert_str_eq(dlc_str_get(&shown), tensors);
  dlc_str_free(&shown);
  free_built(&b);
}

START_TEST(a_layer_without_a_name_is_called_by_its_position)
{
  built b;
  rig_ok(build_model(&b, "layers: [flatten, {linear: 7}, relu, {linear: classes}]", 4, 10));
  ck_assert_uint_eq(b.m.n_params, 4);
  ck_assert_str_eq(dlc_value_at(dlc_graph_view(b.g), b.m.params[0].value)->name, "1.weight");
  ck_assert_str_eq(dlc_value_at(dlc_graph_view(b.g), b.m.params[3].value)->name, "3.bias");
  ck_assert_uint_eq(b.m.n_layers, 4);
  ck_assert_str_eq(b.m.layers[2].op->name, "relu");
  ck_assert_uint_eq(b.m.layers[3].first_param, 2);
  free_built(&b);
}
END_TEST

START_TEST(a_prefix_comes_before_the_names_of_all_tensors)
{
  built b = {.host = rig_host(NULL)};
  const dlc_op_finder finder = rig_finder(&b.host);
  const int64_t dim[] = {1, 1, 1, 1};
  const char *text = "layers: [flatten, linear: {name: fc, out_features: 3}]";
  uint32_t input;
  rig_ok(dlc_model_parse(text, strlen(text), "m.yaml", &b.model));
  rig_ok(dlc_graph_new(&finder, &b.g));
  rig_ok(dlc_graph_value(b.g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  rig_ok(dlc_model_build(b.model, b.g, input, &(dlc_model_use){.classes = 3, .prefix = "ema."}, &b.m));
  ck_assert_str_eq(dlc_value_at(dlc_graph_view(b.g), b.m.params[0].value)->name, "ema.fc.weight");
  free_built(&b);
}
END_TEST

START_TEST(a_sequence_puts_its_name_before_those_in_it)
{
  expect_tensors("layers:\n"
                 "  - flatten\n"
                 "  - sequence: {name: head, layers: [linear: 8, relu, linear: {name: last, out_features: classes}]}\n",
                 "head.0.weight head.0.bias head.last.weight head.last.bias");
  expect_nodes("layers: [relu, sequence: [relu, sequence: [flatten]]]", "0=relu(input) 1.0=relu(0) 1.1.0=flatten(1.0)");
}
END_TEST

START_TEST(a_layer_called_dot_has_its_tensors_in_the_group)
{
  expect_tensors(
      "layers:\n"
      "  - flatten\n"
      "  - linear: {name: ., out_features: 4}\n"
      "  - sequence: {name: head, layers: [linear: {name: ., out_features: 4}, linear: {from: 0, out_features: "
      "10}]}\n",
      "weight bias head.weight head.bias head.1.weight head.1.bias");
}
END_TEST

START_TEST(a_block_is_written_out_with_its_parameters)
{
  expect_tensors("blocks:\n"
                 "  fc:\n"
                 "    parameters: {features: , bias: true}\n"
                 "    layers: [linear: {name: a, out_features: $features, bias: $bias}, relu]\n"
                 "layers:\n"
                 "  - flatten\n"
                 "  - fc: 8\n"
                 "  - fc: {name: second, features: 6, bias: false}\n"
                 "  - fc: {features: classes}\n",
                 "1.a.weight 1.a.bias second.a.weight 3.a.weight 3.a.bias");
}
END_TEST

START_TEST(a_block_may_use_others_and_choose_its_layers)
{
  expect_nodes("blocks:\n"
               "  twice: {parameters: {what: }, layers: [$what, once: $what]}\n"
               "  once: {parameters: {what: relu}, layers: [$what]}\n"
               "layers: [twice: tanh, once, flatten]\n",
               "0.0=tanh(input) 0.1.0=tanh(0.0) 1.0=relu(0.1.0) 2=flatten(1.0)");
}
END_TEST

START_TEST(a_parameter_may_be_a_list_or_a_part_of_a_name)
{
  expect_tensors("blocks:\n"
                 "  conv:\n"
                 "    parameters: {label: , size: [1, 2]}\n"
                 "    layers: [conv2d: {name: conv_$label.x, out_channels: 1, kernel_size: $size}]\n"
                 "layers: [conv: a, conv: {label: b, size: [4, 3]}, flatten, linear: classes]\n",
                 "0.conv_a.x.weight 0.conv_a.x.bias 1.conv_b.x.weight 1.conv_b.x.bias 3.weight 3.bias");
}
END_TEST

START_TEST(repeated_layers_are_numbered_on)
{
  expect_nodes("layers: [relu, repeat: {times: 2, layers: [tanh, relu]}, flatten]",
               "0=relu(input) 1=tanh(0) 2=relu(1) 3=tanh(2) 4=relu(3) 5=flatten(4)");
}
END_TEST

START_TEST(index_counts_repeats)
{
  expect_nodes("layers:\n"
               "  - repeat: {times: 2, layers: [relu: {name: a$index}, repeat: {times: 2, layers: [tanh]}]}\n"
               "  - flatten: {name: end}\n",
               "a0=relu(input) 1=tanh(a0) 2=tanh(1) a1=relu(2) 4=tanh(a1) 5=tanh(4) end=flatten(5)");
}
END_TEST

START_TEST(a_residual_adds_what_went_around_it)
{
  expect_nodes("layers: [relu, residual: [tanh, relu], flatten]",
               "0=relu(input) 1.0=tanh(0) 1.1=relu(1.0) 1=add(1.1,0) 2=flatten(1)");
  expect_nodes("layers: [residual: {layers: [tanh], shortcut: [relu]}, flatten]",
               "0.0=tanh(input) 0.shortcut.0=relu(input) 0=add(0.0,0.shortcut.0) 1=flatten(0)");
}
END_TEST

/* As in PyTorch, where the sum is an expression and no module. */
START_TEST(a_residual_adds_to_names_only_what_it_is_called)
{
  expect_nodes("layers:\n"
               "  - sequence:\n"
               "      name: s\n"
               "      layers:\n"
               "        - residual: {layers: [tanh: {name: t}], shortcut: {name: down, layers: [relu]}}\n"
               "        - residual: {name: r, layers: [tanh: {name: t}], shortcut: [relu]}\n"
               "  - flatten\n",
               "s.t=tanh(input) s.down.0=relu(input) s.0=add(s.t,s.down.0) "
               "s.r.t=tanh(s.0) s.r.shortcut.0=relu(s.0) s.r=add(s.r.t,s.r.shortcut.0) 1=flatten(s.r)");
}
END_TEST

START_TEST(branches_are_joined)
{
  expect_nodes("layers:\n"
               "  - parallel: {join: multiply, branches: [[], [sigmoid]]}\n"
               "  - parallel:\n"
               "      name: p\n"
               "      dim: 1\n"
               "      branches:\n"
               "        - [tanh, relu]\n"
               "        - {name: b, layers: [relu]}\n"
               "  - slice: {dim: 1, begin: 0, end: 1}\n"
               "  - flatten\n",
               "0.1.0=sigmoid(input) 0=multiply(input,0.1.0) p.0.0=tanh(0) p.0.1=relu(p.0.0) p.b.0=relu(0) "
               "p=concat(p.0.1,p.b.0) 2=slice(p) 3=flatten(2)");
}
END_TEST

START_TEST(from_reads_what_stands_further_up)
{
  expect_nodes("layers:\n"
               "  - relu: {name: a}\n"
               "  - tanh: {name: b}\n"
               "  - sigmoid: {from: a}\n"
               "  - add: {from: [b, 2]}\n"
               "  - add: {from: [input, 3]}\n"
               "  - flatten\n",
               "a=relu(input) b=tanh(a) 2=sigmoid(a) 3=add(b,2) 4=add(input,3) 5=flatten(4)");
}
END_TEST

START_TEST(names_are_looked_up_from_the_inside_to_the_outside)
{
  expect_nodes("blocks:\n"
               "  skip: {layers: [tanh: {name: x}, add: {from: [x, input]}, add: {from: [1, outer]}]}\n"
               "layers:\n"
               "  - relu: {name: x}\n"
               "  - relu: {name: outer}\n"
               "  - sequence: {name: s, layers: [skip: {from: x}, relu: {from: 0.x}, add: {from: [1, s.0]}]}\n"
               "  - add: {from: [s, x]}\n"
               "  - flatten\n",
               "x=relu(input) outer=relu(x) s.0.x=tanh(x) s.0.1=add(s.0.x,x) s.0.2=add(s.0.1,outer) "
               "s.1=relu(s.0.x) s.2=add(s.1,s.0.2) 3=add(s.2,x) 4=flatten(3)");
}
END_TEST

START_TEST(a_group_may_read_something_else_than_the_layer_before)
{
  expect_nodes("layers: [relu: {name: a}, tanh, residual: {from: a, layers: [tanh]}, "
               "parallel: {from: a, join: add, branches: [[], [sequence: {from: 1, layers: [relu]}]]}, "
               "add: {from: [2, 3]}, flatten]",
               "a=relu(input) 1=tanh(a) 2.0=tanh(a) 2=add(2.0,a) 3.1.0.0=relu(1) 3=add(a,3.1.0.0) 4=add(2,3) "
               "5=flatten(4)");
}
END_TEST

START_TEST(a_shared_layer_has_no_tensors_of_its_own)
{
  built b;
  dlc_str shown = {0};
  rig_ok(build_model(&b,
                     "layers:\n"
                     "  - flatten\n"
                     "  - linear: {name: a, out_features: 16, bias: false}\n"
                     "  - linear: {name: b, share: a}\n"
                     "  - linear: {name: c, share: b}\n",
                     4, 16));
  ck_assert_uint_eq(b.m.n_params, 1);
  dlc_graph_dump(dlc_graph_view(b.g), &shown);
  ck_assert_str_eq(dlc_str_get(&shown),
                   "%1 f32[2, 16] = flatten(%0 input)  # 0\n"
                   "%3 f32[2, 16] = linear(%1, %2 a.weight) {out_features: 16, bias: false}  # a\n"
                   "%4 f32[2, 16] = linear(%3, %2 a.weight) {out_features: 16, bias: false}  # b\n"
                   "%5 f32[2, 16] = linear(%4, %2 a.weight) {out_features: 16, bias: false}  # c\n");
  ck_assert_uint_eq(b.m.layers[2].n_params, 0);
  dlc_str_free(&shown);
  free_built(&b);
}
END_TEST

START_TEST(reshape_says_the_shape_of_a_sample)
{
  built b;
  dlc_str shown = {0};
  rig_ok(build_model(&b, "layers: [reshape: [8, -1], transpose: , unflatten: -1]", 4, 16));
  dlc_graph_dump(dlc_graph_view(b.g), &shown);
  ck_assert_str_eq(dlc_str_get(&shown), "%1 f32[2, 8, 2] = reshape(%0 input) {shape: [2, 8, 2]}  # 0\n"
                                        "%2 f32[2, 2, 8] = transpose(%1)  # 1\n"
                                        "%3 f32[2, 16] = reshape(%2) {shape: [2, 16]}  # 2\n");
  dlc_str_free(&shown);
  free_built(&b);
}
END_TEST

START_TEST(layers_may_be_built_as_in_evaluation)
{
  static const char *const cases[][3] = {
      {"s.b", "0",
       "s.0=batch_norm2d(input) s.0=batch_norm2d_update(s.0.1,s.0.2) s.b=batch_norm2d_eval(s.0) 1=flatten(s.b)"},
      {"s.*", "0", "s.0=batch_norm2d_eval(input) s.b=batch_norm2d_eval(s.0) 1=flatten(s.b)"},
      {"batch_norm*", "0", "s.0=batch_norm2d_eval(input) s.b=batch_norm2d_eval(s.0) 1=flatten(s.b)"},
      {"b", "s.0",
       "s.0=batch_norm2d_eval(input) s.b=batch_norm2d(s.0) s.b=batch_norm2d_update(s.b.1,s.b.2) 1=flatten(s.b)"}};
  const char *text = "layers: [sequence: {name: s, layers: [batch_norm2d, batch_norm2d: {name: b}]}, flatten]";
  const int64_t dim[] = {2, 1, 4, 4};
  const dlc_model_use use = {.classes = 16, .training = true, .eval = cases[_i], .n_eval = 2};
  built b = {.host = rig_host(NULL)};
  const dlc_op_finder finder = rig_finder(&b.host);
  dlc_str shown = {0};
  uint32_t input;
  rig_ok(dlc_model_parse(text, strlen(text), "m.yaml", &b.model));
  rig_ok(dlc_graph_new(&finder, &b.g));
  rig_ok(dlc_graph_value(b.g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  rig_ok(dlc_model_build(b.model, b.g, input, &use, &b.m));
  show_nodes(b.g, &shown);
  ck_assert_str_eq(dlc_str_get(&shown), cases[_i][2]);
  dlc_str_free(&shown);
  free_built(&b);
}
END_TEST

START_TEST(a_file_may_fix_the_number_of_outputs)
{
  built b;
  const char *text = "classes: 10\nlayers: [flatten, linear: classes]";
  rig_ok(build_model(&b, text, 4, 2));
  ck_assert_int_eq(dlc_value_at(dlc_graph_view(b.g), b.m.logits)->dim[1], 10);
  free_built(&b);
  ck_assert_int_eq(build_model(&b, text, 4, 11), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "m.yaml is made for 10 classes, 11 came");
  free_built(&b);
}
END_TEST

START_TEST(a_name_is_that_of_the_file_or_of_the_text)
{
  dlc_model *model;
  rig_ok(dlc_model_parse("layers: [relu]", 14, "/a/b.c/net.yaml", &model));
  ck_assert_str_eq(dlc_model_name(model), "net");
  ck_assert_str_eq(dlc_model_text(model), "layers: [relu]");
  dlc_model_free(model);
  rig_ok(dlc_model_parse("name: x\nlayers: [relu]", 22, "/a/b.c/net.yaml", &model));
  ck_assert_str_eq(dlc_model_name(model), "x");
  dlc_model_free(model);
}
END_TEST

int main(void)
{
  TCase *c = tcase_create("model");
  tcase_add_test(c, a_layer_without_a_name_is_called_by_its_position);
  tcase_add_test(c, a_prefix_comes_before_the_names_of_all_tensors);
  tcase_add_test(c, a_sequence_puts_its_name_before_those_in_it);
  tcase_add_test(c, a_layer_called_dot_has_its_tensors_in_the_group);
  tcase_add_test(c, a_block_is_written_out_with_its_parameters);
  tcase_add_test(c, a_block_may_use_others_and_choose_its_layers);
  tcase_add_test(c, a_parameter_may_be_a_list_or_a_part_of_a_name);
  tcase_add_test(c, repeated_layers_are_numbered_on);
  tcase_add_test(c, index_counts_repeats);
  tcase_add_test(c, a_residual_adds_what_went_around_it);
  tcase_add_test(c, a_residual_adds_to_names_only_what_it_is_called);
  tcase_add_test(c, branches_are_joined);
  tcase_add_test(c, from_reads_what_stands_further_up);
  tcase_add_test(c, names_are_looked_up_from_the_inside_to_the_outside);
  tcase_add_test(c, a_group_may_read_something_else_than_the_layer_before);
  tcase_add_test(c, a_shared_layer_has_no_tensors_of_its_own);
  tcase_add_test(c, reshape_says_the_shape_of_a_sample);
  tcase_add_loop_test(c, layers_may_be_built_as_in_evaluation, 0, 4);
  tcase_add_test(c, a_file_may_fix_the_number_of_outputs);
  tcase_add_test(c, a_name_is_that_of_the_file_or_of_the_text);
  return run_suite("model", c);
}
