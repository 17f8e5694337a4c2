/* Work on the host's threads, and the state of a kernel. */
#include "cpu.h"
#include <stdlib.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

uint32_t cpu_task_count(double work, double grain, int64_t limit)
{
  double n = work / grain;
  if (n > (double)limit) n = (double)limit;
  if (n > 256) n = 256; /* more than enough for the threads of any machine to be busy to the end */
  return n < 2 ? 1 : (uint32_t)n;
}

/* The floating-point mode of the calling thread: sets "denormals are zero", gives back what was. */
#if defined(__SSE2__)
static unsigned denormals_off(void)
{
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
  return before;
}

static void restore(unsigned before)
{
  _mm_setcsr(before);
}
#elif defined(__aarch64__)
static unsigned denormals_off(void)
{
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
  return (unsigned)before;
}

static void restore(unsigned before)
{
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)before));
}
#else
static unsigned denormals_off(void)
{
  return 0;
}

static void restore(unsigned before)
{
  (void)before;
}
#endif

typedef struct job {
  void (*task)(void *arg, uint32_t i);
  void *arg;
} job;

static void run_task(void *arg, uint32_t i)
{
  const job *j = arg;
  unsigned before = denormals_off();
  j->task(j->arg, i);
  restore(before);
}

void cpu_run(const dlc_device *device, uint32_t n, void (*task)(void *arg, uint32_t i), void *arg)
{
  job j = {task, arg};
  if (n == 1) run_task(&j, 0);
  else device->threads->run(device->threads, n, run_task, &j);
}

void *cpu_state(const dlc_device *device, dlc_kernel *k, size_t bytes)
{
  k->state = calloc(1, bytes);
  if (!k->state) {
    device->host->fail(device->host, DLC_NOMEM, "cpu: out of memory");
    return NULL;
  }
  k->release = free;
  return k->state;
}
