/* Model files that are wrong: each is refused with its place, what came and what was expected. */
#include "model_fixture.h"
#include "suite.h"

#define DEEP8(x)  x x x x x x x x
#define DEEP72(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x) DEEP8(x)

static const struct {
  const char *text, *reason;
} wrong[] = {
    /* what is no YAML, or hides its meaning */
    {"layers:\n  - conv2d: {out_channels: 6\n", "m.yaml:3:1: did not find expected ',' or '}'"},
    {"layers:\n\t- relu\n", "m.yaml:2:1: found character that cannot start any token"},
    {"layers: [&a relu, *a]\n", "m.yaml:1:10: anchors are not allowed here"},
    {"layers: [relu, *a]\n", "m.yaml:1:16: aliases are not allowed here"},
    {"layers: !!seq [relu]\n", "m.yaml:1:9: tags are not allowed here"},
    {"layers: [\"\"]\n", "m.yaml:1:10: expected a layer: `relu` or `conv2d: {...}`"},
    {"layers: [\"a\\0b\"]\n", "m.yaml:1:10: a NUL character"},
    {"layers: [relu]\n---\nlayers: [relu]\n", "m.yaml:2:1: expected one document only"},
    {"layers: " DEEP72("["), "m.yaml:1:72: lists and maps within each other, more than 64 deep"},
    {"{[a]: b}\n", "m.yaml:1:2: expected a name"},
    /* the outermost keys */
    {"", "m.yaml: the file is empty; expected `layers:`"},
    {"- relu\n", "m.yaml:1:1: expected `layers:`"},
    {"layers: 3\n", "m.yaml:1:9: `layers` must be a list"},
    {"layers: []\n", "m.yaml:1:9: `layers` is empty"},
    {"name: x\n", "m.yaml: no `layers:`"},
    {"name: [x]\nlayers: [relu]\n", "m.yaml:1:7: expected a name"},
    {"layers: [relu]\nlayer: [relu]\n",
     "m.yaml:2:1: unknown key `layer`; a model has `name`, `classes`, `init`, `blocks` and `layers`"},
    {"layers: [relu]\nlayers: [relu]\n", "m.yaml:2:1: `layers` is given twice, first in line 1"},
    {"classes: many\nlayers: [relu]\n", "m.yaml:1:10: expected a number of classes"},
    {"classes: 0\nlayers: [relu]\n", "m.yaml:1:10: expected a number of classes"},
    /* entries of a list */
    {"layers:\n  - [relu]\n", "m.yaml:2:5: expected a layer: `relu` or `conv2d: {...}`"},
    {"layers:\n  - relu:\n    flatten:\n", "m.yaml:2:5: expected a layer: `relu` or `conv2d: {...}`"},
    {"layers:\n  -\n", "m.yaml:2:4: expected a layer: `relu` or `conv2d: {...}`"},
    /* arguments */
    {"layers:\n  - linear: {out_features: {a: 1}}\n", "m.yaml:2:28: expected a value or a list of values"},
    {"layers:\n  - linear: {out_features: [[1]]}\n", "m.yaml:2:29: expected a value"},
    {"layers:\n  - linear: {out_features: }\n", "m.yaml:2:28: an empty value"},
    {"layers:\n  - linear: {out_features: []}\n", "m.yaml:2:28: an empty list"},
    {"layers:\n  - linear: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", "m.yaml:2:13: a list of more than 8 values"},
    {"layers:\n  - linear: {out_features: 1, out_features: 2}\n",
     "m.yaml:2:31: `out_features` is given twice, first in line 2"},
    {"layers:\n  - linear: {in_features: 16, out_features: 3}\n",
     "m.yaml:2:27: layer `0`: linear has no `in_features`: that follows from what it reads"},
    {"layers:\n  - relu: 3\n", "m.yaml:2:11: layer `0`: relu takes no arguments"},
    {"layers:\n  - conv2d: {name: c, out_channels: 6}\n", "m.yaml:2:5: layer `c`: conv2d needs `kernel_size`"},
    {"layers:\n  - conv2d: {name: c, out_channels: 6,\n     kernel_size: big}\n",
     "m.yaml:3:19: layer `c`: `kernel_size: big`: expected a whole number"},
    {"layers:\n  - reshape\n", "m.yaml:2:5: layer `0`: reshape needs `shape`"},
    {"layers:\n  - reshape: [3, -1]\n",
     "m.yaml:2:5: 0 (reshape): shape [3, -1] does not hold the 16 elements of a sample of [2, 1, 4, 4]"},
    {"layers:\n  - reshape: {shape: [2, half]}\n", "m.yaml:2:22: layer `0`: `shape: half`: expected a whole number"},
    /* how tensors begin */
    {"init: 3\nlayers:\n  - relu\n",
     "m.yaml:1:7: no initialisation `3`; there are uniform, normal, trunc_normal, constant, ones, zeros, "
     "xavier_uniform, xavier_normal, kaiming_uniform and kaiming_normal"},
    {"init: [zeros]\nlayers:\n  - relu\n", "m.yaml:1:7: expected `kaiming_normal`, `{weight: ..., bias: ...}` or such"},
    {"init: {}\nlayers:\n  - relu\n", "m.yaml:1:7: expected `kaiming_normal`, `{weight: ..., bias: ...}` or such"},
    {"init: {linear: {}}\nlayers:\n  - relu\n",
     "m.yaml:1:16: expected `kaiming_normal`, `{weight: ..., bias: ...}` or such"},
    {"init: {linear: {bias: [zeros]}}\nlayers:\n  - relu\n",
     "m.yaml:1:23: expected `kaiming_normal`, `{normal: {std: 0.01}}` or such"},
    {"init: zeros\nlayers:\n  - flatten\n",
     "m.yaml:3:5: the last layer `0` gives [2, 16]; expected [batch, 10], a number for each class"},
    {"init: {lineer: zeros}\nlayers:\n  - flatten\n  - linear: 10\n",
     "m.yaml:1:16: `init`: no `lineer` has a weight of two dimensions or more"},
    {"init: {linear: {wieght: zeros}}\nlayers:\n  - flatten\n  - linear: 10\n",
     "m.yaml:1:25: `init`: no `linear` has a wieght"},
    {"init: {zero: }\nlayers:\n  - relu\n", "m.yaml:1:7: no initialisation `zero`; did you mean `zeros`?"},
    {"layers:\n  - batch_norm2d: {init: zeros}\n",
     "m.yaml:2:26: `init`: no `0` has a weight of two dimensions or more"},
    {"layers:\n  - flatten\n  - linear: {out_features: 10, init: {bias: kaiming_normal}}\n",
     "m.yaml:3:5: 1 (linear): bias: kaiming_normal: a tensor of two dimensions or more has a fan; this one is [10]"},
    {"layers:\n  - linear: {out_features: 10, init: {constant: }}\n", "m.yaml:2:38: constant needs `val`"},
    {"layers:\n  - linear: {out_features: 10, init: {constant: {}}}\n", "m.yaml:2:38: constant needs `val`"},
    {"layers:\n  - linear: {out_features: 10, init: {constant: \"\"}}\n", "m.yaml:2:49: an empty value"},
    {"layers:\n  - linear: {out_features: 10, init: {constant: {value: 3}}}\n",
     "m.yaml:2:57: constant has no `value`; did you mean `val`?"},
    {"layers:\n  - linear: {out_features: 10, init: {normal: {std: -3}}}\n",
     "m.yaml:2:38: normal: std is -3, expected 0 or more"},
    {"layers:\n  - linear: {out_features: 10, init: {zeros: 3}}\n", "m.yaml:2:46: zeros takes no arguments"},
    {"layers:\n  - linear: {name: a, out_features: 2}\n  - linear: {share: a, init: zeros}\n",
     "m.yaml:3:30: a layer that shares another's tensors has no beginning of its own"},
    /* names */
    {"layers:\n  - relu: {name: a}\n  - relu: {name: a}\n",
     "m.yaml:3:5: `a` is already the name of a layer further up"},
    {"layers:\n  - sequence: {name: a, layers: [relu]}\n  - relu: {name: a}\n",
     "m.yaml:3:5: `a` is already the name of a group of layers further up"},
    {"layers:\n  - repeat: {times: 2, layers: [relu: {name: a}]}\n",
     "m.yaml:2:33: `a` is already the name of a layer; what is repeated, or used twice, needs a name of its own: "
     "$index "
     "counts repeats"},
    {"layers:\n  - relu: {name: a b}\n",
     "m.yaml:2:18: `a b` is no name; letters, digits, _ and - are, joined by dots, but not `input`"},
    {"layers:\n  - relu: {name: .a}\n",
     "m.yaml:2:18: `.a` is no name; letters, digits, _ and - are, joined by dots, but not `input`"},
    {"layers:\n  - relu: {name: a..b}\n",
     "m.yaml:2:18: `a..b` is no name; letters, digits, _ and - are, joined by dots, but not `input`"},
    {"layers:\n  - relu: {name: input}\n",
     "m.yaml:2:18: `input` is no name; letters, digits, _ and - are, joined by dots, but not `input`"},
    {"layers:\n  - relu: {name: " DEEP72("abcd") "}\n", "m.yaml:2:18: a name of more than 255 bytes"},
    {"layers:\n  - relu: {name: [a]}\n", "m.yaml:2:18: expected a name"},
    {"layers:\n  - flatten\n  - linear: {name: ., out_features: 16}\n  - linear: {name: ., out_features: 10}\n",
     "m.yaml:4:5: 2 (linear): another layer has a tensor `weight`, too"},
    /* reading other layers */
    {"layers:\n  - relu: {name: before}\n  - relu: {from: befor}\n",
     "m.yaml:3:18: no layer further up is called `befor`; did you mean `before`?"},
    {"layers:\n  - relu: {from: later}\n  - relu: {name: later}\n",
     "m.yaml:2:18: no layer further up is called `later`"},
    {"layers:\n  - relu\n  - add: {from: [0, 7]}\n", "m.yaml:3:17: no layer further up is called `7`"},
    {"layers:\n  - add\n", "m.yaml:2:5: layer `0`: add reads 2 layers, 1 came; name them in `from: [a, b]`"},
    {"layers:\n  - relu\n  - tanh: {from: [0, input]}\n", "m.yaml:3:5: layer `1`: tanh reads 1 layer, 2 came"},
    {"layers:\n  - relu\n  - residual: {from: [0, input], layers: [relu]}\n",
     "m.yaml:3:22: `residual` reads one layer, 2 came"},
    {"layers:\n  - relu\n  - relu: {from: input}\n", "m.yaml:2:5: nothing reads layer `0`"},
    /* sharing */
    {"layers:\n  - linear: {name: a, out_features: 2}\n  - linear: {share: b}\n",
     "m.yaml:3:21: no layer further up is called `b`"},
    {"layers:\n  - flatten\n  - linear: {share: 0}\n", "m.yaml:3:21: `0` is of flatten, expected linear"},
    {"layers:\n  - relu\n  - relu: {share: 0}\n", "m.yaml:3:5: layer `1`: `0` has no tensors to share"},
    {"layers:\n  - sequence: [relu]\n  - relu: {share: 0}\n",
     "m.yaml:3:19: `0` is a group; only a single layer can be shared"},
    {"layers:\n  - linear: {name: a, out_features: 2}\n  - linear: {share: a, out_features: 2}\n",
     "m.yaml:3:38: a layer that shares another's tensors has its arguments, too"},
    {"layers:\n  - flatten\n  - linear: {name: a, out_features: 2}\n  - linear: {share: a}\n",
     "m.yaml:4:5: 2 (linear): weight is [2, 16], expected [2, 2]"},
    /* sequences, repeats, branches */
    {"layers:\n  - sequence: {name: s}\n", "m.yaml:2:5: sequence needs `layers`"},
    {"layers:\n  - sequence: []\n", "m.yaml:2:15: expected a list of layers"},
    {"layers:\n  - sequence: {nmae: s, layers: [relu]}\n", "m.yaml:2:16: sequence has no `nmae`; did you mean `name`?"},
    {"layers:\n  - repeat: {layers: [relu]}\n", "m.yaml:2:5: repeat needs `times`"},
    {"layers:\n  - repeat: {times: 0, layers: [relu]}\n", "m.yaml:2:21: `times: 0`: expected a number from 1 to 4096"},
    {"layers:\n  - repeat: {times: 4097, layers: [relu]}\n",
     "m.yaml:2:21: `times: 4097`: expected a number from 1 to 4096"},
    {"layers:\n  - repeat: {times: 70, layers: [repeat: {times: 70, layers: [relu]}]}\n",
     "m.yaml:2:63: more than 4096 layers and groups, repeats written out"},
    {"layers:\n  - repeat: {times: 4000, layers: [sequence: [sequence: [relu]]]}\n",
     "m.yaml:2:47: more than 4096 layers and groups, repeats written out"},
    {"layers:\n  - residual: {shortcut: [relu]}\n", "m.yaml:2:5: residual needs `layers`"},
    {"layers:\n  - residual: {layers: [relu], shotcut: [relu]}\n",
     "m.yaml:2:32: residual has no `shotcut`; did you mean `shortcut`?"},
    {"layers:\n  - residual: {layers: [relu], shortcut: relu}\n", "m.yaml:2:42: expected a list of layers"},
    {"layers:\n  - residual: [conv2d: {out_channels: 1, kernel_size: 3}]\n",
     "m.yaml:2:5: 0 (add): b is [2, 1, 4, 4], expected [2, 1, 2, 2]"},
    {"layers:\n  - parallel: {join: add}\n", "m.yaml:2:5: parallel needs `branches`: a list of 2 to 8 lists of layers"},
    {"layers:\n  - parallel: {branches: [[relu]]}\n",
     "m.yaml:2:5: parallel needs `branches`: a list of 2 to 8 lists of layers"},
    {"layers:\n  - parallel: {branches: [relu, []]}\n", "m.yaml:2:27: expected a list of layers"},
    {"layers:\n  - parallel: {join: add, axis: 1, branches: [[], [relu]]}\n",
     "m.yaml:2:33: layer `0`: add has no `axis`; it has no attributes"},
    /* blocks */
    {"blocks: [a]\nlayers: [relu]\n", "m.yaml:1:9: `blocks` must be a map of names and blocks"},
    {"blocks: {a: [relu]}\nlayers: [relu]\n", "m.yaml:1:13: expected a block: {parameters: {...}, layers: [...]}"},
    {"blocks: {a: {layer: [relu]}}\nlayers: [relu]\n",
     "m.yaml:1:14: unknown key `layer`; a block has `parameters` and `layers`"},
    {"blocks: {a: {parameters: {}}}\nlayers: [relu]\n", "m.yaml:1:10: block `a` has no `layers`"},
    {"blocks: {a: {layers: []}}\nlayers: [relu]\n", "m.yaml:1:22: expected a list of layers"},
    {"blocks: {repeat: {layers: [relu]}}\nlayers: [relu]\n", "m.yaml:1:10: a block can't be called `repeat`"},
    {"blocks: {a: {parameters: [x], layers: [relu]}}\nlayers: [a]\n",
     "m.yaml:1:26: expected parameters with their defaults: {channels: , stride: 1}, at most 32"},
    {"blocks: {a: {parameters: {x: 1}, layers: [relu]}}\nlayers: [a]\n",
     "m.yaml:1:27: block `a` never uses its parameter `x`"},
    {"blocks: {a: {parameters: {name: 1}, layers: [relu: {name: $name}]}}\nlayers: [a]\n",
     "m.yaml:1:27: a parameter can't be called `name`"},
    {"blocks: {a: {parameters: {x: }, layers: [linear: $x]}}\nlayers:\n  - a\n", "m.yaml:3:5: block `a` needs `x`"},
    {"blocks: {a: {parameters: {width: }, layers: [linear: $width]}}\nlayers:\n  - a: {widht: 3}\n",
     "m.yaml:3:9: block `a` has no `widht`; did you mean `width`?"},
    {"blocks: {a: {layers: [relu]}}\nlayers:\n  - a: 3\n", "m.yaml:3:5: block `a` has no parameters"},
    {"blocks: {a: {layers: [a]}}\nlayers: [a]\n", "m.yaml:1:23: block `a` contains itself"},
    {"blocks: {a: {layers: [b]}, b: {layers: [a]}}\nlayers: [a]\n",
     "m.yaml:1:41: block `a` contains itself, through `b`"},
    {"blocks: {a: {parameters: {width: }, layers: [linear: $widht]}}\nlayers:\n  - a: 3\n",
     "m.yaml:1:27: block `a` never uses its parameter `width`"},
    {"blocks: {a: {parameters: {width: }, layers: [relu: {name: n$width}, linear: $widht]}}\nlayers:\n  - a: 3\n",
     "m.yaml:1:77: no parameter is called $widht; did you mean $width?"},
    {"layers:\n  - linear: $x\n", "m.yaml:2:13: no parameter is called $x here"},
    {"layers:\n  - linear: a$\n", "m.yaml:2:13: expected the name of a parameter after $"},
    {"blocks: {a: {parameters: {x: }, layers: [relu: {name: n$x}]}}\nlayers:\n  - a: [1, 2]\n",
     "m.yaml:1:55: $x is a list, expected one value"},
    {"blocks: {a: {parameters: {k: }, layers: [conv2d: {out_channels: 1, kernel_size: $k}]}}\nlayers:\n  - a: big\n",
     "m.yaml:3:8: layer `0.0`: `kernel_size: big`: expected a whole number"},
    /* ops and shapes */
    {"layers:\n  - flatten\n  - lineer: 3\n", "m.yaml:3:5: layer `1`: no op `lineer`"},
    {"blocks: {basic: {layers: [relu]}}\nlayers:\n  - bsaic\n",
     "m.yaml:3:5: layer `0`: no op or block `bsaic`; did you mean `basic`?"},
    {"layers:\n  - repaet: {times: 2}\n", "m.yaml:2:5: layer `0`: no op or block `repaet`; did you mean `repeat`?"},
    {"layers:\n  - relu_grad\n", "m.yaml:2:5: layer `0`: relu_grad is not a layer"},
    {"layers:\n  - flatten\n  - linear: {name: fc, out_features: 84}\n",
     "m.yaml:3:5: the last layer `fc` gives [2, 84]; expected [batch, 10], a number for each class"},
    {"layers:\n  - flatten\n  - batch_norm2d: {name: bn}\n",
     "m.yaml:3:5: bn (batch_norm2d): input is [2, 16], expected [batch, channels, height, width]"},
    {"layers:\n  - flatten\n  - dropout: {name: d, p: 2}\n", "m.yaml:3:5: d (dropout): p is 2, expected 0 to 1"},
    {"layers:\n  - flatten\n  - slice: {dim: 0, begin: 0, end: 1}\n  - linear: classes\n",
     "m.yaml:4:5: the last layer `2` gives [1, 10] for a batch of 2"},
    {"layers:\n  - flatten\n  - conv2d: {name: c, out_channels: 6, kernel_size: 3}\n",
     "m.yaml:3:5: c (conv2d): input is [2, 16], expected [batch, channels, height, width]"},
    {"layers:\n  - conv2d: {name: c1, out_channels: 6, kernel_size: 5}\n",
     "m.yaml:2:5: c1 (conv2d): input is 4x4, kernel_size 5x5 with padding 0 needs at least 5x5"},
};

