/* Attributes: a struct of int64_t and double, read and written through its owner's table. */
#include "graph/attr.h"
#include "base/names.h"
#include "base/parse.h"
#include "base/shape.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdio.h>
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

static dlc_status read_range(const char *name, const char *const *words, uint32_t count, double *out)
{
  if (count != 2) return dlc_fail(DLC_INVALID, "`%s` has %u numbers; expected two: [low, high]", name, count);
  for (uint32_t i = 0; i < 2; i++) DLC_TRY(read_float(name, words[i], &out[i]));
  if (out[0] <= out[1]) return DLC_OK;
  return dlc_fail(DLC_INVALID, "`%s: [%s, %s]`: expected the lower number first", name, words[0], words[1]);
}

static dlc_status read_numbers(const char *name, const char *const *words, uint32_t count, uint32_t most,
                               int64_t *out_count, double *out)
{
  if (count > most) return dlc_fail(DLC_INVALID, "`%s` has %u numbers; expected at most %u", name, count, most);
  *out_count = count;
  for (uint32_t i = 0; i < count; i++) DLC_TRY(read_float(name, words[i], &out[i]));
  return DLC_OK;
}

static dlc_status read_shape(const char *name, const char *const *words, uint32_t count, int64_t *out)
{
  if (count > DLC_MAX_RANK)
    return dlc_fail(DLC_INVALID, "`%s` has %u dimensions; expected at most %d", name, count, DLC_MAX_RANK);
  out[0] = count;
  for (uint32_t i = 0; i < count; i++) DLC_TRY(read_int(name, words[i], &out[1 + i]));
  return DLC_OK;
}

/* The position of the word in "zero|reflect". */
static dlc_status read_choice(const dlc_attr *a, const char *word, int64_t *out)
{
  const char *choice = DLC_HAS(a, choices) ? a->choices : "";
  for (int64_t i = 0; choice; i++) {
    const size_t n = strcspn(choice, "|");
    if (n == strlen(word) && strncmp(choice, word, n) == 0) {
      *out = i;
      return DLC_OK;
    }
    choice = choice[n] ? choice + n + 1 : NULL;
  }
  return dlc_fail(DLC_INVALID, "`%s: %s`: expected %s", a->name, word, DLC_HAS(a, choices) ? a->choices : "nothing");
}

static dlc_status read_value(const dlc_attr *a, void *at, const char *const *words, uint32_t count)
{
  if (a->type == DLC_ATTR_PADDING) return read_padding(a->name, words, count, at);
  if (a->type == DLC_ATTR_RANGE) return read_range(a->name, words, count, at);
  if (a->type == DLC_ATTR_NUMBERS || a->type == DLC_ATTR_LIST) {
    const bool few = a->type == DLC_ATTR_NUMBERS;
    dlc_numbers *numbers = at;
    dlc_list *list = at;
    memset(at, 0, few ? sizeof *numbers : sizeof *list);
    return few ? read_numbers(a->name, words, count, DLC_MAX_NUMBERS, &numbers->count, numbers->at)
               : read_numbers(a->name, words, count, DLC_MAX_LIST, &list->count, list->at);
  }
  if (a->type == DLC_ATTR_SHAPE) return read_shape(a->name, words, count, at);
  if (a->type == DLC_ATTR_PAIR) {
    if (count != 1 && count != 2) return dlc_fail(DLC_INVALID, "`%s` has %u numbers; expected 1 or 2", a->name, count);
    DLC_TRY(read_int(a->name, words[0], at));
    return read_int(a->name, words[count - 1], (int64_t *)at + 1);
  }
  if (count != 1) return dlc_fail(DLC_INVALID, "`%s` has %u values; expected one", a->name, count);
  if (a->type == DLC_ATTR_FLOAT) return read_float(a->name, words[0], at);
  if (a->type == DLC_ATTR_BOOL) return read_bool(a->name, words[0], at);
  if (a->type == DLC_ATTR_CHOICE) return read_choice(a, words[0], at);
  return read_int(a->name, words[0], at);
}

/* What PyTorch's layers must be told and ours see. */
static bool is_input_size(const char *name)
{
  static const char *const names[] = {"in_channels", "in_features", "num_features", "normalized_shape"};
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) found |= strcmp(name, names[i]) == 0;
  return found;
}

static dlc_status fail_unknown(const dlc_attr_table *t, const char *name)
{
  if (is_input_size(name))
    return dlc_fail(DLC_INVALID, "%s has no `%s`: that follows from what it reads", t->owner, name);
  dlc_str known = {0};
  const char **names = malloc((t->n + 1) * sizeof *names);
  if (!names) return dlc_fail_nomem();
  for (uint32_t i = 0; i < t->n; i++) {
    names[i] = dlc_attr_entry(t->attrs, i)->name;
    dlc_str_addf(&known, i ? ", %s" : "%s", names[i]);
  }
  int nearest = dlc_nearest(name, names, t->n);
  if (nearest >= 0) dlc_fail(DLC_INVALID, "%s has no `%s`; did you mean `%s`?", t->owner, name, names[nearest]);
  else dlc_fail(DLC_INVALID, "%s has no `%s`; it has %s", t->owner, name, t->n ? dlc_str_get(&known) : "no attributes");
  free(names);
  dlc_str_free(&known);
  return DLC_INVALID;
}

dlc_status dlc_attrs_set(const dlc_attr_table *t, void *attr, const char *name, const char *const *words,
                         uint32_t count)
{
  for (uint32_t i = 0; i < t->n; i++) {
    const dlc_attr *a = dlc_attr_entry(t->attrs, i);
    if (dlc_name_equal(a->name, name)) return read_value(a, (char *)attr + a->offset, words, count);
  }
  return fail_unknown(t, name);
}

