/* The host table of fuzz targets: reasons are formatted and forgotten, so that what goes into them is read. */
#ifndef DLC_FUZZ_HOST_H
#define DLC_FUZZ_HOST_H
#include <dlcore/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold, also where assert() is compiled out. */
#define FUZZ_CHECK(condition)                                                                                          \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                                    \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static inline dlc_status fuzz_fail(const dlc_host *h, dlc_status code, const char *format, ...)
{
  char text[2048];
  va_list args;
  (void)h;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  FUZZ_CHECK(code < 0 && !strchr(text, '\n'));
  return code;
}

static inline void fuzz_log(const dlc_host *h, int level, const char *message)
{
  (void)h, (void)level;
  FUZZ_CHECK(!strchr(message, '\n'));
}

static inline const void *fuzz_service(const dlc_host *h, const char *name)
{
  (void)h, (void)name;
  return NULL;
}

static const dlc_host fuzz_host = {.size = sizeof fuzz_host,
                                   .abi_major = DLC_ABI_MAJOR,
                                   .abi_minor = DLC_ABI_MINOR,
                                   .log = fuzz_log,
                                   .fail = fuzz_fail,
                                   .service = fuzz_service};

#endif
