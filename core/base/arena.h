/* Memory that is freed all at once. For descriptions (graphs, models, tables), never for tensors. Not thread-safe. */
#ifndef DLC_BASE_ARENA_H
#define DLC_BASE_ARENA_H
#include <stddef.h>

typedef struct dlc_arena {
  struct dlc_arena_block *blocks;
} dlc_arena;

void *dlc_arena_alloc(dlc_arena *a, size_t n); /* zeroed, aligned for any type; NULL when out of memory */
void *dlc_arena_copy(dlc_arena *a, const void *bytes, size_t n);
char *dlc_arena_strdup(dlc_arena *a, const char *text);
char *dlc_arena_printf(dlc_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dlc_arena_free(dlc_arena *a);

/* Tensor memory: 64-byte aligned and zeroed; NULL when out of memory. Free with free(). */
void *dlc_alloc_tensor(size_t bytes);

#endif
