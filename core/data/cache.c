/* A table of pointers into one reserved block that only ever grows. */
#include "data/cache.h"
#include "base/status.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct kept_picture {
  int32_t height, width, channels;
  uint8_t pixels[];
} kept_picture;

struct dlc_cache {
  uint32_t count;
  _Atomic(kept_picture *) *pictures;
  char *block;
  size_t budget;
  atomic_size_t used;
};

dlc_status dlc_cache_open(uint32_t count, size_t budget, dlc_cache **cache)
{
  *cache = NULL;
  dlc_cache *c = calloc(1, sizeof(*c));
  if (!c) return dlc_fail_nomem();
  c->count = count;
  c->budget = budget;
  c->pictures = calloc((size_t)count + 1, sizeof(*c->pictures));
  if (budget > 0) /* mmap() takes no 0 */
    c->block = mmap(NULL, budget, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!c->pictures || c->block == MAP_FAILED) {
    dlc_status status =
        dlc_fail(DLC_NOMEM, "cannot reserve %zu MiB for decoded pictures: %s", budget >> 20, strerror(errno));
    if (c->block == MAP_FAILED) c->block = NULL;
    dlc_cache_close(c);
    return status;
  }
  *cache = c;
  return DLC_OK;
}

void dlc_cache_close(dlc_cache *c)
{
  if (!c) return;
  if (c->block) munmap(c->block, c->budget);
  free(c->pictures);
  free(c);
}

int dlc_cache_get(const dlc_cache *c, uint32_t index, dlc_picture *view)
{
  kept_picture *k = atomic_load_explicit(&c->pictures[index], memory_order_acquire);
  if (!k) return 0;
  view->height = k->height;
  view->width = k->width;
  view->channels = k->channels;
  view->pixels = k->pixels;
  return 1;
}

void dlc_cache_put(dlc_cache *c, uint32_t index, const dlc_picture *p)
{
  const size_t pixels = (size_t)(p->height * p->width * p->channels);
  const size_t bytes = (sizeof(kept_picture) + pixels + 63) & ~(size_t)63;
  size_t at = atomic_load(&c->used);
  do
    if (bytes > c->budget - at) return;
  while (!atomic_compare_exchange_weak(&c->used, &at, at + bytes));
  kept_picture *k = (kept_picture *)(void *)(c->block + at);
  *k = (kept_picture){(int32_t)p->height, (int32_t)p->width, (int32_t)p->channels};
  memcpy(k->pixels, p->pixels, pixels);
  atomic_store_explicit(&c->pictures[index], k, memory_order_release);
}

size_t dlc_cache_bytes(const dlc_cache *c)
{
  return atomic_load(&c->used);
}
