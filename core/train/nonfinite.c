/* The first value that is not a number. */
#include "train/nonfinite.h"
#include "base/status.h"
#include <math.h>
#include <stdio.h>

typedef struct search {
  char found[256];
} search;

/* The sign of a NaN says nothing. */
static double plain(double x)
{
  return isnan(x) ? (double)NAN : x;
}

/* Elements of a float value that are NaN or infinite; *example: one of them. */
static int64_t count_nonfinite(const dlc_value *v, const void *data, double *example)
{
  const bool wide = v->dtype == DLC_F64;
  int64_t n = 0;
  if (!wide && v->dtype != DLC_F32) return 0;
  for (int64_t i = 0; i < dlc_count(v); i++) {
    const double x = wide ? ((const double *)data)[i] : (double)((const float *)data)[i];
    if (isfinite(x)) continue;
    if (n++ == 0) *example = plain(x);
  }
  return n;
}

static bool visit(void *ctx, const dlc_graph *g, uint32_t node, const void *const *in, const void *const *out)
{
  search *s = ctx;
  const dlc_node *n = dlc_node_at(g, node);
  double example = 0;
  for (uint32_t j = 0; j < n->n_in; j++) {
    const dlc_value *v = dlc_value_at(g, n->in[j]);
    const int64_t count = count_nonfinite(v, in[j], &example);
    if (count == 0) continue;
    snprintf(s->found, sizeof s->found, "%lld of %lld numbers of `%s` are %g", (long long)count,
             (long long)dlc_count(v), v->name, example);
    return false;
  }
  for (uint32_t k = 0; k < n->n_out; k++) {
    const dlc_value *v = dlc_value_at(g, n->out[k]);
    const int64_t count = count_nonfinite(v, out[k], &example);
    if (count == 0) continue;
    snprintf(s->found, sizeof s->found, "first in layer `%s` (%s), where %lld of %lld outputs are %g", n->name,
             n->op->name, (long long)count, (long long)dlc_count(v), example);
    return false;
  }
  return true;
}

dlc_status dlc_nonfinite_fail(dlc_run *r, dlc_program *program)
{
  search s = {"nowhere when it is computed again"};
  const double loss = plain(dlc_run_get(r, r->loss));
  DLC_TRY(dlc_program_watch(program, visit, &s));
  return dlc_fail(DLC_INVALID, "the loss is %g at step %lld (epoch %u): %s; try a smaller --lr, or --clip-grad 1", loss,
                  (long long)r->steps + 1, r->epoch, s.found);
}
