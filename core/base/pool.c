/* The pool of compute threads. A call of run() is one job: its fields are written, then `left` is set to the number of
 * tasks. A thread takes a task by lowering `left`, and may read the job only while it holds a task that is not finished
 * yet, so a worker that comes late sees either nothing or the next job, never a mix. The caller and every other worker
 * take from the front, the rest from the back: so the same half of the data tends to stay in the same processor's cache
 * from one job to the next. Waiting threads spin for a moment, because training hands out work every few microseconds,
 * then sleep. */
#include "base/pool.h"
#include "base/clock.h"
#include "base/status.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Waking a sleeping thread was measured to delay a run by about 30 microseconds. */
enum { SPIN_NANOSECONDS = 50000 };

struct dlc_pool {
  dlc_threads table; /* first: a dlc_threads * of ours is a dlc_pool * */
  bool spins;        /* every thread can have a processor of its own */
  uint32_t started;  /* workers that run */
  pthread_t *workers;

  void (*task)(void *arg, uint32_t i); /* the job */
  void *arg;

  _Alignas(64) atomic_ullong tasks; /* that nobody has taken: how many, and in the upper half the number of the first */
  _Alignas(64) atomic_uint unfinished;
  _Alignas(64) atomic_bool closing;
  atomic_uint arrived;       /* workers that have begun */
  atomic_uint sleepers;      /* workers in `wake` */
  atomic_bool caller_sleeps; /* run() is in `done` */
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static bool is_left(dlc_pool *p)
{
  return (uint32_t)atomic_load_explicit(&p->tasks, memory_order_relaxed) != 0;
}

static bool is_finished(dlc_pool *p)
{
  return atomic_load_explicit(&p->unfinished, memory_order_relaxed) == 0;
}

/* True as soon as `ends` is; false when the time is over. */
static bool spin(dlc_pool *p, bool (*ends)(dlc_pool *))
{
  if (!p->spins) return false;
  int64_t end = dlc_nanoseconds() + SPIN_NANOSECONDS;
  do {
    for (int i = 0; i < 16; i++) {
      if (ends(p)) return true;
      relax();
    }
  } while (dlc_nanoseconds() < end);
  return false;
}

/* Takes and does tasks until none is left, from the front or from the back. */
static void work(dlc_pool *p, bool front)
{
  unsigned long long tasks = atomic_load_explicit(&p->tasks, memory_order_acquire);
  while ((uint32_t)tasks > 0) {
    const uint32_t first = (uint32_t)(tasks >> 32), left = (uint32_t)tasks;
    const unsigned long long fewer = (unsigned long long)(front ? first + 1 : first) << 32 | (left - 1);
    if (!atomic_compare_exchange_weak_explicit(&p->tasks, &tasks, fewer, memory_order_acq_rel, memory_order_acquire))
      continue;
    p->task(p->arg, front ? first : first + left - 1);
    if (atomic_fetch_sub(&p->unfinished, 1) == 1 && atomic_load(&p->caller_sleeps)) {
      pthread_mutex_lock(&p->mutex);
      pthread_cond_signal(&p->done);
      pthread_mutex_unlock(&p->mutex);
    }
    tasks = atomic_load_explicit(&p->tasks, memory_order_acquire);
  }
}

static void *worker(void *arg)
{
  dlc_pool *p = arg;
  const bool front = atomic_fetch_add(&p->arrived, 1) % 2 == 1;
  while (!atomic_load(&p->closing)) {
    work(p, front);
    if (spin(p, is_left)) continue;
    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->sleepers, 1); /* before the test: run() sets `tasks`, then looks for sleepers */
    while ((uint32_t)atomic_load(&p->tasks) == 0 && !atomic_load(&p->closing)) pthread_cond_wait(&p->wake, &p->mutex);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->mutex);
  }
  return NULL;
}

/* Signals are the application's: workers take none. With fewer threads than wished the work is only slower. */
static void start_workers(dlc_pool *p)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (p->started + 1 < p->table.count && pthread_create(&p->workers[p->started], NULL, worker, p) == 0) p->started++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void wake_workers(dlc_pool *p, uint32_t tasks)
{
  uint32_t sleepers = atomic_load(&p->sleepers);
  if (sleepers == 0) return;
  pthread_mutex_lock(&p->mutex); /* a worker that has counted itself is now either asleep or past its test */
  pthread_mutex_unlock(&p->mutex);
  if (tasks >= sleepers) pthread_cond_broadcast(&p->wake);
  else
    for (uint32_t i = 0; i < tasks; i++) pthread_cond_signal(&p->wake);
}

static void wait_for_done(dlc_pool *p)
{
  if (!spin(p, is_finished)) {
    pthread_mutex_lock(&p->mutex);
    atomic_store(&p->caller_sleeps, true);
    while (atomic_load(&p->unfinished) > 0) pthread_cond_wait(&p->done, &p->mutex);
    atomic_store(&p->caller_sleeps, false);
    pthread_mutex_unlock(&p->mutex);
  }
  (void)atomic_load_explicit(&p->unfinished, memory_order_acquire); /* what the tasks wrote is ours now */
}

static void run(const dlc_threads *t, uint32_t n, void (*task)(void *arg, uint32_t i), void *arg)
{
  if (n <= 1 || t->count == 1) {
    for (uint32_t i = 0; i < n; i++) task(arg, i);
    return;
  }
  dlc_pool *p = (dlc_pool *)(uintptr_t)t;
  if (p->started == 0) start_workers(p);
  p->task = task;
  p->arg = arg;
  atomic_store_explicit(&p->unfinished, n, memory_order_relaxed);
  atomic_store(&p->tasks, n);
  wake_workers(p, n - 1);
  work(p, true);
  wait_for_done(p);
}

dlc_status dlc_pool_open(uint32_t count, dlc_pool **pool)
{
  if (count < 1 || count > DLC_MAX_THREADS)
    return dlc_fail(DLC_INVALID, "%u threads: 1 to %d are possible", count, DLC_MAX_THREADS);
  dlc_pool *p = aligned_alloc(_Alignof(dlc_pool), sizeof *p);
  if (!p) return dlc_fail_nomem();
  *p = (dlc_pool){.table = {.size = sizeof p->table, .count = count, .run = run}, .spins = count <= dlc_cpu_count()};
  p->workers = calloc(count, sizeof *p->workers);
  if (!p->workers) {
    free(p);
    return dlc_fail_nomem();
  }
  pthread_mutex_init(&p->mutex, NULL);
  pthread_cond_init(&p->wake, NULL);
  pthread_cond_init(&p->done, NULL);
  *pool = p;
  return DLC_OK;
}

void dlc_pool_close(dlc_pool *p)
{
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  atomic_store(&p->closing, true);
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->mutex);
  for (uint32_t i = 0; i < p->started; i++) pthread_join(p->workers[i], NULL);
  pthread_cond_destroy(&p->done);
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->mutex);
  free(p->workers);
  free(p);
}

const dlc_threads *dlc_pool_threads(dlc_pool *pool)
{
  return &pool->table;
}
