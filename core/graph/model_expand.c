/* Writing out: blocks, repeats, branches and groups become one list of layers, each of which says which it reads.
 * Every construct makes at least one layer, so the limit on their number limits the work. */
#include "base/names.h"
#include "base/parse.h"
#include "base/status.h"
#include "graph/model_scope.h"
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, TIMES_MAX = DLC_LAYERS_MAX, BRANCHES_MAX = DLC_MAX_IN };

/* One entry of a list of layers: "op", "op: value" or "op: {...}". */
typedef struct entry {
  const dlc_tree *at;
  const char *op;       /* also a block, or one of the words below */
  const dlc_tree *args; /* a value, a list of values or a map; NULL: nothing came */
  uint32_t position;    /* in its list */
} entry;

static dlc_status expand_list(dlc_expansion *e, dlc_scope s, const dlc_tree *list, uint32_t *position,
                              uint32_t *current);

/* ---- arguments ---- */

static const dlc_tree *argument(const entry *n, const char *name)
{
  return n->args && n->args->kind == DLC_TREE_MAP ? dlc_tree_find(n->args, name) : NULL;
}

/* The map's keys are among `known` (up to a NULL). */
static dlc_status check_keys(const dlc_expansion *e, const char *owner, const dlc_tree *map, const char *const *known)
{
  size_t n = 0;
  while (known[n]) n++;
  for (const dlc_tree *t = map->first; t; t = t->next) {
    bool found = false;
    for (size_t i = 0; i < n; i++) found |= strcmp(t->key, known[i]) == 0;
    if (found) continue;
    const int near = dlc_nearest(t->key, known, n);
    return dlc_model_fail(e->m, t->line, t->column, "%s has no `%s`%s%s%s", owner, t->key,
                          near >= 0 ? "; did you mean `" : "", near >= 0 ? known[near] : "", near >= 0 ? "`?" : "");
  }
  return DLC_OK;
}

/* `layers` of a construct: `owner: [...]` or `owner: {layers: [...], ...}`. */
static dlc_status read_layers(const dlc_expansion *e, const char *owner, const dlc_tree *at, const dlc_tree *args,
                              const char *const *known, const dlc_tree **layers)
{
  *layers = args;
  if (args && args->kind == DLC_TREE_MAP) {
    DLC_TRY(check_keys(e, owner, args, known));
    *layers = dlc_tree_find(args, "layers");
  }
  if (!*layers) return dlc_model_fail(e->m, at->line, at->column, "%s needs `layers`", owner);
  if ((*layers)->kind != DLC_TREE_LIST || (*layers)->n == 0)
    return dlc_model_fail(e->m, (*layers)->at_line, (*layers)->at_column, "expected a list of layers");
  return DLC_OK;
}

static dlc_status one_from(const dlc_expansion *e, const dlc_scope *s, const entry *n, uint32_t current,
                           uint32_t *layer)
{
  const dlc_tree *from = argument(n, "from");
  uint32_t layers[DLC_ARG_WORDS], count;
  DLC_TRY(dlc_scope_from(e, s, from, current, layers, &count));
  *layer = layers[0];
  if (count == 1) return DLC_OK;
  return dlc_model_fail(e->m, from->at_line, from->at_column, "`%s` reads one layer, %u came", n->op, count);
}

/* ---- layers ---- */

static dlc_status add_layer(dlc_expansion *e, const entry *n, const dlc_layer_text *layer, uint32_t *index)
{
  dlc_model *m = e->m;
  if (m->n_layers == e->layer_capacity) {
    const uint32_t larger = e->layer_capacity ? 2 * e->layer_capacity : 32;
    dlc_layer_text *moved = realloc(m->layers, larger * sizeof *moved);
    if (!moved) return dlc_fail_nomem();
    m->layers = moved;
    e->layer_capacity = larger;
  }
  *index = m->n_layers;
  m->layers[m->n_layers++] = *layer;
  if (!layer->prefix) m->layers[*index].prefix = dlc_arena_printf(&m->arena, "%s.", layer->name);
  if (!m->layers[*index].prefix) return dlc_fail_nomem();
  m->layers[*index].line = n->at->line;
  m->layers[*index].column = n->at->column;
  return dlc_scope_add(
      e, &(dlc_known){.name = layer->name, .layer = *index, .line = n->at->line, .column = n->at->column});
}

