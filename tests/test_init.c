/* How tensors begin: torch.nn.init's distributions, and which rule of a model file decides. */
#include "model_fixture.h"
#include "suite.h"
#include <math.h>

/* ---- the functions ---- */

/* What torch.nn.init (2.x) passes on to uniform_ and normal_. */
static const struct distribution {
  const char *text;
  int64_t dim[4];
  uint32_t kind;
  double a, b;
} pytorchs[] = {
    {"uniform:a=-0.5,b=0.25", {10, 84}, DLC_INIT_UNIFORM, -0.5, 0.25},
    {"uniform", {10, 84}, DLC_INIT_UNIFORM, 0, 1},
    {"normal", {10, 84}, DLC_INIT_NORMAL, 0, 1},
    {"normal:mean=1,std=0.02", {10, 84}, DLC_INIT_NORMAL, 1, 0.02},
    {"xavier_uniform", {64, 3, 7, 7}, DLC_INIT_UNIFORM, -0.042750400118898552, 0.042750400118898552},
    {"xavier_normal:gain=1.4", {64, 3, 7, 7}, DLC_INIT_NORMAL, 0, 0.0345547370232544},
    {"kaiming_uniform", {64, 3, 7, 7}, DLC_INIT_UNIFORM, -0.20203050891044216, 0.20203050891044216},
    {"kaiming_normal:mode=fan_out,nonlinearity=relu", {64, 3, 7, 7}, DLC_INIT_NORMAL, 0, 0.02525381361380527},
    {"xavier_uniform", {10, 84}, DLC_INIT_UNIFORM, -0.25264557631995566, 0.25264557631995566},
    {"xavier_normal:gain=1.4", {10, 84}, DLC_INIT_NORMAL, 0, 0.20421098809705238},
    {"kaiming_uniform", {10, 84}, DLC_INIT_UNIFORM, -0.2672612419124244, 0.2672612419124244},
    {"kaiming_normal:mode=fan_out,nonlinearity=relu", {10, 84}, DLC_INIT_NORMAL, 0, 0.44721359549995793},
    {"xavier_uniform", {32, 1, 3, 3}, DLC_INIT_UNIFORM, -0.14213381090374028, 0.14213381090374028},
    {"xavier_normal:gain=1.4", {32, 1, 3, 3}, DLC_INIT_NORMAL, 0, 0.11488539158071055},
    {"kaiming_uniform", {32, 1, 3, 3}, DLC_INIT_UNIFORM, -0.81649658092772603, 0.81649658092772603},
    {"kaiming_normal:mode=fan_out,nonlinearity=relu", {32, 1, 3, 3}, DLC_INIT_NORMAL, 0, 0.083333333333333343},
    {"xavier_uniform", {1, 5, 6}, DLC_INIT_UNIFORM, -0.40824829046386296, 0.40824829046386296},
    {"xavier_normal:gain=1.4", {1, 5, 6}, DLC_INIT_NORMAL, 0, 0.32998316455372217},
    {"kaiming_uniform", {1, 5, 6}, DLC_INIT_UNIFORM, -0.44721359549995798, 0.44721359549995798},
    {"kaiming_normal:mode=fan_out,nonlinearity=relu", {1, 5, 6}, DLC_INIT_NORMAL, 0, 0.57735026918962584},
    {"kaiming_uniform:a=0.2,nonlinearity=linear",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.14285714285714285,
     0.14285714285714285},
    {"kaiming_uniform:a=0.2,nonlinearity=sigmoid",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.14285714285714285,
     0.14285714285714285},
    {"kaiming_uniform:a=0.2,nonlinearity=tanh",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.23809523809523811,
     0.23809523809523811},
    {"kaiming_uniform:a=0.2,nonlinearity=relu",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.20203050891044216,
     0.20203050891044216},
    {"kaiming_uniform:a=0.2,nonlinearity=leaky_relu",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.19810721293758179,
     0.19810721293758179},
    {"kaiming_uniform:a=0.2,nonlinearity=selu",
     {64, 3, 7, 7},
     DLC_INIT_UNIFORM,
     -0.10714285714285714,
     0.10714285714285714},
    {"constant:val=0.3", {3}, DLC_INIT_CONSTANT, 0.3, 0},
    {"ones", {3}, DLC_INIT_CONSTANT, 1, 0},
    {"zeros", {3}, DLC_INIT_CONSTANT, 0, 0},
};

static dlc_value value_of(const int64_t dim[4])
{
  dlc_value v = {.size = sizeof v, .dtype = DLC_F32, .name = "w"};
  for (; v.rank < 4 && dim[v.rank]; v.rank++) v.dim[v.rank] = dim[v.rank];
  return v;
}

