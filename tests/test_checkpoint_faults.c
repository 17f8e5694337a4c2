/* Every call to the system that writing a checkpoint makes fails once, fails from then on, or is the last one of the
 * process. Each time a whole generation is found afterwards, there is a reason, and the next writer puts all in order.
 */
#include "checkpoint_fixture.h"
#include "faults.h"
#include <errno.h>
#include <signal.h>

enum { MOST_CALLS = 1000 };

static char checkpoints[PATH_MAX + 16]; /* the folder of which calls are counted */

static void make_checkpoints(void)
{
  make_folder();
  faults_without_disk();
  snprintf(checkpoints, sizeof checkpoints, "%s/c", folder);
}

/* The folder with generations 1 and 2, or, from 0, empty. */
static void begin_with(int generations)
{
  run_program((char *[]){"rm", "-rf", checkpoints, NULL});
  for (int g = 1; g <= generations; g++) ck_assert_msg(write_generation(checkpoints, g) == DLC_OK, "%s", dlc_reason());
}

static int count_checkpoints(void)
{
  return count_entries_of(checkpoints);
}

/* After whatever happened at call n: what is there is whole and one of these; and the next writer puts all in order. */
static void ck_whole(long n, int least, int most)
{
  const int found = find_generation(checkpoints);
  if (least > 0 || found != DLC_NOT_FOUND)
    ck_assert_msg(found >= least && found <= most, "call %ld: found %d, expected %d to %d (%s)", n, found, least, most,
                  found < 0 ? dlc_reason() : found_lines);
  ck_assert_msg(write_generation(checkpoints, 9) == DLC_OK, "after call %ld: %s", n, dlc_reason());
  ck_assert_int_eq(find_generation(checkpoints), 9);
  ck_assert_str_eq(found_lines, "");
  const int expected = found > 0 ? 2 : 1;
  ck_assert_msg(count_checkpoints() == expected, "after call %ld: %d files, expected %d", n, count_checkpoints(),
                expected);
}

static void ck_reason(long n, int error)
{
  ck_assert_msg(strstr(dlc_reason(), strerror(error)) && strstr(dlc_reason(), checkpoints) &&
                    !strchr(dlc_reason(), '\n'),
                "call %ld: %s", n, dlc_reason());
}

/* ---- calls that fail ---- */

static const int errors[] = {EIO, ENOSPC, EINTR, EMFILE, EDQUOT};

static long fail_calls(int generations, fault f)
{
  long failed = 0;
  for (f.at = 1;; f.at++) {
    ck_assert_int_lt(f.at, MOST_CALLS);
    begin_with(generations);
    dlc_fail(DLC_INTERNAL, "no reason");
    faults_begin(checkpoints, f);
    const dlc_status status = write_generation(checkpoints, 3);
    const long calls = faults_end();
    if (status < 0) {
      failed++;
      ck_reason(f.at, f.kind);
    }
    ck_whole(f.at, status < 0 ? generations : 3, 3);
    if (calls < f.at) return failed;
  }
}

START_TEST(every_call_that_fails)
{
  for (int ever_after = 0; ever_after < 2; ever_after++) {
    if (ever_after && errors[_i] == EINTR) continue; /* would be tried again for ever */
    for (int no_links = 0; no_links < 2; no_links++) {
      const long failed = fail_calls(2, (fault){.kind = errors[_i], .ever_after = ever_after, .no_links = no_links});
      if (errors[_i] == EINTR) ck_assert_msg(failed <= 4, "%ld calls that were interrupted", failed);
      else ck_assert_msg(failed > 10, "only %ld failures", failed);
    }
  }
}
END_TEST

START_TEST(every_call_that_fails_for_the_first_generation)
{
  fail_calls(0, (fault){.kind = errors[_i]});
  if (errors[_i] != EINTR) fail_calls(0, (fault){.kind = errors[_i], .ever_after = true});
}
END_TEST

/* A write may take less than it was given. */
START_TEST(writes_that_write_half)
{
  ck_assert_int_eq(fail_calls(2, (fault){.kind = FAULT_HALF}), 0);
}
END_TEST

/* ---- processes that are killed ---- */

