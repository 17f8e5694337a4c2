/* The dlc_builder that rules of ops emit nodes with: gradient rules, and layers built of several nodes. [main] */
#ifndef DLC_GRAPH_BUILDER_H
#define DLC_GRAPH_BUILDER_H
#include "graph/graph.h"

typedef struct dlc_graph_builder {
  dlc_builder table; /* first: the ops get a pointer to it */
  dlc_graph_build *g;
  const char *name; /* what is emitted is named after it */
  uint32_t role;    /* of the values that come: DLC_ROLE_ACTIVATION or DLC_ROLE_GRADIENT */
} dlc_graph_builder;

dlc_graph_builder dlc_graph_builder_of(dlc_graph_build *g, uint32_t role);

#endif
