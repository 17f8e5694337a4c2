/* Which known name was probably meant: edit distance with swapped neighbours (optimal string alignment). */
#include "base/names.h"
#include <ctype.h>
#include <string.h>

enum { MAX_NAME = 64 }; /* longer names are never near */

static int fold(char c)
{
  return c == '_' ? '-' : tolower((unsigned char)c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
  size_t m = a < b ? a : b;
  return m < c ? m : c;
}

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
  size_t rows[3][MAX_NAME + 1];
  for (size_t j = 0; j <= m; j++) rows[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *row = rows[i % 3];
    const size_t *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      bool same = fold(a[i - 1]) == fold(b[j - 1]);
      row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + !same);
      bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
      if (swapped && up2[j - 2] + 1 < row[j]) row[j] = up2[j - 2] + 1;
    }
  }
  return rows[n % 3][m];
}

int dlc_nearest(const char *given, const char *const *names, size_t n)
{
  size_t length = strlen(given);
  if (length == 0 || length > MAX_NAME) return -1;
  size_t limit = length < 6 ? 1 + (length > 2) : length / 3; /* edits that still look like a slip */
  int best = -1;
  for (size_t i = 0; i < n; i++) {
    size_t other = strlen(names[i]);
    if (other > MAX_NAME) continue;
    size_t d = distance(given, length, names[i], other);
    if (d <= limit && d < other && (best < 0 || d < limit)) {
      best = (int)i;
      limit = d;
    }
  }
  return best;
}

bool dlc_name_equal(const char *a, const char *b)
{
  while (*a && (*a == *b || ((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))) a++, b++;
  return *a == *b;
}

uint32_t dlc_name_hash(const char *name) /* FNV-1a */
{
  uint32_t h = 2166136261u;
  for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
  return h;
}
