/* For tests of the host: a folder of plugins compiled from fixtures/plugin.c, and a registry that looks there only. */
#ifndef DLC_TEST_PLUGIN_FIXTURE_H
#define DLC_TEST_PLUGIN_FIXTURE_H
#include "base/status.h"
#include "host/host.h"
#include <check.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char folder[PATH_MAX]; /* of the test; removed by remove_folder() */
static char said[8192];       /* every line that the registry logged, each with a newline */

static inline void run_program(char *const argv[])
{
  pid_t pid;
  int status = -1;
  ck_assert_int_eq(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s failed", argv[0]);
}

/* Nothing of the machine's own plugins may be found. */
static inline void make_folder(void)
{
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/dlcore-test-XXXXXX", base && *base ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  setenv("HOME", folder, 1);
  unsetenv("DLCORE_PLUGIN_PATH");
  said[0] = '\0';
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

/* folder/FILE from fixtures/plugin.c; `defines` are compiler arguments that end with NULL. */
static inline void compile_plugin(const char *file, const char *const *defines)
{
  const char *argv[32] = {"cc", "-shared", "-fPIC", "-w", "-fvisibility=hidden", "-I" TEST_SDK_INCLUDE};
  int n = 6;
  for (; *defines; defines++) argv[n++] = *defines;
  argv[n++] = TEST_SOURCE_DIR "/fixtures/plugin.c";
  argv[n++] = "-o";
  argv[n++] = in_folder(file);
  ck_assert_int_lt(n, 32);
  run_program((char *const *)argv);
}
#define PLUGIN_FILE(file, ...) compile_plugin(file, (const char *const[]){__VA_ARGS__, NULL})

static inline void write_text(const char *path, const char *text)
{
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  ck_assert_int_ge(fputs(text, f), 0);
  ck_assert_int_eq(fclose(f), 0);
}

static inline void hear(void *ctx, int level, const char *text)
{
  (void)ctx, (void)level;
  size_t n = strlen(said);
  snprintf(said + n, sizeof said - n, "%s\n", text);
}
static const dlc_sink ear = {.level = DLC_LOG_DEBUG, .line = hear};

/* `path`: as --plugin-path; NULL: the test's folder. */
static inline dlc_registry *open_registry(const char *path)
{
  dlc_registry_config config = {.plugin_path = path ? path : folder, .program = in_folder("bin/dlcore"), .sink = &ear};
  dlc_registry *r = NULL;
  ck_assert_int_eq(dlc_registry_open(&config, &r), DLC_OK);
  return r;
}

static inline const dlc_plugin_file *file_called(dlc_registry *r, const char *name)
{
  const dlc_plugin_file *file;
  for (uint32_t i = 0; (file = dlc_registry_file(r, i)); i++)
    if (strcmp(strrchr(file->path, '/') + 1, name) == 0) return file;
  ck_abort_msg("%s is not among the files", name);
  return NULL;
}

static inline const dlc_dataset *find_dataset(dlc_registry *r, const char *name)
{
  const void *object = NULL;
  return dlc_registry_find(r, DLC_IFACE_DATASET, name, &object, NULL) == DLC_OK ? object : NULL;
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
