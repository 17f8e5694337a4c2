/* Every differentiable op: the gradient its nodes compute against central differences, in double, over at least 200
 * shapes an op. The shapes are drawn from a fixed stream, so that every run sees the same ones.
 *
 * The loss is sum(r * y) with random r. What is compared: single elements of each input, and one random direction in
 * all elements of it. The error is relative to the largest gradient of the input. */
#include "reference_run.h"
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define TOLERANCE 1e-6

enum { SHAPES = 200, ELEMENTS = 32, MAX_WORK = 200000 };

/* ---- random numbers: splitmix64 (Steele, Lea and Flood 2014) ---- */

static uint64_t draw(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double draw_number(uint64_t *state) /* [-1, 1) */
{
  return (double)(draw(state) >> 11) * 0x1p-52 - 1;
}

static int64_t draw_below(uint64_t *state, int64_t n)
{
  return (int64_t)(draw(state) % (uint64_t)n);
}

#define PICK(state, ...)                                                                                               \
  ((const int64_t[]){__VA_ARGS__}[draw_below(state, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))])

/* ---- one problem: an op, its attributes and the shapes of its inputs ---- */

typedef enum content {
  SMOOTH,   /* anything: the op has no kinks */
  DISTINCT, /* further apart from each other and from 0 than a step of the difference */
  LABELS
} content;

typedef struct problem {
  union {
    dlc_conv2d conv;
    dlc_linear linear;
    dlc_max_pool2d pool;
    dlc_reshape reshape;
  } attr;
  uint32_t n_in;
  struct {
    const char *name;
    content content;
    uint32_t rank;
    int64_t dim[DLC_MAX_RANK];
  } in[3];
} problem;

/* Draws a problem; false: this draw gives none (a window that does not fit, too much work). */
typedef bool draw_problem(uint64_t *state, problem *p);

static void add_input(problem *p, const char *name, content c, uint32_t rank, const int64_t *dim)
{
  p->in[p->n_in].name = name;
  p->in[p->n_in].content = c;
  p->in[p->n_in].rank = rank;
  memcpy(p->in[p->n_in].dim, dim, rank * sizeof *dim);
  p->n_in++;
}

static int64_t count_input(const problem *p, uint32_t i)
{
  int64_t n = 1;
  for (uint32_t d = 0; d < p->in[i].rank; d++) n *= p->in[i].dim[d];
  return n;
}

/* ---- what was drawn: for messages, and to see that nothing is left out ---- */

/* The window of an op that has one. */
static bool window_of(const problem *p, const char *op, const int64_t **kernel, const int64_t **stride,
                      const int64_t **padding)
{
  const dlc_conv2d *conv = &p->attr.conv;
  const dlc_max_pool2d *pool = &p->attr.pool;
  const bool is_conv = strcmp(op, "conv2d") == 0;
  *kernel = is_conv ? conv->kernel_size : pool->kernel_size;
  *stride = is_conv ? conv->stride : pool->stride;
  *padding = is_conv ? conv->padding : pool->padding;
  return is_conv || strcmp(op, "max_pool2d") == 0;
}

static const char *describe(const problem *p, const char *op)
{
  static char text[512];
  const int64_t *k, *s, *pad;
  int n = snprintf(text, sizeof text, "%s", op);
  for (uint32_t i = 0; i < p->n_in; i++)
    for (uint32_t d = 0; d < p->in[i].rank; d++)
      n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", d ? "," : " ", (long long)p->in[i].dim[d]);
  if (window_of(p, op, &k, &s, &pad))
    snprintf(text + n, sizeof text - (size_t)n, " kernel %lldx%lld stride %lldx%lld padding %lld,%lld,%lld,%lld",
             (long long)k[0], (long long)k[1], (long long)s[0], (long long)s[1], (long long)pad[0], (long long)pad[1],
             (long long)pad[2], (long long)pad[3]);
  return text;
}

/* How many of the windows were of each kind that is easy to get wrong. */
static struct {
  int batch_one, one_pixel, stride_beyond_kernel, asymmetric, kernel_one, not_square, same;
} seen;

