/* Reading a model file: YAML through libyaml into a list of layers with their arguments still as text. */
#include "base/file.h"
#include "base/status.h"
#include "graph/model_text.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MODEL_BYTES_MAX = 1 << 20 };

static dlc_status fail_at(const dlc_model *m, const yaml_mark_t *mark, const char *what)
{
  return dlc_fail(DLC_INVALID, "%s:%zu:%zu: %s", m->origin, mark->line + 1, mark->column + 1, what);
}

static dlc_status scalar_text(dlc_model *m, const yaml_node_t *node, const char *what, const char **text)
{
  if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0) return fail_at(m, &node->start_mark, what);
  if (strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
    return fail_at(m, &node->start_mark, "a NUL character");
  *text = dlc_arena_strdup(&m->arena, (const char *)node->data.scalar.value);
  return *text ? DLC_OK : dlc_fail_nomem();
}

/* One value or a flat list of values. */
static dlc_status read_words(dlc_model *m, yaml_document_t *doc, yaml_node_t *node, dlc_layer_arg *arg)
{
  if (node->type == YAML_SCALAR_NODE) {
    arg->count = 1;
    return scalar_text(m, node, "an empty value", &arg->words[0]);
  }
  if (node->type != YAML_SEQUENCE_NODE) return fail_at(m, &node->start_mark, "expected a value or a list of values");
  yaml_node_item_t *item = node->data.sequence.items.start;
  for (; item < node->data.sequence.items.top; item++) {
    if (arg->count == DLC_ARG_WORDS) return fail_at(m, &node->start_mark, "a list of more than 4 values");
    DLC_TRY(scalar_text(m, yaml_document_get_node(doc, *item), "expected a value", &arg->words[arg->count++]));
  }
  return arg->count ? DLC_OK : fail_at(m, &node->start_mark, "an empty list");
}

static dlc_status add_arg(dlc_model *m, dlc_layer_text *layer, const yaml_mark_t *mark, dlc_layer_arg **arg)
{
  if (layer->n_args == DLC_LAYER_ARGS) return fail_at(m, mark, "too many arguments");
  *arg = &layer->args[layer->n_args++];
  **arg = (dlc_layer_arg){.line = (unsigned)mark->line + 1, .column = (unsigned)mark->column + 1};
  return DLC_OK;
}

static dlc_status read_args(dlc_model *m, yaml_document_t *doc, yaml_node_t *map, dlc_layer_text *layer)
{
  yaml_node_pair_t *pair = map->data.mapping.pairs.start;
  for (; pair < map->data.mapping.pairs.top; pair++) {
    yaml_node_t *key = yaml_document_get_node(doc, pair->key), *value = yaml_document_get_node(doc, pair->value);
    const char *name;
    dlc_layer_arg *arg = NULL;
    DLC_TRY(scalar_text(m, key, "expected the name of an argument", &name));
    for (uint32_t i = 0; i < layer->n_args; i++)
      if (strcmp(layer->args[i].name, name) == 0) return fail_at(m, &key->start_mark, "this argument is given twice");
    if (strcmp(name, "name") == 0) {
      if (layer->name) return fail_at(m, &key->start_mark, "`name` is given twice");
      DLC_TRY(scalar_text(m, value, "expected a name", &layer->name));
      continue;
    }
    DLC_TRY(add_arg(m, layer, &key->start_mark, &arg));
    arg->name = name;
    DLC_TRY(read_words(m, doc, value, arg));
  }
  return DLC_OK;
}

/* `relu`, `max_pool2d: 2` or `conv2d: {out_channels: 6, ...}`. */
static dlc_status read_layer(dlc_model *m, yaml_document_t *doc, yaml_node_t *node, dlc_layer_text *layer)
{
  static const char expected[] = "expected a layer: `relu` or `conv2d: {...}`";
  layer->line = (unsigned)node->start_mark.line + 1;
  layer->column = (unsigned)node->start_mark.column + 1;
  if (node->type == YAML_SCALAR_NODE) return scalar_text(m, node, expected, &layer->op);
  if (node->type != YAML_MAPPING_NODE || node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1)
    return fail_at(m, &node->start_mark, expected);
  yaml_node_pair_t *pair = node->data.mapping.pairs.start;
  DLC_TRY(scalar_text(m, yaml_document_get_node(doc, pair->key), expected, &layer->op));
  yaml_node_t *value = yaml_document_get_node(doc, pair->value);
  if (value->type == YAML_MAPPING_NODE) return read_args(m, doc, value, layer);
  dlc_layer_arg *arg = NULL;
  DLC_TRY(add_arg(m, layer, &value->start_mark, &arg));
  arg->name = ""; /* the op's first attribute */
  return read_words(m, doc, value, arg);
}

