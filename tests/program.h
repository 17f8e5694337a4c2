/* For tests of the program: runs it in a folder of the test's own and keeps what it said. */
#ifndef DLC_TEST_PROGRAM_H
#define DLC_TEST_PROGRAM_H
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run of some milliseconds that needs no file and no backend. */
#define QUICK                                                                                                          \
  "--dataset shapes:count=64,test-count=32 --backend reference --model mlp --batch-size 32 --epochs 1 --logger none "

static char test_folder[PATH_MAX];        /* the working directory of the test */
static char out_text[65536];              /* stdout of the last run */
static char err_text[65536];              /* stderr of the last run */
static rlim_t file_limit = RLIM_INFINITY; /* bytes a file of the program may have */

static inline void enter_folder(void)
{
  const char *base = getenv("TMPDIR");
  snprintf(test_folder, sizeof test_folder, "%s/dlcore-test-XXXXXX", base && *base ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(test_folder));
  ck_assert_int_eq(chdir(test_folder), 0);
  setenv("HOME", test_folder, 1);
  unsetenv("DLCORE_PLUGIN_PATH");
  unsetenv("NO_COLOR");
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
  (void)st, (void)type, (void)at;
  return remove(path);
}

static inline void leave_folder(void)
{
  ck_assert_int_eq(chdir("/"), 0);
  nftw(test_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Cuts at spaces; no quoting. */
static inline void split_words(char *text, char **argv, int n_argv)
{
  int n = 0;
  argv[n++] = (char *)TEST_PROGRAM;
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
    ck_assert_int_lt(n, n_argv - 1);
    argv[n++] = word;
  }
  argv[n] = NULL;
}

static inline void exec_program(const char *arguments)
{
  char text[4096], *argv[64];
  snprintf(text, sizeof text, "%s", arguments);
  split_words(text, argv, 64);
  struct rlimit limit = {file_limit, file_limit};
  if (file_limit != RLIM_INFINITY) setrlimit(RLIMIT_FSIZE, &limit);
  execv(argv[0], argv);
  _exit(127);
}

static inline void read_all(int fd, char *text, size_t size)
{
  size_t n = 0;
  ssize_t got;
  while (n + 1 < size && (got = read(fd, text + n, size - 1 - n)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    ck_assert_int_gt(got, 0);
    n += (size_t)got;
  }
  text[n] = 0;
  close(fd);
}

static inline int exit_code(pid_t pid)
{
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Exit code of `dlcore ARGUMENTS`, 1000 + N when signal N ended it; fills out_text and err_text. */
static inline int dlcore(const char *arguments)
{
  int out[2], err[2];
  ck_assert(pipe(out) == 0 && pipe(err) == 0);
  fflush(NULL);
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    dup2(out[1], 1), dup2(err[1], 2);
    close(out[0]), close(out[1]), close(err[0]), close(err[1]);
    exec_program(arguments);
  }
  close(out[1]), close(err[1]);
  read_all(out[0], out_text, sizeof out_text);
  read_all(err[0], err_text, sizeof err_text);
  return exit_code(pid);
}

#define ck_runs(arguments, code)                                                                                       \
  do {                                                                                                                 \
    int code_ = dlcore(arguments);                                                                                     \
    ck_assert_msg(code_ == (code), "dlcore %s: exit %d, expected %d; stderr: %s", arguments, code_, code, err_text);   \
  } while (0)
#define ck_contains(text, part) ck_assert_msg(strstr(text, part) != NULL, "expected '%s' in: %s", part, text)
#define ck_lacks(text, part)    ck_assert_msg(strstr(text, part) == NULL, "unexpected '%s' in: %s", part, text)

/* The program refuses with this exit code and one line that contains `part`. */
#define ck_refuses(arguments, code, part)                                                                              \
  do {                                                                                                                 \
    ck_runs(arguments, code);                                                                                          \
    ck_contains(err_text, part);                                                                                       \
    ck_assert_msg(count_lines(err_text) == 1, "expected one line: %s", err_text);                                      \
  } while (0)

static inline int count_lines(const char *text)
{
  int n = 0;
  for (; *text; text++) n += *text == '\n';
  return n;
}

static inline bool exists(const char *path)
{
  struct stat st;
  return lstat(path, &st) == 0;
}

/* Of a folder; "." and ".." are none. */
static inline int count_entries(const char *path)
{
  DIR *dir = opendir(path);
  ck_assert_msg(dir != NULL, "%s: %s", path, strerror(errno));
  int n = 0;
  for (struct dirent *e; (e = readdir(dir));) n += e->d_name[0] != '.' || (e->d_name[1] && e->d_name[1] != '.');
  closedir(dir);
  return n;
}

static inline void write_text(const char *path, const char *text)
{
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_ge(fputs(text, f), 0);
  ck_assert_int_eq(fclose(f), 0);
}

/* The whole file, NUL-terminated; the caller frees it. */
static inline char *read_file(const char *path, size_t *length)
{
  FILE *f = fopen(path, "r");
  ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
  char *text = calloc(1, 1 << 20);
  ck_assert_ptr_nonnull(text);
  size_t n = fread(text, 1, (1 << 20) - 1, f);
  fclose(f);
  if (length) *length = n;
  return text;
}

static inline bool same_files(const char *a, const char *b)
{
  size_t n, m;
  char *x = read_file(a, &n), *y = read_file(b, &m);
  bool same = n == m && memcmp(x, y, n) == 0;
  free(x);
  free(y);
  return same;
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
