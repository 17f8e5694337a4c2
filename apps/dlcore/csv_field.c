/* See csv_field.h. */
#include "csv_field.h"
#include <string.h>

void cli_csv_field(dlc_str *out, const char *text)
{
  if (!strpbrk(text, ",\"\r\n")) {
    dlc_str_add(out, text);
    return;
  }
  dlc_str_add(out, "\"");
  for (; *text; text++) dlc_str_addn(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
  dlc_str_add(out, "\"");
}
