/* Decoded pictures, kept in memory from one epoch to the next as long as a budget lasts. [any], several at once.
 * What is kept never changes a result, only how soon it is there. */
#ifndef DLC_DATA_CACHE_H
#define DLC_DATA_CACHE_H
#include "dlcore/picture.h"

typedef struct dlc_cache dlc_cache;

/* Room for `count` pictures in at most `budget` bytes. Address space is reserved now, memory is taken as it is filled.
 */
dlc_status dlc_cache_open(uint32_t count, size_t budget, dlc_cache **cache);
void dlc_cache_close(dlc_cache *cache);
/* The picture numbered `index`: its shape and pixels (the cache's own, read-only), or 0 when it is not there. */
int dlc_cache_get(const dlc_cache *cache, uint32_t index, dlc_picture *view);
/* Keeps a copy, if the budget allows. */
void dlc_cache_put(dlc_cache *cache, uint32_t index, const dlc_picture *picture);
size_t dlc_cache_bytes(const dlc_cache *cache); /* used so far */

#endif
