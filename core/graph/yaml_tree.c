/* libyaml's events into a tree. */
#include "graph/yaml_tree.h"
#include "base/status.h"
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 64, ENTRIES_MAX = 128 /* of a map */ };

typedef struct reader {
  yaml_parser_t parser;
  yaml_event_t event; /* the current one; freed by next() */
  const char *origin;
  dlc_arena *arena;
} reader;

static dlc_status fail_at(const reader *r, const yaml_mark_t *mark, const char *what)
{
  return dlc_fail(DLC_INVALID, "%s:%zu:%zu: %s", r->origin, mark->line + 1, mark->column + 1, what);
}

/* To the next event, which is neither an alias nor carries an anchor or a tag. */
static dlc_status next(reader *r)
{
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) {
    if (r->parser.error == YAML_MEMORY_ERROR) return dlc_fail_nomem();
    return fail_at(r, &r->parser.problem_mark, r->parser.problem ? r->parser.problem : "not YAML");
  }
  const yaml_event_t *e = &r->event;
  const void *anchor = NULL, *tag = NULL;
  if (e->type == YAML_ALIAS_EVENT) return fail_at(r, &e->start_mark, "aliases are not allowed here");
  if (e->type == YAML_SCALAR_EVENT) anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
  if (e->type == YAML_SEQUENCE_START_EVENT) anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
  if (e->type == YAML_MAPPING_START_EVENT) anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
  if (anchor) return fail_at(r, &e->start_mark, "anchors are not allowed here");
  return tag ? fail_at(r, &e->start_mark, "tags are not allowed here") : DLC_OK;
}

/* The scalar of the current event. */
static dlc_status read_text(reader *r, const char **text, bool *null)
{
  const yaml_event_t *e = &r->event;
  const char *value = (const char *)e->data.scalar.value;
  const bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (strlen(value) != e->data.scalar.length) return fail_at(r, &e->start_mark, "a NUL character");
  *null = plain && (!*value || strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
  *text = dlc_arena_strdup(r->arena, *null ? "" : value);
  return *text ? DLC_OK : dlc_fail_nomem();
}

static dlc_status read_node(reader *r, unsigned depth, dlc_tree *node);

static dlc_status read_key(reader *r, const dlc_tree *map, dlc_tree *entry)
{
  const yaml_mark_t mark = r->event.start_mark;
  if (r->event.type != YAML_SCALAR_EVENT) return fail_at(r, &mark, "expected a name");
  bool null;
  DLC_TRY(read_text(r, &entry->key, &null));
  if (!*entry->key) return fail_at(r, &mark, "expected a name");
  entry->line = (unsigned)mark.line + 1;
  entry->column = (unsigned)mark.column + 1;
  if (map->n == ENTRIES_MAX) return fail_at(r, &mark, "more than 128 entries");
  const dlc_tree *before = dlc_tree_find(map, entry->key);
  if (!before) return next(r);
  return dlc_fail(DLC_INVALID, "%s:%u:%u: `%s` is given twice, first in line %u", r->origin, entry->line, entry->column,
                  entry->key, before->line);
}

/* From behind the start of a list or map to its end. */
static dlc_status read_children(reader *r, unsigned depth, dlc_tree *node)
{
  const bool map = node->kind == DLC_TREE_MAP;
  const dlc_tree **link = &node->first;
  if (depth == DEPTH_MAX)
    return fail_at(r, &r->event.start_mark, "lists and maps within each other, more than 64 deep");
  DLC_TRY(next(r));
  while (r->event.type != YAML_SEQUENCE_END_EVENT && r->event.type != YAML_MAPPING_END_EVENT) {
    dlc_tree *child = dlc_arena_alloc(r->arena, sizeof *child);
    if (!child) return dlc_fail_nomem();
    if (map) DLC_TRY(read_key(r, node, child));
    DLC_TRY(read_node(r, depth + 1, child));
    *link = child;
    link = &child->next;
    node->n++;
    DLC_TRY(next(r));
  }
  return DLC_OK;
}

/* The value that the current event begins; ends on its last event. */
static dlc_status read_node(reader *r, unsigned depth, dlc_tree *node)
{
  const yaml_event_t *e = &r->event;
  node->at_line = (unsigned)e->start_mark.line + 1;
  node->at_column = (unsigned)e->start_mark.column + 1;
  if (!node->key) node->line = node->at_line, node->column = node->at_column;
  node->kind = e->type == YAML_SCALAR_EVENT           ? DLC_TREE_TEXT
               : e->type == YAML_SEQUENCE_START_EVENT ? DLC_TREE_LIST
                                                      : DLC_TREE_MAP;
  return node->kind == DLC_TREE_TEXT ? read_text(r, &node->text, &node->null) : read_children(r, depth, node);
}

static dlc_status read_stream(reader *r, const dlc_tree **root)
{
  DLC_TRY(next(r)); /* stream start */
  DLC_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return DLC_OK; /* nothing but comments */
  DLC_TRY(next(r));
  dlc_tree *node = dlc_arena_alloc(r->arena, sizeof *node);
  if (!node) return dlc_fail_nomem();
  DLC_TRY(read_node(r, 0, node));
  DLC_TRY(next(r)); /* document end */
  DLC_TRY(next(r));
  if (r->event.type != YAML_STREAM_END_EVENT) return fail_at(r, &r->event.start_mark, "expected one document only");
  *root = node;
  return DLC_OK;
}

dlc_status dlc_tree_parse(dlc_arena *arena, const char *text, size_t length, const char *origin, const dlc_tree **root)
{
  reader r = {.arena = arena, .origin = origin};
  *root = NULL;
  if (!yaml_parser_initialize(&r.parser)) return dlc_fail_nomem();
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
  dlc_status status = read_stream(&r, root);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  return status;
}

const dlc_tree *dlc_tree_find(const dlc_tree *map, const char *key)
{
  for (const dlc_tree *t = map->first; t; t = t->next)
    if (strcmp(t->key, key) == 0) return t;
  return NULL;
}
