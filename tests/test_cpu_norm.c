/* The cpu plugin's normalisations against the reference kernels (cpu_check.h). */
#include "cpu_check.h"

static double *new_magnitudes(const dlc_value *v)
{
  double *m = malloc((size_t)dlc_count(v) * sizeof *m);
  ck_assert_ptr_nonnull(m);
  return m;
}

static void compute(one_node *n)
{
  ck_assert_msg(node_infer(n) == DLC_OK, "%s", dlc_reason());
  node_reference(n);
  ck_assert_int_eq(node_compute(n, &device), DLC_OK);
}

/* Output k, which is summed in double and rounded once: a sum may cancel down to `floor`. */
static void compare_sums(const one_node *n, uint32_t k, double floor, const char *isa)
{
  const dlc_value *v = &n->value[n->n_in + k];
  double *m = new_magnitudes(v);
  for (int64_t i = 0; i < dlc_count(v); i++) m[i] = fabs(n->exact[n->n_in + k][i]) + floor;
  compare(n, k, 2, m, isa);
  free(m);
}

/* Appends an input of the numbers in `exact`. */
static void append(one_node *n, uint32_t rank, const int64_t *dim, const double *exact)
{
  float *data = node_input(n, DLC_F32, rank, dim);
  for (int64_t i = 0; i < dlc_count(&n->value[n->n_in - 1]); i++) data[i] = (float)exact[i];
}

/* ---- batch_norm2d ---- */

static int64_t channel_of(const dlc_value *x, int64_t i)
{
  return i / (x->dim[2] * x->dim[3]) % x->dim[1];
}

static void random_image(one_node *n, int s)
{
  const int64_t batch = random_between(1, 9), channels = s % 7 == 0 ? 130 : channel_counts[random_between(0, 6)];
  const int64_t height = random_between(1, 12), width = random_between(1, 20);
  const float scale = s % 3 ? 1 : 100, middle = s % 5 ? 0.5f : 300;
  float *x = RANDOM(n, scale, batch, channels, batch * height * width > 1 ? height : 2, width);
  for (int64_t i = 0; i < dlc_count(&n->value[n->n_in - 1]); i++) x[i] += middle;
}

static void random_affine(one_node *n, uint32_t rank, const int64_t *dim)
{
  node_random(n, 1, rank, dim);
  node_random(n, 1, rank, dim);
}

START_TEST(batch_norm2d_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "batch_norm2d");
    n.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1, .affine = s % 4 != 0};
    random_image(&n, s);
    if (n.attr.batch_norm2d.affine) random_affine(&n, 1, n.value[0].dim + 1);
    compute(&n);
    const dlc_value *x = &n.value[0];
    const double *mean = n.exact[n.n_in + 1], *var = n.exact[n.n_in + 2];
    double *m = new_magnitudes(x);
    for (int64_t i = 0; i < dlc_count(x); i++) {
      const int64_t c = channel_of(x, i);
      const double weight = n.n_in > 1 ? n.exact[1][c] : 1, bias = n.n_in > 1 ? n.exact[2][c] : 0;
      m[i] = (fabs(n.exact[0][i]) + fabs(mean[c])) * fabs(weight) / sqrt(var[c] + 1e-5) + fabs(bias);
    }
    compare(&n, 0, 6, m, isas[_i]);
    compare_sums(&n, 1, 1e-6, isas[_i]);
    compare_sums(&n, 2, 1e-6, isas[_i]);
    free(m);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* What batch_norm2d of random images, computed by the reference kernel, hands to its gradient. */
static one_node random_batch_norm2d_grad(const char *op, int s)
{
  one_node forward, n;
  node_init(&forward, "batch_norm2d");
  forward.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1, .affine = 0};
  random_image(&forward, s);
  ck_assert_int_eq(node_infer(&forward), DLC_OK);
  node_reference(&forward);
  const dlc_value *x = &forward.value[0];
  node_init(&n, op);
  n.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1, .affine = s % 4 != 0};
  node_random(&n, 1, 4, x->dim);
  append(&n, 4, x->dim, forward.exact[0]);
  append(&n, 1, x->dim + 1, forward.exact[2]);
  append(&n, 1, x->dim + 1, forward.exact[3]);
  if (n.attr.batch_norm2d.affine) node_random(&n, 1, 1, x->dim + 1);
  node_free(&forward);
  return n;
}

