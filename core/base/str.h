/* A growing string. Zero-initialise; an allocation that fails leaves it marked, and dlc_str_ok() says so once at the
 * end. Owner: whoever declared it, frees with dlc_str_free(). */
#ifndef DLC_BASE_STR_H
#define DLC_BASE_STR_H
#include <stdbool.h>
#include <stddef.h>

typedef struct dlc_str {
  char *text; /* NUL-terminated; NULL while empty: use dlc_str_get() */
  size_t length, capacity;
  bool failed;
} dlc_str;

void dlc_str_add(dlc_str *s, const char *text);
void dlc_str_addn(dlc_str *s, const char *bytes, size_t n);
void dlc_str_addf(dlc_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *dlc_str_get(const dlc_str *s); /* never NULL */
bool dlc_str_ok(const dlc_str *s);
void dlc_str_clear(dlc_str *s); /* length 0, memory kept */
void dlc_str_free(dlc_str *s);

#endif
