/* Rewrites that change the work and not the numbers. */
#include "base/status.h"
#include "graph/build.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool node_is_needed(const dlc_graph_build *g, const dlc_node *n, const bool *needed)
{
  if (n->op->flags & DLC_OP_UPDATE) return true;
  for (uint32_t k = 0; k < n->n_out; k++)
    if (needed[n->out[k]] || g->values[n->out[k]].role == DLC_ROLE_OUTPUT) return true;
  return false;
}

dlc_status dlc_graph_prune(dlc_graph_build *g)
{
  bool *needed = calloc(g->n_values ? g->n_values : 1, sizeof(bool));
  bool *keep = calloc(g->n_nodes ? g->n_nodes : 1, sizeof(bool));
  if (!needed || !keep) {
    free(needed);
    free(keep);
    return dlc_fail_nomem();
  }
  for (uint32_t i = g->n_nodes; i-- > 0;) {
    const dlc_node *n = &g->nodes[i];
    keep[i] = node_is_needed(g, n, needed);
    for (uint32_t j = 0; j < n->n_in && keep[i]; j++) needed[n->in[j]] = true;
  }
  uint32_t kept = 0;
  for (uint32_t i = 0; i < g->n_nodes; i++)
    if (keep[i]) g->nodes[kept++] = g->nodes[i];
  g->n_nodes = kept;
  free(needed);
  free(keep);
  return DLC_OK;
}

static uint32_t count_readers(const dlc_graph_build *g, uint32_t value, uint32_t *reader)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->n_nodes; i++)
    for (uint32_t j = 0; j < g->nodes[i].n_in; j++)
      if (g->nodes[i].in[j] == value) {
        *reader = i;
        n++;
      }
  return n;
}

dlc_status dlc_graph_pool_before_relu(dlc_graph_build *g)
{
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    dlc_node *relu = &g->nodes[i];
    uint32_t j = 0;
    if (strcmp(relu->op->name, "relu") != 0) continue;
    const uint32_t before = relu->in[0], middle = relu->out[0];
    if (g->values[middle].role == DLC_ROLE_OUTPUT || count_readers(g, middle, &j) != 1) continue;
    dlc_node *pool = &g->nodes[j];
    if (strcmp(pool->op->name, "max_pool2d") != 0) continue;
    /* before -> pool -> middle (now of the pooled shape) -> relu -> after */
    const uint32_t after = pool->out[0];
    const uint32_t pool_out[2] = {middle, pool->out[1]};
    memcpy(g->values[middle].dim, g->values[after].dim, sizeof g->values[middle].dim);
    pool->in = dlc_arena_copy(&g->arena, &before, sizeof before);
    pool->out = dlc_arena_copy(&g->arena, pool_out, sizeof pool_out);
    relu->in = dlc_arena_copy(&g->arena, &middle, sizeof middle);
    relu->out = dlc_arena_copy(&g->arena, &after, sizeof after);
    if (!pool->in || !pool->out || !relu->in || !relu->out) return dlc_fail_nomem();
    dlc_node exchanged = *relu;
    *relu = *pool;
    *pool = exchanged;
  }
  return DLC_OK;
}
