/* Reference kernels as kernels: what runs where a backend does not. */
#ifndef DLC_RUN_FALLBACK_H
#define DLC_RUN_FALLBACK_H
#include "dlcore/backend.h"

/* Prepares node `node` of `g`, which outlives the kernel. */
dlc_status dlc_fallback_kernel(const dlc_host *host, const dlc_graph *g, uint32_t node, dlc_kernel *k);

#endif
