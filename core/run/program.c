/* Machines and programs: who computes each node, where each value is, and the loop that runs them. */
#include "run/program.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "host/host.h"
#include "run/fallback.h"
#include "run/plan.h"
#include <stdlib.h>
#include <string.h>

/* Memory that lives across steps, found by name. */
typedef struct kept {
  const char *name; /* of the first program that named it */
  uint32_t role, dtype;
  size_t bytes, offset;
} kept;

typedef struct launch {
  uint32_t node;
  dlc_kernel kernel;
  bool fallback;
  const void *in[DLC_MAX_IN];
  void *out[DLC_MAX_OUT];
  dlc_profile_row *row; /* NULL without a profile */
} launch;

struct dlc_program {
  dlc_program *next;
  dlc_machine *machine;
  char *name;
  dlc_graph_build *build; /* owned */
  const dlc_graph *graph;
  dlc_plan plan;
  uint32_t *kept_of; /* [n_values] index in the machine's list, for kept roots */
  launch *launches;
  uint32_t n_launches, n_fallback;
  uint32_t first_part; /* launches; see dlc_program_divide() */
  size_t workspace_bytes;
};

struct dlc_machine {
  const dlc_backend *backend;
  const dlc_host *host;
  const dlc_sink *sink;
  dlc_option_value *options;
  dlc_device *device;
  kept *kept;
  uint32_t n_kept, kept_capacity;
  size_t kept_bytes, arena_bytes, workspace_bytes;
  char *kept_memory, *arena, *workspace;
  dlc_program *programs; /* the newest first */
  dlc_profile *profile;  /* NULL: none. Not owned */
};

/* ---- machine ---- */

static dlc_status open_device(dlc_machine *m, const char *options)
{
  const dlc_backend *b = m->backend;
  if (!b) return DLC_OK;
  DLC_TRY(dlc_options_read(b->name, b->options, b->n_options, options, &m->options));
  dlc_status status = b->open(b, m->host, m->options, &m->device);
  return status < 0 ? dlc_fail_in(status, "backend %s cannot start", b->name) : DLC_OK;
}

dlc_status dlc_machine_open(const dlc_machine_config *config, dlc_machine **machine)
{
  *machine = NULL;
  dlc_machine *m = calloc(1, sizeof *m);
  if (!m) return dlc_fail_nomem();
  m->backend = config->backend;
  m->host = config->host;
  m->sink = config->sink;
  dlc_status status = open_device(m, config->backend_options);
  if (status < 0) {
    free(m->options);
    free(m);
    return status;
  }
  *machine = m;
  return DLC_OK;
}

static void free_program(dlc_program *p)
{
  for (uint32_t i = 0; i < p->n_launches; i++)
    if (p->launches[i].kernel.release) p->launches[i].kernel.release(p->launches[i].kernel.state);
  dlc_plan_free(&p->plan);
  dlc_graph_free(p->build);
  free(p->kept_of);
  free(p->launches);
  free(p->name);
  free(p);
}

void dlc_machine_close(dlc_machine *m)
{
  if (!m) return;
  while (m->programs) {
    dlc_program *next = m->programs->next;
    free_program(m->programs);
    m->programs = next;
  }
  if (m->backend) m->backend->close(m->device);
  free(m->options);
  free(m->kept);
  free(m->kept_memory);
  free(m->arena);
  free(m->workspace);
  free(m);
}

const char *dlc_machine_describe(const dlc_machine *m)
{
  if (!m->backend) return "reference kernels, in double precision on one thread";
  const char *text = DLC_HAS(m->backend, describe) ? m->backend->describe(m->device) : NULL;
  return text ? text : m->backend->name;
}

void dlc_machine_profile(dlc_machine *m, dlc_profile *profile)
{
  m->profile = profile;
}

/* ---- adding a program ---- */

