/* Attributes of ops: a struct of int64_t and double, read and written through the op's table. */
#include "base/names.h"
#include "base/parse.h"
#include "base/status.h"
#include "graph/graph.h"
#include <stdlib.h>
#include <string.h>

static dlc_status read_int(const char *name, const char *word, int64_t *out)
{
  if (dlc_parse_int(word, out)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "`%s: %s`: expected a whole number", name, word);
}

static dlc_status read_float(const char *name, const char *word, double *out)
{
  if (dlc_parse_float(word, out)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "`%s: %s`: expected a number", name, word);
}

static dlc_status read_bool(const char *name, const char *word, int64_t *out)
{
  bool on;
  if (!dlc_parse_bool(word, &on)) return dlc_fail(DLC_INVALID, "`%s: %s`: expected true or false", name, word);
  *out = on;
  return DLC_OK;
}

/* 1, [1, 2] (vertical, horizontal), [top, left, bottom, right] or same. */
static dlc_status read_padding(const char *name, const char *const *words, uint32_t count, int64_t *out)
{
  static const uint8_t source[5][4] = {{0}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0}, {0, 1, 2, 3}};
  int64_t given[4] = {0};
  if (count == 1 && strcmp(words[0], "same") == 0) {
    for (int i = 0; i < 4; i++) out[i] = -1;
    return DLC_OK;
  }
  if (count != 1 && count != 2 && count != 4)
    return dlc_fail(DLC_INVALID, "`%s` has %u numbers; expected 1, 2, 4 or same", name, count);
  for (uint32_t i = 0; i < count; i++) {
    DLC_TRY(read_int(name, words[i], &given[i]));
    if (given[i] < 0) return dlc_fail(DLC_INVALID, "`%s: %s`: expected 0 or more", name, words[i]);
  }
  for (int i = 0; i < 4; i++) out[i] = given[source[count][i]];
  return DLC_OK;
}

static dlc_status read_value(const dlc_attr *a, void *at, const char *const *words, uint32_t count)
{
  if (a->type == DLC_ATTR_PADDING) return read_padding(a->name, words, count, at);
  if (a->type == DLC_ATTR_PAIR) {
    if (count != 1 && count != 2) return dlc_fail(DLC_INVALID, "`%s` has %u numbers; expected 1 or 2", a->name, count);
    DLC_TRY(read_int(a->name, words[0], at));
    return read_int(a->name, words[count - 1], (int64_t *)at + 1);
  }
  if (count != 1) return dlc_fail(DLC_INVALID, "`%s` has %u values; expected one", a->name, count);
  if (a->type == DLC_ATTR_FLOAT) return read_float(a->name, words[0], at);
  if (a->type == DLC_ATTR_BOOL) return read_bool(a->name, words[0], at);
  return read_int(a->name, words[0], at);
}

static dlc_status fail_unknown(const dlc_op *op, const char *name)
{
  dlc_str known = {0};
  const char **names = malloc((op->n_attrs + 1) * sizeof *names);
  if (!names) return dlc_fail_nomem();
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    names[i] = dlc_attr_at(op, i)->name;
    dlc_str_addf(&known, i ? ", %s" : "%s", names[i]);
  }
  int nearest = dlc_nearest(name, names, op->n_attrs);
  if (nearest >= 0) dlc_fail(DLC_INVALID, "%s has no `%s`; did you mean `%s`?", op->name, name, names[nearest]);
  else
    dlc_fail(DLC_INVALID, "%s has no `%s`; it has %s", op->name, name,
             op->n_attrs ? dlc_str_get(&known) : "no attributes");
  free(names);
  dlc_str_free(&known);
  return DLC_INVALID;
}

dlc_status dlc_attr_set(const dlc_op *op, void *attr, const char *name, const char *const *words, uint32_t count)
{
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_at(op, i);
    if (dlc_name_equal(a->name, name)) return read_value(a, (char *)attr + a->offset, words, count);
  }
  return fail_unknown(op, name);
}

/* The words of a default, "3" or "[3, 5]". */
static dlc_status read_default(const dlc_attr *a, void *at)
{
  char text[128], *rest = NULL;
  const char *words[5];
  uint32_t count = 0;
  if (strlen(a->def) >= sizeof text) return dlc_fail(DLC_INVALID, "`%s`: its default is too long", a->name);
  strcpy(text, a->def);
  for (char *word = strtok_r(text, "[, ]", &rest); word && count < 5; word = strtok_r(NULL, "[, ]", &rest))
    words[count++] = word;
  return read_value(a, at, words, count);
}

dlc_status dlc_attr_defaults(const dlc_op *op, void *attr, const char **missing)
{
  *missing = NULL;
  for (uint32_t i = 0; i < op->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_at(op, i);
    if (a->def) DLC_TRY(read_default(a, (char *)attr + a->offset));
    else if (!*missing) *missing = a->name;
  }
  return DLC_OK;
}
