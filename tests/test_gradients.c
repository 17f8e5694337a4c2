/* Gradients of dlcore's ops against central differences: gradient_check.h says how. */
#include "gradient_check.h"

static bool draw_conv2d(uint64_t *s, problem *p)
{
  dlc_conv2d *a = &p->attr.conv2d;
  int64_t x[4];
  draw_image(s, x);
  a->out_channels = PICK(s, 1, 3, 6, 16, 17);
  a->bias = draw_below(s, 2);
  a->groups = draw_below(s, 3) ? 1 : PICK(s, 1, 2, 3, 5);
  if (a->groups > 1) {
    x[1] = a->groups * PICK(s, 1, 1, 2, 3);
    a->out_channels = a->groups * PICK(s, 1, 1, 2, 3);
  }
  const bool same = draw_below(s, 6) == 0;
  for (int i = 0; i < 2; i++) {
    a->kernel_size[i] = PICK(s, 1, 1, 2, 3, 3, 4, 5);
    a->stride[i] = same ? 1 : PICK(s, 1, 1, 2, 3, 5);
    a->dilation[i] = draw_below(s, 3) ? 1 : PICK(s, 1, 2, 3);
  }
  const int64_t limit = PICK(s, 1, 2, 4); /* of the padding, exclusive */
  for (int i = 0; i < 4; i++) a->padding[i] = same ? -1 : draw_below(s, limit);
  for (int i = 0; i < 2 && !same; i++)
    if (x[2 + i] + a->padding[i] + a->padding[i + 2] < a->dilation[i] * (a->kernel_size[i] - 1) + 1) return false;
  const int64_t weight[4] = {a->out_channels, x[1] / a->groups, a->kernel_size[0], a->kernel_size[1]};
  if (x[0] * x[2] * x[3] * weight[0] * weight[1] * weight[2] * weight[3] > MAX_WORK * a->stride[0] * a->stride[1])
    return false;
  add_input(p, "x", SMOOTH, 4, x);
  add_input(p, "weight", SMOOTH, 4, weight);
  if (a->bias) add_input(p, "bias", SMOOTH, 1, weight);
  return true;
}

static bool draw_max_pool2d(uint64_t *s, problem *p)
{
  dlc_max_pool2d *a = &p->attr.max_pool2d;
  int64_t x[4];
  draw_image(s, x);
  const bool default_stride = draw_below(s, 4) == 0;
  a->ceil_mode = draw_below(s, 3) == 0;
  for (int i = 0; i < 2; i++) {
    a->kernel_size[i] = PICK(s, 1, 1, 2, 2, 3, 4, 5);
    a->stride[i] = default_stride ? 0 : PICK(s, 1, 2, 3, 6);
    a->padding[i] = draw_below(s, a->kernel_size[i] / 2 + 1);
    a->padding[i + 2] = draw_below(s, a->kernel_size[i] / 2 + 1);
    if (x[2 + i] + a->padding[i] + a->padding[i + 2] < a->kernel_size[i]) return false;
  }
  add_input(p, "x", DISTINCT, 4, x);
  return true;
}

static bool draw_linear(uint64_t *s, problem *p)
{
  const uint32_t rank = (uint32_t)PICK(s, 2, 2, 3, 4);
  int64_t x[4] = {PICK(s, 1, 2, 3, 7, 16), PICK(s, 1, 2, 3), PICK(s, 1, 2, 3)};
  x[rank - 1] = PICK(s, 1, 3, 6, 16, 17, 33);
  const int64_t weight[2] = {PICK(s, 1, 2, 3, 10, 16, 17), x[rank - 1]};
  p->attr.linear = (dlc_linear){weight[0], draw_below(s, 2)};
  add_input(p, "x", SMOOTH, rank, x);
  add_input(p, "weight", SMOOTH, 2, weight);
  if (p->attr.linear.bias) add_input(p, "bias", SMOOTH, 1, weight);
  return true;
}

static bool draw_bias(uint64_t *s, problem *p)
{
  int64_t x[5];
  add_input(p, "x", SMOOTH, draw_shape(s, 2, x), x);
  add_input(p, "bias", SMOOTH, 1, x + 1);
  return true;
}

static bool draw_relu(uint64_t *s, problem *p)
{
  int64_t x[5];
  add_input(p, "x", DISTINCT, draw_shape(s, 1, x), x);
  return true;
}

static bool draw_add(uint64_t *s, problem *p)
{
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  add_input(p, "a", SMOOTH, rank, x);
  add_input(p, "b", SMOOTH, rank, x);
  return true;
}

static bool draw_flatten(uint64_t *s, problem *p)
{
  int64_t x[5];
  add_input(p, "x", SMOOTH, draw_shape(s, 2, x), x);
  return true;
}

static bool draw_reshape(uint64_t *s, problem *p)
{
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  add_input(p, "x", SMOOTH, rank, x);
  p->attr.reshape.rank = rank; /* the same dimensions backwards */
  for (uint32_t i = 0; i < rank; i++) p->attr.reshape.dim[i] = x[rank - 1 - i];
  return true;
}

static bool draw_rows(uint64_t *s, problem *p)
{
  const int64_t x[2] = {PICK(s, 1, 2, 3, 5, 16), 1 + draw_below(s, 60)};
  add_input(p, "x", SMOOTH, 2, x);
  return true;
}

static void check_conv2d_windows(void)
{
  check_windows();
  ck_assert_int_ge(windows.same, 10);
  ck_assert_int_ge(windows.dilated, 20);
  ck_assert_int_ge(windows.grouped, 10);
  ck_assert_int_ge(windows.depthwise, 10);
}

int main(void)
{
  static const gradient_case cases[] = {
      {"conv2d", draw_conv2d, check_conv2d_windows},
      {"max_pool2d", draw_max_pool2d, check_windows},
      {"linear", draw_linear, NULL},
      {"bias", draw_bias, NULL},
      {"relu", draw_relu, NULL},
      {"add", draw_add, NULL},
      {"flatten", draw_flatten, NULL},
      {"reshape", draw_reshape, NULL},
      {"softmax", draw_rows, NULL},
      {"log_softmax", draw_rows, NULL},
  };
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
