/* One formatted line to the application's sink. */
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>

void dlc_say(const dlc_sink *sink, int level, const char *format, ...)
{
  if (!sink || !sink->line || level < sink->level) return;
  char text[4096];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n >= 0) sink->line(sink->ctx, level, text);
}