static dlc_status add_group(dlc_expansion *e, const entry *n, const char *name, uint32_t last)
{
  return dlc_scope_add(
      e, &(dlc_known){.name = name, .layer = last, .group = true, .line = n->at->line, .column = n->at->column});
}

/* What is not in `not_for_the_op` goes to it. */
static dlc_status read_args(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *args,
                            const char *const *not_for_the_op, dlc_layer_text *layer)
{
  const bool map = args->kind == DLC_TREE_MAP;
  dlc_layer_arg *list = dlc_arena_alloc(&e->m->arena, (map ? args->n : 1) * sizeof *list);
  if (!list) return dlc_fail_nomem();
  layer->args = list;
  for (const dlc_tree *t = map ? args->first : args; t; t = map ? t->next : NULL) {
    bool skip = false;
    for (uint32_t i = 0; map && not_for_the_op[i]; i++) skip |= strcmp(t->key, not_for_the_op[i]) == 0;
    if (skip) continue;
    list[layer->n_args].name = map ? t->key : "";
    DLC_TRY(dlc_scope_words(e, s, t, &list[layer->n_args++].value));
  }
  return DLC_OK;
}

static dlc_status share_layer(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *share, dlc_layer_text *layer)
{
  if (layer->n_args)
    return dlc_model_fail(e->m, layer->args[0].value.line, layer->args[0].value.column,
                          "a layer that shares another's tensors has its arguments, too");
  if (layer->n_inits)
    return dlc_model_fail(e->m, layer->inits[0].line, layer->inits[0].column,
                          "a layer that shares another's tensors has no beginning of its own");
  DLC_TRY(dlc_scope_share(e, s, share, &layer->shared));
  const dlc_layer_text *other = &e->m->layers[layer->shared];
  if (strcmp(other->op, layer->op) != 0)
    return dlc_model_fail(e->m, share->at_line, share->at_column, "`%s` is of %s, expected %s", other->name, other->op,
                          layer->op);
  if (other->shared != DLC_NONE) layer->shared = other->shared;
  layer->args = other->args;
  layer->n_args = other->n_args;
  return DLC_OK;
}

static dlc_status expand_op(dlc_expansion *e, const dlc_scope *s, const entry *n, uint32_t *current)
{
  static const char *const own[] = {"name", "from", "share", "init", NULL};
  dlc_layer_text layer = {.op = n->op, .shared = DLC_NONE};
  const dlc_tree *name = argument(n, "name"), *share = argument(n, "share"), *init = argument(n, "init");
  if (name && name->kind == DLC_TREE_TEXT && strcmp(name->text, ".") == 0) { /* its tensors are the group's own */
    layer.prefix = s->names;
    name = NULL;
  }
  DLC_TRY(dlc_scope_name(e, s, name, n->at, n->position, &layer.name));
  DLC_TRY(dlc_scope_from(e, s, argument(n, "from"), *current, layer.from, &layer.n_from));
  if (n->args) DLC_TRY(read_args(e, s, n->args, own, &layer));
  if (init) DLC_TRY(dlc_scope_inits(e, s, init, false, &layer.inits, &layer.n_inits));
  if (share) DLC_TRY(share_layer(e, s, share, &layer));
  return add_layer(e, n, &layer, current);
}

/* ---- groups ---- */

/* The scope of what stands in a group; a group without a name is called by its number. */
static dlc_status open_group(const dlc_expansion *e, dlc_scope *s, const dlc_tree *given, const entry *n,
                             const char **name)
{
  DLC_TRY(dlc_scope_name(e, s, given, n->at, n->position, name));
  s->names = s->numbers = dlc_arena_printf(&e->m->arena, "%s.", *name);
  return s->names ? DLC_OK : dlc_fail_nomem();
}

