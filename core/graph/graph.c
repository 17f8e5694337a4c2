/* Appending values and nodes; every rule that keeps a graph well formed is here. */
#include "graph/graph.h"
#include "base/status.h"
#include "graph/build.h"
#include <stdlib.h>
#include <string.h>

dlc_status dlc_graph_new(const dlc_op_finder *finder, dlc_graph_build **g)
{
  *g = calloc(1, sizeof **g);
  if (!*g) return dlc_fail_nomem();
  (*g)->finder = *finder;
  return DLC_OK;
}

void dlc_graph_free(dlc_graph_build *g)
{
  if (!g) return;
  dlc_arena_free(&g->arena);
  free(g->values);
  free(g->nodes);
  free(g);
}

const dlc_graph *dlc_graph_view(dlc_graph_build *g)
{
  g->view =
      (dlc_graph){sizeof(dlc_graph), g->n_nodes, g->n_values, sizeof(dlc_node), sizeof(dlc_value), g->nodes, g->values};
  return &g->view;
}

const dlc_host *dlc_graph_host(const dlc_graph_build *g)
{
  return g->finder.host;
}

dlc_status dlc_graph_find_op(const dlc_graph_build *g, const char *name, const dlc_op **op)
{
  return g->finder.find(g->finder.ctx, name, op);
}

static dlc_status grow(void **array, uint32_t *capacity, uint32_t needed, size_t element)
{
  if (needed <= *capacity) return DLC_OK;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  while (larger < needed) larger *= 2;
  void *moved = realloc(*array, larger * element);
  if (!moved) return dlc_fail_nomem();
  *array = moved;
  *capacity = larger;
  return DLC_OK;
}

static dlc_status check_value(const dlc_value *v)
{
  if (v->rank > DLC_MAX_RANK) return dlc_fail(DLC_INVALID, "a value of rank %u; at most %d", v->rank, DLC_MAX_RANK);
  if (v->dtype < DLC_F32 || v->dtype > DLC_U8) return dlc_fail(DLC_INVALID, "unknown data type %u", v->dtype);
  int64_t count = 1;
  for (uint32_t i = 0; i < v->rank; i++) {
    if (v->dim[i] <= 0)
      return dlc_fail(DLC_INVALID, "dimension %u is %lld, expected at least 1", i, (long long)v->dim[i]);
    if (__builtin_mul_overflow(count, v->dim[i], &count) || count > INT64_MAX / 16)
      return dlc_fail(DLC_INVALID, "a value with too many elements");
  }
  return DLC_OK;
}

static dlc_status append_value(dlc_graph_build *g, const dlc_value *v, uint32_t *id)
{
  DLC_TRY(grow((void **)&g->values, &g->value_capacity, g->n_values + 1, sizeof(dlc_value)));
  *id = g->n_values;
  g->values[g->n_values++] = *v;
  return DLC_OK;
}

dlc_status dlc_graph_value(dlc_graph_build *g, const char *name, uint32_t role, uint32_t dtype, uint32_t rank,
                           const int64_t *dim, uint32_t *id)
{
  dlc_value v = {.size = sizeof v, .dtype = dtype, .rank = rank, .role = role};
  for (uint32_t i = 0; i < rank && i < DLC_MAX_RANK; i++) v.dim[i] = dim[i];
  if (check_value(&v) < 0) return dlc_fail_in(DLC_INVALID, "%s", name);
  v.name = dlc_arena_strdup(&g->arena, name);
  return v.name ? append_value(g, &v, id) : dlc_fail_nomem();
}

/* A view keeps its input's bytes; an update keeps its input's shape, name and role: it is the same value, later. */
static dlc_status check_memory_rules(const dlc_op *op, const dlc_value *const *in, uint32_t n_in, dlc_value *out,
                                     uint32_t n_out)
{
  if ((op->flags & DLC_OP_VIEW) &&
      (n_in < 1 || n_out != 1 || out->dtype != in[0]->dtype || dlc_count(out) != dlc_count(in[0])))
    return dlc_fail(DLC_INTERNAL, "op %s is a view, but its output is not the size of its input", op->name);
  if (!(op->flags & DLC_OP_UPDATE)) return DLC_OK;
  for (uint32_t k = 0; k < n_out; k++) {
    if (k >= n_in || out[k].dtype != in[k]->dtype || dlc_count(&out[k]) != dlc_count(in[k]))
      return dlc_fail(DLC_INTERNAL, "op %s updates in place, but output %u is not like input %u", op->name, k, k);
    out[k].role = in[k]->role;
    out[k].name = in[k]->name;
  }
  return DLC_OK;
}