static void note_problem(const char *op, const problem *p)
{
  const int64_t *x = p->in[0].dim, *kernel, *stride, *padding;
  if (!window_of(p, op, &kernel, &stride, &padding)) return;
  seen.batch_one += x[0] == 1;
  seen.one_pixel += x[2] * x[3] == 1;
  seen.stride_beyond_kernel += stride[0] > kernel[0] || stride[1] > kernel[1];
  seen.asymmetric += padding[0] != padding[2] || padding[1] != padding[3];
  seen.kernel_one += kernel[0] * kernel[1] == 1;
  seen.not_square += kernel[0] != kernel[1] || x[2] != x[3];
  seen.same += padding[0] == -1;
}

static void check_seen(bool with_same)
{
  ck_assert_int_ge(seen.batch_one, 20);
  ck_assert_int_ge(seen.one_pixel, 10);
  ck_assert_int_ge(seen.stride_beyond_kernel, 20);
  ck_assert_int_ge(seen.asymmetric, 20);
  ck_assert_int_ge(seen.kernel_one, 10);
  ck_assert_int_ge(seen.not_square, 20);
  if (with_same) ck_assert_int_ge(seen.same, 10);
}

/* ---- the draws ---- */

static void draw_image(uint64_t *s, int64_t x[4])
{
  x[0] = PICK(s, 1, 1, 2, 3, 5);
  x[1] = PICK(s, 1, 3, 6, 16, 17);
  x[2] = PICK(s, 1, 1, 2, 3, 4, 5, 7, 8, 11);
  x[3] = draw_below(s, 3) ? PICK(s, 1, 2, 3, 5, 6, 9) : x[2];
  if (draw_below(s, 8) == 0) x[2] = x[3] = 1;
}

static bool draw_conv2d(uint64_t *s, problem *p)
{
  dlc_conv2d *a = &p->attr.conv;
  int64_t x[4];
  draw_image(s, x);
  a->out_channels = PICK(s, 1, 3, 6, 16, 17);
  a->bias = draw_below(s, 2);
  const bool same = draw_below(s, 6) == 0;
  for (int i = 0; i < 2; i++) {
    a->kernel_size[i] = PICK(s, 1, 1, 2, 3, 3, 4, 5);
    a->stride[i] = same ? 1 : PICK(s, 1, 1, 2, 3, 5);
  }
  const int64_t limit = PICK(s, 1, 2, 4); /* of the padding, exclusive */
  for (int i = 0; i < 4; i++) a->padding[i] = same ? -1 : draw_below(s, limit);
  for (int i = 0; i < 2 && !same; i++)
    if (x[2 + i] + a->padding[i] + a->padding[i + 2] < a->kernel_size[i]) return false;
  const int64_t weight[4] = {a->out_channels, x[1], a->kernel_size[0], a->kernel_size[1]};
  if (x[0] * x[2] * x[3] * weight[0] * weight[1] * weight[2] * weight[3] > MAX_WORK * a->stride[0] * a->stride[1])
    return false;
  add_input(p, "x", SMOOTH, 4, x);
  add_input(p, "weight", SMOOTH, 4, weight);
  if (a->bias) add_input(p, "bias", SMOOTH, 1, weight);
  return true;
}

static bool draw_max_pool2d(uint64_t *s, problem *p)
{
  dlc_max_pool2d *a = &p->attr.pool;
  int64_t x[4];
  draw_image(s, x);
  const bool default_stride = draw_below(s, 4) == 0;
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
  const int64_t x[2] = {PICK(s, 1, 2, 3, 7, 16), PICK(s, 1, 3, 6, 16, 17, 33)};
  const int64_t weight[2] = {PICK(s, 1, 2, 3, 10, 16, 17), x[1]};
  p->attr.linear = (dlc_linear){weight[0], draw_below(s, 2)};
  add_input(p, "x", SMOOTH, 2, x);
  add_input(p, "weight", SMOOTH, 2, weight);
  if (p->attr.linear.bias) add_input(p, "bias", SMOOTH, 1, weight);
  return true;
}

