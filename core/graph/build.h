/* The inside of a graph under construction, for the files of this folder only. */
#ifndef DLC_GRAPH_BUILD_H
#define DLC_GRAPH_BUILD_H
#include "base/arena.h"
#include "graph/graph.h"

struct dlc_graph_build {
  dlc_arena arena; /* names, attributes, id lists */
  dlc_op_finder finder;
  dlc_value *values;
  dlc_node *nodes;
  uint32_t n_values, n_nodes, value_capacity, node_capacity;
  uint32_t random_key; /* value id, once an op draws random numbers */
  int64_t n_streams;   /* numbers given to such nodes so far */
  dlc_graph view;
};

#endif
