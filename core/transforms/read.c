/* Reads a list of transforms as it is written on a command line or in a configuration file:
 *
 *   list  = { step }
 *   step  = name [ "(" [ value { "," value } ] ")" ]
 *   value = [ name "=" ] ( word | "[" [ word { "," word } ] "]" )
 *
 * with white space anywhere between. As in Python, values without a name come first and stand for the attributes in
 * order. */
#include "base/names.h"
#include "base/status.h"
#include "graph/attr.h"
#include "transforms/steps.h"
#include <stdlib.h>
#include <string.h>

enum { WORDS = DLC_MAX_LIST, STEPS = 64 };

typedef struct reader {
  const char *text, *at;
  const dlc_transform_finder *finder;
  dlc_pipeline *pipeline;
} reader;

/* What is given between two commas. */
typedef struct value {
  const char *begin;
  const char *name; /* NULL: none */
  const char *words[WORDS];
  uint32_t n_words;
} value;

/* "column 7: " before the reason that is there. */
static dlc_status in_column(const reader *r, const char *where, dlc_status status)
{
  return dlc_fail_in(status, "column %zu", (size_t)(where - r->text) + 1);
}

static dlc_status unexpected(const reader *r, const char *expected)
{
  if (*r->at) dlc_fail(DLC_INVALID, "expected %s, got '%c'", expected, *r->at);
  else dlc_fail(DLC_INVALID, "expected %s, but the list ends", expected);
  return in_column(r, r->at, DLC_INVALID);
}

static void skip_space(reader *r)
{
  r->at += strspn(r->at, " \t\r\n");
}

static bool take(reader *r, char c)
{
  skip_space(r);
  if (*r->at != c) return false;
  r->at++;
  return true;
}

static dlc_status read_word(reader *r, const char *expected, const char **word)
{
  skip_space(r);
  const size_t n = strcspn(r->at, " \t\r\n()[]=,");
  if (n == 0) return unexpected(r, expected);
  char *copy = dlc_arena_alloc(&r->pipeline->arena, n + 1);
  if (!copy) return dlc_fail_nomem();
  memcpy(copy, r->at, n);
  r->at += n;
  *word = copy;
  return DLC_OK;
}

static dlc_status read_words(reader *r, value *v)
{
  if (!take(r, '[')) return read_word(r, "a value", &v->words[v->n_words++]);
  if (take(r, ']')) return DLC_OK;
  do {
    if (v->n_words == WORDS) {
      dlc_fail(DLC_INVALID, "a list of more than %d", WORDS);
      return in_column(r, v->begin, DLC_INVALID);
    }
    DLC_TRY(read_word(r, "a number", &v->words[v->n_words++]));
  } while (take(r, ','));
  return take(r, ']') ? DLC_OK : unexpected(r, "',' or ']'");
}

static dlc_status read_value(reader *r, value *v)
{
  skip_space(r);
  *v = (value){.begin = r->at};
  DLC_TRY(read_words(r, v));
  if (v->n_words != 1 || *v->begin == '[' || !take(r, '=')) return DLC_OK;
  v->name = v->words[0];
  v->n_words = 0;
  return read_words(r, v);
}

/* ---- steps ---- */

/* The attribute that a value is for; `place` counts values without a name. */
static dlc_status choose(const reader *r, const dlc_transform *t, const value *v, uint32_t *place, uint32_t *index)
{
  if (v->name) {
    for (*index = 0; *index < t->n_attrs; ++*index)
      if (dlc_name_equal(dlc_attr_entry(t->attrs, *index)->name, v->name)) break;
    *place = UINT32_MAX; /* none may follow */
    return DLC_OK;       /* an unknown name is the attribute reader's to complain about */
  }
  if (*place < t->n_attrs) {
    *index = (*place)++;
    return DLC_OK;
  }
  if (*place == UINT32_MAX) dlc_fail(DLC_INVALID, "%s: a value without a name goes before those with one", t->name);
  else if (t->n_attrs == 0) dlc_fail(DLC_INVALID, "%s takes no values", t->name);
  else dlc_fail(DLC_INVALID, "%s takes at most %u values", t->name, t->n_attrs);
  return in_column(r, v->begin, DLC_INVALID);
}