/* Whether the process lived to the end. */
static bool write_in_process(fault f)
{
  int status;
  const pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    faults_begin(checkpoints, f);
    _exit(write_generation(checkpoints, 3) == DLC_OK ? 0 : 1);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_msg((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
                "call %ld: status %d", f.at, status);
  return WIFEXITED(status);
}

static void kill_at_calls(int generations, fault f)
{
  bool lived = false;
  for (f.at = 1; !lived; f.at++) {
    ck_assert_int_lt(f.at, MOST_CALLS);
    begin_with(generations);
    lived = write_in_process(f);
    ck_whole(f.at, lived ? 3 : generations, 3);
  }
  ck_assert_msg(f.at > 20, "only %ld calls", f.at - 2);
}

START_TEST(killed_at_every_call)
{
  for (int no_links = 0; no_links < 2; no_links++) {
    kill_at_calls(2, (fault){.kind = FAULT_KILL, .no_links = no_links});
    kill_at_calls(0, (fault){.kind = FAULT_KILL, .no_links = no_links});
  }
}
END_TEST

START_TEST(killed_in_the_middle_of_every_write)
{
  fault f = {.kind = FAULT_HALF_KILL};
  for (f.at = 1; f.at < 60; f.at++) {
    begin_with(2);
    const bool lived = write_in_process(f);
    ck_whole(f.at, lived ? 3 : 2, 3);
  }
}
END_TEST

/* The last generation is damaged when the writer comes to its end: the one before is the only good one. */
START_TEST(killed_at_every_call_while_the_last_generation_is_damaged)
{
  char last[PATH_MAX + 64];
  fault f = {.kind = FAULT_KILL};
  bool lived = false;
  snprintf(last, sizeof last, "%s/last.safetensors", checkpoints);
  for (f.at = 1; !lived; f.at++) {
    begin_with(2);
    write_text(last, "damaged");
    lived = write_in_process(f);
    const int found = find_generation(checkpoints);
    ck_assert_msg(found == 3 || (found == 1 && !lived), "call %ld: found %d", f.at, found);
  }
}
END_TEST

/* ---- finding and epochs ---- */

START_TEST(every_call_that_fails_when_a_generation_is_sought)
{
  fault f = {.kind = EIO};
  for (f.at = 1;; f.at++) {
    begin_with(2);
    faults_begin(checkpoints, f);
    const int found = find_generation(checkpoints);
    if (faults_end() < f.at) break;
    ck_assert_msg(found == 2 || (found == 1 && strstr(found_lines, strerror(EIO))), "call %ld: found %d: %s", f.at,
                  found, found < 0 ? dlc_reason() : found_lines);
  }
  ck_assert_int_gt(f.at, 5);
}
END_TEST

static dlc_status write_epoch(int epoch)
{
  generation g;
  const dlc_checkpoint c = make_generation(&g, epoch);
  return dlc_checkpoint_write_epoch(checkpoints, &c, epoch, epoch, 2);
}

/* Of epochs 1 and 2 that were there, the better one is there still, whatever comes of epoch 3. */
static void ck_epochs(long n, bool written)
{
  char path[PATH_MAX + 64];
  snprintf(path, sizeof path, "%s/epoch-2.safetensors", checkpoints);
  ck_assert_msg(generation_at(path) == 2, "call %ld", n);
  snprintf(path, sizeof path, "%s/epoch-3.safetensors", checkpoints);
  if (written) ck_assert_msg(generation_at(path) == 3, "call %ld", n);
  ck_assert_msg(write_epoch(3) == DLC_OK, "after call %ld: %s", n, dlc_reason());
  ck_assert_int_eq(generation_at(path), 3);
  ck_assert_msg(count_checkpoints() == 2, "after call %ld: %d files", n, count_checkpoints());
}

START_TEST(every_call_that_fails_when_an_epoch_is_written)
{
  fault f = {.kind = ENOSPC};
  for (f.at = 1;; f.at++) {
    begin_with(0);
    ck_assert_int_eq(write_epoch(1), DLC_OK);
    ck_assert_int_eq(write_epoch(2), DLC_OK);
    faults_begin(checkpoints, f);
    const dlc_status status = write_epoch(3);
    const long calls = faults_end();
    if (status < 0) ck_reason(f.at, ENOSPC);
    ck_epochs(f.at, status >= 0);
    if (calls < f.at) break;
  }
  ck_assert_int_gt(f.at, 20);
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("checkpoint_faults");
  tcase_add_checked_fixture(t, make_checkpoints, remove_folder);
  tcase_add_loop_test(t, every_call_that_fails, 0, sizeof errors / sizeof *errors);
  tcase_add_loop_test(t, every_call_that_fails_for_the_first_generation, 0, sizeof errors / sizeof *errors);
  tcase_add_test(t, writes_that_write_half);
  tcase_add_test(t, killed_at_every_call);
  tcase_add_test(t, killed_in_the_middle_of_every_write);
  tcase_add_test(t, killed_at_every_call_while_the_last_generation_is_damaged);
  tcase_add_test(t, every_call_that_fails_when_a_generation_is_sought);
  tcase_add_test(t, every_call_that_fails_when_an_epoch_is_written);
  return run_suite("checkpoint_faults", t);
}