/* Of batch_norm2d and of batch_norm2d_eval: in the latter nothing flows through the statistics. */
START_TEST(batch_norm2d_gradients_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < 2 * SHAPES; s++) {
    const bool eval = s % 2;
    one_node n = random_batch_norm2d_grad(eval ? "batch_norm2d_eval_grad" : "batch_norm2d_grad", s / 2);
    compute(&n);
    const dlc_value *x = &n.value[1];
    const double *mean = n.exact[2], *var = n.exact[3], *dweight = n.exact[n.n_in + 1], *dbias = n.exact[n.n_in + 2];
    const double count = (double)(dlc_count(x) / x->dim[1]);
    double *m = new_magnitudes(x), largest = 0;
    for (int64_t i = 0; i < dlc_count(x); i++) {
      const int64_t c = channel_of(x, i);
      const double inv_std = 1 / sqrt(var[c] + 1e-5), xh = fabs(n.exact[1][i] - mean[c]) * inv_std;
      const double through_statistics = eval ? 0 : (fabs(dbias[c]) + xh * fabs(dweight[c])) / count;
      m[i] = inv_std * (fabs(n.exact[0][i]) + through_statistics);
      if (n.n_in > 4) m[i] *= fabs(n.exact[4][c]);
      largest = fmax(largest, xh);
    }
    compare(&n, 0, 6, m, isas[_i]);
    compare_sums(&n, 1, 1e-6 * count * (1 + largest), isas[_i]);
    compare_sums(&n, 2, 1e-6 * count, isas[_i]);
    free(m);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

static void random_statistics(one_node *n, const int64_t *channels)
{
  node_random(n, 1, 1, channels);
  float *var = node_random(n, 1, 1, channels);
  for (int64_t i = 0; i < *channels; i++) var[i] = fabsf(var[i]) + 0.01f;
}

START_TEST(batch_norm2d_eval_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    node_init(&n, "batch_norm2d_eval");
    n.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1, .affine = s % 4 != 0};
    random_image(&n, s);
    random_statistics(&n, n.value[0].dim + 1);
    if (n.attr.batch_norm2d.affine) random_affine(&n, 1, n.value[0].dim + 1);
    compute(&n);
    const dlc_value *x = &n.value[0];
    double *m = new_magnitudes(x);
    for (int64_t i = 0; i < dlc_count(x); i++) {
      const int64_t c = channel_of(x, i);
      const double weight = n.n_in > 3 ? n.exact[3][c] : 1, bias = n.n_in > 3 ? n.exact[4][c] : 0;
      m[i] = (fabs(n.exact[0][i]) + fabs(n.exact[1][c])) * fabs(weight) / sqrt(n.exact[2][c] + 1e-5) + fabs(bias);
    }
    compare(&n, 0, 6, m, isas[_i]);
    free(m);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(batch_norm2d_update_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const int64_t channels = random_between(1, 300);
    one_node n;
    node_init(&n, "batch_norm2d_update");
    n.attr.batch_norm2d_update =
        (dlc_batch_norm2d_update){.momentum = s % 3 ? 0.1 : 1, .count = random_between(2, 9000)};
    random_statistics(&n, &channels);
    int64_t *batches = node_input(&n, DLC_I64, 0, &channels); /* a scalar */
    *batches = random_between(0, 1000);
    random_statistics(&n, &channels);
    compute(&n);
    for (uint32_t k = 0; k < 2; k++) compare_sums(&n, k, 0, isas[_i]);
    compare(&n, 2, 0, NULL, isas[_i]);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(a_constant_channel_has_no_variance)
{
  if (!open_isa(_i)) return;
  one_node n;
  node_init(&n, "batch_norm2d");
  n.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1};
  float *x = INPUT(&n, DLC_F32, 3, 2, 7, 5);
  for (int i = 0; i < 3 * 2 * 35; i++) x[i] = i / 35 % 2 ? 0.1f : -1e6f;
  ck_assert_int_eq(node_infer(&n), DLC_OK);
  ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
  const float *y = n.data[1], *mean = n.data[2], *var = n.data[3];
  ck_assert(mean[0] == -1e6f && mean[1] == 0.1f);
  ck_assert(var[0] == 0 && var[1] == 0);
  for (int i = 0; i < 3 * 2 * 35; i++) ck_assert(y[i] == 0);
  node_free(&n);
  cpu_close(&device);
}
END_TEST

START_TEST(not_a_number_stays_in_its_channel)
{
  if (!open_isa(_i)) return;
  for (int at = 0; at < 2; at++) {
    one_node n;
    node_init(&n, "batch_norm2d");
    n.attr.batch_norm2d = (dlc_batch_norm2d){.eps = 1e-5, .momentum = 0.1};
    float *x = RANDOM(&n, 1, 2, 3, 5, 5);
    x[25 + 13 * at] = at ? INFINITY : NAN;
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    const float *y = n.data[1], *var = n.data[3];
    ck_assert(isnan(var[1]) && !isnan(var[0]) && !isnan(var[2]));
    for (int i = 0; i < 2 * 3 * 25; i++) ck_assert_int_eq(isnan(y[i]) != 0, i / 25 % 3 == 1);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* ---- layer_norm ---- */

static int64_t length_of(const one_node *n, uint32_t x)
{
  const dlc_value *v = &n->value[x];
  int64_t length = 1;
  for (int64_t i = v->rank - n->attr.layer_norm.dims; i < v->rank; i++) length *= v->dim[i];
  return length;
}

static void random_layer_norm(one_node *n, int s)
{
  const int64_t dim[4] = {random_between(1, 9), random_between(1, 9), random_between(1, 9), random_between(1, 80)};
  n->attr.layer_norm = (dlc_layer_norm){.dims = 1 + s % 4, .eps = 1e-5, .affine = s % 3 != 0};
  float *x = node_random(n, s % 5 ? 1 : 50, 4, dim);
  for (int64_t i = 0; i < dlc_count(&n->value[0]); i++) x[i] += s % 2 ? 0 : 20;
}

static void row_shape(const one_node *n, uint32_t *rank, int64_t *dim)
{
  *rank = (uint32_t)n->attr.layer_norm.dims;
  memcpy(dim, n->value[0].dim + 4 - *rank, *rank * sizeof *dim);
}

START_TEST(layer_norm_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n;
    uint32_t rank;
    int64_t dim[4];
    node_init(&n, "layer_norm");
    random_layer_norm(&n, s);
    row_shape(&n, &rank, dim);
    if (n.attr.layer_norm.affine) random_affine(&n, rank, dim);
    compute(&n);
    const int64_t length = length_of(&n, 0);
    double *m = new_magnitudes(&n.value[0]);
    for (int64_t i = 0; i < dlc_count(&n.value[0]); i++) {
      const double mean = n.exact[n.n_in + 1][i / length], inv_std = n.exact[n.n_in + 2][i / length];
      m[i] = (fabs(n.exact[0][i]) + fabs(mean)) * inv_std;
      if (n.n_in > 1) m[i] = m[i] * fabs(n.exact[1][i % length]) + fabs(n.exact[2][i % length]);
    }
    compare(&n, 0, 6, m, isas[_i]);
    compare_sums(&n, 1, 1e-6, isas[_i]);
    compare_sums(&n, 2, 0, isas[_i]);
    free(m);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

static one_node random_layer_norm_grad(int s)
{
  one_node forward, n;
  uint32_t rank;
  int64_t dim[4];
  node_init(&forward, "layer_norm");
  random_layer_norm(&forward, s);
  row_shape(&forward, &rank, dim);
  const int64_t affine = forward.attr.layer_norm.affine;
  forward.attr.layer_norm.affine = 0;
  ck_assert_int_eq(node_infer(&forward), DLC_OK);
  node_reference(&forward);
  node_init(&n, "layer_norm_grad");
  n.attr.layer_norm = forward.attr.layer_norm;
  n.attr.layer_norm.affine = affine;
  node_random(&n, 1, 4, forward.value[0].dim);
  append(&n, 4, forward.value[0].dim, forward.exact[0]);
  append(&n, 1, forward.value[2].dim, forward.exact[2]);
  append(&n, 1, forward.value[3].dim, forward.exact[3]);
  if (affine) node_random(&n, 1, rank, dim);
  node_free(&forward);
  return n;
}

/* The terms of dx, dweight and dbias. */
static void layer_norm_grad_terms(const one_node *n, int64_t length, double *dx, double *dweight, double *dbias)
{
  const int64_t rows = dlc_count(&n->value[0]) / length;
  memset(dweight, 0, (size_t)length * sizeof *dweight);
  memset(dbias, 0, (size_t)length * sizeof *dbias);
  for (int64_t r = 0; r < rows; r++) {
    const double *dy = n->exact[0] + r * length, *x = n->exact[1] + r * length;
    const double mean = n->exact[2][r], inv_std = n->exact[3][r];
    double g_mean = 0, gx_mean = 0;
    for (int64_t i = 0; i < length; i++) {
      const double xh = fabs(x[i] - mean) * inv_std, g = fabs(dy[i] * (n->n_in > 4 ? n->exact[4][i] : 1));
      g_mean += g / (double)length;
      gx_mean += g * xh / (double)length;
      dweight[i] += fabs(dy[i]) * xh;
      dbias[i] += fabs(dy[i]);
    }
    for (int64_t i = 0; i < length; i++) {
      const double xh = fabs(x[i] - mean) * inv_std, g = fabs(dy[i] * (n->n_in > 4 ? n->exact[4][i] : 1));
      dx[r * length + i] = inv_std * (g + g_mean + xh * gx_mean);
    }
  }
}

START_TEST(layer_norm_grad_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    one_node n = random_layer_norm_grad(s);
    const int64_t length = length_of(&n, 0);
    compute(&n);
    double *dx = new_magnitudes(&n.value[0]), *dweight = new_magnitudes(&n.value[n.n_in + 1]);
    double *dbias = new_magnitudes(&n.value[n.n_in + 1]);
    layer_norm_grad_terms(&n, length, dx, dweight, dbias);
    compare(&n, 0, 6, dx, isas[_i]);
    compare(&n, 1, 12, dweight, isas[_i]);
    compare(&n, 2, 12, dbias, isas[_i]);
    free(dx);
    free(dweight);
    free(dbias);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("normalisation");
  tcase_add_loop_test(tests, batch_norm2d_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, batch_norm2d_gradients_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, batch_norm2d_eval_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, batch_norm2d_update_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, a_constant_channel_has_no_variance, 0, N_ISAS);
  tcase_add_loop_test(tests, not_a_number_stays_in_its_channel, 0, N_ISAS);
  tcase_add_loop_test(tests, layer_norm_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, layer_norm_grad_matches_the_reference, 0, N_ISAS);
  return run_suite("cpu norm", tests);
}
