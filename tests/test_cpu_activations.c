/* The cpu plugin's activations and their gradients against the reference kernels. */
#include "cpu_check.h"

static double absolute(double x)
{
  return fabs(x);
}

/* A result is within `roundings` of `scale` of x, or of itself where there is none. gelu, made of 1 + erf, loses digits
 * of small results as PyTorch does. Slopes cross 0: they are at most 1.2, and as exact as 1. */
typedef struct curve {
  const char *op;
  bool of_y;    /* the gradient is taken from y */
  double range; /* of x */
  double roundings;
  double (*scale)(double x);
  double grad_roundings;
} curve;

static const curve curves[] = {{"leaky_relu", false, 4, 2, NULL, 2}, {"elu", false, 20, 6, NULL, 6},
                               {"gelu", false, 6, 6, absolute, 8},   {"silu", false, 80, 8, NULL, 8},
                               {"relu6", false, 9, 0, NULL, 1},      {"hardswish", false, 5, 4, NULL, 4},
                               {"tanh", true, 12, 6, NULL, 4},       {"sigmoid", true, 80, 6, NULL, 4}};
enum { N_CURVES = sizeof curves / sizeof curves[0] };

static void set_attr(one_node *n, const char *op, int s)
{
  if (strcmp(op, "leaky_relu") == 0) n->attr.leaky_relu.negative_slope = s % 2 ? 0.01 : 0.2;
  if (strcmp(op, "elu") == 0) n->attr.elu.alpha = s % 2 ? 1 : 0.75;
  if (strcmp(op, "gelu") == 0) n->attr.gelu.approximate = s % 2 ? DLC_GELU_NONE : DLC_GELU_TANH;
}

static void random_shape(int s, int64_t dim[3])
{
  dim[0] = random_between(1, 7);
  dim[1] = random_between(1, 33);
  dim[2] = s % 60 ? random_between(1, 70) : 5000;
}

START_TEST(activations_match_the_reference)
{
  const curve *c = &curves[_i / N_ISAS];
  const char *isa = isas[_i % N_ISAS];
  if (!open_isa(_i % N_ISAS)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[3];
    one_node n;
    random_shape(s, dim);
    node_init(&n, c->op);
    set_attr(&n, c->op, s);
    float *x = node_random(&n, (float)c->range, 3, dim);
    x[random_between(0, dlc_count(&n.value[0]) - 1)] = NAN;
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *scale = c->scale ? malloc((size_t)dlc_count(&n.value[0]) * sizeof *scale) : NULL;
    for (int64_t i = 0; scale && i < dlc_count(&n.value[0]); i++) scale[i] = c->scale(x[i]);
    compare(&n, 0, c->roundings, scale, isa);
    free(scale);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(gradients_of_activations_match_the_reference)
{
  const curve *c = &curves[_i / N_ISAS];
  char op[32];
  if (!open_isa(_i % N_ISAS)) return;
  snprintf(op, sizeof op, "%s_grad", c->op);
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[3];
    one_node n;
    random_shape(s, dim);
    node_init(&n, op);
    set_attr(&n, c->op, s);
    node_random(&n, 1, 3, dim);
    node_random(&n, c->of_y ? 1 : (float)c->range, 3, dim);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *ones = malloc((size_t)dlc_count(&n.value[0]) * sizeof *ones);
    for (int64_t i = 0; i < dlc_count(&n.value[0]); i++) ones[i] = 1;
    compare(&n, 0, c->grad_roundings, ones, isas[_i % N_ISAS]);
    free(ones);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

static bool same_or_near(double x, double got, double exact)
{
  if (isnan(exact) || isinf(exact)) return isnan(exact) ? isnan(got) : got == exact;
  return fabs(got - exact) <= 1e-6 * fmax(fabs(exact), fabs(x));
}

/* Where curves bend, their ends, and what is no number, at every place of a vector. */
START_TEST(activations_keep_to_the_reference_at_the_edges)
{
  static const float edges[] = {0, -0.0f, 3, -3, 6, -6, 88, -88, 200, -200, INFINITY, -INFINITY, NAN, 1e-30f, -1e-30f};
  enum { KINDS = sizeof edges / sizeof edges[0], N = 16 * KINDS };
  const curve *c = &curves[_i / N_ISAS];
  char op[32];
  if (!open_isa(_i % N_ISAS)) return;
  for (int is_grad = 0; is_grad < 2 - c->of_y; is_grad++) {
    one_node n;
    snprintf(op, sizeof op, "%s%s", c->op, is_grad ? "_grad" : "");
    node_init(&n, op);
    set_attr(&n, c->op, 1);
    float *dy = is_grad ? INPUT(&n, DLC_F32, N) : NULL, *x = INPUT(&n, DLC_F32, N);
    for (int i = 0; i < N; i++) {
      if (dy) dy[i] = 1;
      x[i] = edges[i % KINDS];
    }
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    for (int i = 0; i < N; i++) {
      const double got = ((float *)n.data[n.n_in])[i], exact = n.exact[n.n_in][i];
      ck_assert_msg(same_or_near(x[i], got, exact), "%s (%s) of %g is %.9g, expected %.9g", op, isas[_i % N_ISAS],
                    (double)x[i], got, exact);
    }
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("activations");
  tcase_add_loop_test(tests, activations_match_the_reference, 0, N_CURVES * N_ISAS);
  tcase_add_loop_test(tests, gradients_of_activations_match_the_reference, 0, N_CURVES * N_ISAS);
  tcase_add_loop_test(tests, activations_keep_to_the_reference_at_the_edges, 0, N_CURVES * N_ISAS);
  return run_suite("cpu activations", tests);
}