static dlc_status read_layers(dlc_model *m, yaml_document_t *doc, yaml_node_t *list)
{
  if (list->type != YAML_SEQUENCE_NODE) return fail_at(m, &list->start_mark, "`layers` must be a list");
  size_t n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
  if (n == 0) return fail_at(m, &list->start_mark, "`layers` is empty");
  m->layers = dlc_arena_alloc(&m->arena, n * sizeof *m->layers);
  if (!m->layers) return dlc_fail_nomem();
  for (size_t i = 0; i < n; i++) {
    yaml_node_t *node = yaml_document_get_node(doc, list->data.sequence.items.start[i]);
    dlc_layer_text *layer = &m->layers[m->n_layers++];
    DLC_TRY(read_layer(m, doc, node, layer));
    if (!layer->name) layer->name = dlc_arena_printf(&m->arena, "%zu", i);
    if (!layer->name) return dlc_fail_nomem();
    for (size_t j = 0; j < i; j++)
      if (strcmp(m->layers[j].name, layer->name) == 0)
        return fail_at(m, &node->start_mark, "a layer of this name stands further up");
  }
  return DLC_OK;
}

static dlc_status read_root(dlc_model *m, yaml_document_t *doc)
{
  yaml_node_t *root = yaml_document_get_root_node(doc);
  if (!root) return dlc_fail(DLC_INVALID, "%s: the file is empty; expected `layers:`", m->origin);
  if (root->type != YAML_MAPPING_NODE) return fail_at(m, &root->start_mark, "expected `layers:`");
  yaml_node_pair_t *pair = root->data.mapping.pairs.start;
  for (; pair < root->data.mapping.pairs.top; pair++) {
    yaml_node_t *key = yaml_document_get_node(doc, pair->key), *value = yaml_document_get_node(doc, pair->value);
    const char *name;
    DLC_TRY(scalar_text(m, key, "expected `name` or `layers`", &name));
    const bool layers = strcmp(name, "layers") == 0;
    if (layers && m->layers) return fail_at(m, &key->start_mark, "`layers` is given twice");
    if (layers) DLC_TRY(read_layers(m, doc, value));
    else if (strcmp(name, "name") == 0) DLC_TRY(scalar_text(m, value, "expected a name", &m->name));
    else return fail_at(m, &key->start_mark, "unknown key; a model has `name` and `layers`");
  }
  return m->layers ? DLC_OK : dlc_fail(DLC_INVALID, "%s: no `layers:`", m->origin);
}

static dlc_status parse(dlc_model *m, const char *text, size_t length)
{
  yaml_parser_t parser;
  yaml_document_t doc;
  if (!yaml_parser_initialize(&parser)) return dlc_fail_nomem();
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  dlc_status status;
  if (!yaml_parser_load(&parser, &doc)) {
    status = parser.error == YAML_MEMORY_ERROR
                 ? dlc_fail_nomem()
                 : dlc_fail(DLC_INVALID, "%s:%zu:%zu: %s", m->origin, parser.problem_mark.line + 1,
                            parser.problem_mark.column + 1, parser.problem ? parser.problem : "not YAML");
  } else {
    status = read_root(m, &doc);
    yaml_document_delete(&doc);
  }
  yaml_parser_delete(&parser);
  return status;
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

dlc_status dlc_model_parse(const char *text, size_t length, const char *origin, dlc_model **model)
{
  *model = NULL;
  dlc_model *m = calloc(1, sizeof *m);
  if (!m) return dlc_fail_nomem();
  m->origin = dlc_arena_strdup(&m->arena, origin);
  m->name = name_from_path(&m->arena, origin);
  char *copy = dlc_arena_alloc(&m->arena, length + 1);
  if (copy) memcpy(copy, text, length);
  if (copy) copy[length] = '\0';
  m->text = copy;
  dlc_status status = m->origin && m->name && m->text ? parse(m, text, length) : dlc_fail_nomem();
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