static dlc_status set_value(const reader *r, const dlc_step *step, const value *v, uint32_t *place, bool *given)
{
  const dlc_transform *t = step->transform;
  const dlc_attr_table table = {t->name, t->attrs, t->n_attrs};
  uint32_t index = 0;
  DLC_TRY(choose(r, t, v, place, &index));
  const char *name = index < t->n_attrs ? dlc_attr_entry(t->attrs, index)->name : v->name;
  if (index < t->n_attrs && given[index]) {
    dlc_fail(DLC_INVALID, "%s: `%s` is given twice", t->name, name);
    return in_column(r, v->begin, DLC_INVALID);
  }
  const dlc_status status = dlc_attrs_set(&table, step->attr, name, v->words, v->n_words);
  if (status < 0) return in_column(r, v->begin, status);
  given[index] = true;
  return DLC_OK;
}

static dlc_status read_values(reader *r, const dlc_step *step, bool *given)
{
  uint32_t place = 0;
  if (!take(r, '(') || take(r, ')')) return DLC_OK;
  do {
    value v;
    DLC_TRY(read_value(r, &v));
    DLC_TRY(set_value(r, step, &v, &place, given));
  } while (take(r, ','));
  return take(r, ')') ? DLC_OK : unexpected(r, "',' or ')'");
}

static dlc_status read_step(reader *r, dlc_step *step)
{
  const char *begin = r->at, *name = NULL, *missing;
  DLC_TRY(read_word(r, "the name of a transform", &name));
  dlc_status status = r->finder->find(r->finder->ctx, name, &step->transform);
  if (status < 0) return in_column(r, begin, status);
  const dlc_transform *t = step->transform;
  const dlc_attr_table table = {t->name, t->attrs, t->n_attrs};
  bool *given = dlc_arena_alloc(&r->pipeline->arena, (t->n_attrs + 1) * sizeof *given);
  step->attr = dlc_arena_alloc(&r->pipeline->arena, (size_t)t->attr_size + 1);
  if (!given || !step->attr) return dlc_fail_nomem();
  status = dlc_attrs_defaults(&table, step->attr, &missing);
  if (status < 0) return in_column(r, begin, status);
  DLC_TRY(read_values(r, step, given));
  for (uint32_t i = 0; i < t->n_attrs; i++) {
    const dlc_attr *a = dlc_attr_entry(t->attrs, i);
    if (a->def || given[i]) continue;
    dlc_fail(DLC_INVALID, "%s needs `%s` (%s)", t->name, a->name, a->help ? a->help : "");
    return in_column(r, begin, DLC_INVALID);
  }
  return DLC_OK;
}

static dlc_status read_list(reader *r)
{
  dlc_pipeline *p = r->pipeline;
  p->steps = dlc_arena_alloc(&p->arena, STEPS * sizeof *p->steps);
  if (!p->steps) return dlc_fail_nomem();
  for (skip_space(r); *r->at; skip_space(r)) {
    if (p->n_steps == STEPS) {
      dlc_fail(DLC_INVALID, "more than %d transforms", STEPS);
      return in_column(r, r->at, DLC_INVALID);
    }
    DLC_TRY(read_step(r, &p->steps[p->n_steps]));
    p->n_steps++;
  }
  return DLC_OK;
}

dlc_status dlc_pipeline_parse(const char *text, const dlc_transform_finder *finder, dlc_pipeline **pipeline)
{
  *pipeline = calloc(1, sizeof **pipeline);
  if (!*pipeline) return dlc_fail_nomem();
  (*pipeline)->host = finder->host;
  reader r = {text, text, finder, *pipeline};
  const dlc_status status = read_list(&r);
  if (status >= 0) return DLC_OK;
  dlc_pipeline_free(*pipeline);
  *pipeline = NULL;
  return status;
}

void dlc_pipeline_free(dlc_pipeline *p)
{
  if (!p) return;
  dlc_arena_free(&p->arena);
  free(p);
}
