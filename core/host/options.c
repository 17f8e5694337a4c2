/* "steps=10,name=x" against a table of options. Numbers are read as C writes them; the whole value must be one. */
#include "base/names.h"
#include "base/parse.h"
#include "base/status.h"
#include "base/str.h"
#include "host/host.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
  const char *owner;
  const dlc_option *options;
  uint32_t n;
  dlc_option_value *values;
} reading;

/* ---- one value ---- */

static dlc_status read_value(const reading *r, uint32_t i, const char *text)
{
  const dlc_option *o = dlc_option_at(r->options, i);
  dlc_option_value *v = &r->values[i];
  const char *expected = NULL;
  bool within = true, on = false;
  switch (o->type) {
  case DLC_OPTION_INT:
    if (!dlc_parse_int(text, &v->i)) expected = "a whole number";
    else within = dlc_in_range(o->range, (double)v->i);
    break;
  case DLC_OPTION_FLOAT:
    if (!dlc_parse_float(text, &v->f)) expected = "a number";
    else within = dlc_in_range(o->range, v->f);
    break;
  case DLC_OPTION_BOOL:
    if (!dlc_parse_bool(text, &on)) expected = "true or false";
    v->i = on;
    break;
  default: v->s = text; within = !o->range || dlc_is_choice(o->range, text);
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
