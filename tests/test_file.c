/* Files appear whole or not at all, and what goes wrong names the path. */
#include "base/file.h"
#include "base/status.h"
#include "suite.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void check_reason(const char *format, const char *path)
{
  char expected[2 * PATH_MAX];
  snprintf(expected, sizeof expected, format, path);
  ck_assert_str_eq(dlc_reason(), expected);
}

static void check_content(const char *path, const char *expected)
{
  char *data = NULL;
  size_t length = 0;
  ck_assert_int_eq(dlc_read_file(path, 1 << 20, &data, &length), DLC_OK);
  ck_assert_uint_eq(length, strlen(expected));
  ck_assert_str_eq(data, expected);
  free(data);
}

/* ---- folders ---- */

START_TEST(folders_are_made_with_their_parents)
{
  ck_assert_int_eq(dlc_make_dirs(in_folder("a/b//c/")), DLC_OK);
  ck_assert(dlc_path_is_dir(in_folder("a/b/c")));
  ck_assert_int_eq(dlc_make_dirs(in_folder("a/b/c")), DLC_OK);
}
END_TEST

START_TEST(a_file_in_the_way_of_a_folder_is_named)
{
  write_text(in_folder("a"), "");
  ck_assert(dlc_path_exists(in_folder("a")));
  ck_assert(!dlc_path_is_dir(in_folder("a")));
  ck_assert_int_eq(dlc_make_dirs(in_folder("a/b")), DLC_IO);
  check_reason("cannot make the folder %s: File exists", in_folder("a"));
  ck_assert_int_eq(dlc_make_dirs(in_folder("a")), DLC_IO);
  check_reason("cannot make the folder %s: File exists", in_folder("a"));
}
END_TEST

/* ---- reading ---- */

START_TEST(a_file_is_read_whole_and_terminated)
{
  write_text(in_folder("a"), "text");
  check_content(in_folder("a"), "text");
  write_text(in_folder("a"), "");
  check_content(in_folder("a"), "");
}
END_TEST

START_TEST(a_file_whose_size_is_not_known_is_read_whole)
{
  char *data = NULL;
  size_t length = 0;
  ck_assert_int_eq(dlc_read_file("/proc/self/status", 1 << 20, &data, &length), DLC_OK);
  ck_assert_uint_eq(strlen(data), length);
  ck_assert_ptr_nonnull(strstr(data, "Threads:"));
  free(data);
}
END_TEST

START_TEST(a_file_beyond_the_limit_is_refused)
{
  char *data = NULL;
  size_t length = 0;
  write_text(in_folder("a"), "12345");
  ck_assert_int_eq(dlc_read_file(in_folder("a"), 4, &data, &length), DLC_INVALID);
  check_reason("%s has 5 bytes, at most 4 are allowed", in_folder("a"));
  ck_assert_int_eq(dlc_read_file("/proc/self/status", 4, &data, &length), DLC_INVALID);
  check_reason("%s is larger than the 4 bytes allowed", "/proc/self/status");
  ck_assert_int_eq(dlc_read_file(in_folder("a"), 5, &data, &length), DLC_OK);
  free(data);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
  char *data = NULL;
  size_t length = 0;
  ck_assert_int_eq(dlc_read_file(in_folder("none"), 10, &data, &length), DLC_IO);
  check_reason("cannot read %s: No such file or directory", in_folder("none"));
  ck_assert_int_eq(dlc_read_file(folder, 1 << 20, &data, &length), DLC_IO);
  check_reason("cannot read %s: Is a directory", folder);
  ck_assert_ptr_null(data);
}
END_TEST

/* ---- writing ---- */

START_TEST(a_written_file_replaces_the_one_before)
{
  write_text(in_folder("a"), "before");
  ck_assert_int_eq(dlc_write_file(in_folder("a"), "after", 5), DLC_OK);
  check_content(in_folder("a"), "after");
  ck_assert_int_eq(count_entries(), 1);
}
END_TEST

