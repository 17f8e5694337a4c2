/* Gradients of the ops over planes against central differences: gradient_check.h says how. max_pool2d's is in
 * test_gradients.c. */
#include "gradient_check.h"

static int ceil_modes, padding_counts, padding_left_out;

static bool draw_avg_pool2d(uint64_t *s, problem *p)
{
  dlc_avg_pool2d *a = &p->attr.avg_pool2d;
  int64_t x[4];
  draw_image(s, x);
  const bool default_stride = draw_below(s, 4) == 0;
  a->ceil_mode = draw_below(s, 2);
  a->count_include_pad = draw_below(s, 2);
  for (int i = 0; i < 2; i++) {
    a->kernel_size[i] = PICK(s, 1, 1, 2, 2, 3, 4, 5);
    a->stride[i] = default_stride ? 0 : PICK(s, 1, 2, 3, 6);
    a->padding[i] = draw_below(s, a->kernel_size[i] / 2 + 1);
    a->padding[i + 2] = draw_below(s, a->kernel_size[i] / 2 + 1);
    if (x[2 + i] + a->padding[i] + a->padding[i + 2] < a->kernel_size[i]) return false;
  }
  const bool padded = a->padding[0] || a->padding[1] || a->padding[2] || a->padding[3];
  ceil_modes += a->ceil_mode != 0;
  padding_counts += padded && a->count_include_pad;
  padding_left_out += padded && !a->count_include_pad;
  add_input(p, "x", SMOOTH, 4, x);
  return true;
}

static void check_avg_pool2d(void)
{
  check_windows();
  ck_assert_int_ge(ceil_modes, 50);
  ck_assert_int_ge(padding_counts, 20);
  ck_assert_int_ge(padding_left_out, 20);
}

static bool draw_adaptive_avg_pool2d(uint64_t *s, problem *p)
{
  int64_t x[4];
  draw_image(s, x);
  for (int i = 0; i < 2; i++) p->attr.adaptive_avg_pool2d.output_size[i] = PICK(s, 1, 1, 2, 3, 4, 7, 12);
  add_input(p, "x", SMOOTH, 4, x);
  return true;
}

static bool draw_pad2d(uint64_t *s, problem *p)
{
  dlc_pad2d *a = &p->attr.pad2d;
  int64_t x[4];
  draw_image(s, x);
  a->mode = PICK(s, DLC_PAD_ZERO, DLC_PAD_REFLECT);
  for (int i = 0; i < 4; i++) {
    a->padding[i] = draw_below(s, 5);
    if (a->mode == DLC_PAD_REFLECT && a->padding[i] >= x[2 + i % 2]) a->padding[i] = x[2 + i % 2] - 1;
  }
  add_input(p, "x", SMOOTH, 4, x);
  return true;
}

static bool draw_upsample_nearest2d(uint64_t *s, problem *p)
{
  int64_t x[4];
  draw_image(s, x);
  for (int i = 0; i < 2; i++) p->attr.upsample_nearest2d.scale_factor[i] = PICK(s, 1, 2, 2, 3, 5);
  add_input(p, "x", SMOOTH, 4, x);
  return true;
}

int main(void)
{
  static const gradient_case cases[] = {
      {"avg_pool2d", draw_avg_pool2d, check_avg_pool2d},
      {"adaptive_avg_pool2d", draw_adaptive_avg_pool2d, NULL},
      {"pad2d", draw_pad2d, NULL},
      {"upsample_nearest2d", draw_upsample_nearest2d, NULL},
  };
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
