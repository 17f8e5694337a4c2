/* "steps=10,name=x" against a table of options. Numbers are read as C writes them; the whole value must be one. */
#include "base/names.h"
#include "base/status.h"
#include "base/str.h"
#include "host/host.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct reading {
  const char *owner;
  const dlc_option *options;
  uint32_t n;
  dlc_option_value *values;
} reading;

/* ---- one value ---- */

static bool read_int(const char *text, int64_t *value)
{
  char *end;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  *value = v;
  return end != text && *end == '\0' && errno == 0;
}

static bool read_float(const char *text, double *value)
{
  char *end;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value);
}

static bool read_bool(const char *text, int64_t *value)
{
  static const char *const words[2][4] = {{"false", "off", "no", "0"}, {"true", "on", "yes", "1"}};
  for (int v = 0; v < 2; v++) {
    for (int k = 0; k < 4; k++) {
      if (strcasecmp(text, words[v][k]) != 0) continue;
      *value = v;
      return true;
    }
  }
  return false;
}

/* "LOW..HIGH", either of which may be missing. */
static bool in_range(const char *range, double value)
{
  const char *dots = range ? strstr(range, "..") : NULL;
  if (!dots) return true;
  if (dots > range && value < strtod(range, NULL)) return false;
  return dots[2] == '\0' || value <= strtod(dots + 2, NULL);
}

/* "a|b|c" */
static bool is_choice(const char *choices, const char *text)
{
  size_t length = strlen(text);
  while (choices) {
    size_t n = strcspn(choices, "|");
    if (n == length && strncmp(choices, text, n) == 0) return true;
    choices = choices[n] ? choices + n + 1 : NULL;
  }
  return false;
}

static dlc_status read_value(const reading *r, uint32_t i, const char *text)
{
  const dlc_option *o = dlc_option_at(r->options, i);
  dlc_option_value *v = &r->values[i];
  const char *expected = NULL;
  bool within = true;
  switch (o->type) {
  case DLC_OPTION_INT:
    if (!read_int(text, &v->i)) expected = "a whole number";
    else within = in_range(o->range, (double)v->i);
    break;
  case DLC_OPTION_FLOAT:
    if (!read_float(text, &v->f)) expected = "a number";
    else within = in_range(o->range, v->f);
    break;
  case DLC_OPTION_BOOL:
    if (!read_bool(text, &v->i)) expected = "true or false";
    break;
  default: v->s = text; within = !o->range || is_choice(o->range, text);
  }
  if (expected) return dlc_fail(DLC_INVALID, "%s: option %s is '%s', expected %s", r->owner, o->name, text, expected);
  if (!within) return dlc_fail(DLC_INVALID, "%s: option %s is '%s', expected %s", r->owner, o->name, text, o->range);
  return DLC_OK;
}

/* ---- the table ---- */

static dlc_status fail_unknown(const reading *r, const char *name)
{
  dlc_str s = {0};
  const char **names = malloc((r->n + 1) * sizeof *names);
  if (!names) return dlc_fail_nomem();
  for (uint32_t i = 0; i < r->n; i++) names[i] = dlc_option_at(r->options, i)->name;
  int nearest = dlc_nearest(name, names, r->n);
  dlc_str_addf(&s, "%s has no option '%s'", r->owner, name);
  if (nearest >= 0) dlc_str_addf(&s, "; did you mean '%s'?", names[nearest]);
  else if (r->n == 0) dlc_str_add(&s, "; it has none at all");
  else
    for (uint32_t i = 0; i < r->n; i++) dlc_str_addf(&s, "%s%s", i ? ", " : "; it has ", names[i]);
  dlc_fail(DLC_INVALID, "%s", dlc_str_get(&s));
  dlc_str_free(&s);
  free(names);
  return DLC_INVALID;
}

static dlc_status read_pair(const reading *r, char *pair, bool *given)
{
  char *equals = strchr(pair, '=');
  if (!equals || equals == pair)
    return dlc_fail(DLC_INVALID, "%s: cannot read the option '%s', expected NAME=VALUE", r->owner, pair);
  *equals = '\0';
  for (uint32_t i = 0; i < r->n; i++) {
    if (!dlc_name_equal(dlc_option_at(r->options, i)->name, pair)) continue;
    if (given[i]) return dlc_fail(DLC_INVALID, "%s: option %s is given twice", r->owner, pair);
    given[i] = true;
    return read_value(r, i, equals + 1);
  }
  return fail_unknown(r, pair);
}

/* Cuts `text` in place at its commas. */
static dlc_status read_pairs(const reading *r, char *text)
{
  bool *given = calloc(r->n + 1, sizeof *given);
  if (!given) return dlc_fail_nomem();
  dlc_status status = DLC_OK;
  while (text && status == DLC_OK) {
    char *comma = strchr(text, ',');
    if (comma) *comma = '\0';
    status = read_pair(r, text, given);
    text = comma ? comma + 1 : NULL;
  }
  free(given);
  return status;
}

dlc_status dlc_options_read(const char *owner, const dlc_option *options, uint32_t n_options, const char *text,
                            dlc_option_value **values)
{
  size_t table = (n_options + 1) * sizeof(dlc_option_value), length = text ? strlen(text) : 0;
  char *block = calloc(1, table + length + 1); /* the values, then the text that strings point into */
  if (!block) return dlc_fail_nomem();
  reading r = {owner, options, n_options, (dlc_option_value *)(void *)block};
  dlc_status status = DLC_OK;
  for (uint32_t i = 0; i < n_options && status == DLC_OK; i++) {
    const char *def = dlc_option_at(options, i)->def;
    if (def) status = read_value(&r, i, def);
  }
  if (status == DLC_OK && length) {
    memcpy(block + table, text, length + 1);
    status = read_pairs(&r, block + table);
  }
  if (status != DLC_OK) {
    free(block);
    return status;
  }
  *values = r.values;
  return DLC_OK;
}
