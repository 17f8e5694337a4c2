/* Statuses, the host and its services, options: what every plugin needs, whatever it provides.
 *
 * Rules of the whole boundary
 *   R1  Every struct that crosses starts with `size`; fields are only appended. Use DLC_HAS before reading an
 *       optional field of a struct the other side built. An array of sized structs is walked by the size of its
 *       first element.
 *   R2  Strings and tables that a plugin returns live as long as the process: a plugin is never unloaded.
 *   R3  Who allocates frees, through the same table.
 *   R4  What can fail returns a dlc_status and leaves its reason with host->fail(). No exit, abort, longjmp or C++
 *       exception crosses the boundary.
 *   R5  Thread tags. [scan]: while plugins are looked at, no device access. [main]: the control thread, one call at a
 *       time. [any]: any thread, several at once.
 */
#ifndef DLCORE_BASE_H
#define DLCORE_BASE_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define DLC_EXPORT __attribute__((visibility("default")))

/* True when the struct at `p` was built with the field `f` and the field is not zero. */
#define DLC_HAS(p, f) ((p)->size >= (size_t)((const char *)(&(p)->f + 1) - (const char *)(p)) && (p)->f)

typedef int32_t dlc_status;
enum {
  DLC_OK = 0,
  DLC_END = 1,          /* no further element; not an error */
  DLC_UNSUPPORTED = -1, /* well formed, but not something this side does */
  DLC_INVALID = -2,     /* the input is wrong */
  DLC_NOMEM = -3,
  DLC_DEVICE = -4, /* the device or its library failed */
  DLC_IO = -5,     /* a file could not be read or written */
  DLC_INTERNAL = -6,
  DLC_NOT_FOUND = -7,
  DLC_DAMAGED = -8 /* read, but not whole */
};

enum { DLC_LOG_DEBUG, DLC_LOG_INFO, DLC_LOG_WARN, DLC_LOG_ERROR };

/* The host, as a plugin sees it. Filled by dlcore; valid for the whole process; one per plugin. */
typedef struct dlc_host dlc_host;
struct dlc_host {
  uint32_t size;
  uint16_t abi_major, abi_minor;
  void *ctx; /* dlcore's own */
  /* [any] One line for the user, without a newline. */
  void (*log)(const dlc_host *h, int level, const char *message);
  /* [any] Keeps the calling thread's reason for a failure (printf format, one line, no newline) and returns `code`:
   * `return h->fail(h, DLC_IO, "%s: %s", path, strerror(errno));` */
  dlc_status (*fail)(const dlc_host *h, dlc_status code, const char *format, ...)
#if defined(__GNUC__)
      __attribute__((format(printf, 3, 4)))
#endif
      ;
  /* [any] A table of services by name and revision, or NULL where this host has none of that name. */
  const void *(*service)(const dlc_host *h, const char *name);
};

/* Service "dlcore.threads/1": the process's only pool of compute threads. A plugin starts no threads of its own for
 * computing, so that BLAS, loader and kernels never multiply. */
#define DLC_SERVICE_THREADS "dlcore.threads/1"
typedef struct dlc_threads dlc_threads;
struct dlc_threads {
  uint32_t size;
  uint32_t count; /* threads that work on one call, the caller included; >= 1 */
  /* [main] Calls task(arg, i) once for every i in [0, n), in any order, on any of the threads; returns when all are
   * done. A result must not depend on `count`: choose n by the shape of the work alone. Does not nest. */
  void (*run)(const dlc_threads *t, uint32_t n, void (*task)(void *arg, uint32_t i), void *arg);
};

/* Service "dlcore.random/1": random numbers as a function of what they are for (Philox4x32-10, Salmon et al. 2011). */
#define DLC_SERVICE_RANDOM "dlcore.random/1"
typedef struct dlc_random dlc_random;
struct dlc_random {
  uint32_t size;
  /* [any] Four 32-bit words, a pure function of the arguments. `purpose` keeps independent uses apart, `draw` counts
   * within one use. */
  void (*words)(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t sample, uint32_t draw, uint32_t out[4]);
};

/* ---- options of a plugin: one table feeds the command line, the configuration file and the help ---- */
enum { DLC_OPTION_INT = 1, DLC_OPTION_FLOAT = 2, DLC_OPTION_BOOL = 3, DLC_OPTION_STRING = 4 };
typedef struct dlc_option {
  uint32_t size, type;
  const char *name;  /* lower case, words joined by '-' */
  const char *def;   /* default, as a user would type it; NULL: a string that is not set */
  const char *range; /* "1..64" (INT, FLOAT), "a|b|c" (STRING), or NULL */
  const char *help;  /* one line */
} dlc_option;

/* The i-th entry of a table, whatever size its author built it with (R1). */
static inline const dlc_option *dlc_option_at(const dlc_option *options, uint32_t i)
{
  return (const dlc_option *)((const char *)options + (size_t)i * options->size);
}

/* Checked values, in the order of the option table that the plugin gave. */
typedef union dlc_option_value {
  int64_t i;     /* INT, BOOL (0 or 1) */
  double f;      /* FLOAT */
  const char *s; /* STRING; lives until the object opened with it is closed */
} dlc_option_value;

#ifdef __cplusplus
}
#endif
#endif