START_TEST(a_wrong_model_file_is_refused_with_its_place)
{
  built b;
  ck_assert_int_eq(build_model(&b, wrong[_i].text, 4, 10) == DLC_OK, false);
  ck_assert_str_eq(dlc_reason(), wrong[_i].reason);
  free_built(&b);
}
END_TEST

/* Each block uses the one before it: 100 levels, but no circle. */
START_TEST(blocks_within_blocks_have_a_limit)
{
  built b;
  dlc_str text = {0};
  dlc_str_add(&text, "blocks:\n  b0: {layers: [relu]}\n");
  for (int i = 1; i < 100; i++) dlc_str_addf(&text, "  b%d: {layers: [b%d]}\n", i, i - 1);
  dlc_str_add(&text, "layers: [b99]\n");
  ck_assert_int_eq(build_model(&b, dlc_str_get(&text), 4, 10), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "m.yaml:38:17: groups of layers in more than 64 levels");
  dlc_str_free(&text);
  free_built(&b);
}
END_TEST

START_TEST(a_map_has_a_limit)
{
  built b;
  dlc_str text = {0};
  dlc_str_add(&text, "layers:\n  - linear: {");
  for (int i = 0; i < 200; i++) dlc_str_addf(&text, "a%d: 1, ", i);
  dlc_str_add(&text, "}\n");
  ck_assert_int_eq(build_model(&b, dlc_str_get(&text), 4, 10), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "m.yaml:2:1056: more than 128 entries");
  dlc_str_free(&text);
  free_built(&b);
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
  TCase *c = tcase_create("model_errors");
  tcase_add_loop_test(c, a_wrong_model_file_is_refused_with_its_place, 0, sizeof(wrong) / sizeof(*wrong));
  tcase_add_test(c, blocks_within_blocks_have_a_limit);
  tcase_add_test(c, a_map_has_a_limit);
  tcase_add_test(c, a_missing_file_is_named);
  return run_suite("model_errors", c);
}