START_TEST(distributions_are_those_of_pytorch)
{
  const struct distribution *e = &pytorchs[_i];
  const dlc_value v = value_of(e->dim);
  dlc_initializer i;
  dlc_init init;
  rig_ok(dlc_initializer_read(e->text, &i));
  rig_ok(dlc_initializer_of(&i, &v, &init));
  ck_assert_uint_eq(init.kind, e->kind);
  ck_assert_double_eq_tol(init.a, e->a, 1e-15);
  ck_assert_double_eq_tol(init.b, e->b, 1e-15);
  ck_assert(!(init.low < init.high));
}
END_TEST

START_TEST(a_truncated_normal_distribution_has_bounds)
{
  const dlc_value v = value_of((int64_t[4]){3});
  dlc_initializer i;
  dlc_init init;
  rig_ok(dlc_initializer_read("trunc_normal:std=0.5,b=1", &i));
  rig_ok(dlc_initializer_of(&i, &v, &init));
  ck_assert_uint_eq(init.kind, DLC_INIT_NORMAL);
  ck_assert_double_eq(init.a, 0);
  ck_assert_double_eq(init.b, 0.5);
  ck_assert_double_eq(init.low, -2);
  ck_assert_double_eq(init.high, 1);
}
END_TEST

static const char *const refused[][2] = {
    {"zero", "no initialisation `zero`; did you mean `zeros`?"},
    {"orthogonal", "no initialisation `orthogonal`; there are uniform, normal, trunc_normal, constant, ones, zeros, "
                   "xavier_uniform, xavier_normal, kaiming_uniform and kaiming_normal"},
    {"kaiming_normal_and_something_very_long", "no initialisation has so long a name"},
    {"constant", "constant needs its `val`: constant:val=..."},
    {"zeros:val=1", "zeros has no `val`; it has no attributes"},
    {"kaiming_normal:mode=fan", "`mode: fan`: expected fan_in|fan_out"},
    {"kaiming_normal:std=1", "kaiming_normal has no `std`; it has a, mode, nonlinearity"},
    {"normal:std=-1", "normal: std is -1, expected 0 or more"},
    {"xavier_normal:gain=-1", "xavier_normal: std is -1, expected 0 or more"},
    {"uniform:a=2", "uniform: a is 2, expected at most b, 1"},
    {"trunc_normal:a=2", "trunc_normal: a is 2, expected less than b, 2"},
    {"trunc_normal:mean=9", "trunc_normal: mean is 9, more than two deviations of 1 outside of a to b, -2 to 2"},
};

START_TEST(what_makes_no_sense_is_refused)
{
  dlc_initializer i;
  ck_assert_int_eq(dlc_initializer_read(refused[_i][0], &i), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), refused[_i][1]);
}
END_TEST

START_TEST(a_vector_has_no_fan)
{
  const dlc_value v = value_of((int64_t[4]){3});
  dlc_initializer i;
  dlc_init init;
  rig_ok(dlc_initializer_read("kaiming_normal", &i));
  ck_assert_int_eq(dlc_initializer_of(&i, &v, &init), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "kaiming_normal: a tensor of two dimensions or more has a fan; this one is [3]");
}
END_TEST

/* ---- the numbers ---- */

enum { MANY = 40000 };
static float numbers[MANY], others[MANY];

/* Mean and deviation within four standard errors. */
START_TEST(numbers_follow_their_distribution)
{
  static const struct {
    dlc_init init;
    double mean, std;
  } cases[] = {
      {{.kind = DLC_INIT_UNIFORM, .a = -0.5, .b = 0.25}, -0.125, 0.21650635094610965},
      {{.kind = DLC_INIT_NORMAL, .a = 1, .b = 0.02}, 1, 0.02},
      {{.kind = DLC_INIT_NORMAL, .a = 0, .b = 1, .low = -1, .high = 1}, 0, 0.5395600937690838},
      {{.kind = DLC_INIT_CONSTANT, .a = 0.3}, (double)0.3f, 0},
  };
  double mean = 0, variance = 0;
  dlc_init_fill(&cases[_i].init, 7, 3, numbers, MANY);
  for (int i = 0; i < MANY; i++) mean += (double)numbers[i] / MANY;
  for (int i = 0; i < MANY; i++) variance += ((double)numbers[i] - mean) * ((double)numbers[i] - mean) / MANY;
  ck_assert_double_eq_tol(mean, cases[_i].mean, 4 * cases[_i].std / 200 + 1e-12);
  ck_assert_double_eq_tol(sqrt(variance), cases[_i].std, 4 * cases[_i].std / sqrt(2.0 * MANY) + 1e-12);
}
END_TEST

