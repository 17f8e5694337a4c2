/* Recording: each thread writes its own track; all share the array of spans, by taking numbers. */
#include "run/profile.h"
#include "base/clock.h"
#include "base/shape.h"
#include "base/status.h"
#include "dlcore/op.h"
#include "graph/flops.h"
#include "run/profile_rows.h"
#include <stdlib.h>
#include <string.h>

dlc_status dlc_profile_open(const dlc_profile_config *config, dlc_profile **profile)
{
  dlc_track *main_track;
  *profile = NULL;
  dlc_profile *p = calloc(1, sizeof *p);
  if (!p) return dlc_fail_nomem();
  p->config = *config;
  p->opened = dlc_nanoseconds();
  p->keeping = config->first_step <= 1;
  p->spans = malloc(config->max_spans * sizeof *p->spans + 1);
  dlc_status status = p->spans ? dlc_profile_track(p, "main", &main_track) : dlc_fail_nomem();
  if (status < 0) dlc_profile_close(p);
  else *profile = p;
  return status;
}

void dlc_profile_close(dlc_profile *p)
{
  if (!p) return;
  dlc_arena_free(&p->arena);
  free(p->spans);
  free(p);
}

dlc_track *dlc_profile_main(dlc_profile *p)
{
  return p ? p->tracks : NULL;
}

dlc_status dlc_profile_track(dlc_profile *p, const char *name, dlc_track **track)
{
  *track = NULL;
  if (!p) return DLC_OK;
  dlc_track *t = dlc_arena_alloc(&p->arena, sizeof *t);
  if (!t || !(t->name = dlc_arena_strdup(&p->arena, name))) return dlc_fail_nomem();
  t->profile = p;
  t->number = p->last_track ? p->last_track->number + 1 : 0;
  if (p->last_track) p->last_track->next = t;
  else p->tracks = t;
  p->last_track = t;
  *track = t;
  return DLC_OK;
}

/* ---- named spans ---- */

/* The same literal is found by its address; the same text from two files by comparing. Beyond the last free row all
 * names share that one. */
static dlc_profile_row *row_named(dlc_track *t, const char *name)
{
  for (uint32_t i = 0; i < t->n_named; i++)
    if (t->named[i].name == name) return &t->named[i];
  for (uint32_t i = 0; i < t->n_named; i++)
    if (strcmp(t->named[i].name, name) == 0) return &t->named[i];
  if (t->n_named == DLC_PROFILE_NAMES) return &t->named[DLC_PROFILE_NAMES - 1];
  dlc_profile_row *row = &t->named[t->n_named++];
  *row = (dlc_profile_row){.next = t->rows, .track = t, .name = name};
  if (t->n_named == DLC_PROFILE_NAMES) row->name = "other";
  t->rows = row;
  return row;
}

static void begin_row(dlc_track *t, dlc_profile_row *row)
{
  if (t->depth < DLC_PROFILE_DEPTH) t->open[t->depth] = (dlc_open_span){.row = row, .begin = dlc_nanoseconds()};
  t->depth++;
}

static void keep_span(dlc_profile *p, const dlc_profile_row *row, int64_t begin, int64_t end)
{
  const uint64_t i = atomic_fetch_add_explicit(&p->n_spans, 1, memory_order_relaxed);
  if (i < p->config.max_spans) p->spans[i] = (dlc_span){begin, end, row};
}

static bool is_keeping(const dlc_profile *p)
{
  return atomic_load_explicit(&p->keeping, memory_order_relaxed);
}

void dlc_track_begin(dlc_track *t, const char *name)
{
  if (t) begin_row(t, row_named(t, name));
}

void dlc_track_step(dlc_track *t, const char *name)
{
  if (!t) return;
  const dlc_profile_config *c = &t->profile->config;
  dlc_profile_row *row = row_named(t, name);
  const int64_t step = (int64_t)row->calls + 1;
  atomic_store_explicit(&t->profile->keeping, c->first_step <= step && step <= c->last_step, memory_order_relaxed);
  begin_row(t, row);
}

