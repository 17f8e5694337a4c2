/* Gradients of the losses; see gradient_check.h. */
#include "gradient_check.h"

/* Logits or the like, labels, class weights for every other draw where the loss takes them. */
static void draw_loss(uint64_t *s, problem *p, bool weighted)
{
  const int64_t x[2] = {PICK(s, 1, 2, 3, 5, 16), 1 + draw_below(s, 60)};
  add_input(p, "x", SMOOTH, 2, x);
  add_input(p, "labels", LABELS, 1, &x[0]);
  if (weighted && draw_below(s, 2)) add_input(p, "class weights", POSITIVE, 1, &x[1]);
}

static bool draw_cross_entropy(uint64_t *s, problem *p)
{
  p->attr.cross_entropy.label_smoothing = (double)PICK(s, 0, 0, 1, 5, 9) / 10;
  draw_loss(s, p, true);
  return true;
}

static bool draw_nll_loss(uint64_t *s, problem *p)
{
  draw_loss(s, p, true);
  return true;
}

static bool draw_plain_loss(uint64_t *s, problem *p)
{
  draw_loss(s, p, false);
  return true;
}

int main(void)
{
  static const gradient_case cases[] = {
      {"cross_entropy", draw_cross_entropy, NULL},
      {"nll_loss", draw_nll_loss, NULL},
      {"mse_loss", draw_plain_loss, NULL},
      {"bce_with_logits", draw_plain_loss, NULL},
  };
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
