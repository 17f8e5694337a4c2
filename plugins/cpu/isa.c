/* Which of the compiled instruction sets to use. __builtin_cpu_supports looks at the processor and at what the system
 * saves for it (XCR0): an AVX-512 processor under a system that does not keep its registers counts as one without. */
#include "cpu.h"
#include <string.h>

#if defined(__x86_64__)
static bool has_avx2(void)
{
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const cpu_isa *cpu_isa_choose(const char *name)
{
  bool any = strcmp(name, "auto") == 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if ((any || strcmp(name, "avx512") == 0) && has_avx512()) return &cpu_isa_avx512;
  if ((any || strcmp(name, "avx2") == 0) && has_avx2()) return &cpu_isa_avx2;
#endif
  return any || strcmp(name, "baseline") == 0 ? &cpu_isa_baseline : NULL;
}