START_TEST(a_file_appears_at_commit)
{
  dlc_atomic_file f;
  ck_assert_int_eq(dlc_atomic_open(&f, in_folder("a")), DLC_OK);
  ck_assert_int_eq(dlc_atomic_write(&f, "one ", 4), DLC_OK);
  ck_assert_int_eq(dlc_atomic_write(&f, "two", 3), DLC_OK);
  ck_assert(!dlc_path_exists(in_folder("a")));
  ck_assert_int_eq(dlc_atomic_commit(&f), DLC_OK);
  check_content(in_folder("a"), "one two");
  dlc_atomic_abort(&f);
  check_content(in_folder("a"), "one two");
}
END_TEST

START_TEST(an_aborted_file_leaves_the_one_before_and_nothing_else)
{
  dlc_atomic_file f;
  write_text(in_folder("a"), "before");
  ck_assert_int_eq(dlc_atomic_open(&f, in_folder("a")), DLC_OK);
  ck_assert_int_eq(dlc_atomic_write(&f, "after", 5), DLC_OK);
  dlc_atomic_abort(&f);
  dlc_atomic_abort(&f);
  check_content(in_folder("a"), "before");
  ck_assert_int_eq(count_entries(), 1);
}
END_TEST

START_TEST(permissions_are_those_the_user_asked_for)
{
  struct stat st;
  umask(027);
  ck_assert_int_eq(dlc_write_file(in_folder("a"), "", 0), DLC_OK);
  ck_assert_int_eq(stat(in_folder("a"), &st), 0);
  ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(what_killed_processes_left_of_a_file_is_removed)
{
  char name[100];
  snprintf(name, sizeof name, ".a.%ld-0.tmp", (long)getpid());
  write_text(in_folder(name), "half");
  write_text(in_folder(".a.1-12.tmp"), "half");
  write_text(in_folder(".b.1-12.tmp"), "another's");
  ck_assert_int_eq(dlc_write_file(in_folder("a"), "whole", 5), DLC_OK);
  check_content(in_folder("a"), "whole");
  check_content(in_folder(".b.1-12.tmp"), "another's");
  ck_assert_int_eq(count_entries(), 2);
}
END_TEST

START_TEST(what_a_living_writer_has_written_is_not_removed)
{
  dlc_atomic_file one, other;
  ck_assert_int_eq(dlc_atomic_open(&one, in_folder("a")), DLC_OK);
  ck_assert_int_eq(dlc_atomic_write(&one, "one", 3), DLC_OK);
  ck_assert_int_eq(dlc_atomic_open(&other, in_folder("a")), DLC_OK);
  dlc_remove_leftovers(folder);
  ck_assert_int_eq(count_entries(), 2);
  ck_assert_int_eq(dlc_atomic_commit(&one), DLC_OK);
  check_content(in_folder("a"), "one");
  dlc_atomic_abort(&other);
  ck_assert_int_eq(count_entries(), 1);
}
END_TEST

/* Stands in for the system's: a cleaner removes the temporary in the instant before it is locked. */
static const char *taken;
int flock(int fd, int how)
{
  if (taken) unlink(taken);
  taken = NULL;
  return (int)syscall(SYS_flock, fd, how);
}

START_TEST(a_temporary_that_was_taken_for_a_leftover_is_made_again)
{
  char name[100];
  snprintf(name, sizeof name, ".a.%ld-0.tmp", (long)getpid());
  taken = in_folder(name);
  ck_assert_int_eq(dlc_write_file(in_folder("a"), "whole", 5), DLC_OK);
  ck_assert_ptr_null(taken);
  check_content(in_folder("a"), "whole");
  ck_assert_int_eq(count_entries(), 1);
}
END_TEST

START_TEST(the_file_before_is_kept_under_another_name_if_wished)
{
  for (int i = 0; i < 3; i++) {
    dlc_atomic_file f;
    char text[2] = {(char)('1' + i), 0};
    ck_assert_int_eq(dlc_atomic_open(&f, in_folder("a")), DLC_OK);
    ck_assert_int_eq(dlc_atomic_write(&f, text, 1), DLC_OK);
    ck_assert_int_eq(dlc_atomic_commit_keeping(&f, in_folder("b")), DLC_OK);
  }
  check_content(in_folder("a"), "3");
  check_content(in_folder("b"), "2");
  ck_assert_int_eq(count_entries(), 2);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
  ck_assert_int_eq(dlc_write_file(in_folder("none/a"), "x", 1), DLC_IO);
  check_reason("cannot write %s: No such file or directory", in_folder("none/a"));
}
END_TEST

START_TEST(a_folder_that_may_not_be_written_is_named)
{
  if (geteuid() == 0) return; /* root writes everywhere */
  ck_assert_int_eq(mkdir(in_folder("locked"), 0555), 0);
  ck_assert_int_eq(dlc_write_file(in_folder("locked/a"), "x", 1), DLC_IO);
  check_reason("cannot write %s: Permission denied", in_folder("locked/a"));
}
END_TEST

START_TEST(a_folder_or_device_is_not_replaced_by_a_file)
{
  ck_assert_int_eq(dlc_write_file(folder, "x", 1), DLC_IO);
  check_reason("cannot write %s: it is a folder", folder);
  ck_assert_int_eq(dlc_write_file("/dev/null", "x", 1), DLC_IO);
  check_reason("cannot write %s: it is not a regular file", "/dev/null");
}
END_TEST

/* A limit on the file size stands for a full disk: write() fails in the middle in the same way. */
START_TEST(a_write_that_does_not_fit_leaves_nothing_behind)
{
  static const char block[100000];
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  dlc_status status = dlc_write_file(in_folder("a"), block, sizeof block);
  limit.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &limit);
  ck_assert_int_eq(status, DLC_IO);
  check_reason("cannot write %s: File too large", in_folder("a"));
  ck_assert_int_eq(count_entries(), 0);
}
END_TEST

