/* --cache-memory, and how much memory there is. */
#include "job.h"
#include <stdio.h>
#include <string.h>

/* The number after `key` in a small file of the kernel's, where "" is its beginning; -1 where there is none. */
static int64_t number_in(const char *path, const char *key)
{
  char line[256];
  long long value = -1;
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), "%lld", &value) == 1) break;
  if (f) fclose(f);
  return value;
}

/* Bytes this process could still take: what the machine has, and what its control group (version 2, as containers see
 * theirs) lets it. */
static int64_t free_bytes(void)
{
  const int64_t available = number_in("/proc/meminfo", "MemAvailable:");
  const int64_t limit = number_in("/sys/fs/cgroup/memory.max", ""),
                used = number_in("/sys/fs/cgroup/memory.current", "");
  int64_t bytes = available > 0 ? available * 1024 : 0;
  if (limit >= 0 && used >= 0 && limit - used < bytes) bytes = limit > used ? limit - used : 0;
  return bytes;
}

size_t cli_cache_bytes(const cli_options *o)
{
  return (size_t)(o->cache_memory >= 0 ? o->cache_memory : free_bytes() / 4);
}
