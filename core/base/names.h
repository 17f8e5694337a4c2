/* Names: which known one was probably meant, which are equal. */
#ifndef DLC_BASE_NAMES_H
#define DLC_BASE_NAMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Index of the name nearest to `given` by edit distance ('_' and '-' equal, case ignored), or -1 when none is near. */
int dlc_nearest(const char *given, const char *const *names, size_t n);
/* Equal with '_' and '-' alike. */
bool dlc_name_equal(const char *a, const char *b);
/* Different names mostly have different hashes. */
uint32_t dlc_name_hash(const char *name);

#endif