/* The folder is gone when the file is to be renamed into it. */
START_TEST(a_commit_that_fails_is_reported)
{
  dlc_atomic_file f;
  ck_assert_int_eq(mkdir(in_folder("b"), 0777), 0);
  ck_assert_int_eq(dlc_atomic_open(&f, in_folder("b/a")), DLC_OK);
  run_program((char *[]){"rm", "-rf", (char *)in_folder("b"), NULL});
  ck_assert_int_eq(dlc_atomic_commit(&f), DLC_IO);
  check_reason("cannot write %s: No such file or directory", in_folder("b/a"));
}
END_TEST

int main(void)
{
  TCase *t = tcase_create("file");
  tcase_add_checked_fixture(t, make_folder, remove_folder);
  tcase_add_test(t, folders_are_made_with_their_parents);
  tcase_add_test(t, a_file_in_the_way_of_a_folder_is_named);
  tcase_add_test(t, a_file_is_read_whole_and_terminated);
  tcase_add_test(t, a_file_whose_size_is_not_known_is_read_whole);
  tcase_add_test(t, a_file_beyond_the_limit_is_refused);
  tcase_add_test(t, what_cannot_be_read_is_named);
  tcase_add_test(t, a_written_file_replaces_the_one_before);
  tcase_add_test(t, a_file_appears_at_commit);
  tcase_add_test(t, an_aborted_file_leaves_the_one_before_and_nothing_else);
  tcase_add_test(t, permissions_are_those_the_user_asked_for);
  tcase_add_test(t, what_killed_processes_left_of_a_file_is_removed);
  tcase_add_test(t, what_a_living_writer_has_written_is_not_removed);
  tcase_add_test(t, a_temporary_that_was_taken_for_a_leftover_is_made_again);
  tcase_add_test(t, the_file_before_is_kept_under_another_name_if_wished);
  tcase_add_test(t, a_folder_that_is_not_there_is_named);
  tcase_add_test(t, a_folder_that_may_not_be_written_is_named);
  tcase_add_test(t, a_folder_or_device_is_not_replaced_by_a_file);
  tcase_add_test(t, a_write_that_does_not_fit_leaves_nothing_behind);
  tcase_add_test(t, a_commit_that_fails_is_reported);
  return run_suite("file", t);
}