START_TEST(numbers_are_a_function_of_seed_and_tensor)
{
  static const dlc_init cases[] = {{.kind = DLC_INIT_UNIFORM, .a = 0, .b = 1},
                                   {.kind = DLC_INIT_NORMAL, .b = 1},
                                   {.kind = DLC_INIT_NORMAL, .b = 1, .low = -1, .high = 1}};
  dlc_init_fill(&cases[_i], 7, 3, numbers, 100);
  dlc_init_fill(&cases[_i], 7, 3, others, MANY);
  ck_assert_mem_eq(numbers, others, 100 * sizeof *numbers);
  dlc_init_fill(&cases[_i], 8, 3, others, 100);
  ck_assert_mem_ne(numbers, others, 100 * sizeof *numbers);
  dlc_init_fill(&cases[_i], 7, 4, others, 100);
  ck_assert_mem_ne(numbers, others, 100 * sizeof *numbers);
}
END_TEST

/* ---- model files ---- */

static void show_init(const dlc_init *i, dlc_str *out)
{
  if (i->kind == DLC_INIT_CONSTANT) dlc_str_addf(out, "=%g", i->a);
  else if (i->kind == DLC_INIT_UNIFORM) dlc_str_addf(out, "=U(%.3g,%.3g)", i->a, i->b);
  else dlc_str_addf(out, "=N(%.3g,%.3g)", i->a, i->b);
  if (i->low < i->high) dlc_str_addf(out, "[%g,%g]", i->low, i->high);
}

/* "0.weight=N(0,0.01) 0.bias=0" of a model on [2, 1, 4, 4]; `general`: the rule of whoever builds it, or NULL. */
static void expect_begins(const char *text, const char *general, const char *expected)
{
  const int64_t dim[] = {2, 1, 4, 4};
  built b = {.host = rig_host(NULL)};
  const dlc_op_finder finder = rig_finder(&b.host);
  dlc_init_rule rule = {.matched = false};
  dlc_model_use use = {.classes = 10, .training = true};
  dlc_str shown = {0};
  uint32_t input;
  if (general) rig_ok(dlc_initializer_read(general, &rule.initializer));
  if (general) use.inits = &rule, use.n_inits = 1;
  rig_ok(dlc_model_parse(text, strlen(text), "m.yaml", &b.model));
  rig_ok(dlc_graph_new(&finder, &b.g));
  rig_ok(dlc_graph_value(b.g, "input", DLC_ROLE_INPUT, DLC_F32, 4, dim, &input));
  rig_ok(dlc_model_build(b.model, b.g, input, &use, &b.m));
  for (uint32_t i = 0; i < b.m.n_params; i++) {
    dlc_str_addf(&shown, i ? " %s" : "%s", dlc_value_at(dlc_graph_view(b.g), b.m.params[i].value)->name);
    show_init(&b.m.params[i].init, &shown);
  }
  ck_assert_str_eq(dlc_str_get(&shown), expected);
  dlc_str_free(&shown);
  free_built(&b);
}

START_TEST(a_layer_says_how_its_weights_begin)
{
  expect_begins("layers: [flatten, linear: {out_features: classes, init: zeros}]", NULL,
                "1.weight=0 1.bias=U(-0.25,0.25)");
  expect_begins("layers: [flatten, linear: {out_features: classes, init: {normal: {std: 0.5}}}]", NULL,
                "1.weight=N(0,0.5) 1.bias=U(-0.25,0.25)");
  expect_begins("layers: [flatten, linear: {out_features: classes, init: {constant: 3}}]", NULL,
                "1.weight=3 1.bias=U(-0.25,0.25)");
  expect_begins("layers: [flatten, linear: {out_features: classes, init: {ones: }}]", NULL,
                "1.weight=1 1.bias=U(-0.25,0.25)");
}
END_TEST

START_TEST(a_layer_says_how_each_tensor_begins)
{
  expect_begins("layers:\n"
                "  - batch_norm2d: {init: {weight: zeros, bias: {uniform: {a: -1}}}}\n"
                "  - flatten\n"
                "  - linear: {out_features: classes, init: {bias: {trunc_normal: {std: 0.1, a: -1}}}}\n",
                NULL,
                "0.weight=0 0.bias=U(-1,1) 0.running_mean=0 0.running_var=1 0.num_batches_tracked=0 "
                "2.weight=U(-0.25,0.25) 2.bias=N(0,0.1)[-1,2]");
}
END_TEST

