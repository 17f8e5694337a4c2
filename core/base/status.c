/* The calling thread's reason for its last failure: the only mutable state outside of structs. */
#include "base/status.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { REASON_BYTES = 2048 };
static _Thread_local char reason[REASON_BYTES] = "no reason was given";

static void keep(char *text, int length)
{
  if (length < 0) return;
  if (length >= REASON_BYTES) memcpy(text + REASON_BYTES - 4, "...", 4);
  for (char *c = text; *c; c++)
    if (iscntrl((unsigned char)*c)) *c = ' '; /* names in files may try to speak to the terminal */
  memcpy(reason, text, strlen(text) + 1);
}

dlc_status dlc_vfail(dlc_status code, const char *format, va_list args)
{
  char text[REASON_BYTES]; /* apart from `reason`, which may be among the arguments */
  keep(text, vsnprintf(text, sizeof text, format, args));
  return code;
}

dlc_status dlc_fail(dlc_status code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  dlc_vfail(code, format, args);
  va_end(args);
  return code;
}

dlc_status dlc_fail_in(dlc_status code, const char *format, ...)
{
  char context[REASON_BYTES], text[REASON_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(context, sizeof context, format, args);
  va_end(args);
  keep(text, snprintf(text, sizeof text, "%s: %s", context, reason));
  return code;
}

dlc_status dlc_fail_nomem(void)
{
  return dlc_fail(DLC_NOMEM, "out of memory");
}

const char *dlc_reason(void)
{
  return reason;
}
