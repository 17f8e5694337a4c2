/* The compute threads: every task once, its writes seen by the caller, nothing allocated. Also run under TSan. */
#include "base/pool.h"
#include "base/status.h"
#include "suite.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum { MAX_TASKS = 4096 };

/* Plain counters: a task that two threads take, or a write that the caller does not see, is a wrong count here and a
 * race in TSan. */
static uint32_t done[MAX_TASKS];

static void count_task(void *arg, uint32_t i)
{
  done[i] += *(uint32_t *)arg;
}

static void check_runs(uint32_t threads, uint32_t runs)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(threads, &pool), DLC_OK);
  const dlc_threads *t = dlc_pool_threads(pool);
  ck_assert_uint_eq(t->count, threads);
  for (uint32_t run = 0; run < runs; run++) {
    uint32_t n = run * 37 % 100, step = run + 1;
    memset(done, 0, sizeof done);
    t->run(t, n, count_task, &step);
    for (uint32_t i = 0; i < 100; i++) ck_assert_uint_eq(done[i], i < n ? step : 0);
  }
  dlc_pool_close(pool);
}

START_TEST(every_task_is_done_once)
{
  static const uint32_t threads[] = {1, 2, 3, 4, 8, 33};
  check_runs(threads[_i], 2000);
}
END_TEST

START_TEST(a_large_job_is_done_in_full)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(4, &pool), DLC_OK);
  const dlc_threads *t = dlc_pool_threads(pool);
  uint32_t one = 1;
  t->run(t, MAX_TASKS, count_task, &one);
  for (uint32_t i = 0; i < MAX_TASKS; i++) ck_assert_uint_eq(done[i], 1);
  dlc_pool_close(pool);
}
END_TEST

/* Long enough for every thread to fall asleep. */
static void pause_milliseconds(long n)
{
  nanosleep(&(struct timespec){.tv_nsec = n * 1000000}, NULL);
}

START_TEST(sleeping_threads_are_woken)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(4, &pool), DLC_OK);
  const dlc_threads *t = dlc_pool_threads(pool);
  uint32_t one = 1;
  for (uint32_t run = 1; run <= 50; run++) {
    pause_milliseconds(2);
    t->run(t, 8, count_task, &one);
    for (uint32_t i = 0; i < 8; i++) ck_assert_uint_eq(done[i], run);
  }
  dlc_pool_close(pool);
}
END_TEST

static void wait_task(void *arg, uint32_t i)
{
  (void)arg;
  pause_milliseconds(i % 4);
  done[i]++;
}

START_TEST(run_waits_for_the_slowest_task)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(3, &pool), DLC_OK);
  const dlc_threads *t = dlc_pool_threads(pool);
  for (uint32_t run = 1; run <= 20; run++) {
    t->run(t, 4, wait_task, NULL);
    for (uint32_t i = 0; i < 4; i++) ck_assert_uint_eq(done[i], run);
  }
  dlc_pool_close(pool);
}
END_TEST

/* Two tasks that wait for each other are on two threads. */
typedef struct meeting {
  pthread_barrier_t barrier;
  pthread_t threads[2];
  int interrupts_blocked[2];
} meeting;

static void meet(void *arg, uint32_t i)
{
  meeting *m = arg;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  m->threads[i] = pthread_self();
  m->interrupts_blocked[i] = sigismember(&mask, SIGINT);
  pthread_barrier_wait(&m->barrier);
}

static void run_meeting(meeting *m, uint32_t n)
{
  dlc_pool *pool = NULL;
  pthread_barrier_init(&m->barrier, NULL, n);
  ck_assert_int_eq(dlc_pool_open(2, &pool), DLC_OK);
  dlc_pool_threads(pool)->run(dlc_pool_threads(pool), n, meet, m);
  dlc_pool_close(pool);
  pthread_barrier_destroy(&m->barrier);
}

START_TEST(tasks_run_on_the_caller_and_on_other_threads)
{
  meeting m;
  run_meeting(&m, 2);
  ck_assert(!pthread_equal(m.threads[0], m.threads[1]));
  ck_assert(pthread_equal(m.threads[0], pthread_self()) || pthread_equal(m.threads[1], pthread_self()));
}
END_TEST

START_TEST(one_task_runs_on_the_caller)
{
  meeting m;
  run_meeting(&m, 1);
  ck_assert(pthread_equal(m.threads[0], pthread_self()));
}
END_TEST

START_TEST(signals_stay_with_the_caller)
{
  meeting m;
  run_meeting(&m, 2);
  int own = pthread_equal(m.threads[0], pthread_self()) ? 0 : 1;
  ck_assert_int_eq(m.interrupts_blocked[own], 0);
  ck_assert_int_eq(m.interrupts_blocked[1 - own], 1);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they have their own malloc */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
static atomic_ulong allocations;

void *malloc(size_t n)
{
  allocations++;
  return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
  allocations++;
  return __libc_calloc(n, size);
}

START_TEST(a_run_allocates_nothing)
{
  dlc_pool *pool = NULL;
  uint32_t one = 1;
  unsigned long before = allocations;
  ck_assert_int_eq(dlc_pool_open(3, &pool), DLC_OK);
  ck_assert_uint_gt(allocations, before); /* they are counted */
  const dlc_threads *t = dlc_pool_threads(pool);
  t->run(t, 100, count_task, &one); /* starts the threads */
  before = allocations;
  for (int run = 0; run < 100; run++) t->run(t, 100, count_task, &one);
  ck_assert_uint_eq(allocations, before);
  dlc_pool_close(pool);
}
END_TEST
#endif

START_TEST(a_pool_that_was_never_used_closes)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(4, &pool), DLC_OK);
  dlc_pool_close(pool);
  dlc_pool_close(NULL);
}
END_TEST

START_TEST(a_pool_without_threads_is_refused)
{
  dlc_pool *pool = NULL;
  ck_assert_int_eq(dlc_pool_open(0, &pool), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "0 threads: 1 to 1024 are possible");
  ck_assert_int_eq(dlc_pool_open(100000, &pool), DLC_INVALID);
  ck_assert_str_eq(dlc_reason(), "100000 threads: 1 to 1024 are possible");
}
END_TEST

START_TEST(the_count_of_processors_follows_the_affinity)
{
  ck_assert_uint_ge(dlc_cpu_count(), 1);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sched_getcpu(), &set);
  ck_assert_int_eq(sched_setaffinity(0, sizeof set, &set), 0);
  ck_assert_uint_eq(dlc_cpu_count(), 1);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("pool");
  tcase_add_loop_test(t, every_task_is_done_once, 0, 6);
  tcase_add_test(t, a_large_job_is_done_in_full);
  tcase_add_test(t, sleeping_threads_are_woken);
  tcase_add_test(t, run_waits_for_the_slowest_task);
  tcase_add_test(t, tasks_run_on_the_caller_and_on_other_threads);
  tcase_add_test(t, one_task_runs_on_the_caller);
  tcase_add_test(t, signals_stay_with_the_caller);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  tcase_add_test(t, a_run_allocates_nothing);
#endif
  tcase_add_test(t, a_pool_that_was_never_used_closes);
  tcase_add_test(t, a_pool_without_threads_is_refused);
  tcase_add_test(t, the_count_of_processors_follows_the_affinity);
  return run_suite("pool", t);
}
