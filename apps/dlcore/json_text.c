/* See json_text.h. */
#include "json_text.h"
#include <stdlib.h>
#include <string.h>

json_t *cli_json_text(const char *text)
{
  json_t *s = json_string(text);
  char *plain = s ? NULL : strdup(text);
  for (char *c = plain; c && *c; c++)
    if (*c & 0x80) *c = '?';
  if (plain) s = json_string(plain);
  free(plain);
  return s;
}