void dlc_track_end(dlc_track *t)
{
  if (!t || t->depth == 0 || --t->depth >= DLC_PROFILE_DEPTH) return;
  const int64_t end = dlc_nanoseconds();
  const dlc_open_span *s = &t->open[t->depth];
  s->row->calls++;
  s->row->total += end - s->begin;
  s->row->self += end - s->begin - s->inside;
  if (t->depth > 0) t->open[t->depth - 1].inside += end - s->begin;
  if (is_keeping(t->profile) || (t->depth == 0 && t->number == 0)) keep_span(t->profile, s->row, s->begin, end);
}

/* ---- nodes ---- */

static bool is_backward(const dlc_graph *g, uint32_t node)
{
  const dlc_node *n = dlc_node_at(g, node);
  return n->n_out && dlc_value_at(g, n->out[0])->role == DLC_ROLE_GRADIENT;
}

/* What comes after the first gradient and is none, as clipping, belongs to the update. */
static const char *part_of(const dlc_graph *g, uint32_t node)
{
  if (dlc_node_at(g, node)->op->kind == DLC_OP_OPTIMIZER) return "update";
  if (is_backward(g, node)) return "backward";
  for (uint32_t i = 0; i < node; i++)
    if (is_backward(g, i)) return "update";
  return "forward";
}

/* An update is named after its parameter, "conv1.weight": the layer is what comes before the last dot. */
static char *layer_of(dlc_arena *arena, const dlc_node *n)
{
  const char *dot = strrchr(n->name, '.');
  if (n->op->kind != DLC_OP_OPTIMIZER || !dot) return dlc_arena_strdup(arena, n->name);
  return dlc_arena_printf(arena, "%.*s", (int)(dot - n->name), n->name);
}

static char *shapes_of(dlc_arena *arena, const dlc_graph *g, const dlc_node *n)
{
  dlc_str text = {0};
  dlc_str_add(&text, "[");
  for (uint32_t i = 0; i < n->n_in; i++) {
    const dlc_value *v = dlc_value_at(g, n->in[i]);
    dlc_str_addf(&text, "%s%s", i ? ", " : "", dlc_name_shape(v->rank, v->dim).text);
  }
  dlc_str_add(&text, "]");
  char *copy = dlc_str_ok(&text) ? dlc_arena_strdup(arena, dlc_str_get(&text)) : NULL;
  dlc_str_free(&text);
  return copy;
}

dlc_status dlc_profile_add_node(dlc_profile *p, const char *program, const dlc_graph *g, uint32_t node,
                                dlc_profile_row **row)
{
  *row = NULL;
  if (!p) return DLC_OK;
  const dlc_node *n = dlc_node_at(g, node);
  dlc_profile_row *r = dlc_arena_alloc(&p->arena, sizeof *r);
  if (!r) return dlc_fail_nomem();
  *r = (dlc_profile_row){.next = p->tracks->rows,
                         .track = p->tracks,
                         .name = layer_of(&p->arena, n),
                         .program = dlc_arena_strdup(&p->arena, program),
                         .op = dlc_arena_strdup(&p->arena, n->op->name),
                         .part = part_of(g, node),
                         .shapes = shapes_of(&p->arena, g, n),
                         .flops = dlc_node_flops(g, node)};
  if (!r->name || !r->program || !r->op || !r->shapes) return dlc_fail_nomem();
  p->tracks->rows = r;
  *row = r;
  return DLC_OK;
}

int64_t dlc_profile_node(dlc_profile *p, dlc_profile_row *row, int64_t begin)
{
  dlc_track *t = p->tracks;
  const int64_t end = dlc_nanoseconds();
  row->calls++;
  row->self += end - begin;
  row->total += end - begin;
  if (t->depth > 0 && t->depth <= DLC_PROFILE_DEPTH) t->open[t->depth - 1].inside += end - begin;
  if (is_keeping(p)) keep_span(p, row, begin, end);
  return end;
}
