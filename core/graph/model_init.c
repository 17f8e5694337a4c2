/* `init` in a model file:
 *
 *   xavier_uniform   or   {normal: {std: 0.01}}                how the weights begin
 *   {weight: xavier_uniform, bias: {constant: 0.1}}             how these tensors of the layer do
 *   {conv2d: kaiming_normal, linear: {bias: zeros}}             at the top of the file: either, for a kind of layer */
#include "base/status.h"
#include "graph/model_scope.h"
#include <string.h>

/* A name alone, or with its arguments. */
static bool is_initializer(const dlc_tree *t)
{
  return t->kind == DLC_TREE_TEXT || (t->kind == DLC_TREE_MAP && t->n == 1 && dlc_initializer_meant(t->first->key));
}

static uint32_t count_rules(const dlc_tree *t)
{
  return is_initializer(t) ? 1 : t->n;
}

static dlc_status at(const dlc_expansion *e, const dlc_tree *t, dlc_status status)
{
  return status < 0 ? dlc_fail_in(status, "%s:%u:%u", e->m->origin, t->at_line, t->at_column) : DLC_OK;
}

static dlc_status set_argument(const dlc_expansion *e, const dlc_scope *s, const char *name, const dlc_tree *value,
                               dlc_initializer *i)
{
  dlc_words words;
  DLC_TRY(dlc_scope_words(e, s, value, &words));
  return at(e, value, dlc_initializer_set(i, name, words.words, words.count));
}

static dlc_status read_initializer(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *t, dlc_initializer *i)
{
  const bool map = t->kind == DLC_TREE_MAP;
  const dlc_tree *args = map ? t->first : NULL;
  const char *name, *missing;
  if (!is_initializer(t))
    return dlc_model_fail(e->m, t->at_line, t->at_column, "expected `kaiming_normal`, `{normal: {std: 0.01}}` or such");
  if (map) name = args->key;
  else DLC_TRY(dlc_scope_word(e, s, t, "the name of an initialisation", &name));
  DLC_TRY(at(e, t, dlc_initializer_named(name, i, &missing)));
  if (args && (args->null || (args->kind == DLC_TREE_MAP && !args->n))) args = NULL;
  if (!args && missing) return dlc_model_fail(e->m, t->at_line, t->at_column, "%s needs `%s`", name, missing);
  if (args && args->kind != DLC_TREE_MAP) DLC_TRY(set_argument(e, s, "", args, i));
  else
    for (const dlc_tree *a = args ? args->first : NULL; a; a = a->next) DLC_TRY(set_argument(e, s, a->key, a, i));
  return at(e, t, dlc_initializer_check(i));
}

static dlc_status add_rule(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *t, const char *layer,
                           const char *tensor, dlc_init_rule *rule)
{
  *rule = (dlc_init_rule){.layer = layer, .tensor = tensor, .line = t->at_line, .column = t->at_column};
  return read_initializer(e, s, t, &rule->initializer);
}

/* Of one layer, or of one kind. */
static dlc_status add_rules(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *t, const char *layer,
                            dlc_init_rule *rules, uint32_t *n)
{
  if (is_initializer(t)) return add_rule(e, s, t, layer, NULL, &rules[(*n)++]);
  if (t->kind != DLC_TREE_MAP || t->n == 0)
    return dlc_model_fail(e->m, t->at_line, t->at_column,
                          "expected `kaiming_normal`, `{weight: ..., bias: ...}` or such");
  for (const dlc_tree *c = t->first; c; c = c->next) DLC_TRY(add_rule(e, s, c, layer, c->key, &rules[(*n)++]));
  return DLC_OK;
}

dlc_status dlc_scope_inits(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *init, bool of_model,
                           const dlc_init_rule **rules, uint32_t *n)
{
  const bool kinds = of_model && init->kind == DLC_TREE_MAP && init->n && !is_initializer(init);
  uint32_t room = count_rules(init) + 1;
  for (const dlc_tree *c = kinds ? init->first : NULL; c; c = c->next) room += count_rules(c);
  dlc_init_rule *list = dlc_arena_alloc(&e->m->arena, room * sizeof *list);
  if (!list) return dlc_fail_nomem();
  *rules = list;
  *n = 0;
  if (!kinds) return add_rules(e, s, init, NULL, list, n);
  for (const dlc_tree *c = init->first; c; c = c->next) DLC_TRY(add_rules(e, s, c, c->key, list, n));
  return DLC_OK;
}
