/* Any text as a field of a CSV file. */
#ifndef DLCORE_APP_CSV_FIELD_H
#define DLCORE_APP_CSV_FIELD_H
#include "base/str.h"

/* In quotes where it must be, as in RFC 4180. */
void cli_csv_field(dlc_str *out, const char *text);

#endif
