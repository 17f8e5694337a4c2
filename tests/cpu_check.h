/* Comparing the cpu plugin's kernels with the reference kernels, which compute in double. The bound of an element is a
 * small number of roundings of the sum of the magnitudes of its terms; what only selects must be equal. A test opens
 * `device` with open_isa(_i), i < N_ISAS, and returns at once where this machine does not allow that instruction set.
 * For tests only. */
#ifndef TEST_CPU_CHECK_H
#define TEST_CPU_CHECK_H
#include "cpu_node.h"
#include "suite.h"
#include <float.h>
#undef fail /* a macro of Check; a field of dlc_host here */

#define PLUGIN TEST_PLUGIN_DIR "/dlcore-cpu.so"
static const char *const isas[] = {"baseline", "avx2", "avx512"};
enum { N_ISAS = 3, SHAPES = 240 };
static const int64_t channel_counts[] = {1, 2, 3, 6, 16, 17, 33};

static cpu_device device;

static inline bool open_isa(int i)
{
  random_state = 88172645463325252ULL;
  return cpu_open(&device, PLUGIN, isas[i], "auto", 2);
}

/* Compares output k with the reference: |got - exact| <= roundings * eps * magnitude[j] (NULL: of the exact value). */
static inline void compare(const one_node *n, uint32_t k, double roundings, const double *magnitude, const char *isa)
{
  const uint32_t at = n->n_in + k;
  const dlc_value *v = &n->value[at];
  for (int64_t j = 0; j < dlc_count(v); j++) {
    const double exact = n->exact[at][j], got = number_at(v, n->data[at], j);
    const double bound = roundings * FLT_EPSILON / 2 * fabs(magnitude ? magnitude[j] : exact);
    const bool near = got == exact || fabs(got - exact) <= bound + (roundings > 0 ? FLT_MIN : 0);
    const bool same = isnan(exact) ? isnan(got) : near;
    if (!same)
      ck_abort_msg(
          "%s (%s): output %u [%lld, %lld, %lld, %lld] of rank %u, element %lld is %.9g, expected %.9g +- %.2g",
          n->op->name, isa, k, (long long)v->dim[0], (long long)v->dim[1], (long long)v->dim[2], (long long)v->dim[3],
          v->rank, (long long)j, got, exact, bound);
  }
}

/* The reference on the magnitudes of the inputs: for ops that are sums of products, the sum of the terms' magnitudes.
 */
static inline double *magnitudes(one_node *n)
{
  float *before[DLC_MAX_IN] = {0};
  for (uint32_t i = 0; i < n->n_in; i++) {
    if (n->value[i].dtype != DLC_F32) continue;
    float *data = n->data[i];
    const int64_t count = dlc_count(&n->value[i]);
    before[i] = malloc((size_t)count * sizeof(float));
    memcpy(before[i], data, (size_t)count * sizeof(float));
    for (int64_t j = 0; j < count; j++) data[j] = fabsf(data[j]);
  }
  node_reference(n);
  double *sums = n->exact[n->n_in];
  n->exact[n->n_in] = NULL;
  for (uint32_t i = 0; i < n->n_in; i++) {
    if (!before[i]) continue;
    memcpy(n->data[i], before[i], (size_t)dlc_count(&n->value[i]) * sizeof(float));
    free(before[i]);
  }
  return sums;
}

/* A node whose output 0 is a sum of products of its inputs. Also frees it. */
static inline void check_sum(one_node *n, const char *isa)
{
  ck_assert_msg(node_infer(n) == DLC_OK, "%s", dlc_reason());
  double *sums = magnitudes(n);
  node_reference(n);
  ck_assert_int_eq(node_compute(n, &device), DLC_OK);
  compare(n, 0, 12, sums, isa);
  free(sums);
  node_free(n);
}

/* Any other node, within `roundings` of the exact values. Also frees it. */
static inline void check_values(one_node *n, double roundings, const char *isa)
{
  ck_assert_msg(node_infer(n) == DLC_OK, "%s", dlc_reason());
  node_reference(n);
  ck_assert_int_eq(node_compute(n, &device), DLC_OK);
  for (uint32_t k = 0; k < n->n_out; k++) compare(n, k, roundings, NULL, isa);
  node_free(n);
}

/* Few distinct numbers, so that windows have several maxima; now and then one that is not a number. */
static inline void fill_with_ties(float *x, int64_t count)
{
  for (int64_t i = 0; i < count; i++) x[i] = random_between(0, 60) ? (float)random_between(-3, 3) : NAN;
}

#endif
