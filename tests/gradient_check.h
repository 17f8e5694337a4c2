/* Gradients of ops: what the nodes of an op's gradient compute against central differences, in double, over at least
 * 200 shapes an op. They are drawn from a fixed stream, so that every run sees the same ones. A test program is a table
 * of ops, each with a function that draws a problem, and gradient_main().
 *
 * The loss is sum(r * output 0) with random r. What is compared: single elements of each input, and one random
 * direction in all elements of it. The error is relative to the largest gradient of the input. */
#ifndef TEST_GRADIENT_CHECK_H
#define TEST_GRADIENT_CHECK_H
#include "any_attr.h"
#include "reference_run.h"
#include "suite.h"
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define TOLERANCE 1e-6

enum { SHAPES = 200, ELEMENTS = 32, MAX_WORK = 200000 };

/* ---- random numbers: splitmix64 (Steele, Lea and Flood 2014) ---- */

static inline uint64_t draw(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline double draw_number(uint64_t *state) /* [-1, 1) */
{
  return (double)(draw(state) >> 11) * 0x1p-52 - 1;
}

static inline int64_t draw_below(uint64_t *state, int64_t n)
{
  return (int64_t)(draw(state) % (uint64_t)n);
}

#define PICK(state, ...)                                                                                               \
  ((const int64_t[]){__VA_ARGS__}[draw_below(state, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))])

/* ---- one problem: an op, its attributes and the shapes of its inputs ---- */

typedef enum content {
  SMOOTH,   /* f32, anything: the op has no kinks */
  DISTINCT, /* f32, further apart from each other and from 0 than a step of the difference */
  /* Without a gradient: */
  POSITIVE, /* f32, (0, 1] */
  LABELS,   /* i32, classes of input 0: below its last dimension */
  KEY       /* i64, small numbers from 1 */
} content;

typedef struct problem {
  any_attr attr;
  uint32_t n_in;
  struct {
    const char *name;
    content content;
    uint32_t rank;
    int64_t dim[DLC_MAX_RANK];
  } in[DLC_MAX_IN];
} problem;

/* Draws a problem; false: this draw gives none (a window that does not fit, too much work). */
typedef bool draw_problem(uint64_t *state, problem *p);

typedef struct gradient_case {
  const char *op;
  draw_problem *draw_one;
  void (*after)(void); /* looks at what was drawn and not refused; NULL: nothing to see */
} gradient_case;

static inline void add_input(problem *p, const char *name, content c, uint32_t rank, const int64_t *dim)
{
  p->in[p->n_in].name = name;
  p->in[p->n_in].content = c;
  p->in[p->n_in].rank = rank;
  memcpy(p->in[p->n_in].dim, dim, rank * sizeof *dim);
  p->n_in++;
}

static inline int64_t count_input(const problem *p, uint32_t i)
{
  int64_t n = 1;
  for (uint32_t d = 0; d < p->in[i].rank; d++) n *= p->in[i].dim[d];
  return n;
}

static inline uint32_t dtype_of(content c)
{
  return c == LABELS ? DLC_I32 : c == KEY ? DLC_I64 : DLC_F32;
}

static inline bool has_gradient(content c)
{
  return c == SMOOTH || c == DISTINCT;
}

/* A shape of rank `least` to 5. */
static inline uint32_t draw_shape(uint64_t *s, uint32_t least, int64_t dim[5])
{
  const uint32_t rank = least + (uint32_t)draw_below(s, 6 - least);
  for (uint32_t i = 0; i < rank; i++) dim[i] = i < 2 ? PICK(s, 1, 3, 6, 16, 17) : PICK(s, 1, 2, 3, 5);
  return rank;
}

static inline void draw_image(uint64_t *s, int64_t x[4])
{
  x[0] = PICK(s, 1, 1, 2, 3, 5);
  x[1] = PICK(s, 1, 3, 6, 16, 17);
  x[2] = PICK(s, 1, 1, 2, 3, 4, 5, 7, 8, 11);
  x[3] = draw_below(s, 3) ? PICK(s, 1, 2, 3, 5, 6, 9) : x[2];
  if (draw_below(s, 8) == 0) x[2] = x[3] = 1;
}

/* ---- what was drawn: for messages, and to see that nothing is left out ---- */

/* The attribute called `name` of a problem; NULL where the op has none. */
static inline const int64_t *attr_named(const problem *p, const dlc_op *op, const char *name)
{
  for (uint32_t i = 0; i < op->n_attrs; i++)
    if (strcmp(dlc_attr_at(op, i)->name, name) == 0)
      return (const void *)((const char *)&p->attr + dlc_attr_at(op, i)->offset);
  return NULL;
}

/* The shapes and attributes, as a text that the caller frees. */
static inline char *describe(const problem *p, const dlc_op *op)
{
  dlc_str text = {0};
  dlc_str_add(&text, op->name);
  for (uint32_t i = 0; i < p->n_in; i++)
    for (uint32_t d = 0; d < p->in[i].rank; d++)
      dlc_str_addf(&text, "%s%lld", d ? "," : " ", (long long)p->in[i].dim[d]);
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    dlc_str_add(&text, " ");
    dlc_attr_dump(dlc_attr_at(op, i), &p->attr, &text);
  }
  char *kept = strdup(dlc_str_get(&text));
  dlc_str_free(&text);
  return kept;
}

