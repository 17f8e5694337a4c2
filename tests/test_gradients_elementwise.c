/* Gradients of activations, dropout, products, and of what moves elements or lets tokens attend. */
#include "gradient_check.h"

static bool draw_smooth(uint64_t *s, problem *p)
{
  int64_t x[5];
  add_input(p, "x", SMOOTH, draw_shape(s, 1, x), x);
  return true;
}

/* Of curves with a kink: few enough elements for the errors of curved parts, which grow with their number, to stay
 * below the bound. */
static bool draw_kinked(uint64_t *s, problem *p)
{
  int64_t x[5];
  add_input(p, "x", DISTINCT, draw_shape(s, 1, x), x);
  return count_input(p, 0) <= 4000;
}

static bool draw_leaky_relu(uint64_t *s, problem *p)
{
  p->attr.leaky_relu.negative_slope = draw_number(s);
  return draw_kinked(s, p);
}

static bool draw_elu(uint64_t *s, problem *p)
{
  p->attr.elu.alpha = draw_number(s) + 1.5;
  return draw_kinked(s, p);
}

static bool draw_gelu(uint64_t *s, problem *p)
{
  p->attr.gelu.approximate = draw_below(s, 2);
  return draw_smooth(s, p);
}

static bool draw_masked(uint64_t *s, problem *p, uint32_t least)
{
  int64_t x[5];
  const int64_t words = 3;
  p->attr.dropout = (dlc_dropout){.p = (double)draw_below(s, 9) / 10, .stream = draw_below(s, 5)};
  add_input(p, "x", SMOOTH, draw_shape(s, least, x), x);
  add_input(p, "key", KEY, 1, &words);
  return count_input(p, 0) >= 8; /* with fewer, nothing may be left to compare */
}

static bool draw_dropout(uint64_t *s, problem *p)
{
  return draw_masked(s, p, 1);
}

static bool draw_dropout2d(uint64_t *s, problem *p)
{
  return draw_masked(s, p, 2);
}

static bool draw_pair(uint64_t *s, problem *p)
{
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  add_input(p, "a", SMOOTH, rank, x);
  add_input(p, "b", SMOOTH, rank, x);
  return true;
}

static bool draw_concat(uint64_t *s, problem *p)
{
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  const int64_t at = draw_below(s, rank), n = PICK(s, 2, 2, 3, 8);
  p->attr.concat.dim = draw_below(s, 2) ? at : at - rank;
  for (int64_t i = 0; i < n; i++) {
    x[at] = PICK(s, 1, 2, 3, 5);
    add_input(p, names[i], SMOOTH, rank, x);
  }
  return true;
}

static bool draw_slice(uint64_t *s, problem *p)
{
  int64_t x[5];
  const uint32_t rank = draw_shape(s, 1, x);
  dlc_slice *a = &p->attr.slice;
  a->dim = draw_below(s, rank);
  a->begin = draw_below(s, x[a->dim]);
  a->end = a->begin + 1 + draw_below(s, x[a->dim] - a->begin);
  if (draw_below(s, 2)) a->begin -= x[a->dim];
  if (draw_below(s, 2)) a->end -= x[a->dim];
  add_input(p, "x", SMOOTH, rank, x);
  return true;
}

static bool draw_transpose(uint64_t *s, problem *p)
{
  const int64_t x[3] = {PICK(s, 1, 2, 3, 5), 1 + draw_below(s, 17), 1 + draw_below(s, 17)};
  add_input(p, "x", SMOOTH, 3, x);
  return true;
}

static void draw_tokens(uint64_t *s, int64_t heads, int64_t x[3])
{
  x[0] = PICK(s, 1, 2, 3);
  x[1] = PICK(s, 1, 2, 3, 5, 9);
  x[2] = heads * PICK(s, 1, 2, 3, 4, 7);
}

static bool draw_attention(uint64_t *s, problem *p)
{
  static const char *const names[] = {"query", "key", "value"};
  int64_t x[3];
  p->attr.attention.num_heads = PICK(s, 1, 2, 3, 4);
  draw_tokens(s, p->attr.attention.num_heads, x);
  for (int i = 0; i < 3; i++) add_input(p, names[i], SMOOTH, 3, x);
  return true;
}

static const gradient_case cases[] = {
    {"leaky_relu", draw_leaky_relu, NULL},
    {"elu", draw_elu, NULL},
    {"gelu", draw_gelu, NULL},
    {"silu", draw_smooth, NULL},
    {"relu6", draw_kinked, NULL},
    {"hardswish", draw_kinked, NULL},
    {"tanh", draw_smooth, NULL},
    {"sigmoid", draw_smooth, NULL},
    {"dropout", draw_dropout, NULL},
    {"dropout2d", draw_dropout2d, NULL},
    {"multiply", draw_pair, NULL},
    {"concat", draw_concat, NULL},
    {"slice", draw_slice, NULL},
    {"softmax", draw_smooth, NULL},
    {"log_softmax", draw_smooth, NULL},
    {"transpose", draw_transpose, NULL},
    {"attention", draw_attention, NULL},
};

int main(void)
{
  return gradient_main(cases, sizeof cases / sizeof cases[0]);
}
