/* A growing string. */
#include "base/str.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` bytes and a NUL. */
static bool reserve(dlc_str *s, size_t more)
{
  if (s->failed || more > SIZE_MAX / 2 - s->length) {
    s->failed = true;
    return false;
  }
  size_t need = s->length + more + 1;
  if (need <= s->capacity) return true;
  size_t capacity = need < 64 ? 64 : need + need / 2;
  char *text = realloc(s->text, capacity);
  if (!text) {
    s->failed = true;
    return false;
  }
  s->text = text;
  s->capacity = capacity;
  return true;
}

void dlc_str_addn(dlc_str *s, const char *bytes, size_t n)
{
  if (!reserve(s, n)) return;
  if (n) memcpy(s->text + s->length, bytes, n);
  s->length += n;
  s->text[s->length] = '\0';
}

void dlc_str_add(dlc_str *s, const char *text)
{
  dlc_str_addn(s, text, strlen(text));
}

void dlc_str_addf(dlc_str *s, const char *format, ...)
{
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  if (n < 0) s->failed = true;
  else if (reserve(s, (size_t)n)) {
    vsnprintf(s->text + s->length, (size_t)n + 1, format, again);
    s->length += (size_t)n;
  }
  va_end(again);
  va_end(args);
}

const char *dlc_str_get(const dlc_str *s)
{
  return s->text ? s->text : "";
}

bool dlc_str_ok(const dlc_str *s)
{
  return !s->failed;
}

void dlc_str_clear(dlc_str *s)
{
  s->length = 0;
  s->failed = false;
  if (s->text) s->text[0] = '\0';
}

void dlc_str_free(dlc_str *s)
{
  free(s->text);
  *s = (dlc_str){0};
}
