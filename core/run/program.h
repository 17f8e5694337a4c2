/* A program: a graph made ready to run over and over. Every node has a kernel, every value an address, nothing is
 * allocated any more. Programs of one run share a machine. [main]
 *
 *   machine   the device, the memory that lives across steps (parameters, states, inputs, step scalars, outputs) by
 * name, one arena for everything else, and one workspace: both as large as the largest program needs program   one
 * graph on that machine: kernels and addresses */
#ifndef DLC_RUN_PROGRAM_H
#define DLC_RUN_PROGRAM_H
#include "base/log.h"
#include "dlcore/backend.h"
#include "graph/graph.h"
#include "run/profile.h"
#include <stdbool.h>

typedef struct dlc_machine dlc_machine;
typedef struct dlc_program dlc_program;

typedef struct dlc_machine_config {
  const dlc_backend *backend;  /* NULL: every node on the reference kernels */
  const dlc_host *host;        /* the backend's; also what reference kernels get */
  const char *backend_options; /* "k=v,...", or NULL */
  const dlc_sink *sink;
} dlc_machine_config;

dlc_status dlc_machine_open(const dlc_machine_config *config, dlc_machine **machine);
void dlc_machine_close(dlc_machine *machine);                 /* after every program of it */
const char *dlc_machine_describe(const dlc_machine *machine); /* one line; never NULL */

/* Takes `g` over, also when it fails. Values whose role is not ACTIVATION or GRADIENT are kept by name: two programs
 * that name one with the same role share its memory (the larger size wins; a partial batch uses the front). */
dlc_status dlc_program_add(dlc_machine *machine, const char *name, dlc_graph_build *g, dlc_program **program);

/* Before commit: every node that runs is timed into `profile`, which outlives the machine; NULL: none is. */
void dlc_machine_profile(dlc_machine *machine, dlc_profile *profile);

/* After the last dlc_program_add: allocates everything. Persistent memory is zeroed. */
dlc_status dlc_machine_commit(dlc_machine *machine);

/* Memory of a kept value by name, NULL if there is none; fixed from commit to close. */
void *dlc_machine_memory(const dlc_machine *machine, const char *name, size_t *bytes);

/* Runs every node once. Allocates nothing. */
dlc_status dlc_program_run(dlc_program *program);

/* Divides the program behind the last node that computes the value `name`; part 0 or 1 of it can then be run alone. */
dlc_status dlc_program_divide(dlc_program *program, const char *name);
dlc_status dlc_program_run_part(dlc_program *program, uint32_t part);
/* Runs part 0 and shows what each node read and computed, until the visitor returns false. */
typedef bool dlc_node_visitor(void *ctx, const dlc_graph *g, uint32_t node, const void *const *in,
                              const void *const *out);
dlc_status dlc_program_watch(dlc_program *program, dlc_node_visitor *visit, void *ctx);

typedef struct dlc_plan_info {
  size_t persistent_bytes, arena_bytes, workspace_bytes;
  size_t unplanned_bytes;       /* what the arena would need if nothing shared memory */
  uint32_t n_nodes, n_fallback; /* launched nodes; those on reference kernels */
} dlc_plan_info;
void dlc_program_info(const dlc_program *program, dlc_plan_info *info);
/* The graph with each value's address and each node's kernel, for --dump-graph plan. */
void dlc_program_dump(const dlc_program *program, dlc_str *out);

#endif
