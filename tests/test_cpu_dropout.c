/* The cpu plugin's dropout: the masks are those of the random service, for any shape, number of threads and batch. */
#include "base/random.h"
#include "cpu_check.h"

typedef struct drawn {
  uint64_t seed;
  uint32_t step;
  double p;
  int64_t stream;
} drawn;

static drawn random_drawn(void)
{
  static const double shares[] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
  drawn d = {.seed = (uint64_t)random_word() << 32 | random_word(), .step = (uint32_t)random_between(1, 100000)};
  d.p = random_between(0, 9) ? shares[random_between(0, 6)] : (double)random_word() * 0x1p-32;
  d.stream = random_between(0, 40);
  return d;
}

static one_node dropout_node(const char *op, const drawn *d, uint32_t rank, const int64_t *dim)
{
  one_node n;
  node_init(&n, op);
  n.attr.dropout = (dlc_dropout){.p = d->p, .stream = d->stream};
  node_random(&n, 1, rank, dim);
  int64_t *key = INPUT(&n, DLC_I64, 3);
  key[0] = (int64_t)(d->seed & UINT32_MAX);
  key[1] = (int64_t)(d->seed >> 32);
  key[2] = d->step;
  return n;
}

static const uint8_t *compute_mask(one_node *n)
{
  ck_assert_int_eq(node_infer(n), DLC_OK);
  ck_assert_int_eq(node_compute(n, &device), DLC_OK);
  return n->data[3];
}

/* What the contract says, from the service that plugins have. */
static bool stays(const drawn *d, int64_t sample, int64_t element)
{
  uint32_t words[4];
  dlc_random_service()->words(d->seed, DLC_RANDOM_STREAM + (uint32_t)d->stream, d->step, (uint32_t)sample,
                              (uint32_t)(element / 4), words);
  return (double)words[element % 4] >= d->p * 0x1p32;
}

static void random_shape(int s, int64_t dim[4])
{
  dim[0] = random_between(1, 9);
  dim[1] = random_between(1, 40);
  dim[2] = random_between(1, 12);
  dim[3] = s % 80 ? random_between(1, 12) : 300;
}

START_TEST(the_mask_is_the_random_services)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[4];
    random_shape(s, dim);
    for (int two_d = 0; two_d < 2; two_d++) {
      const drawn d = random_drawn();
      one_node n = dropout_node(two_d ? "dropout2d" : "dropout", &d, 4, dim);
      const uint8_t *mask = compute_mask(&n);
      const int64_t each = dlc_count(&n.value[3]) / dim[0];
      for (int64_t i = 0; i < dim[0] * each; i++)
        if (mask[i] != stays(&d, i / each, i % each))
          ck_abort_msg("%s (%s), p %g: element %lld of sample %lld is %d", n.op->name, isas[_i], d.p,
                       (long long)(i % each), (long long)(i / each), mask[i]);
      node_free(&n);
    }
  }
  cpu_close(&device);
}
END_TEST

