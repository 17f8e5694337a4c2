/* Names are looked up from the inside to the outside; parameters are replaced wherever a text has "$NAME". */
#include "graph/model_scope.h"
#include "base/names.h"
#include "base/status.h"
#include "base/str.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters ---- */

static size_t word_length(const char *text)
{
  size_t n = 0;
  while (isalnum((unsigned char)text[n]) || text[n] == '_') n++;
  return isdigit((unsigned char)*text) ? 0 : n;
}

bool dlc_scope_mentions(const dlc_tree *tree, const char *name)
{
  for (const dlc_tree *t = tree->first; t; t = t->next)
    if (dlc_scope_mentions(t, name)) return true;
  for (const char *at = tree->text ? strchr(tree->text, '$') : NULL; at; at = strchr(at + 1, '$'))
    if (word_length(at + 1) == strlen(name) && strncmp(at + 1, name, strlen(name)) == 0) return true;
  return false;
}

static dlc_status fail_parameter(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *at, const char *name,
                                 size_t length)
{
  const char *known[64];
  size_t n = 0;
  char given[64];
  if (length == 0) return dlc_model_fail(e->m, at->at_line, at->at_column, "expected the name of a parameter after $");
  for (const dlc_binding *b = s->bindings; b && n < 64; b = b->next) known[n++] = b->name;
  if (length >= sizeof given) length = sizeof given - 1;
  memcpy(given, name, length);
  given[length] = '\0';
  const int near = dlc_nearest(given, known, n);
  if (near >= 0)
    return dlc_model_fail(e->m, at->at_line, at->at_column, "no parameter is called $%s; did you mean $%s?", given,
                          known[near]);
  return dlc_model_fail(e->m, at->at_line, at->at_column, "no parameter is called $%s here", given);
}

static dlc_status find_binding(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *at, const char *name,
                               const dlc_binding **binding)
{
  const size_t n = word_length(name);
  for (const dlc_binding *b = s->bindings; b && n; b = b->next)
    if (strlen(b->name) == n && strncmp(b->name, name, n) == 0) {
      *binding = b;
      return DLC_OK;
    }
  return fail_parameter(e, s, at, name, n);
}

/* A text of which parameters are parts: "conv$index". */
static dlc_status replace_parts(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, dlc_words *words)
{
  dlc_str text = {0};
  dlc_status status = DLC_OK;
  const char *rest = value->text, *dollar;
  for (; status >= 0 && (dollar = strchr(rest, '$')); rest = dollar + 1 + word_length(dollar + 1)) {
    const dlc_binding *b = NULL;
    dlc_str_addn(&text, rest, (size_t)(dollar - rest));
    status = find_binding(e, s, value, dollar + 1, &b);
    if (status >= 0 && b->value.count != 1)
      status = dlc_model_fail(e->m, value->at_line, value->at_column, "$%s is a list, expected one value", b->name);
    if (status >= 0) dlc_str_add(&text, b->value.words[0]);
    if (text.length > DLC_NAME_MAX)
      status = dlc_model_fail(e->m, value->at_line, value->at_column, "a value of more than %d bytes", DLC_NAME_MAX);
  }
  dlc_str_add(&text, rest);
  words->words[0] = status < 0 || !dlc_str_ok(&text) ? NULL : dlc_arena_strdup(&e->m->arena, dlc_str_get(&text));
  dlc_str_free(&text);
  if (status < 0) return status;
  words->count = 1;
  return words->words[0] ? DLC_OK : dlc_fail_nomem();
}

static dlc_status text_words(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, dlc_words *words)
{
  const dlc_binding *b = NULL;
  *words = (dlc_words){.words = {value->text}, .count = 1, .line = value->at_line, .column = value->at_column};
  if (!*value->text) return dlc_model_fail(e->m, value->at_line, value->at_column, "an empty value");
  if (!strchr(value->text, '$')) return DLC_OK;
  if (*value->text != '$' || value->text[1 + word_length(value->text + 1)]) return replace_parts(e, s, value, words);
  DLC_TRY(find_binding(e, s, value, value->text + 1, &b));
  words->count = b->value.count;
  memcpy(words->words, b->value.words, sizeof words->words);
  if (b->value.line) words->line = b->value.line, words->column = b->value.column;
  return DLC_OK;
}

dlc_status dlc_scope_words(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, dlc_words *words)
{
  if (value->kind == DLC_TREE_TEXT) return text_words(e, s, value, words);
  if (value->kind != DLC_TREE_LIST)
    return dlc_model_fail(e->m, value->at_line, value->at_column, "expected a value or a list of values");
  *words = (dlc_words){.line = value->at_line, .column = value->at_column};
  if (value->n == 0) return dlc_model_fail(e->m, words->line, words->column, "an empty list");
  if (value->n > DLC_ARG_WORDS)
    return dlc_model_fail(e->m, words->line, words->column, "a list of more than %d values", DLC_ARG_WORDS);
  for (const dlc_tree *t = value->first; t; t = t->next)
    DLC_TRY(dlc_scope_word(e, s, t, "a value", &words->words[words->count++]));
  return DLC_OK;
}

dlc_status dlc_scope_word(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *value, const char *what,
                          const char **word)
{
  dlc_words words = {.count = 0};
  if (value->kind == DLC_TREE_TEXT) DLC_TRY(text_words(e, s, value, &words));
  *word = words.words[0];
  return words.count == 1 ? DLC_OK : dlc_model_fail(e->m, value->at_line, value->at_column, "expected %s", what);
}

