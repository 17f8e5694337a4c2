/* The table: rows that belong together are added up, sorted and laid out. Columns, units and footer are those of
 * torch.profiler's key_averages().table(). */
#include "base/status.h"
#include "run/profile_report.h"
#include "run/profile_rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 12, NAME_MOST = 55, NAME_ROOM = 4 };

typedef struct line {
  const char *name, *shapes; /* shapes: NULL where they are not shown */
  bool node;
  uint64_t calls;
  int64_t self, total;
  double flops; /* of all calls */
} line;

typedef struct lines {
  line *items;
  uint32_t n, capacity;
  int64_t self; /* of all */
} lines;

/* ---- adding up ---- */

static line key_of(const dlc_profile_row *row, int by)
{
  if (!row->op) return (line){.name = row->name};
  return (line){.name = by == DLC_PROFILE_BY_LAYER ? row->name : row->op,
                .shapes = by == DLC_PROFILE_BY_SHAPE ? row->shapes : NULL,
                .node = true};
}

static bool is_same(const line *a, const line *b)
{
  if (a->node != b->node || strcmp(a->name, b->name) != 0) return false;
  return !a->shapes || strcmp(a->shapes, b->shapes) == 0;
}

static line *find_line(lines *all, const line *key)
{
  for (uint32_t i = 0; i < all->n; i++)
    if (is_same(&all->items[i], key)) return &all->items[i];
  if (all->n == all->capacity) {
    const uint32_t larger = all->capacity ? 2 * all->capacity : 64;
    line *moved = realloc(all->items, larger * sizeof *moved);
    if (!moved) return NULL;
    all->items = moved;
    all->capacity = larger;
  }
  all->items[all->n] = *key;
  return &all->items[all->n++];
}

static dlc_status add_track(lines *all, const dlc_track *t, int by)
{
  for (const dlc_profile_row *row = t->rows; row; row = row->next) {
    if (row->calls == 0) continue;
    const line key = key_of(row, by);
    line *l = find_line(all, &key);
    if (!l) return dlc_fail_nomem();
    l->calls += row->calls;
    l->self += row->self;
    l->total += row->total;
    l->flops += row->flops * (double)row->calls;
    all->self += row->self;
  }
  return DLC_OK;
}

/* ---- sorting: the largest first, equal ones by name ---- */

static int by_name(const line *a, const line *b)
{
  const int order = strcmp(a->name, b->name);
  return order || !a->shapes || !b->shapes ? order : strcmp(a->shapes, b->shapes);
}

static int compare(const void *x, const void *y, void *sort)
{
  const line *a = x, *b = y;
  int order = 0;
  switch (*(const int *)sort) {
  case DLC_PROFILE_SORT_TOTAL: order = (a->total < b->total) - (a->total > b->total); break;
  case DLC_PROFILE_SORT_SELF: order = (a->self < b->self) - (a->self > b->self); break;
  case DLC_PROFILE_SORT_CALLS: order = (a->calls < b->calls) - (a->calls > b->calls); break;
  default: break;
  }
  return order ? order : by_name(a, b);
}

/* ---- layout ---- */

static void add_time(dlc_str *out, int width, double ns)
{
  char text[32];
  if (ns >= 1e9) snprintf(text, sizeof text, "%.3fs", ns / 1e9);
  else if (ns >= 1e6) snprintf(text, sizeof text, "%.3fms", ns / 1e6);
  else snprintf(text, sizeof text, "%.3fus", ns / 1e3);
  dlc_str_addf(out, "%*s", width, text);
}

static void add_share(dlc_str *out, int64_t part, int64_t whole)
{
  char text[32];
  snprintf(text, sizeof text, "%.2f%%", whole > 0 ? 100.0 * (double)part / (double)whole : 0.0);
  dlc_str_addf(out, "  %*s", COLUMN, text);
}

/* Operations a nanosecond. A layer's is that of its products and sums over the time of all its nodes. */
static void add_rate(dlc_str *out, const line *row)
{
  char text[32] = "--";
  if (row->flops > 0 && row->self > 0) snprintf(text, sizeof text, "%.1f", row->flops / (double)row->self);
  dlc_str_addf(out, "  %*s", COLUMN, text);
}

typedef struct layout {
  int name, shapes; /* widths; shapes 0: no such column */
  bool flops;       /* some row computes enough to have a rate */
  int64_t self;
} layout;

