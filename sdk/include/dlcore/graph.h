/* Values, nodes and graphs as a plugin reads them. dlcore owns all of it; a plugin never writes here.
 * Valid during the call that passed it, and for a backend's kernel until it is released. */
#ifndef DLCORE_GRAPH_H
#define DLCORE_GRAPH_H
#include "base.h"
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_MAX_RANK 8
#define DLC_MAX_IN   8
#define DLC_MAX_OUT  8
#define DLC_NONE     UINT32_MAX /* no value */

enum { DLC_F32 = 1, DLC_F64 = 2, DLC_I32 = 3, DLC_I64 = 4, DLC_U8 = 5 };

enum {
  DLC_ROLE_ACTIVATION = 1,
  DLC_ROLE_INPUT = 2,     /* batch data in a fixed staging buffer */
  DLC_ROLE_PARAMETER = 3, /* trained, persistent */
  DLC_ROLE_GRADIENT = 4,
  DLC_ROLE_STATE = 5,       /* persistent, not trained (optimizer state) */
  DLC_ROLE_STEP_SCALAR = 6, /* learning rate, step number: refreshed before every step */
  DLC_ROLE_OUTPUT = 7       /* read back by the host after the step */
};

/* A dense tensor, row-major (the last dimension varies fastest). Images are [batch, channels, height, width]. */
typedef struct dlc_value {
  uint32_t size, dtype, rank, role;
  int64_t dim[DLC_MAX_RANK];
  const char *name; /* "conv1.weight"; never NULL in a graph */
} dlc_value;

typedef struct dlc_op dlc_op;

typedef struct dlc_node {
  uint32_t size, n_in, n_out;
  const dlc_op *op;
  const void *attr;         /* op->attr_size bytes */
  const uint32_t *in, *out; /* value ids */
  const char *name;         /* the layer it belongs to, "conv1" */
} dlc_node;

typedef struct dlc_graph {
  uint32_t size, n_nodes, n_values, node_stride, value_stride;
  const void *nodes, *values; /* nodes in an order in which they may run */
} dlc_graph;

static inline const dlc_node *dlc_node_at(const dlc_graph *g, uint32_t i)
{
  return (const dlc_node *)((const char *)g->nodes + (size_t)i * g->node_stride);
}

static inline const dlc_value *dlc_value_at(const dlc_graph *g, uint32_t i)
{
  return (const dlc_value *)((const char *)g->values + (size_t)i * g->value_stride);
}

static inline int64_t dlc_count(const dlc_value *v) /* elements; 1 for rank 0 */
{
  int64_t n = 1;
  for (uint32_t i = 0; i < v->rank; i++) n *= v->dim[i];
  return n;
}

static inline size_t dlc_dtype_bytes(uint32_t dtype)
{
  return dtype == DLC_F64 || dtype == DLC_I64 ? 8 : dtype == DLC_U8 ? 1 : 4;
}

static inline size_t dlc_bytes(const dlc_value *v)
{
  return (size_t)dlc_count(v) * dlc_dtype_bytes(v->dtype);
}

#ifdef __cplusplus
}
#endif
#endif
