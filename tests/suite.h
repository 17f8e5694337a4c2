/* What most tests share: a folder of their own, and the program around a test case. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H
#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char folder[PATH_MAX]; /* of the test; removed by remove_folder() */

static inline void run_program(char *const argv[])
{
  pid_t pid;
  int status = -1;
  ck_assert_int_eq(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s failed", argv[0]);
}

static inline void make_folder(void)
{
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/dlcore-test-XXXXXX", base && *base ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void remove_folder(void)
{
  run_program((char *[]){"rm", "-rf", folder, NULL});
}

/* folder/NAME; four results live at once. */
static inline const char *in_folder(const char *name)
{
  static char paths[4][PATH_MAX + 256];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static inline void write_text(const char *path, const char *text)
{
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_ge(fputs(text, f), 0);
  ck_assert_int_eq(fclose(f), 0);
}

/* Entries of a folder, "." and ".." not counted. */
static inline int count_entries_of(const char *path)
{
  DIR *d = opendir(path);
  ck_assert_ptr_nonnull(d);
  int n = -2;
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

/* Of the test's folder. */
static inline int count_entries(void)
{
  return count_entries_of(folder);
}

static inline int run_suite(const char *name, TCase *tests)
{
  Suite *suite = suite_create(name);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