/* How many of the windows over images were of each kind that is easy to get wrong. */
static struct {
  int batch_one, one_pixel, stride_beyond_kernel, asymmetric, kernel_one, not_square, same, dilated, grouped, depthwise;
} windows;

static inline void note_window(const problem *p, const dlc_op *op)
{
  const int64_t *x = p->in[0].dim, *kernel = attr_named(p, op, "kernel_size"), *stride = attr_named(p, op, "stride");
  const int64_t *padding = attr_named(p, op, "padding");
  if (!kernel || !stride || !padding) return;
  windows.batch_one += x[0] == 1;
  windows.one_pixel += x[2] * x[3] == 1;
  windows.stride_beyond_kernel += stride[0] > kernel[0] || stride[1] > kernel[1];
  windows.asymmetric += padding[0] != padding[2] || padding[1] != padding[3];
  windows.kernel_one += kernel[0] * kernel[1] == 1;
  windows.not_square += kernel[0] != kernel[1] || x[2] != x[3];
  windows.same += padding[0] == -1;
  const int64_t *dilation = attr_named(p, op, "dilation"), *groups = attr_named(p, op, "groups");
  windows.dilated += dilation && dilation[0] * dilation[1] > 1;
  windows.grouped += groups && *groups > 1 && *groups < x[1];
  windows.depthwise += groups && *groups > 1 && *groups == x[1];
}

/* For gradient_case.after of an op with a window. */
static inline void check_windows(void)
{
  ck_assert_int_ge(windows.batch_one, 20);
  ck_assert_int_ge(windows.one_pixel, 10);
  ck_assert_int_ge(windows.stride_beyond_kernel, 20);
  ck_assert_int_ge(windows.asymmetric, 20);
  ck_assert_int_ge(windows.kernel_one, 10);
  ck_assert_int_ge(windows.not_square, 20);
}

/* ---- the check ---- */

typedef struct check {
  const problem *p;
  const dlc_op *op;
  const char *text; /* what the problem is */
  uint64_t *state;
  dlc_graph_build *g;
  uint32_t in[DLC_MAX_IN], grad[DLC_MAX_IN], weights, loss, n_forward; /* grad: of the inputs that have one, by input */
  reference_run run;
} check;

static inline void build(check *c)
{
  const problem *p = c->p;
  uint32_t out[DLC_MAX_OUT], wanted[DLC_MAX_IN], grads[DLC_MAX_IN], n_wanted = 0;
  const dlc_op_finder finder = core_op_finder();
  ck_assert_int_eq(dlc_graph_new(&finder, &c->g), DLC_OK);
  for (uint32_t i = 0; i < p->n_in; i++) {
    ck_assert_int_eq(dlc_graph_value(c->g, p->in[i].name, DLC_ROLE_INPUT, dtype_of(p->in[i].content), p->in[i].rank,
                                     p->in[i].dim, &c->in[i]),
                     DLC_OK);
    if (has_gradient(p->in[i].content)) wanted[n_wanted++] = c->in[i];
  }
  dlc_status status = dlc_graph_node(c->g, "layer", c->op, &p->attr, c->in, p->n_in, out);
  ck_assert_msg(status == DLC_OK, "%s: %s", c->text, dlc_reason());
  ck_assert_int_eq(append_weighted_sum(c->g, out[0], &c->weights, &c->loss), DLC_OK);
  c->n_forward = dlc_graph_view(c->g)->n_nodes;
  status = dlc_graph_differentiate(c->g, c->loss, wanted, n_wanted, grads);
  ck_assert_msg(status == DLC_OK, "%s: %s", c->text, dlc_reason());
  for (uint32_t i = 0, w = 0; i < p->n_in; i++) {
    if (!has_gradient(p->in[i].content)) continue;
    c->grad[i] = grads[w++];
    ck_assert_uint_ne(c->grad[i], DLC_NONE);
  }
  ck_assert_int_eq(reference_open(dlc_graph_view(c->g), &c->run), DLC_OK);
}

static inline void fill_distinct(uint64_t *s, double *x, int64_t n)
{
  for (int64_t i = 0; i < n; i++) x[i] = ((double)(i - n / 2) + 0.5) / 64;
  for (int64_t i = n - 1; i > 0; i--) {
    const int64_t j = draw_below(s, i + 1);
    const double kept = x[i];
    x[i] = x[j];
    x[j] = kept;
  }
}

static inline void fill_input(check *c, uint32_t i)
{
  const problem *p = c->p;
  double *x = c->run.data[c->in[i]];
  const int64_t n = count_input(p, i);
  if (p->in[i].content == DISTINCT) {
    fill_distinct(c->state, x, n);
    return;
  }
  for (int64_t k = 0; k < n; k++) switch (p->in[i].content) {
    case POSITIVE: x[k] = 1 - fabs(draw_number(c->state)) / 2; break;
    case LABELS: x[k] = (double)draw_below(c->state, p->in[0].dim[p->in[0].rank - 1]); break;
    case KEY: x[k] = (double)draw_below(c->state, 1000) + 1; break;
    default: x[k] = draw_number(c->state); break;
    }
}