static dlc_status expand_sequence(dlc_expansion *e, dlc_scope s, const entry *n, uint32_t *current)
{
  static const char *const keys[] = {"name", "from", "layers", NULL};
  const dlc_tree *layers;
  const char *name;
  uint32_t position = 0;
  DLC_TRY(read_layers(e, n->op, n->at, n->args, keys, &layers));
  DLC_TRY(one_from(e, &s, n, *current, current));
  DLC_TRY(open_group(e, &s, argument(n, "name"), n, &name));
  DLC_TRY(expand_list(e, s, layers, &position, current));
  return add_group(e, n, name, *current);
}

/* As if its layers were written `times` times: they are numbered on. */
static dlc_status expand_repeat(dlc_expansion *e, dlc_scope s, const entry *n, uint32_t *position, uint32_t *current)
{
  static const char *const keys[] = {"times", "layers", NULL};
  const dlc_tree *layers, *times = argument(n, "times");
  const char *word;
  int64_t count;
  DLC_TRY(read_layers(e, n->op, n->at, n->args, keys, &layers));
  if (!times) return dlc_model_fail(e->m, n->at->line, n->at->column, "repeat needs `times`");
  DLC_TRY(dlc_scope_word(e, &s, times, "a number of times", &word));
  if (!dlc_parse_int(word, &count) || count < 1 || count > TIMES_MAX)
    return dlc_model_fail(e->m, times->at_line, times->at_column, "`times: %s`: expected a number from 1 to %d", word,
                          TIMES_MAX);
  dlc_binding index = {.name = "index", .value = {.count = 1}, .next = s.bindings};
  s.bindings = &index;
  for (int64_t i = 0; i < count; i++) {
    index.value.words[0] = dlc_arena_printf(&e->m->arena, "%d", (int)i);
    if (!index.value.words[0]) return dlc_fail_nomem();
    DLC_TRY(expand_list(e, s, layers, position, current));
  }
  return DLC_OK;
}

/* ---- branches ---- */

/* A branch is a list of layers, or {name: ..., layers: [...]}; `label` numbers those without a name. */
static dlc_status expand_branch(dlc_expansion *e, dlc_scope s, const entry *n, const dlc_tree *branch,
                                const char *label, uint32_t *current)
{
  static const char *const keys[] = {"name", "layers", NULL};
  uint32_t position = 0;
  if (branch->kind == DLC_TREE_MAP) {
    const entry group = {.at = branch, .op = "a branch", .args = branch, .position = n->position};
    if (dlc_tree_find(branch, "name")) return expand_sequence(e, s, &group, current);
    DLC_TRY(read_layers(e, "a branch", branch, branch, keys, &branch));
  }
  if (branch->kind != DLC_TREE_LIST)
    return dlc_model_fail(e->m, branch->at_line, branch->at_column, "expected a list of layers");
  if (branch->n == 0) return DLC_OK; /* what comes goes through */
  if (*label) s.numbers = dlc_arena_printf(&e->m->arena, "%s%s.", s.numbers, label);
  return s.numbers ? expand_list(e, s, branch, &position, current) : dlc_fail_nomem();
}

/* The scope of branches: where they have no name of their own, they add to no name, only to numbers. */
static dlc_status open_branches(const dlc_expansion *e, dlc_scope *s, const entry *n, const char **name)
{
  const dlc_tree *given = argument(n, "name");
  const char *names = s->names;
  DLC_TRY(open_group(e, s, given, n, name));
  if (!given) s->names = names;
  return DLC_OK;
}

static dlc_status expand_residual(dlc_expansion *e, dlc_scope s, const entry *n, uint32_t *current)
{
  static const char *const keys[] = {"name", "from", "layers", "shortcut", NULL};
  const dlc_tree *layers, *shortcut = argument(n, "shortcut");
  dlc_layer_text add = {.op = "add", .n_from = 2, .shared = DLC_NONE};
  DLC_TRY(read_layers(e, n->op, n->at, n->args, keys, &layers));
  DLC_TRY(one_from(e, &s, n, *current, current));
  DLC_TRY(open_branches(e, &s, n, &add.name));
  add.from[0] = add.from[1] = *current;
  DLC_TRY(expand_branch(e, s, n, layers, "", &add.from[0]));
  if (shortcut) DLC_TRY(expand_branch(e, s, n, shortcut, "shortcut", &add.from[1]));
  return add_layer(e, n, &add, current);
}