static dlc_status keep(dlc_machine *m, const dlc_value *v, const dlc_place *place, uint32_t *index)
{
  for (uint32_t i = 0; i < m->n_kept; i++) {
    kept *k = &m->kept[i];
    if (strcmp(k->name, place->name) != 0) continue;
    if (k->dtype != v->dtype || k->role != v->role)
      return dlc_fail(DLC_INVALID, "`%s` is the name of two different values", place->name);
    if (place->bytes > k->bytes) k->bytes = place->bytes;
    *index = i;
    return DLC_OK;
  }
  if (m->n_kept == m->kept_capacity) {
    uint32_t larger = m->kept_capacity ? 2 * m->kept_capacity : 32;
    kept *moved = realloc(m->kept, larger * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    m->kept = moved;
    m->kept_capacity = larger;
  }
  *index = m->n_kept;
  m->kept[m->n_kept++] = (kept){.name = place->name, .role = v->role, .dtype = v->dtype, .bytes = place->bytes};
  return DLC_OK;
}

static dlc_status keep_values(dlc_program *p)
{
  p->kept_of = calloc(p->graph->n_values + 1, sizeof *p->kept_of);
  if (!p->kept_of) return dlc_fail_nomem();
  for (uint32_t v = 0; v < p->graph->n_values; v++) {
    const dlc_place *place = &p->plan.places[v];
    if (place->root == v && place->kept) DLC_TRY(keep(p->machine, dlc_value_at(p->graph, v), place, &p->kept_of[v]));
  }
  return DLC_OK;
}

static dlc_status prepare(dlc_program *p, uint32_t node, launch *l)
{
  const dlc_machine *m = p->machine;
  const dlc_node *n = dlc_node_at(p->graph, node);
  l->node = node;
  l->kernel = (dlc_kernel){.size = sizeof(dlc_kernel)};
  dlc_status status = DLC_UNSUPPORTED;
  if (m->backend) status = m->backend->kernel(m->device, p->graph, node, &l->kernel);
  if (status == DLC_UNSUPPORTED) {
    l->kernel = (dlc_kernel){.size = sizeof(dlc_kernel)};
    l->fallback = true;
    p->n_fallback++;
    status = dlc_fallback_kernel(m->host, p->graph, node, &l->kernel);
  }
  if (status < 0) return dlc_fail_in(status, "%s (%s)", n->name, n->op->name);
  if (!l->kernel.launch)
    return dlc_fail(DLC_INTERNAL, "backend %s gave no launch for %s", m->backend->name, n->op->name);
  if (l->kernel.workspace > p->workspace_bytes) p->workspace_bytes = l->kernel.workspace;
  return DLC_OK;
}

static dlc_status prepare_all(dlc_program *p)
{
  p->launches = calloc(p->graph->n_nodes + 1, sizeof *p->launches);
  if (!p->launches) return dlc_fail_nomem();
  for (uint32_t i = 0; i < p->graph->n_nodes; i++) {
    if (dlc_node_at(p->graph, i)->op->flags & DLC_OP_VIEW) continue;
    DLC_TRY(prepare(p, i, &p->launches[p->n_launches]));
    p->n_launches++;
  }
  return DLC_OK;
}

dlc_status dlc_program_add(dlc_machine *m, const char *name, dlc_graph_build *g, dlc_program **program)
{
  *program = NULL;
  dlc_program *p = calloc(1, sizeof *p);
  if (!p) {
    dlc_graph_free(g);
    return dlc_fail_nomem();
  }
  p->machine = m;
  p->build = g;
  p->graph = dlc_graph_view(g);
  p->name = strdup(name);
  dlc_status status = p->name ? dlc_plan_make(p->graph, &p->plan) : dlc_fail_nomem();
  if (status >= 0) status = keep_values(p);
  if (status >= 0) status = prepare_all(p);
  /* The machine owns it from here on even when it failed: kept values point to its names. */
  p->next = m->programs;
  m->programs = p;
  if (status >= 0) *program = p;
  return status;
}

/* ---- commit ---- */

static dlc_status allocate(dlc_machine *m)
{
  for (uint32_t i = 0; i < m->n_kept; i++) {
    m->kept[i].offset = m->kept_bytes;
    m->kept_bytes += dlc_align(m->kept[i].bytes);
  }
  for (const dlc_program *p = m->programs; p; p = p->next) {
    if (p->plan.arena_bytes > m->arena_bytes) m->arena_bytes = p->plan.arena_bytes;
    if (p->workspace_bytes > m->workspace_bytes) m->workspace_bytes = p->workspace_bytes;
  }
  m->kept_memory = dlc_alloc_tensor(m->kept_bytes);
  m->arena = dlc_alloc_tensor(m->arena_bytes);
  m->workspace = dlc_alloc_tensor(m->workspace_bytes);
  if (m->kept_memory && m->arena && m->workspace) return DLC_OK;
  return dlc_fail(DLC_NOMEM, "out of memory: the run needs %zu MiB; try a smaller --batch-size",
                  (m->kept_bytes + m->arena_bytes + m->workspace_bytes) >> 20);
}

static void *address(const dlc_program *p, uint32_t value)
{
  const dlc_machine *m = p->machine;
  const uint32_t root = p->plan.places[value].root;
  if (p->plan.places[root].kept) return m->kept_memory + m->kept[p->kept_of[root]].offset;
  return m->arena + p->plan.places[root].offset;
}

static dlc_status bind(dlc_program *p)
{
  for (uint32_t i = 0; i < p->n_launches; i++) {
    launch *l = &p->launches[i];
    const dlc_node *n = dlc_node_at(p->graph, l->node);
    for (uint32_t j = 0; j < n->n_in; j++) l->in[j] = address(p, n->in[j]);
    for (uint32_t k = 0; k < n->n_out; k++) l->out[k] = address(p, n->out[k]);
    DLC_TRY(dlc_profile_add_node(p->machine->profile, p->name, p->graph, l->node, &l->row));
  }
  return DLC_OK;
}

/* Names every op that runs on its reference kernel, once for the machine. */
static void report_fallback(const dlc_machine *m)
{
  dlc_str names = {0};
  const dlc_op *seen[64];
  uint32_t n_seen = 0, n_fallback = 0, n_launches = 0;
  for (const dlc_program *p = m->programs; p; p = p->next) {
    n_launches += p->n_launches;
    n_fallback += p->n_fallback;
    for (uint32_t i = 0; i < p->n_launches; i++) {
      const dlc_op *op = dlc_node_at(p->graph, p->launches[i].node)->op;
      bool known = !p->launches[i].fallback;
      for (uint32_t s = 0; s < n_seen; s++) known |= seen[s] == op;
      if (known || n_seen == 64) continue;
      seen[n_seen++] = op;
      dlc_str_addf(&names, n_seen > 1 ? ", %s" : "%s", op->name);
    }
  }
  if (m->backend && n_fallback)
    dlc_say(m->sink, DLC_LOG_WARN, "backend %s does %u of %u nodes; on the slower reference kernels: %s",
            m->backend->name, n_launches - n_fallback, n_launches, dlc_str_get(&names));
  dlc_str_free(&names);
}

dlc_status dlc_machine_commit(dlc_machine *m)
{
  DLC_TRY(allocate(m));
  for (dlc_program *p = m->programs; p; p = p->next) DLC_TRY(bind(p));
  report_fallback(m);
  return DLC_OK;
}

/* ---- use ---- */

void *dlc_machine_memory(const dlc_machine *m, const char *name, size_t *bytes)
{
  for (uint32_t i = 0; i < m->n_kept; i++)
    if (strcmp(m->kept[i].name, name) == 0) {
      if (bytes) *bytes = m->kept[i].bytes;
      return m->kept_memory + m->kept[i].offset;
    }
  return NULL;
}

static dlc_status run_launch(const dlc_program *p, const launch *l)
{
  dlc_status status = l->kernel.launch(l->kernel.state, l->in, l->out, p->machine->workspace);
  if (status >= 0) return DLC_OK;
  const dlc_node *n = dlc_node_at(p->graph, l->node);
  return dlc_fail_in(status, "%s: %s (%s)", p->name, n->name, n->op->name);
}

static dlc_status run_launches(const dlc_program *p, uint32_t first, uint32_t end)
{
  dlc_profile *profile = p->machine->profile;
  int64_t at = profile ? dlc_nanoseconds() : 0;
  for (uint32_t i = first; i < end; i++) {
    DLC_TRY(run_launch(p, &p->launches[i]));
    if (profile) at = dlc_profile_node(profile, p->launches[i].row, at);
  }
  return DLC_OK;
}

dlc_status dlc_program_run(dlc_program *p)
{
  return run_launches(p, 0, p->n_launches);
}

dlc_status dlc_program_divide(dlc_program *p, const char *name)
{
  for (uint32_t i = 0; i < p->n_launches; i++) {
    const dlc_node *n = dlc_node_at(p->graph, p->launches[i].node);
    for (uint32_t k = 0; k < n->n_out; k++)
      if (strcmp(dlc_value_at(p->graph, n->out[k])->name, name) == 0) p->first_part = i + 1;
  }
  return p->first_part ? DLC_OK : dlc_fail(DLC_INTERNAL, "program %s has no `%s`", p->name, name);
}

dlc_status dlc_program_run_part(dlc_program *p, uint32_t part)
{
  return part == 0 ? run_launches(p, 0, p->first_part) : run_launches(p, p->first_part, p->n_launches);
}

dlc_status dlc_program_watch(dlc_program *p, dlc_node_visitor *visit, void *ctx)
{
  for (uint32_t i = 0; i < p->first_part; i++) {
    const launch *l = &p->launches[i];
    DLC_TRY(run_launch(p, l));
    if (!visit(ctx, p->graph, l->node, l->in, (const void *const *)l->out)) return DLC_OK;
  }
  return DLC_OK;
}

void dlc_program_info(const dlc_program *p, dlc_plan_info *info)
{
  *info = (dlc_plan_info){.persistent_bytes = p->machine->kept_bytes,
                          .arena_bytes = p->plan.arena_bytes,
                          .workspace_bytes = p->workspace_bytes,
                          .unplanned_bytes = p->plan.unplanned_bytes,
                          .n_nodes = p->n_launches,
                          .n_fallback = p->n_fallback};
}

void dlc_program_dump(const dlc_program *p, dlc_str *out)
{
  for (uint32_t i = 0; i < p->n_launches; i++) {
    const launch *l = &p->launches[i];
    const dlc_node *n = dlc_node_at(p->graph, l->node);
    dlc_graph_dump_node(p->graph, l->node, out);
    dlc_str_addf(out, "  by %s", l->fallback ? "reference" : p->machine->backend->name);
    for (uint32_t k = 0; k < n->n_out; k++) {
      const dlc_place *root = &p->plan.places[p->plan.places[n->out[k]].root];
      if (root->kept) dlc_str_addf(out, ", %%%u in %s", n->out[k], root->name);
      else dlc_str_addf(out, ", %%%u at arena+%zu", n->out[k], root->offset);
    }
    dlc_str_add(out, "\n");
  }
  dlc_str_addf(out, "arena %zu bytes (%zu without sharing), kept %zu bytes, workspace %zu bytes\n", p->plan.arena_bytes,
               p->plan.unplanned_bytes, p->machine->kept_bytes, p->workspace_bytes);
}