static layout lay_out(const lines *all, uint32_t n)
{
  size_t name = 0, shapes = 0;
  bool flops = false;
  for (uint32_t i = 0; i < n; i++) {
    const size_t a = strlen(all->items[i].name), b = all->items[i].shapes ? strlen(all->items[i].shapes) : 0;
    if (a > name) name = a;
    if (b > shapes) shapes = b;
    flops |= all->items[i].flops > 0;
  }
  if (name > NAME_MOST) name = NAME_MOST;
  return (layout){(int)name + NAME_ROOM, shapes ? (int)shapes + NAME_ROOM : 0, flops, all->self};
}

static void add_rule(dlc_str *out, const layout *l)
{
  static const char dashes[] = "------------";
  for (int i = 0; i < l->name; i++) dlc_str_add(out, "-");
  for (int i = 0; i < 6 + l->flops; i++) dlc_str_addf(out, "  %s", dashes);
  if (l->shapes) dlc_str_add(out, "  ");
  for (int i = 0; i < l->shapes; i++) dlc_str_add(out, "-");
  dlc_str_add(out, "\n");
}

static void add_heads(dlc_str *out, const layout *l)
{
  static const char *const heads[] = {"Self CPU %", "Self CPU",     "CPU total %",
                                      "CPU total",  "CPU time avg", "# of Calls"};
  dlc_str_addf(out, "%*s", l->name, "Name");
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) dlc_str_addf(out, "  %*s", COLUMN, heads[i]);
  if (l->flops) dlc_str_addf(out, "  %*s", COLUMN, "GFLOP/s");
  if (l->shapes) dlc_str_addf(out, "  %*s", l->shapes, "Input Shapes");
  dlc_str_add(out, "\n");
}

static void add_line(dlc_str *out, const layout *l, const line *row)
{
  char name[NAME_MOST + 1];
  if (snprintf(name, sizeof name, "%s", row->name) > NAME_MOST) memcpy(name + NAME_MOST - 3, "...", 3);
  dlc_str_addf(out, "%*s", l->name, name);
  add_share(out, row->self, l->self);
  add_time(out, COLUMN + 2, (double)row->self);
  add_share(out, row->total, l->self);
  add_time(out, COLUMN + 2, (double)row->total);
  add_time(out, COLUMN + 2, (double)row->total / (double)row->calls);
  dlc_str_addf(out, "  %*llu", COLUMN, (unsigned long long)row->calls);
  if (l->flops) add_rate(out, row);
  if (l->shapes) dlc_str_addf(out, "  %*s", l->shapes, row->shapes ? row->shapes : "[]");
  dlc_str_add(out, "\n");
}

/* `of` ends the footer's "Self CPU time total". */
static void add_table(dlc_str *out, lines *all, const dlc_profile_view *view, const char *of)
{
  const uint32_t n = view->lines && view->lines < all->n ? view->lines : all->n;
  int sort = view->sort;
  if (all->n) qsort_r(all->items, all->n, sizeof *all->items, compare, &sort);
  const layout l = lay_out(all, n);
  add_rule(out, &l);
  add_heads(out, &l);
  add_rule(out, &l);
  for (uint32_t i = 0; i < n; i++) add_line(out, &l, &all->items[i]);
  add_rule(out, &l);
  dlc_str_addf(out, "Self CPU time total%s: ", of);
  add_time(out, 0, (double)all->self);
  if (n < all->n) dlc_str_addf(out, " (%u of %u rows are shown)", n, all->n);
  dlc_str_add(out, "\n");
}

dlc_status dlc_profile_table(const dlc_profile *p, const dlc_profile_view *view, dlc_str *out)
{
  lines here = {0}, elsewhere = {0};
  char of[64];
  dlc_status status = add_track(&here, p->tracks, view->by);
  for (const dlc_track *t = p->tracks->next; t && status >= 0; t = t->next) status = add_track(&elsewhere, t, view->by);
  if (status >= 0) {
    add_table(out, &here, view, "");
    snprintf(of, sizeof of, " of %u other threads", p->last_track->number);
    if (elsewhere.n) add_table(out, &elsewhere, view, of);
    if (!dlc_str_ok(out)) status = dlc_fail_nomem();
  }
  free(here.items);
  free(elsewhere.items);
  return status;
}
