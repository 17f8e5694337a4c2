/* Values as people write them. */
#include "base/parse.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool dlc_parse_int(const char *text, int64_t *value)
{
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0;
}

bool dlc_parse_float(const char *text, double *value)
{
  char *end;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value);
}

bool dlc_parse_bool(const char *text, bool *value)
{
  static const char *const words[2][4] = {{"false", "no", "off", "0"}, {"true", "yes", "on", "1"}};
  for (int v = 0; v < 2; v++) {
    for (int k = 0; k < 4; k++) {
      if (strcasecmp(text, words[v][k]) != 0) continue;
      *value = v;
      return true;
    }
  }
  return false;
}

bool dlc_in_range(const char *range, double value)
{
  const char *dots = range ? strstr(range, "..") : NULL;
  if (!dots) return true;
  if (dots > range && value < strtod(range, NULL)) return false;
  return dots[2] == '\0' || value <= strtod(dots + 2, NULL);
}

bool dlc_is_choice(const char *choices, const char *text)
{
  size_t length = strlen(text);
  while (choices) {
    size_t n = strcspn(choices, "|");
    if (n == length && strncmp(choices, text, n) == 0) return true;
    choices = choices[n] ? choices + n + 1 : NULL;
  }
  return false;
}