enum { MAX_WORDS = DLC_MAX_LIST + 1 }; /* one too many is seen */

/* Cuts "3" or "[3, 5]" into its words. */
static uint32_t cut_words(char *text, const char *words[MAX_WORDS])
{
  char *rest = NULL;
  uint32_t count = 0;
  for (char *word = strtok_r(text, "[, ]", &rest); word && count < MAX_WORDS; word = strtok_r(NULL, "[, ]", &rest))
    words[count++] = word;
  return count;
}

static dlc_status read_default(const dlc_attr *a, void *at)
{
  char text[128];
  const char *words[MAX_WORDS];
  if (strlen(a->def) >= sizeof text) return dlc_fail(DLC_INVALID, "`%s`: its default is too long", a->name);
  strcpy(text, a->def);
  const uint32_t count = cut_words(text, words);
  return read_value(a, at, words, count);
}

dlc_status dlc_attrs_defaults(const dlc_attr_table *t, void *attr, const char **missing)
{
  *missing = NULL;
  for (uint32_t i = 0; i < t->n; i++) {
    const dlc_attr *a = dlc_attr_entry(t->attrs, i);
    if (a->def) DLC_TRY(read_default(a, (char *)attr + a->offset));
    else if (!*missing) *missing = a->name;
  }
  return DLC_OK;
}

/* Up to the next comma outside of brackets. */
static size_t pair_length(const char *text)
{
  size_t n = 0;
  for (int depth = 0; text[n] && (text[n] != ',' || depth > 0); n++) depth += (text[n] == '[') - (text[n] == ']');
  return n;
}

static dlc_status set_pair(const dlc_attr_table *t, void *attr, char *pair)
{
  const char *words[MAX_WORDS];
  char *equal = strchr(pair, '=');
  if (!equal || equal == pair) return dlc_fail(DLC_INVALID, "expected name=value, got '%s'", pair);
  *equal = 0;
  const uint32_t count = cut_words(equal + 1, words);
  if (count == 0) return dlc_fail(DLC_INVALID, "`%s` has no value", pair);
  return dlc_attrs_set(t, attr, pair, words, count);
}

dlc_status dlc_attrs_change(const dlc_attr_table *t, void *attr, const char *text)
{
  dlc_status status = DLC_OK;
  while (*text && status >= 0) {
    const size_t n = pair_length(text);
    char *pair = strndup(text, n);
    status = pair ? set_pair(t, attr, pair) : dlc_fail_nomem();
    free(pair);
    text += n + (text[n] == ',');
  }
  return status;
}

/* Whether "beta1=0.8,beta2=0.9" sets this one. */
static bool sets(const char *text, const char *name)
{
  for (; *text; text += pair_length(text), text += *text == ',') {
    char given[64];
    snprintf(given, sizeof given, "%.*s", (int)strcspn(text, "=,"), text);
    if (dlc_name_equal(given, name)) return true;
  }
  return false;
}

dlc_status dlc_attrs_read(const dlc_attr_table *t, void *attr, const char *text)
{
  const char *missing;
  DLC_TRY(dlc_attrs_defaults(t, attr, &missing));
  for (uint32_t i = 0; missing && i < t->n; i++) {
    const dlc_attr *a = dlc_attr_entry(t->attrs, i);
    if (!a->def && !sets(text, a->name))
      return dlc_fail(DLC_INVALID, "%s needs its `%s`: %s:%s=...", t->owner, a->name, t->owner, a->name);
  }
  return dlc_attrs_change(t, attr, text);
}

static void dump_numbers(const double *at, int64_t count, dlc_str *out)
{
  for (int64_t i = 0; i < count; i++) dlc_str_addf(out, i ? ", %g" : "[%g", at[i]);
  dlc_str_add(out, count ? "]" : "[]");
}

static void dump_choice(const dlc_attr *a, int64_t position, dlc_str *out)
{
  const char *choice = DLC_HAS(a, choices) ? a->choices : "";
  while (position-- > 0 && strchr(choice, '|')) choice = strchr(choice, '|') + 1;
  dlc_str_addn(out, choice, strcspn(choice, "|"));
}

void dlc_attr_dump(const dlc_attr *a, const void *attr, dlc_str *out)
{
  const void *at = (const char *)attr + a->offset;
  const int64_t *i = at;
  const dlc_numbers *numbers = at;
  const dlc_list *list = at;
  dlc_str_addf(out, "%s: ", a->name);
  switch (a->type) {
  case DLC_ATTR_FLOAT: dlc_str_addf(out, "%g", *(const double *)at); break;
  case DLC_ATTR_BOOL: dlc_str_add(out, *i ? "true" : "false"); break;
  case DLC_ATTR_PAIR: dlc_str_add(out, dlc_name_shape(2, i).text); break;
  case DLC_ATTR_PADDING: dlc_str_add(out, dlc_name_shape(4, i).text); break;
  case DLC_ATTR_SHAPE: dlc_str_add(out, dlc_name_shape((uint32_t)i[0], i + 1).text); break;
  case DLC_ATTR_RANGE: dump_numbers(at, 2, out); break;
  case DLC_ATTR_NUMBERS: dump_numbers(numbers->at, numbers->count, out); break;
  case DLC_ATTR_LIST: dump_numbers(list->at, list->count, out); break;
  case DLC_ATTR_CHOICE: dump_choice(a, *i, out); break;
  default: dlc_str_addf(out, "%lld", (long long)*i); break;
  }
}
