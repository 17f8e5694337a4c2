/* Which known name was probably meant. */
#ifndef DLC_BASE_NAMES_H
#define DLC_BASE_NAMES_H
#include <stdbool.h>
#include <stddef.h>

/* Index of the name nearest to `given` by edit distance ('_' and '-' equal, case ignored), or -1 when none is near. */
int dlc_nearest(const char *given, const char *const *names, size_t n);
/* Equal with '_' and '-' alike. */
bool dlc_name_equal(const char *a, const char *b);

#endif