static dlc_status infer(dlc_graph_build *g, const char *name, const dlc_op *op, void *attr, const uint32_t *in,
                        uint32_t n_in, dlc_value *out, uint32_t *n_out)
{
  const dlc_value *iv[DLC_MAX_IN];
  for (uint32_t i = 0; i < n_in; i++) {
    if (in[i] >= g->n_values) return dlc_fail(DLC_INTERNAL, "op %s: input %u does not exist", op->name, i);
    iv[i] = &g->values[in[i]];
  }
  memset(out, 0, DLC_MAX_OUT * sizeof *out);
  *n_out = 0;
  DLC_TRY(op->infer(g->finder.host, attr, n_in, iv, n_out, out));
  if (*n_out == 0 || *n_out > DLC_MAX_OUT) return dlc_fail(DLC_INTERNAL, "op %s: %u outputs", op->name, *n_out);
  for (uint32_t k = 0; k < *n_out; k++) {
    out[k].size = sizeof(dlc_value);
    out[k].role = DLC_ROLE_ACTIVATION;
    out[k].name = k ? dlc_arena_printf(&g->arena, "%s.%u", name, k) : dlc_arena_strdup(&g->arena, name);
    if (!out[k].name) return dlc_fail_nomem();
    DLC_TRY(check_value(&out[k]));
  }
  return check_memory_rules(op, iv, n_in, out, *n_out);
}

static dlc_status copy_attr(dlc_graph_build *g, const dlc_op *op, const void *given, void **attr)
{
  *attr = NULL;
  if (op->attr_size == 0) return DLC_OK;
  *attr = given ? dlc_arena_copy(&g->arena, given, op->attr_size) : dlc_arena_alloc(&g->arena, op->attr_size);
  if (!*attr) return dlc_fail_nomem();
  if (given) return DLC_OK;
  const char *missing = NULL;
  DLC_TRY(dlc_attr_defaults(op, *attr, &missing));
  return missing ? dlc_fail(DLC_INVALID, "`%s` is missing", missing) : DLC_OK;
}

/* n_data inputs and the parameters after them, so that a shape rule may look at its data without counting it. */
static dlc_status check_inputs(const dlc_op *op, uint32_t n_in)
{
  const bool more =
      DLC_HAS(op, param) || DLC_HAS(op, build) || op->kind == DLC_OP_LOSS || (op->flags & DLC_OP_VARIADIC);
  if (n_in > DLC_MAX_IN) return dlc_fail(DLC_INVALID, "%u inputs came, at most %d are possible", n_in, DLC_MAX_IN);
  if (op->kind == DLC_OP_OPTIMIZER || n_in == op->n_data || (n_in > op->n_data && more)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%u inputs came, expected %u", n_in, op->n_data);
}

static dlc_status append_node(dlc_graph_build *g, const char *name, const dlc_op *op, const void *attr,
                              const uint32_t *in, uint32_t n_in, uint32_t *out)
{
  if (!op->infer) return dlc_fail(DLC_INVALID, "op %s is a layer made of others, and no node by itself", op->name);
  DLC_TRY(check_inputs(op, n_in));
  void *own_attr;
  dlc_value values[DLC_MAX_OUT];
  uint32_t n_out;
  uint32_t *own_in = dlc_arena_copy(&g->arena, in, n_in * sizeof *in); /* first: `out` may be the same array */
  if (!own_in) return dlc_fail_nomem();
  DLC_TRY(copy_attr(g, op, attr, &own_attr));
  DLC_TRY(infer(g, name, op, own_attr, own_in, n_in, values, &n_out));
  DLC_TRY(grow((void **)&g->nodes, &g->node_capacity, g->n_nodes + 1, sizeof(dlc_node)));
  for (uint32_t k = 0; k < n_out; k++) DLC_TRY(append_value(g, &values[k], &out[k]));
  dlc_node node = {.size = sizeof node,
                   .n_in = n_in,
                   .n_out = n_out,
                   .op = op,
                   .attr = own_attr,
                   .in = own_in,
                   .out = dlc_arena_copy(&g->arena, out, n_out * sizeof *out),
                   .name = dlc_arena_strdup(&g->arena, name)};
  if (!node.out || !node.name) return dlc_fail_nomem();
  g->nodes[g->n_nodes++] = node;
  return DLC_OK;
}

dlc_status dlc_graph_node(dlc_graph_build *g, const char *name, const dlc_op *op, const void *attr, const uint32_t *in,
                          uint32_t n_in, uint32_t *out)
{
  dlc_status status = append_node(g, name, op, attr, in, n_in, out);
  return status < 0 ? dlc_fail_in(status, "%s (%s)", name, op->name) : DLC_OK;
}

dlc_status dlc_graph_emit(dlc_graph_build *g, const char *name, const char *op, const void *attr, const uint32_t *in,
                          uint32_t n_in, uint32_t *out)
{
  const dlc_op *found;
  DLC_TRY(dlc_graph_find_op(g, op, &found));
  return dlc_graph_node(g, name, found, attr, in, n_in, out);
}

dlc_status dlc_graph_mark(dlc_graph_build *g, uint32_t value, uint32_t role, const char *name)
{
  char *copy = dlc_arena_strdup(&g->arena, name);
  if (!copy) return dlc_fail_nomem();
  g->values[value].role = role;
  g->values[value].name = copy;
  return DLC_OK;
}

dlc_status dlc_graph_random(dlc_graph_build *g, uint32_t *key, int64_t *stream)
{
  const int64_t words = 3;
  if (g->n_streams == 0)
    DLC_TRY(dlc_graph_value(g, DLC_NAME_RANDOM, DLC_ROLE_STEP_SCALAR, DLC_I64, 1, &words, &g->random_key));
  *key = g->random_key;
  *stream = g->n_streams++;
  return DLC_OK;
}
