/* For tests of the host: a folder of plugins compiled from fixtures/plugin.c, and a registry that looks there only. */
#ifndef DLC_TEST_PLUGIN_FIXTURE_H
#define DLC_TEST_PLUGIN_FIXTURE_H
#include "base/status.h"
#include "host/host.h"
#include "suite.h"
#include <sys/stat.h>

static char said[8192]; /* every line that the registry logged, each with a newline */

/* A folder of its own, and nothing of the machine's plugins to be found. */
static inline void make_plugin_folder(void)
{
  make_folder();
  setenv("HOME", folder, 1);
  unsetenv("DLCORE_PLUGIN_PATH");
  said[0] = '\0';
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

#endif