/* ---- names ---- */

/* What tensors may be called in any file and on any terminal. */
static bool is_name(const char *name)
{
  bool inside = false;
  for (; *name; name++) {
    if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-' && (*name != '.' || !inside)) return false;
    inside = *name != '.';
  }
  return inside;
}

dlc_status dlc_scope_name(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *given, const dlc_tree *at,
                          uint32_t position, const char **name)
{
  const char *own;
  if (!given) {
    *name = dlc_arena_printf(&e->m->arena, "%s%u", s->numbers, position);
  } else {
    at = given;
    DLC_TRY(dlc_scope_word(e, s, given, "a name", &own));
    if (!is_name(own) || strcmp(own, "input") == 0)
      return dlc_model_fail(e->m, at->at_line, at->at_column,
                            "`%s` is no name; letters, digits, _ and - are, joined by dots, but not `input`", own);
    *name = dlc_arena_printf(&e->m->arena, "%s%s", s->names, own);
  }
  if (*name && strlen(*name) > DLC_NAME_MAX)
    return dlc_model_fail(e->m, at->at_line, at->at_column, "a name of more than %d bytes", DLC_NAME_MAX);
  return *name ? DLC_OK : dlc_fail_nomem();
}

static const dlc_known *find_known(const dlc_expansion *e, const char *name)
{
  const uint32_t hash = dlc_name_hash(name);
  for (uint32_t i = 0; i < e->n_known; i++)
    if (e->known[i].hash == hash && strcmp(e->known[i].name, name) == 0) return &e->known[i];
  return NULL;
}

dlc_status dlc_scope_add(dlc_expansion *e, const dlc_known *known)
{
  const dlc_known *before = find_known(e, known->name);
  if (before) {
    const bool itself = before->line == known->line && before->column == known->column;
    return dlc_model_fail(e->m, known->line, known->column, "`%s` is already the name of %s%s", known->name,
                          before->group ? "a group of layers" : "a layer",
                          itself ? "; what is repeated, or used twice, needs a name of its own: $index counts repeats"
                                 : " further up");
  }
  if (e->n_known == DLC_LAYERS_MAX)
    return dlc_model_fail(e->m, known->line, known->column, "more than %d layers and groups, repeats written out",
                          DLC_LAYERS_MAX);
  if (e->n_known == e->known_capacity) {
    const uint32_t larger = e->known_capacity ? 2 * e->known_capacity : 64;
    dlc_known *moved = realloc(e->known, larger * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    e->known = moved;
    e->known_capacity = larger;
  }
  e->known[e->n_known] = *known;
  e->known[e->n_known++].hash = dlc_name_hash(known->name);
  return DLC_OK;
}

static dlc_status fail_unknown(const dlc_expansion *e, const dlc_scope *s, const dlc_words *words, const char *name)
{
  const size_t prefix = strlen(s->names);
  const char **names = malloc((e->n_known + 1) * sizeof *names);
  size_t n = 0;
  if (!names) return dlc_fail_nomem();
  for (uint32_t i = 0; i < e->n_known; i++) {
    const char *known = e->known[i].name;
    names[n++] = strncmp(known, s->names, prefix) == 0 ? known + prefix : known;
  }
  const int near = dlc_nearest(name, names, n);
  dlc_status status =
      dlc_model_fail(e->m, words->line, words->column, "no layer further up is called `%s`%s%s%s", name,
                     near >= 0 ? "; did you mean `" : "", near >= 0 ? names[near] : "", near >= 0 ? "`?" : "");
  free(names);
  return status;
}

/* In "layer1.0." first, then in "layer1.", then as the whole name. */
static dlc_status resolve(const dlc_expansion *e, const dlc_scope *s, const dlc_words *words, const char *name,
                          const dlc_known **known)
{
  char full[3 * DLC_NAME_MAX];
  size_t prefix = strlen(s->numbers), length = strlen(name);
  if (length > DLC_NAME_MAX) return fail_unknown(e, s, words, name);
  for (;;) {
    memcpy(full, s->numbers, prefix);
    memcpy(full + prefix, name, length + 1);
    if ((*known = find_known(e, full))) return DLC_OK;
    if (prefix == 0) return fail_unknown(e, s, words, name);
    for (prefix--; prefix && s->numbers[prefix - 1] != '.';) prefix--;
  }
}

dlc_status dlc_scope_from(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *from, uint32_t current,
                          uint32_t *layers, uint32_t *n)
{
  dlc_words words;
  layers[0] = current;
  *n = 1;
  if (!from) return DLC_OK;
  DLC_TRY(dlc_scope_words(e, s, from, &words));
  *n = words.count;
  for (uint32_t i = 0; i < words.count; i++) {
    const dlc_known *known = NULL;
    if (strcmp(words.words[i], "input") != 0) DLC_TRY(resolve(e, s, &words, words.words[i], &known));
    layers[i] = known ? known->layer : s->input;
  }
  return DLC_OK;
}

dlc_status dlc_scope_share(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *share, uint32_t *layer)
{
  dlc_words words = {.line = share->at_line, .column = share->at_column};
  const dlc_known *known = NULL;
  const char *name;
  DLC_TRY(dlc_scope_word(e, s, share, "the name of a layer", &name));
  DLC_TRY(resolve(e, s, &words, name, &known));
  if (known->group)
    return dlc_model_fail(e->m, words.line, words.column, "`%s` is a group; only a single layer can be shared", name);
  *layer = known->layer;
  return DLC_OK;
}
