/* How many processors this process may use: its affinity mask, and the quota of its control group (version 2), which
 * is what a container is limited by. */
#include "base/pool.h"
#include "base/str.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t affinity_count(void)
{
  for (int n = CPU_SETSIZE; n <= 64 * CPU_SETSIZE; n *= 2) { /* machines may have more processors than a cpu_set_t */
    cpu_set_t *set = CPU_ALLOC((size_t)n);
    if (!set) break;
    size_t bytes = CPU_ALLOC_SIZE((size_t)n);
    int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return (uint32_t)count;
  }
  return 1;
}

/* "QUOTA PERIOD" or "max PERIOD" in microseconds; the count is rounded up. UINT32_MAX: no limit here. */
static uint32_t group_limit(const char *folder)
{
  dlc_str path = {0};
  dlc_str_addf(&path, "/sys/fs/cgroup%s/cpu.max", folder);
  FILE *f = fopen(dlc_str_get(&path), "re");
  dlc_str_free(&path);
  if (!f) return UINT32_MAX;
  long long quota = 0, period = 0;
  int fields = fscanf(f, "%lld %lld", &quota, &period);
  fclose(f);
  if (fields != 2 || quota <= 0 || period <= 0) return UINT32_MAX;
  long long count = (quota + period - 1) / period;
  return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* The strictest quota from our own group up to the root; the line of version 2 is "0::/path". */
static uint32_t quota_count(void)
{
  FILE *f = fopen("/proc/self/cgroup", "re");
  if (!f) return UINT32_MAX;
  uint32_t strictest = UINT32_MAX;
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, f) > 0) {
    if (strncmp(line, "0::/", 4) != 0) continue;
    char *folder = line + 3;
    folder[strcspn(folder, "\n")] = '\0';
    for (char *end = folder + strlen(folder); end; end = strrchr(folder, '/')) {
      *end = '\0';
      uint32_t limit = group_limit(folder);
      if (limit < strictest) strictest = limit;
    }
  }
  free(line);
  fclose(f);
  return strictest;
}

uint32_t dlc_cpu_count(void)
{
  uint32_t processors = affinity_count(), quota = quota_count();
  return processors < quota ? processors : quota;
}