static dlc_status expand_parallel(dlc_expansion *e, dlc_scope s, const entry *n, uint32_t *current)
{
  static const char *const own[] = {"name", "from", "join", "branches", NULL};
  const dlc_scope outside = s;
  const dlc_tree *join = argument(n, "join"), *branches = argument(n, "branches");
  dlc_layer_text last = {.op = "concat", .shared = DLC_NONE};
  if (!branches || branches->kind != DLC_TREE_LIST || branches->n < 2 || branches->n > BRANCHES_MAX)
    return dlc_model_fail(e->m, n->at->line, n->at->column,
                          "parallel needs `branches`: a list of 2 to %d lists of layers", BRANCHES_MAX);
  if (join) DLC_TRY(dlc_scope_word(e, &s, join, "the name of a layer", &last.op));
  DLC_TRY(one_from(e, &s, n, *current, current));
  DLC_TRY(open_branches(e, &s, n, &last.name));
  for (const dlc_tree *t = branches->first; t; t = t->next) {
    const char label[2] = {(char)('0' + last.n_from), '\0'};
    last.from[last.n_from] = *current;
    DLC_TRY(expand_branch(e, s, n, t, label, &last.from[last.n_from++]));
  }
  DLC_TRY(read_args(e, &outside, n->args, own, &last));
  return add_layer(e, n, &last, current);
}

/* ---- blocks ---- */

static const dlc_block_text *find_block(const dlc_model *m, const char *name)
{
  for (uint32_t i = 0; i < m->n_blocks; i++)
    if (strcmp(m->blocks[i].name, name) == 0) return &m->blocks[i];
  return NULL;
}

static dlc_status check_use(const dlc_expansion *e, const dlc_block_text *block, const entry *n)
{
  const char *known[66] = {"name", "from"};
  uint32_t count = 2;
  const dlc_tree *t = block->parameters ? block->parameters->first : NULL;
  for (; t && count < 65; t = t->next) known[count++] = t->key;
  if (n->args && n->args->kind == DLC_TREE_MAP) {
    const char *owner = dlc_arena_printf(&e->m->arena, "block `%s`", block->name);
    return owner ? check_keys(e, owner, n->args, known) : dlc_fail_nomem();
  }
  if (n->args && count == 2)
    return dlc_model_fail(e->m, n->at->line, n->at->column, "block `%s` has no parameters", block->name);
  return DLC_OK;
}

/* The block's parameters: what is given here, else their defaults. */
static dlc_status bind(const dlc_expansion *e, const dlc_scope *s, const dlc_block_text *block, const entry *n,
                       const dlc_binding **bindings)
{
  const bool single = n->args && n->args->kind != DLC_TREE_MAP;
  *bindings = NULL;
  DLC_TRY(check_use(e, block, n));
  for (const dlc_tree *t = block->parameters ? block->parameters->first : NULL; t; t = t->next) {
    const dlc_tree *given = !single ? argument(n, t->key) : t == block->parameters->first ? n->args : NULL;
    const bool none = !given && t->kind == DLC_TREE_TEXT && !*t->text;
    if (none) return dlc_model_fail(e->m, n->at->line, n->at->column, "block `%s` needs `%s`", block->name, t->key);
    dlc_binding *b = dlc_arena_alloc(&e->m->arena, sizeof *b);
    if (!b) return dlc_fail_nomem();
    b->name = t->key;
    b->next = *bindings;
    DLC_TRY(dlc_scope_words(e, given ? s : &(dlc_scope){.bindings = NULL}, given ? given : t, &b->value));
    *bindings = b;
  }
  return DLC_OK;
}

static dlc_status fail_inside_itself(const dlc_expansion *e, const dlc_scope *s, const entry *n)
{
  dlc_status status = dlc_model_fail(e->m, n->at->line, n->at->column, "block `%s` contains itself", n->op);
  if (strcmp(s->inside->block, n->op) == 0) return status;
  return dlc_model_fail(e->m, n->at->line, n->at->column, "block `%s` contains itself, through `%s`", n->op,
                        s->inside->block);
}

