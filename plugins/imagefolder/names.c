/* What the names of files and folders say. [any] */
#include "layout.h"
#include <string.h>
#include <strings.h>

const char *const img_split_names[IMG_SPLITS] = {"train", "val", "test"};

int img_is_hidden(const char *path)
{
  for (const char *part = path; part; part = strchr(part, '/'), part = part ? part + 1 : NULL)
    if (part[0] == '.' || strncmp(part, "__MACOSX/", 9) == 0) return 1;
  return 0;
}

int img_is_picture(const char *path)
{
  static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".ppm", ".pgm"};
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof extensions / sizeof extensions[0]; i++)
    if (strcasecmp(dot, extensions[i]) == 0) return 1;
  return 0;
}

int img_split_of(img_span name)
{
  static const struct {
    const char *name;
    int split;
  } known[] = {{"train", IMG_TRAIN},    {"training", IMG_TRAIN}, {"val", IMG_VAL},      {"valid", IMG_VAL},
               {"validation", IMG_VAL}, {"test", IMG_TEST},      {"testing", IMG_TEST}, {"test1", IMG_TEST}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strlen(known[i].name) == name.length && strncasecmp(known[i].name, name.text, name.length) == 0)
      return known[i].split;
  return -1;
}

int img_span_compare(img_span a, img_span b)
{
  int order = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length);
  return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int is_digit(char c)
{
  return c >= '0' && c <= '9';
}

int img_natural_compare(const char *a, const char *b)
{
  while (*a && *b) {
    if (is_digit(*a) && is_digit(*b)) {
      while (*a == '0' && is_digit(a[1])) a++;
      while (*b == '0' && is_digit(b[1])) b++;
      size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
      int order = n != m ? (n > m) - (n < m) : memcmp(a, b, n);
      if (order) return order;
      a += n, b += m;
    } else {
      if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
      a++, b++;
    }
  }
  return (*a != 0) - (*b != 0);
}
