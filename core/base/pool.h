/* The process's compute threads. One pool, owned by the core; the caller of run() works too. */
#ifndef DLC_BASE_POOL_H
#define DLC_BASE_POOL_H
#include "dlcore/base.h"

typedef struct dlc_pool dlc_pool;

enum { DLC_MAX_THREADS = 1024 };

/* [main] 1 to DLC_MAX_THREADS threads in all, the caller included. Threads start at the first run() that has work for
 * them. */
dlc_status dlc_pool_open(uint32_t count, dlc_pool **pool);
void dlc_pool_close(dlc_pool *pool); /* [main] joins */
/* The table that plugins get; valid as long as the pool. */
const dlc_threads *dlc_pool_threads(dlc_pool *pool);
/* Processors this process may use (affinity and cgroup quota), at least 1. */
uint32_t dlc_cpu_count(void);

#endif
