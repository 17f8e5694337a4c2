/* A reference kernel computes in double; here its inputs are converted on the way in and its outputs on the way out. */
#include "run/fallback.h"
#include "base/status.h"
#include "run/plan.h"
#include <math.h>
#include <stdlib.h>

typedef struct fallback {
  dlc_call call;
  const dlc_value *iv[DLC_MAX_IN], *ov[DLC_MAX_OUT];
  const double *in[DLC_MAX_IN];
  double *out[DLC_MAX_OUT];
  const dlc_op *op;
} fallback;

static void to_double(const dlc_value *v, const void *from, double *to)
{
  const int64_t n = dlc_count(v);
  switch (v->dtype) {
  case DLC_F32:
    for (int64_t i = 0; i < n; i++) to[i] = ((const float *)from)[i];
    break;
  case DLC_F64:
    for (int64_t i = 0; i < n; i++) to[i] = ((const double *)from)[i];
    break;
  case DLC_I32:
    for (int64_t i = 0; i < n; i++) to[i] = ((const int32_t *)from)[i];
    break;
  case DLC_I64:
    for (int64_t i = 0; i < n; i++) to[i] = (double)((const int64_t *)from)[i];
    break;
  default:
    for (int64_t i = 0; i < n; i++) to[i] = ((const uint8_t *)from)[i];
    break;
  }
}

static void from_double(const dlc_value *v, const double *from, void *to)
{
  const int64_t n = dlc_count(v);
  switch (v->dtype) {
  case DLC_F32:
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
    break;
  case DLC_F64:
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] = from[i];
    break;
  case DLC_I32:
    for (int64_t i = 0; i < n; i++) ((int32_t *)to)[i] = (int32_t)llrint(from[i]);
    break;
  case DLC_I64:
    for (int64_t i = 0; i < n; i++) ((int64_t *)to)[i] = llrint(from[i]);
    break;
  default:
    for (int64_t i = 0; i < n; i++) ((uint8_t *)to)[i] = (uint8_t)llrint(from[i]);
    break;
  }
}

static dlc_status launch(void *state, const void *const *in, void *const *out, void *workspace)
{
  fallback *f = state;
  double *next = workspace;
  for (uint32_t j = 0; j < f->call.n_in; j++) {
    to_double(f->iv[j], in[j], next);
    f->in[j] = next;
    next += dlc_align((size_t)dlc_count(f->iv[j]) * sizeof(double)) / sizeof(double);
  }
  for (uint32_t k = 0; k < f->call.n_out; k++) {
    f->out[k] = next;
    next += dlc_align((size_t)dlc_count(f->ov[k]) * sizeof(double)) / sizeof(double);
  }
  DLC_TRY(f->op->reference(&f->call));
  for (uint32_t k = 0; k < f->call.n_out; k++) from_double(f->ov[k], f->out[k], out[k]);
  return DLC_OK;
}

dlc_status dlc_fallback_kernel(const dlc_host *host, const dlc_graph *g, uint32_t node, dlc_kernel *k)
{
  const dlc_node *n = dlc_node_at(g, node);
  fallback *f = calloc(1, sizeof *f);
  if (!f) return dlc_fail_nomem();
  f->op = n->op;
  for (uint32_t j = 0; j < n->n_in; j++) {
    f->iv[j] = dlc_value_at(g, n->in[j]);
    k->workspace += dlc_align((size_t)dlc_count(f->iv[j]) * sizeof(double));
  }
  for (uint32_t o = 0; o < n->n_out; o++) {
    f->ov[o] = dlc_value_at(g, n->out[o]);
    k->workspace += dlc_align((size_t)dlc_count(f->ov[o]) * sizeof(double));
  }
  f->call = (dlc_call){sizeof(dlc_call), n->n_in, n->n_out, host, n->attr, f->iv, f->in, f->ov, f->out};
  k->state = f;
  k->launch = launch;
  k->release = free;
  return DLC_OK;
}
