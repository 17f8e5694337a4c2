/* Values as people write them: in options, model files, configuration files. Each reader wants the whole text. */
#ifndef DLC_BASE_PARSE_H
#define DLC_BASE_PARSE_H
#include <stdbool.h>
#include <stdint.h>

bool dlc_parse_int(const char *text, int64_t *value);
bool dlc_parse_float(const char *text, double *value); /* finite */
/* true, yes, on, 1; false, no, off, 0. */
bool dlc_parse_bool(const char *text, bool *value);
/* "LOW..HIGH", either of which may be missing; NULL: no limits. */
bool dlc_in_range(const char *range, double value);
/* "a|b|c" */
bool dlc_is_choice(const char *choices, const char *text);

#endif