static inline void fill_inputs(check *c)
{
  for (uint32_t i = 0; i < c->p->n_in; i++) fill_input(c, i);
  const int64_t n = dlc_count(dlc_value_at(c->run.g, c->weights));
  for (int64_t k = 0; k < n; k++) c->run.data[c->weights][k] = draw_number(c->state);
}

/* The loss with input i moved by h along `direction`; the input is left as it was. */
static inline double loss_at(check *c, uint32_t i, const double *direction, double h)
{
  double *x = c->run.data[c->in[i]];
  const int64_t n = count_input(c->p, i);
  double *kept = malloc((size_t)n * sizeof *kept);
  memcpy(kept, x, (size_t)n * sizeof *kept);
  for (int64_t k = 0; k < n; k++) x[k] += h * direction[k];
  ck_assert_int_eq(reference_nodes(&c->run, c->n_forward), DLC_OK);
  memcpy(x, kept, (size_t)n * sizeof *kept);
  free(kept);
  return c->run.data[c->loss][0];
}

/* Steps are powers of two. A kink is at least 1/128 away, so a step of 1/1024 never reaches it; smooth ops have a
 * third derivative, which wants a smaller one. */
static inline double step_of(const problem *p, uint32_t i)
{
  return p->in[i].content == DISTINCT ? 0x1p-10 : 0x1p-13;
}

/* Along `direction` in input i: numeric against analytic. */
static inline void compare(check *c, uint32_t i, const double *direction, double largest)
{
  const double h = step_of(c->p, i), *grad = c->run.data[c->grad[i]];
  double analytic = 0;
  for (int64_t k = 0; k < count_input(c->p, i); k++) analytic += grad[k] * direction[k];
  const double numeric = (loss_at(c, i, direction, h) - loss_at(c, i, direction, -h)) / (2 * h);
  ck_assert_msg(fabs(numeric - analytic) <= TOLERANCE * largest,
                "%s, gradient of %s: %.12g by differences, %.12g by its nodes", c->text, c->p->in[i].name, numeric,
                analytic);
}

static inline void check_input(check *c, uint32_t i)
{
  const int64_t n = count_input(c->p, i);
  double largest = 0, *direction = calloc((size_t)n, sizeof *direction);
  for (int64_t k = 0; k < n; k++) largest = fmax(largest, fabs(c->run.data[c->grad[i]][k]));
  for (int64_t e = 0; e < n && e < ELEMENTS; e++) {
    const int64_t k = n <= ELEMENTS ? e : draw_below(c->state, n);
    direction[k] = 1;
    compare(c, i, direction, largest);
    direction[k] = 0;
  }
  for (int64_t k = 0; k < n; k++) direction[k] = draw_number(c->state);
  compare(c, i, direction, largest);
  free(direction);
}

static inline void check_problem(const dlc_op *op, const problem *p, const char *text, uint64_t *state)
{
  check c = {.p = p, .op = op, .text = text, .state = state};
  build(&c);
  fill_inputs(&c);
  ck_assert_int_eq(reference_nodes(&c.run, c.run.g->n_nodes), DLC_OK);
  for (uint32_t i = 0; i < p->n_in; i++)
    if (has_gradient(p->in[i].content)) check_input(&c, i);
  reference_free(&c.run);
  dlc_graph_free(c.g);
}

static inline bool is_new(char *const *texts, int n, const char *text)
{
  for (int i = 0; i < n; i++)
    if (strcmp(texts[i], text) == 0) return false;
  return true;
}

static inline void check_case(const gradient_case *t)
{
  const dlc_op *op = NULL;
  uint64_t state = 2;
  char *texts[SHAPES];
  int shapes = 0;
  ck_assert_int_eq(find_core_op(NULL, t->op, &op), DLC_OK);
  for (int tries = 0; shapes < SHAPES && tries < 100 * SHAPES; tries++) {
    problem p = {.n_in = 0};
    if (!t->draw_one(&state, &p)) continue;
    char *text = describe(&p, op);
    if (!is_new(texts, shapes, text)) {
      free(text);
      continue;
    }
    note_window(&p, op);
    check_problem(op, &p, text, &state);
    texts[shapes++] = text;
  }
  ck_assert_int_eq(shapes, SHAPES);
  if (t->after) t->after();
  for (int i = 0; i < shapes; i++) free(texts[i]);
}

/* ---- the program: each case is a test, and a process ---- */

static const gradient_case *gradient_cases;

START_TEST(gradient_equals_differences)
{
  check_case(&gradient_cases[_i]);
}
END_TEST

static inline int gradient_main(const gradient_case *cases, int n)
{
  TCase *tests = tcase_create("central differences");
  gradient_cases = cases;
  tcase_add_loop_test(tests, gradient_equals_differences, 0, n);
  return run_suite("gradients", tests);
}

#endif
