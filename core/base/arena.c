/* Blocks in a chain; the newest is filled from its front. */
#include "base/arena.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024, ALIGN = _Alignof(max_align_t), TENSOR_ALIGN = 64 };

struct dlc_arena_block {
  struct dlc_arena_block *next;
  size_t used, capacity;
  _Alignas(max_align_t) unsigned char bytes[];
};

static struct dlc_arena_block *add_block(dlc_arena *a, size_t n)
{
  size_t capacity = n > BLOCK_BYTES ? n : BLOCK_BYTES;
  struct dlc_arena_block *block = calloc(1, sizeof *block + capacity);
  if (!block) return NULL;
  block->capacity = capacity;
  block->next = a->blocks;
  a->blocks = block;
  return block;
}

void *dlc_arena_alloc(dlc_arena *a, size_t n)
{
  if (n > SIZE_MAX / 2) return NULL;
  n = (n + ALIGN - 1) / ALIGN * ALIGN;
  struct dlc_arena_block *block = a->blocks;
  if (!block || n > block->capacity - block->used) block = add_block(a, n);
  if (!block) return NULL;
  void *p = block->bytes + block->used;
  block->used += n;
  return p;
}

void *dlc_arena_copy(dlc_arena *a, const void *bytes, size_t n)
{
  void *p = dlc_arena_alloc(a, n);
  if (p && n) memcpy(p, bytes, n);
  return p;
}

char *dlc_arena_strdup(dlc_arena *a, const char *text)
{
  return dlc_arena_copy(a, text, strlen(text) + 1);
}

char *dlc_arena_printf(dlc_arena *a, const char *format, ...)
{
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  char *text = n < 0 ? NULL : dlc_arena_alloc(a, (size_t)n + 1);
  if (text) vsnprintf(text, (size_t)n + 1, format, again);
  va_end(again);
  va_end(args);
  return text;
}

void dlc_arena_free(dlc_arena *a)
{
  while (a->blocks) {
    struct dlc_arena_block *next = a->blocks->next;
    free(a->blocks);
    a->blocks = next;
  }
}

void *dlc_alloc_tensor(size_t bytes)
{
  if (bytes > SIZE_MAX / 2) return NULL;
  size_t rounded = (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
  if (rounded == 0) rounded = TENSOR_ALIGN;
  void *p = aligned_alloc(TENSOR_ALIGN, rounded);
  if (p) memset(p, 0, rounded);
  return p;
}
