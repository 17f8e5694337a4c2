/* Where lines for the user go. The application owns the sink; the core only calls it. [any] */
#ifndef DLC_BASE_LOG_H
#define DLC_BASE_LOG_H
#include "dlcore/base.h"

typedef struct dlc_sink {
  int level; /* lines below it are dropped */
  void (*line)(void *ctx, int level, const char *text);
  void *ctx;
} dlc_sink;

/* `sink` may be NULL: nothing is written. */
void dlc_say(const dlc_sink *sink, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