/* A shape of rank `least` to 5. */
static uint32_t draw_shape(uint64_t *s, uint32_t least, int64_t dim[5])
{
  const uint32_t rank = least + (uint32_t)draw_below(s, 6 - least);
  for (uint32_t i = 0; i < rank; i++) dim[i] = i < 2 ? PICK(s, 1, 3, 6, 16, 17) : PICK(s, 1, 2, 3, 5);
  return rank;
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

static bool draw_cross_entropy(uint64_t *s, problem *p)
{
  draw_rows(s, p);
  add_input(p, "labels", LABELS, 1, p->in[0].dim);
  return true;
}

/* ---- the check ---- */

typedef struct check {
  const problem *p;
  uint64_t *state;
  dlc_graph_build *g;
  uint32_t in[3], grad[3], weights, loss, n_forward;
  reference_run run;
} check;

static void build(check *c, const char *op)
{
  const problem *p = c->p;
  uint32_t out[DLC_MAX_OUT], wanted[3], n_wanted = 0;
  const dlc_op_finder finder = core_op_finder();
  ck_assert_int_eq(dlc_graph_new(&finder, &c->g), DLC_OK);
  for (uint32_t i = 0; i < p->n_in; i++) {
    const uint32_t dtype = p->in[i].content == LABELS ? DLC_I32 : DLC_F32;
    ck_assert_int_eq(
        dlc_graph_value(c->g, p->in[i].name, DLC_ROLE_INPUT, dtype, p->in[i].rank, p->in[i].dim, &c->in[i]), DLC_OK);
    if (dtype == DLC_F32) wanted[n_wanted++] = c->in[i];
  }
  dlc_status status = dlc_graph_emit(c->g, "layer", op, &p->attr, c->in, p->n_in, out);
  ck_assert_msg(status == DLC_OK, "%s: %s", describe(p, op), dlc_reason());
  ck_assert_int_eq(append_weighted_sum(c->g, out[0], &c->weights, &c->loss), DLC_OK);
  c->n_forward = dlc_graph_view(c->g)->n_nodes;
  status = dlc_graph_differentiate(c->g, c->loss, wanted, n_wanted, c->grad);
  ck_assert_msg(status == DLC_OK, "%s: %s", describe(p, op), dlc_reason());
  for (uint32_t i = 0; i < n_wanted; i++) ck_assert_uint_ne(c->grad[i], DLC_NONE);
  ck_assert_int_eq(reference_open(dlc_graph_view(c->g), &c->run), DLC_OK);
}

static void fill_distinct(uint64_t *s, double *x, int64_t n)
{
  for (int64_t i = 0; i < n; i++) x[i] = ((double)(i - n / 2) + 0.5) / 64;
  for (int64_t i = n - 1; i > 0; i--) {
    const int64_t j = draw_below(s, i + 1);
    const double kept = x[i];
    x[i] = x[j];
    x[j] = kept;
  }
}

static void fill_inputs(check *c)
{
  for (uint32_t i = 0; i < c->p->n_in; i++) {
    double *x = c->run.data[c->in[i]];
    const int64_t n = count_input(c->p, i);
    switch (c->p->in[i].content) {
    case SMOOTH:
      for (int64_t k = 0; k < n; k++) x[k] = draw_number(c->state);
      break;
    case DISTINCT: fill_distinct(c->state, x, n); break;
    case LABELS:
      for (int64_t k = 0; k < n; k++) x[k] = (double)draw_below(c->state, c->p->in[0].dim[1]);
      break;
    }
  }
  const int64_t n = dlc_count(dlc_value_at(c->run.g, c->weights));
  for (int64_t k = 0; k < n; k++) c->run.data[c->weights][k] = draw_number(c->state);
}

/* The loss with input i moved by h along `direction`; the input is left as it was. */
static double loss_at(check *c, uint32_t i, const double *direction, double h)
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
static double step_of(const problem *p, uint32_t i)
{
  return p->in[i].content == DISTINCT ? 0x1p-10 : 0x1p-13;
}

/* Along `direction` in input i: numeric against analytic. */
static void compare(check *c, const char *op, uint32_t i, const double *direction, double largest)
{
  const double h = step_of(c->p, i), *grad = c->run.data[c->grad[i]];
  double analytic = 0;
  for (int64_t k = 0; k < count_input(c->p, i); k++) analytic += grad[k] * direction[k];
  const double numeric = (loss_at(c, i, direction, h) - loss_at(c, i, direction, -h)) / (2 * h);
  ck_assert_msg(fabs(numeric - analytic) <= TOLERANCE * largest,
                "%s, gradient of %s: %.12g by differences, %.12g by its nodes", describe(c->p, op), c->p->in[i].name,
                numeric, analytic);
}

static void check_input(check *c, const char *op, uint32_t i)
{
  const int64_t n = count_input(c->p, i);
  double largest = 0, *direction = calloc((size_t)n, sizeof *direction);
  for (int64_t k = 0; k < n; k++) largest = fmax(largest, fabs(c->run.data[c->grad[i]][k]));
  for (int64_t e = 0; e < n && e < ELEMENTS; e++) {
    const int64_t k = n <= ELEMENTS ? e : draw_below(c->state, n);
    direction[k] = 1;
    compare(c, op, i, direction, largest);
    direction[k] = 0;
  }
  for (int64_t k = 0; k < n; k++) direction[k] = draw_number(c->state);
  compare(c, op, i, direction, largest);
  free(direction);
}

static void check_problem(const char *op, const problem *p, uint64_t *state)
{
  check c = {.p = p, .state = state};
  build(&c, op);
  fill_inputs(&c);
  ck_assert_int_eq(reference_nodes(&c.run, c.run.g->n_nodes), DLC_OK);
  for (uint32_t i = 0; i < p->n_in; i++)
    if (p->in[i].content != LABELS) check_input(&c, op, i);
  reference_free(&c.run);
  dlc_graph_free(c.g);
}

/* Keeps the text and says whether it was new. */
static bool is_new(char *seen_texts[SHAPES], int n, const char *text)
{
  for (int i = 0; i < n; i++)
    if (strcmp(seen_texts[i], text) == 0) return false;
  seen_texts[n] = strdup(text);
  return true;
}

static void check_op(const char *op, draw_problem *draw_one)
{
  uint64_t state = 2;
  char *texts[SHAPES];
  int shapes = 0;
  memset(&seen, 0, sizeof seen);
  for (int tries = 0; shapes < SHAPES && tries < 100 * SHAPES; tries++) {
    problem p = {.n_in = 0};
    if (!draw_one(&state, &p) || !is_new(texts, shapes, describe(&p, op))) continue;
    note_problem(op, &p);
    check_problem(op, &p, &state);
    shapes++;
  }
  ck_assert_int_eq(shapes, SHAPES);
  for (int i = 0; i < shapes; i++) free(texts[i]);
}

START_TEST(conv2d_gradients_equal_differences)
{
  check_op("conv2d", draw_conv2d);
  check_seen(true);
}
END_TEST

START_TEST(max_pool2d_gradient_equals_differences)
{
  check_op("max_pool2d", draw_max_pool2d);
  check_seen(false);
}
END_TEST

static const struct {
  const char *op;
  draw_problem *draw_one;
} others[] = {
    {"linear", draw_linear}, {"bias", draw_bias},        {"relu", draw_relu},
    {"add", draw_add},       {"flatten", draw_flatten},  {"reshape", draw_reshape},
    {"softmax", draw_rows},  {"log_softmax", draw_rows}, {"cross_entropy", draw_cross_entropy},
};

START_TEST(gradients_equal_differences)
{
  check_op(others[_i].op, others[_i].draw_one);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("gradients");
  TCase *tests = tcase_create("central differences");
  tcase_add_test(tests, conv2d_gradients_equal_differences);
  tcase_add_test(tests, max_pool2d_gradient_equals_differences);
  tcase_add_loop_test(tests, gradients_equal_differences, 0, sizeof others / sizeof others[0]);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
