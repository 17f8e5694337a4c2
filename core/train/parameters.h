/* The parameters of a run: found on the machine by name, filled, loaded, saved. */
#ifndef DLC_TRAIN_PARAMETERS_H
#define DLC_TRAIN_PARAMETERS_H
#include "base/log.h"
#include "graph/model.h"
#include "run/program.h"
#include "train/weights_info.h"
#include <stdbool.h>

typedef struct dlc_parameter {
  dlc_tensor tensor; /* name owned here; data: the machine's memory */
  size_t prefix;     /* bytes of the name before the parameter's own */
  bool trained;      /* false: a state that the layer changes itself, f32 or i64 */
  dlc_init init;
} dlc_parameter;

typedef struct dlc_parameters {
  uint32_t n;
  int64_t count; /* numbers in all that are trained */
  dlc_parameter *list;
} dlc_parameters;

/* Before the graph goes to the machine: names, shapes, initialisations. With a prefix: what has that before its name,
 * of the floats alone. */
dlc_status dlc_parameters_describe(const dlc_graph *g, const dlc_model_graph *m, const char *prefix, dlc_parameters *p);
/* The states of optimizer and average in a graph. */
dlc_status dlc_parameters_states(const dlc_graph *g, dlc_parameters *p);
/* After commit: finds the memory. */
dlc_status dlc_parameters_find(dlc_parameters *p, const dlc_machine *machine);
/* Finds it and fills it. Element i of parameter k is a function of (seed, k, i). */
dlc_status dlc_parameters_init(dlc_parameters *p, const dlc_machine *machine, uint64_t seed);
/* Loads what fits by name and shape; says what does not. DLC_INVALID when nothing fits, or, with `all`, when anything
 * does not; then averages are taken before weights. */
dlc_status dlc_parameters_load(dlc_parameters *p, const char *path, bool all, const dlc_sink *sink);
/* to[i] of prefix + name takes what `from` has of that name. */
void dlc_parameters_copy(dlc_parameters *to, const dlc_parameters *from);
/* What `averages` has of a parameter is written in its place. */
dlc_status dlc_parameters_save(const dlc_parameters *p, const dlc_parameters *averages, const dlc_weights_info *info,
                               const char *path);
void dlc_parameters_free(dlc_parameters *p);

#endif
