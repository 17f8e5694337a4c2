/* Loading OpenBLAS: at run time, so that a machine without it gets a reason instead of a loader error; privately, so
 * that no other BLAS of the process takes its place; single-threaded, because the threads are the host's. */
#include "cpu.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char library[] = "libopenblas.so.0";
static const char advice[] = "install OpenBLAS (Debian: apt-get install libopenblas0)";

/* OpenBLAS's names for its kernels, by the option's. */
static const char *core_type(const char *kernels)
{
  static const char *const names[][2] = {{"haswell", "Haswell"},         {"zen", "Zen"},
                                         {"skylakex", "SkylakeX"},       {"cooperlake", "Cooperlake"},
                                         {"sandybridge", "Sandybridge"}, {"nehalem", "Nehalem"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(kernels, names[i][0]) == 0) return names[i][1];
  return NULL;
}

/* What OpenBLAS 0.3.21, Debian 12's, should be told: it knows no processor that is younger than itself, and takes
 * Haswell's kernels for those. With AVX-512, SkylakeX's are half as fast again on Intel (92 against 61 GFLOP/s a core
 * in sgemm on Sapphire Rapids); AMD's processors do 512 bits in two halves and gain nothing (105 against 107 on Zen 4).
 * NULL: leave it to OpenBLAS. */
static const char *best_core_type(void)
{
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  if (__builtin_cpu_is("intel") && avx512) return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return NULL;
}

/* Sets an environment variable and remembers what was there. */
typedef struct setting {
  const char *name;
  char *before; /* NULL: was not set */
} setting;

static setting set_variable(const char *name, const char *value)
{
  const char *before = getenv(name);
  setting s = {name, before ? strdup(before) : NULL};
  setenv(name, value, 1);
  return s;
}

static void restore_variable(setting s)
{
  if (s.before) setenv(s.name, s.before, 1);
  else unsetenv(s.name);
  free(s.before);
}

/* OpenBLAS reads its environment while it is loaded. */
static void *open_library(const char *core)
{
  setting threads = set_variable("OPENBLAS_NUM_THREADS", "1");
  void *lib;
  if (core) {
    setting type = set_variable("OPENBLAS_CORETYPE", core);
    lib = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    restore_variable(type);
  } else {
    lib = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  }
  restore_variable(threads);
  return lib;
}

typedef void (*any_function)(void);

static any_function function(void *lib, const char *name)
{
  void *p = dlsym(lib, name);
  any_function f;
  memcpy(&f, &p, sizeof f); /* ISO C has no cast from void * to a function */
  return f;
}

dlc_status cpu_blas_load(const dlc_host *host, const char *kernels, cpu_blas *blas)
{
  const char *users = getenv("OPENBLAS_CORETYPE");
  const char *core = strcmp(kernels, "auto") != 0 ? core_type(kernels) : users ? users : best_core_type();
  snprintf(blas->asked, sizeof blas->asked, "%s", core ? core : "auto");

  void *lib = open_library(core);
  if (!lib) return host->fail(host, DLC_DEVICE, "%s; %s", dlerror(), advice);
  blas->sgemm = (cpu_sgemm *)function(lib, "cblas_sgemm");
  void (*set_threads)(int) = (void (*)(int))function(lib, "openblas_set_num_threads");
  char *(*corename)(void) = (char *(*)(void))function(lib, "openblas_get_corename");
  char *(*config)(void) = (char *(*)(void))function(lib, "openblas_get_config");
  if (!blas->sgemm || !set_threads || !corename || !config)
    return host->fail(host, DLC_DEVICE, "%s lacks a function of OpenBLAS; %s", library, advice);
  set_threads(1);
  blas->got = corename();
  if (sscanf(config(), "OpenBLAS %31s", blas->version) != 1) snprintf(blas->version, sizeof blas->version, "?");
  return DLC_OK;
}

/* A file of the library in one of the loader's usual folders. */
static bool in_usual_folder(void)
{
  bool found = false;
  void *self = dlopen(NULL, RTLD_LAZY);
  Dl_serinfo size;
  if (!self || dlinfo(self, RTLD_DI_SERINFOSIZE, &size) != 0) return false;
  Dl_serinfo *list = calloc(1, size.dls_size);
  if (list) {
    list->dls_size = size.dls_size;
    list->dls_cnt = size.dls_cnt;
    if (dlinfo(self, RTLD_DI_SERINFO, list) != 0) list->dls_cnt = 0;
    for (unsigned i = 0; i < list->dls_cnt && !found; i++) {
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", list->dls_serpath[i].dls_name, library);
      found = access(path, R_OK) == 0;
    }
    free(list);
  }
  dlclose(self);
  return found;
}

/* Opening the library decides its kernels for good, and the option that chooses them is not known yet. */
bool cpu_blas_found(char *why, size_t n)
{
  if (in_usual_folder() || open_library(best_core_type())) return true;
  snprintf(why, n, "%s; %s", dlerror(), advice);
  return false;
}
