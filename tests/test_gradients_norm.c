/* Gradients of the normalisations against central differences: gradient_check.h says how. */
#include "gradient_check.h"

/* Of two elements the normalised ones are -1 and 1 whatever they were, but for eps: so it is large here. */
static double draw_eps(uint64_t *s)
{
  return 0.25 + draw_number(s) / 8;
}

static bool draw_batch_norm2d(uint64_t *s, problem *p)
{
  dlc_batch_norm2d *a = &p->attr.batch_norm2d;
  int64_t x[4];
  draw_image(s, x);
  *a = (dlc_batch_norm2d){.eps = draw_eps(s), .momentum = 0.1, .affine = draw_below(s, 3) > 0};
  if (x[0] * x[2] * x[3] < 2) return false;
  add_input(p, "x", SMOOTH, 4, x);
  if (a->affine) add_input(p, "weight", SMOOTH, 1, x + 1);
  if (a->affine) add_input(p, "bias", SMOOTH, 1, x + 1);
  return true;
}

static bool draw_batch_norm2d_eval(uint64_t *s, problem *p)
{
  dlc_batch_norm2d *a = &p->attr.batch_norm2d;
  int64_t x[4];
  draw_image(s, x);
  *a = (dlc_batch_norm2d){.eps = draw_eps(s), .momentum = 0.1, .affine = draw_below(s, 3) > 0};
  add_input(p, "x", SMOOTH, 4, x);
  add_input(p, "running_mean", POSITIVE, 1, x + 1);
  add_input(p, "running_var", POSITIVE, 1, x + 1);
  if (a->affine) add_input(p, "weight", SMOOTH, 1, x + 1);
  if (a->affine) add_input(p, "bias", SMOOTH, 1, x + 1);
  return true;
}

static bool draw_layer_norm(uint64_t *s, problem *p)
{
  dlc_layer_norm *a = &p->attr.layer_norm;
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  *a = (dlc_layer_norm){.dims = 1 + draw_below(s, rank), .eps = draw_eps(s), .affine = draw_below(s, 3) > 0};
  const int64_t *row = x + rank - a->dims;
  add_input(p, "x", SMOOTH, rank, x);
  if (a->affine) add_input(p, "weight", SMOOTH, (uint32_t)a->dims, row);
  if (a->affine) add_input(p, "bias", SMOOTH, (uint32_t)a->dims, row);
  return true;
}

int main(void)
{
  static const gradient_case cases[] = {
      {"batch_norm2d", draw_batch_norm2d, NULL},
      {"batch_norm2d_eval", draw_batch_norm2d_eval, NULL},
      {"layer_norm", draw_layer_norm, NULL},
  };
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
