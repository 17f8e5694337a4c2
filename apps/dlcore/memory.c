/* --cache-memory, and how much memory there is. */
#include "job.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* What is left of `limit`, where both are known, and at most `bytes`. */
static int64_t least(int64_t bytes, int64_t limit, int64_t used)
{
  if (limit < 0 || used < 0 || limit - used >= bytes) return bytes;
  return limit > used ? limit - used : 0;
}

/* ulimit -v; -1: none. */
static int64_t address_space(void)
{
  struct rlimit limit;
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < INT64_MAX ? (int64_t)limit.rlim_cur : -1;
}

/* Bytes this process could still take: what the machine has and, where it promises no more than that, has not promised;
 * what its control group (version 2, as containers see theirs) and its limit of addresses let it. */
static int64_t free_bytes(void)
{
  const int64_t available = number_in("/proc/meminfo", "MemAvailable:");
  int64_t bytes = available > 0 ? available * 1024 : 0;
  if (number_in("/proc/sys/vm/overcommit_memory", "") == 2)
    bytes = least(bytes, 1024 * number_in("/proc/meminfo", "CommitLimit:"),
                  1024 * number_in("/proc/meminfo", "Committed_AS:"));
  bytes = least(bytes, number_in("/sys/fs/cgroup/memory.max", ""), number_in("/sys/fs/cgroup/memory.current", ""));
  return least(bytes, address_space(), number_in("/proc/self/statm", "") * sysconf(_SC_PAGESIZE));
}

size_t cli_cache_bytes(const cli_options *o)
{
  return (size_t)(o->cache_memory >= 0 ? o->cache_memory : free_bytes() / 4);
}