START_TEST(dropout_and_its_gradient_match_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    int64_t dim[4];
    random_shape(s, dim);
    const drawn d = random_drawn();
    const bool two_d = s % 2;
    one_node n = dropout_node(two_d ? "dropout2d" : "dropout", &d, 4, dim), grad;
    node_init(&grad, "dropout_grad");
    grad.attr.dropout = n.attr.dropout;
    node_random(&grad, 1, 4, dim);
    memcpy(node_input(&grad, DLC_U8, two_d ? 2 : 4, dim), compute_mask(&n), (size_t)dlc_count(&n.value[3]));
    node_reference(&n);
    compare(&n, 0, 2, NULL, isas[_i]);
    compare(&n, 1, 0, NULL, isas[_i]);
    check_values(&grad, 2, isas[_i]);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(without_a_probability_nothing_changes_and_at_one_all_is_zero)
{
  if (!open_isa(_i)) return;
  const int64_t dim[4] = {3, 5, 7, 11};
  for (int two_d = 0; two_d < 2; two_d++)
    for (int p = 0; p < 2; p++) {
      const drawn d = {.seed = 1, .step = 1, .p = p};
      one_node n = dropout_node(two_d ? "dropout2d" : "dropout", &d, 4, dim);
      ((float *)n.data[0])[17] = p ? NAN : 0.5f;
      compute_mask(&n);
      for (int64_t i = 0; i < 3 * 5 * 7 * 11; i++)
        ck_assert_float_eq(((float *)n.data[2])[i], p ? 0 : ((float *)n.data[0])[i]);
      node_free(&n);
    }
  cpu_close(&device);
}
END_TEST

START_TEST(the_share_that_stays_is_one_minus_p)
{
  if (!open_isa(_i)) return;
  const int64_t dim[4] = {8, 16, 64, 64};
  for (int p = 1; p < 10; p++) {
    const drawn d = {.seed = 7, .step = 3, .p = p / 10.0, .stream = 2};
    one_node n = dropout_node("dropout", &d, 4, dim);
    const uint8_t *mask = compute_mask(&n);
    const double count = (double)dlc_count(&n.value[3]);
    double sum = 0;
    for (int64_t i = 0; i < dlc_count(&n.value[3]); i++) sum += mask[i];
    ck_assert_double_le(fabs(sum / count - (1 - d.p)), 4 * sqrt(d.p * (1 - d.p) / count));
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(the_mask_of_a_sample_does_not_depend_on_the_batch)
{
  if (!open_isa(_i)) return;
  const drawn d = {.seed = 5, .step = 9, .p = 0.5, .stream = 1};
  one_node large = dropout_node("dropout", &d, 2, (int64_t[]){9, 333});
  const uint8_t *mask = compute_mask(&large);
  for (int64_t batch = 1; batch < 9; batch++) {
    one_node small = dropout_node("dropout", &d, 2, (int64_t[]){batch, 333});
    ck_assert_mem_eq(compute_mask(&small), mask, (size_t)(batch * 333));
    node_free(&small);
  }
  node_free(&large);
  cpu_close(&device);
}
END_TEST

static int64_t count_equal(const uint8_t *a, const uint8_t *b, int64_t n)
{
  int64_t equal = 0;
  for (int64_t i = 0; i < n; i++) equal += a[i] == b[i];
  return equal;
}

/* Two independent masks of 10000 with p = 0.5 agree in 5000 +- 250 (5 standard deviations). */
START_TEST(masks_of_seeds_steps_streams_and_samples_are_independent)
{
  if (!open_isa(_i)) return;
  const drawn base = {.seed = 5, .step = 9, .p = 0.5, .stream = 1};
  drawn others[4] = {base, base, base, base};
  others[0].seed = 6;
  others[1].seed = 5 + ((uint64_t)1 << 32);
  others[2].step = 10;
  others[3].stream = 2;
  one_node n = dropout_node("dropout", &base, 2, (int64_t[]){2, 10000});
  const uint8_t *mask = compute_mask(&n);
  ck_assert_int_le(llabs(count_equal(mask, mask + 10000, 10000) - 5000), 250);
  for (int k = 0; k < 4; k++) {
    one_node other = dropout_node("dropout", &others[k], 2, (int64_t[]){2, 10000});
    ck_assert_int_le(llabs(count_equal(mask, compute_mask(&other), 10000) - 5000), 250);
    node_free(&other);
  }
  node_free(&n);
  cpu_close(&device);
}
END_TEST

START_TEST(threads_change_nothing)
{
  const drawn d = {.seed = 5, .step = 9, .p = 0.3, .stream = 1};
  const int64_t dim[4] = {7, 33, 31, 29};
  uint8_t *first[2] = {NULL, NULL};
  for (uint32_t threads = 1; threads <= 4; threads++) {
    if (!cpu_open(&device, PLUGIN, isas[_i], "auto", threads)) return;
    for (int two_d = 0; two_d < 2; two_d++) {
      random_state = 1;
      one_node n = dropout_node(two_d ? "dropout2d" : "dropout", &d, 4, dim);
      compute_mask(&n);
      const size_t bytes = dlc_bytes(&n.value[2]), masks = dlc_bytes(&n.value[3]);
      if (!first[two_d]) {
        first[two_d] = malloc(bytes + masks);
        memcpy(first[two_d], n.data[2], bytes);
        memcpy(first[two_d] + bytes, n.data[3], masks);
      }
      ck_assert_mem_eq(first[two_d], n.data[2], bytes);
      ck_assert_mem_eq(first[two_d] + bytes, n.data[3], masks);
      node_free(&n);
    }
    cpu_close(&device);
  }
  free(first[0]);
  free(first[1]);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("dropout");
  tcase_add_loop_test(tests, the_mask_is_the_random_services, 0, N_ISAS);
  tcase_add_loop_test(tests, dropout_and_its_gradient_match_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, without_a_probability_nothing_changes_and_at_one_all_is_zero, 0, N_ISAS);
  tcase_add_loop_test(tests, the_share_that_stays_is_one_minus_p, 0, N_ISAS);
  tcase_add_loop_test(tests, the_mask_of_a_sample_does_not_depend_on_the_batch, 0, N_ISAS);
  tcase_add_loop_test(tests, masks_of_seeds_steps_streams_and_samples_are_independent, 0, N_ISAS);
  tcase_add_loop_test(tests, threads_change_nothing, 0, N_ISAS);
  return run_suite("cpu dropout", tests);
}
