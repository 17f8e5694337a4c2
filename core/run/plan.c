/* The memory plan: values that are never alive together share addresses. Largest first, each at the lowest offset that
 * is free for its whole life (greedy by size; Pisarchyk and Lee 2020). */
#include "run/plan.h"
#include "base/status.h"
#include "dlcore/op.h"
#include <stdlib.h>

typedef struct life {
  uint32_t value;       /* root id */
  uint32_t first, last; /* node indexes, inclusive */
  size_t bytes, offset;
} life;

static bool role_is_kept(uint32_t role)
{
  return role != DLC_ROLE_ACTIVATION && role != DLC_ROLE_GRADIENT;
}

static void find_roots(const dlc_graph *g, dlc_plan *plan)
{
  for (uint32_t v = 0; v < g->n_values; v++) {
    const dlc_value *value = dlc_value_at(g, v);
    plan->places[v] =
        (dlc_place){.root = v, .kept = role_is_kept(value->role), .name = value->name, .bytes = dlc_bytes(value)};
  }
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *n = dlc_node_at(g, i);
    if (n->op->flags & DLC_OP_VIEW) plan->places[n->out[0]].root = plan->places[n->in[0]].root;
    for (uint32_t k = 0; k < n->n_out && (n->op->flags & DLC_OP_UPDATE); k++)
      plan->places[n->out[k]].root = plan->places[n->in[k]].root;
  }
  /* What is read back through a view keeps the memory behind it. */
  for (uint32_t v = 0; v < g->n_values; v++) {
    dlc_place *root = &plan->places[plan->places[v].root];
    if (!plan->places[v].kept || root->kept) continue;
    root->kept = true;
    root->name = plan->places[v].name;
  }
}

static void extend(life *lives, const uint32_t *life_of, const dlc_plan *plan, uint32_t value, uint32_t node)
{
  uint32_t index = life_of[plan->places[value].root];
  if (index == DLC_NONE) return;
  lives[index].last = node; /* nodes come in order */
}

static uint32_t find_lives(const dlc_graph *g, const dlc_plan *plan, life *lives, uint32_t *life_of)
{
  uint32_t n = 0;
  for (uint32_t v = 0; v < g->n_values; v++) life_of[v] = DLC_NONE;
  for (uint32_t i = 0; i < g->n_nodes; i++) {
    const dlc_node *node = dlc_node_at(g, i);
    for (uint32_t k = 0; k < node->n_out; k++) {
      uint32_t root = plan->places[node->out[k]].root;
      if (plan->places[root].kept || life_of[root] != DLC_NONE) continue;
      life_of[root] = n;
      lives[n++] = (life){.value = root, .first = i, .last = i, .bytes = dlc_align(plan->places[root].bytes)};
    }
    for (uint32_t j = 0; j < node->n_in; j++) extend(lives, life_of, plan, node->in[j], i);
    for (uint32_t k = 0; k < node->n_out; k++) extend(lives, life_of, plan, node->out[k], i);
  }
  return n;
}

static int larger_first(const void *a, const void *b)
{
  const life *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x->value < y->value ? -1 : x->value > y->value;
}

static bool overlap(const life *a, const life *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* `lives[0..count)` have their offsets. Tries offset 0 and the end of every placed neighbour, lowest first. */
static size_t lowest_offset(const life *lives, uint32_t count, const life *l)
{
  size_t offset = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (uint32_t i = 0; i < count; i++) {
      const life *o = &lives[i];
      if (!overlap(o, l) || offset + l->bytes <= o->offset || o->offset + o->bytes <= offset) continue;
      offset = o->offset + o->bytes;
      moved = true;
    }
  }
  return offset;
}

dlc_status dlc_plan_make(const dlc_graph *g, dlc_plan *plan)
{
  *plan = (dlc_plan){.places = calloc(g->n_values + 1, sizeof *plan->places)};
  life *lives = calloc(g->n_values + 1, sizeof *lives);
  uint32_t *life_of = calloc(g->n_values + 1, sizeof *life_of);
  if (!plan->places || !lives || !life_of) {
    free(lives);
    free(life_of);
    dlc_plan_free(plan);
    return dlc_fail_nomem();
  }
  find_roots(g, plan);
  uint32_t n = find_lives(g, plan, lives, life_of);
  qsort(lives, n, sizeof *lives, larger_first);
  for (uint32_t i = 0; i < n; i++) {
    lives[i].offset = lowest_offset(lives, i, &lives[i]);
    plan->places[lives[i].value].offset = lives[i].offset;
    plan->unplanned_bytes += lives[i].bytes;
    if (lives[i].offset + lives[i].bytes > plan->arena_bytes) plan->arena_bytes = lives[i].offset + lives[i].bytes;
  }
  free(lives);
  free(life_of);
  return DLC_OK;
}

void dlc_plan_free(dlc_plan *plan)
{
  free(plan->places);
  *plan = (dlc_plan){0};
}
