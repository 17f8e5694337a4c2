/* Reading a model file: its name, its blocks, its layers. */
#include "graph/model.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/status.h"
#include "graph/model_scope.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_BYTES_MAX = 1 << 20, PARAMETERS_MAX = 32 };

dlc_status dlc_model_fail(const dlc_model *m, unsigned line, unsigned column, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  dlc_vfail(DLC_INVALID, format, args);
  va_end(args);
  return dlc_fail_in(DLC_INVALID, "%s:%u:%u", m->origin, line, column);
}

static dlc_status fail_at(const dlc_model *m, const dlc_tree *at, const char *what)
{
  return dlc_model_fail(m, at->at_line, at->at_column, "%s", what);
}

static bool is_identifier(const char *text)
{
  if (isdigit((unsigned char)*text)) return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return *text == '\0';
}

static bool is_one_of(const char *text, const char *const *words)
{
  for (; *words; words++)
    if (strcmp(text, *words) == 0) return true;
  return false;
}

static dlc_status check_parameters(const dlc_model *m, const dlc_block_text *block)
{
  static const char *const taken[] = {"name", "from", "index", NULL};
  if (block->parameters->kind != DLC_TREE_MAP || block->parameters->n > PARAMETERS_MAX)
    return fail_at(m, block->parameters,
                   "expected parameters with their defaults: {channels: , stride: 1}, at most 32");
  for (const dlc_tree *t = block->parameters->first; t; t = t->next) {
    if (!is_identifier(t->key) || is_one_of(t->key, taken))
      return dlc_model_fail(m, t->line, t->column, "a parameter can't be called `%s`", t->key);
    if (!dlc_scope_mentions(block->layers, t->key))
      return dlc_model_fail(m, t->line, t->column, "block `%s` never uses its parameter `%s`", block->name, t->key);
  }
  return DLC_OK;
}

static dlc_status read_block(dlc_model *m, const dlc_tree *node)
{
  static const char *const taken[] = {"repeat", "residual", "parallel", "sequence", NULL};
  dlc_block_text *block = &m->blocks[m->n_blocks++];
  if (is_one_of(node->key, taken) || strchr(node->key, '$'))
    return dlc_model_fail(m, node->line, node->column, "a block can't be called `%s`", node->key);
  if (node->kind != DLC_TREE_MAP) return fail_at(m, node, "expected a block: {parameters: {...}, layers: [...]}");
  *block = (dlc_block_text){
      .name = node->key, .parameters = dlc_tree_find(node, "parameters"), .layers = dlc_tree_find(node, "layers")};
  for (const dlc_tree *t = node->first; t; t = t->next)
    if (t != block->parameters && t != block->layers)
      return dlc_model_fail(m, t->line, t->column, "unknown key `%s`; a block has `parameters` and `layers`", t->key);
  if (!block->layers) return dlc_model_fail(m, node->line, node->column, "block `%s` has no `layers`", node->key);
  if (block->layers->kind != DLC_TREE_LIST || block->layers->n == 0)
    return fail_at(m, block->layers, "expected a list of layers");
  return block->parameters ? check_parameters(m, block) : DLC_OK;
}

static dlc_status read_blocks(dlc_model *m, const dlc_tree *map)
{
  if (map->kind != DLC_TREE_MAP) return fail_at(m, map, "`blocks` must be a map of names and blocks");
  m->blocks = dlc_arena_alloc(&m->arena, (map->n + 1) * sizeof *m->blocks);
  if (!m->blocks) return dlc_fail_nomem();
  for (const dlc_tree *t = map->first; t; t = t->next) DLC_TRY(read_block(m, t));
  return DLC_OK;
}

static dlc_status read_key(dlc_model *m, const dlc_tree *t)
{
  if (strcmp(t->key, "layers") == 0) {
    if (t->kind != DLC_TREE_LIST) return fail_at(m, t, "`layers` must be a list");
    return t->n ? DLC_OK : fail_at(m, t, "`layers` is empty");
  }
  if (strcmp(t->key, "blocks") == 0) return read_blocks(m, t);
  if (strcmp(t->key, "name") == 0) {
    if (t->kind != DLC_TREE_TEXT || !*t->text) return fail_at(m, t, "expected a name");
    m->name = t->text;
    return DLC_OK;
  }
  if (strcmp(t->key, "classes") == 0) {
    if (t->kind == DLC_TREE_TEXT && dlc_parse_int(t->text, &m->classes) && m->classes >= 1 && m->classes <= INT32_MAX)
      return DLC_OK;
    return fail_at(m, t, "expected a number of classes");
  }
  if (strcmp(t->key, "init") == 0)
    return dlc_scope_inits(&(dlc_expansion){.m = m}, &(dlc_scope){.bindings = NULL}, t, true, &m->inits, &m->n_inits);
  return dlc_model_fail(m, t->line, t->column,
                        "unknown key `%s`; a model has `name`, `classes`, `init`, `blocks` and `layers`", t->key);
}

static dlc_status read_root(dlc_model *m, const dlc_tree *root)
{
  if (!root) return dlc_fail(DLC_INVALID, "%s: the file is empty; expected `layers:`", m->origin);
  if (root->kind != DLC_TREE_MAP) return fail_at(m, root, "expected `layers:`");
  for (const dlc_tree *t = root->first; t; t = t->next) DLC_TRY(read_key(m, t));
  const dlc_tree *layers = dlc_tree_find(root, "layers");
  return layers ? dlc_model_expand(m, layers) : dlc_fail(DLC_INVALID, "%s: no `layers:`", m->origin);
}

/* lenet from /somewhere/lenet.yaml */
static char *name_from_path(dlc_arena *arena, const char *path)
{
  const char *slash = strrchr(path, '/');
  char *name = dlc_arena_strdup(arena, slash ? slash + 1 : path);
  char *dot = name ? strrchr(name, '.') : NULL;
  if (dot && dot != name) *dot = '\0';
  return name;
}

static dlc_status parse(dlc_model *m, const char *text, size_t length, const char *origin)
{
  const dlc_tree *root;
  char *copy = dlc_arena_alloc(&m->arena, length + 1);
  m->origin = dlc_arena_strdup(&m->arena, origin);
  m->name = name_from_path(&m->arena, origin);
  if (!copy || !m->origin || !m->name) return dlc_fail_nomem();
  memcpy(copy, text, length);
  m->text = copy;
  DLC_TRY(dlc_tree_parse(&m->arena, text, length, m->origin, &root));
  return read_root(m, root);
}

dlc_status dlc_model_parse(const char *text, size_t length, const char *origin, dlc_model **model)
{
  *model = NULL;
  dlc_model *m = calloc(1, sizeof *m);
  if (!m) return dlc_fail_nomem();
  dlc_status status = parse(m, text, length, origin);
  if (status < 0) dlc_model_free(m);
  else *model = m;
  return status;
}

dlc_status dlc_model_read(const char *path, dlc_model **model)
{
  char *text;
  size_t length;
  *model = NULL;
  DLC_TRY(dlc_read_file(path, MODEL_BYTES_MAX, &text, &length));
  dlc_status status = dlc_model_parse(text, length, path, model);
  free(text);
  return status;
}

void dlc_model_free(dlc_model *model)
{
  if (!model) return;
  free(model->layers);
  dlc_arena_free(&model->arena);
  free(model);
}

const char *dlc_model_name(const dlc_model *model)
{
  return model->name;
}

const char *dlc_model_text(const dlc_model *model)
{
  return model->text;
}
