/* Gradients of the ops over planes against central differences: gradient_check.h says how. max_pool2d's is in
 * test_gradients.c. */
#include "gradient_check.h"

static bool draw_adaptive_avg_pool2d(uint64_t *s, problem *p)
{
  int64_t x[4];
  draw_image(s, x);
  for (int i = 0; i < 2; i++) p->attr.adaptive_avg_pool2d.output_size[i] = PICK(s, 1, 1, 2, 3, 4, 7, 12);
  add_input(p, "x", SMOOTH, 4, x);
  return true;
}

int main(void)
{
  static const gradient_case cases[] = {
      {"adaptive_avg_pool2d", draw_adaptive_avg_pool2d, NULL},
  };
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