static dlc_status expand_block(dlc_expansion *e, dlc_scope s, const dlc_block_text *block, const entry *n,
                               uint32_t *current)
{
  const dlc_inside inside = {block->name, s.inside};
  const dlc_binding *bindings;
  const char *name;
  uint32_t position = 0;
  for (const dlc_inside *i = s.inside; i; i = i->outer)
    if (strcmp(i->block, block->name) == 0) return fail_inside_itself(e, &s, n);
  DLC_TRY(bind(e, &s, block, n, &bindings));
  DLC_TRY(one_from(e, &s, n, *current, current));
  DLC_TRY(open_group(e, &s, argument(n, "name"), n, &name));
  s.bindings = bindings;
  s.inside = &inside;
  s.input = *current;
  DLC_TRY(expand_list(e, s, block->layers, &position, current));
  return add_group(e, n, name, *current);
}

/* ---- lists ---- */

static dlc_status read_entry(const dlc_expansion *e, const dlc_scope *s, const dlc_tree *node, entry *n)
{
  const bool map = node->kind == DLC_TREE_MAP;
  *n = (entry){.at = node};
  if (map ? node->n != 1 : node->kind != DLC_TREE_TEXT || !*node->text)
    return dlc_model_fail(e->m, node->at_line, node->at_column, "expected a layer: `relu` or `conv2d: {...}`");
  if (!map) return dlc_scope_word(e, s, node, "a layer", &n->op);
  const dlc_tree head = {
      .kind = DLC_TREE_TEXT, .text = node->first->key, .at_line = node->first->line, .at_column = node->first->column};
  if (node->first->kind != DLC_TREE_TEXT || *node->first->text) n->args = node->first;
  return dlc_scope_word(e, s, &head, "a layer", &n->op);
}

static dlc_status expand_entry(dlc_expansion *e, const dlc_scope *s, entry *n, uint32_t *position, uint32_t *current)
{
  if (strcmp(n->op, "repeat") == 0) return expand_repeat(e, *s, n, position, current);
  n->position = (*position)++;
  const dlc_block_text *block = find_block(e->m, n->op);
  if (block) return expand_block(e, *s, block, n, current);
  if (strcmp(n->op, "sequence") == 0) return expand_sequence(e, *s, n, current);
  if (strcmp(n->op, "residual") == 0) return expand_residual(e, *s, n, current);
  if (strcmp(n->op, "parallel") == 0) return expand_parallel(e, *s, n, current);
  return expand_op(e, s, n, current);
}

static dlc_status expand_list(dlc_expansion *e, dlc_scope s, const dlc_tree *list, uint32_t *position,
                              uint32_t *current)
{
  if (s.depth++ == DEPTH_MAX)
    return dlc_model_fail(e->m, list->at_line, list->at_column, "groups of layers in more than %d levels", DEPTH_MAX);
  for (const dlc_tree *t = list->first; t; t = t->next) {
    entry n;
    DLC_TRY(read_entry(e, &s, t, &n));
    DLC_TRY(expand_entry(e, &s, &n, position, current));
  }
  return DLC_OK;
}

/* A layer that nothing reads is a slip: `from` goes past it. */
static dlc_status check_all_read(const dlc_model *m)
{
  bool *read = calloc(m->n_layers, sizeof *read);
  dlc_status status = DLC_OK;
  if (!read) return dlc_fail_nomem();
  read[m->output] = true;
  for (uint32_t i = 0; i < m->n_layers; i++)
    for (uint32_t k = 0; k < m->layers[i].n_from; k++)
      if (m->layers[i].from[k] != DLC_NONE) read[m->layers[i].from[k]] = true;
  for (uint32_t i = 0; i < m->n_layers && status >= 0; i++)
    if (!read[i])
      status = dlc_model_fail(m, m->layers[i].line, m->layers[i].column, "nothing reads layer `%s`", m->layers[i].name);
  free(read);
  return status;
}

dlc_status dlc_model_expand(dlc_model *m, const dlc_tree *layers)
{
  dlc_expansion e = {.m = m};
  uint32_t position = 0;
  m->output = DLC_NONE;
  dlc_status status =
      expand_list(&e, (dlc_scope){.names = "", .numbers = "", .input = DLC_NONE}, layers, &position, &m->output);
  free(e.known);
  return status < 0 ? status : check_all_read(m);
}
