/* How much arithmetic a node is. */
#ifndef DLC_GRAPH_FLOPS_H
#define DLC_GRAPH_FLOPS_H
#include "dlcore/graph.h"

/* Twice the multiply-adds of convolutions, matrix products and attention, and of their gradients, in floating point
 * operations; 0 for every other op, whose time is that of its memory. The convention of torch.utils.flop_counter:
 * biases are not counted, paddings are. */
double dlc_node_flops(const dlc_graph *g, uint32_t node);

#endif
