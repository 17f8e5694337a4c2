/* One dimension of a value among the others: for ops that work along it. */
#ifndef DLC_OPS_DIMS_H
#define DLC_OPS_DIMS_H
#include "ops/rules.h"

/* A negative `dim` counts from the last dimension; becomes the number that it stands for. [main] */
static inline dlc_status dlc_dim_resolve(const dlc_value *v, int64_t *dim)
{
  if (*dim < 0) *dim += v->rank;
  if (*dim >= 0 && *dim < v->rank) return DLC_OK;
  return dlc_fail(DLC_INVALID, "dim is %lld, input is %s", (long long)(*dim < 0 ? *dim - v->rank : *dim),
                  dlc_name_shape(v->rank, v->dim).text);
}

/* A value as [outer, of dimension dim and those after it]: the first of the two. [any] */
static inline int64_t dlc_outer(const dlc_value *v, int64_t dim)
{
  int64_t n = 1;
  for (int64_t i = 0; i < dim; i++) n *= v->dim[i];
  return n;
}

static inline int64_t dlc_last(const dlc_value *v) /* elements of the last dimension */
{
  return v->dim[v->rank - 1];
}

#endif