START_TEST(parameters_of_a_block_may_stand_in_init)
{
  expect_begins("blocks:\n"
                "  fc: {parameters: {n: , how: ones, std: 1}, layers: [linear: {out_features: $n, bias: false, init: "
                "$how}, linear: {out_features: 2, bias: false, init: {normal: {std: $std}}}]}\n"
                "layers: [flatten, fc: {n: 3, how: zeros}, fc: {n: 4, std: 0.5}, linear: classes]\n",
                "zeros",
                "1.0.weight=0 1.1.weight=N(0,1) 2.0.weight=1 2.1.weight=N(0,0.5) 3.weight=0 3.bias=U(-0.707,0.707)");
}
END_TEST

static const char kinds[] = "init: {conv2d: {weight: {normal: {std: 0.5}}, bias: zeros}, linear: xavier_uniform}\n"
                            "layers:\n"
                            "  - conv2d: {out_channels: 1, kernel_size: 1}\n"
                            "  - conv2d: {out_channels: 1, kernel_size: 1, init: ones}\n"
                            "  - batch_norm2d\n"
                            "  - flatten\n"
                            "  - linear: {out_features: classes, bias: false}\n";

START_TEST(a_file_says_how_layers_of_a_kind_begin)
{
  expect_begins(kinds, NULL,
                "0.weight=N(0,0.5) 0.bias=0 1.weight=1 1.bias=0 2.weight=1 2.bias=0 2.running_mean=0 2.running_var=1 "
                "2.num_batches_tracked=0 4.weight=U(-0.48,0.48)");
}
END_TEST

START_TEST(whoever_builds_a_model_decides_before_the_file_and_after_the_layer)
{
  expect_begins(kinds, "zeros",
                "0.weight=0 0.bias=0 1.weight=1 1.bias=0 2.weight=1 2.bias=0 2.running_mean=0 2.running_var=1 "
                "2.num_batches_tracked=0 4.weight=0");
}
END_TEST

START_TEST(a_file_says_how_all_weights_begin)
{
  expect_begins("init: {kaiming_normal: {mode: fan_out}}\n"
                "layers: [conv2d: {out_channels: 2, kernel_size: 2}, batch_norm2d: {affine: false}, flatten, linear: 8,"
                " linear: {out_features: classes, bias: false}]\n",
                NULL,
                "0.weight=N(0,0.5) 0.bias=U(-0.5,0.5) 1.running_mean=0 1.running_var=1 1.num_batches_tracked=0 "
                "3.weight=N(0,0.5) 3.bias=U(-0.236,0.236) 4.weight=N(0,0.447)");
}
END_TEST

START_TEST(attention_has_weights_and_embeddings_are_called_by_their_names)
{
  expect_begins("init: zeros\n"
                "layers:\n"
                "  - tokens\n"
                "  - class_token: {init: {class_token: ones}}\n"
                "  - position_embedding: {init: {pos_embedding: {normal: {std: 1}}}}\n"
                "  - multi_head_attention: {num_heads: 1, init: {out_proj.bias: ones}}\n"
                "  - flatten\n"
                "  - linear: {out_features: classes, bias: false}\n",
                NULL,
                "1.class_token=1 2.pos_embedding=N(0,1) 3.in_proj_weight=0 3.in_proj_bias=0 3.out_proj.weight=0 "
                "3.out_proj.bias=1 5.weight=0");
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("init");
  tcase_add_loop_test(t, distributions_are_those_of_pytorch, 0, sizeof pytorchs / sizeof *pytorchs);
  tcase_add_test(t, a_truncated_normal_distribution_has_bounds);
  tcase_add_loop_test(t, what_makes_no_sense_is_refused, 0, sizeof refused / sizeof *refused);
  tcase_add_test(t, a_vector_has_no_fan);
  tcase_add_loop_test(t, numbers_follow_their_distribution, 0, 4);
  tcase_add_loop_test(t, numbers_are_a_function_of_seed_and_tensor, 0, 3);
  tcase_add_test(t, a_layer_says_how_its_weights_begin);
  tcase_add_test(t, a_layer_says_how_each_tensor_begins);
  tcase_add_test(t, parameters_of_a_block_may_stand_in_init);
  tcase_add_test(t, a_file_says_how_layers_of_a_kind_begin);
  tcase_add_test(t, whoever_builds_a_model_decides_before_the_file_and_after_the_layer);
  tcase_add_test(t, a_file_says_how_all_weights_begin);
  tcase_add_test(t, attention_has_weights_and_embeddings_are_called_by_their_names);
  return run_suite("init", t);
}
