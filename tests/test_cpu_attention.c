/* The cpu plugin's attention and its gradient against the reference kernels. Inputs are in [-1, 1), so that a score is
 * at most sqrt(width) with a rounding error of about 12 units of it, and a probability has twice that relative error.
 */
#include "cpu_check.h"

typedef struct tokens {
  int64_t batch, tokens, heads, width;
} tokens;

static tokens random_tokens(int s)
{
  return (tokens){random_between(1, 4), s % 80 ? random_between(1, 24) : 100, random_between(1, 5),
                  random_between(1, 40)};
}

static void add_inputs(one_node *n, const tokens *t, int count)
{
  n->attr.attention.num_heads = t->heads;
  for (int i = 0; i < count; i++) RANDOM(n, 1, t->batch, t->tokens, t->heads * t->width);
}

static double *all_of(double value, int64_t n)
{
  double *v = malloc((size_t)n * sizeof *v);
  for (int64_t i = 0; i < n; i++) v[i] = value;
  return v;
}

START_TEST(attention_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const tokens t = random_tokens(s);
    one_node n;
    node_init(&n, "attention");
    add_inputs(&n, &t, 3);
    ck_assert_msg(node_infer(&n) == DLC_OK, "%s", dlc_reason());
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    double *ones = all_of(1, dlc_count(&n.value[0]));
    compare(&n, 1, 24 * sqrt((double)t.width) + 12, NULL, isas[_i]);
    compare(&n, 0, 24 * sqrt((double)t.width) + 24, ones, isas[_i]);
    free(ones);
    node_free(&n);
  }
  cpu_close(&device);
}
END_TEST

/* |dprob| <= width, so |ds| <= 2 * prob * sqrt(width), and sums of them over a row of probabilities are as large. */
START_TEST(the_gradient_of_attention_matches_the_reference)
{
  if (!open_isa(_i)) return;
  for (int s = 0; s < SHAPES; s++) {
    const tokens t = random_tokens(s);
    one_node forward, n;
    node_init(&forward, "attention");
    add_inputs(&forward, &t, 3);
    ck_assert_int_eq(node_infer(&forward), DLC_OK);
    ck_assert_int_eq(node_compute(&forward, &device), DLC_OK);
    node_init(&n, "attention_grad");
    add_inputs(&n, &t, 4);
    memcpy(INPUT(&n, DLC_F32, t.batch, t.heads, t.tokens, t.tokens), forward.data[4], dlc_bytes(&forward.value[4]));
    ck_assert_msg(node_infer(&n) == DLC_OK, "%s", dlc_reason());
    node_reference(&n);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    /* A column of probabilities sums to at most the number of tokens. */
    double *rows = all_of(2 * sqrt((double)t.width), dlc_count(&n.value[0]));
    double *columns = all_of(2 * sqrt((double)t.width) * (double)t.tokens, dlc_count(&n.value[0]));
    compare(&n, 0, 24, rows, isas[_i]);
    compare(&n, 1, 24, columns, isas[_i]);
    compare(&n, 2, 12, columns, isas[_i]);
    free(rows);
    free(columns);
    node_free(&n);
    node_free(&forward);
  }
  cpu_close(&device);
}
END_TEST

START_TEST(threads_change_nothing)
{
  const tokens t = {3, 50, 4, 16};
  void *first = NULL;
  for (uint32_t threads = 1; threads <= 4; threads++) {
    if (!cpu_open(&device, PLUGIN, isas[_i], "auto", threads)) return;
    one_node n;
    random_state = 1;
    node_init(&n, "attention");
    add_inputs(&n, &t, 3);
    ck_assert_int_eq(node_infer(&n), DLC_OK);
    ck_assert_int_eq(node_compute(&n, &device), DLC_OK);
    const size_t bytes = dlc_bytes(&n.value[3]);
    if (!first) first = memcpy(malloc(bytes), n.data[3], bytes);
    ck_assert_mem_eq(first, n.data[3], bytes);
    node_free(&n);
    cpu_close(&device);
  }
  free(first);
}
END_TEST

int main(void)
{
  TCase *tests = tcase_create("attention");
  tcase_add_loop_test(tests, attention_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, the_gradient_of_attention_matches_the_reference, 0, N_ISAS);
  tcase_add_loop_test(tests, threads_change_nothing, 0, N_ISAS);
  return run_suite("cpu attention", tests);
}
