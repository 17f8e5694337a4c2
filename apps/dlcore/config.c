/* The configuration file: one YAML mapping of option names to values, checked against the table of options. */
#include "base/file.h"
#include "base/status.h"
#include "graph/yaml_tree.h"
#include "options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CONFIG_BYTES_MAX = 1 << 20 };

typedef struct reader {
  const char *path;
  cli_options *options;
  unsigned *line; /* of each table entry: where it was set, 0: not yet */
} reader;

static dlc_status fail_at(const reader *r, const dlc_tree *at, const char *what)
{
  return dlc_fail(DLC_INVALID, "%s:%u:%u: %s", r->path, at->at_line, at->at_column, what);
}

static dlc_status set_at(const reader *r, const cli_option *option, const dlc_tree *at, const char *text)
{
  char label[512];
  snprintf(label, sizeof label, "%s:%u:%u: %s", r->path, at->at_line, at->at_column, option->name);
  return cli_option_set(r->options, option, text, CLI_FROM_FILE, label);
}

/* ---- lists of transforms, which become what would be typed on the command line ---- */

/* `256`, or `[0.5, 1.0]` */
static dlc_status add_argument(const reader *r, const dlc_tree *value, dlc_str *out)
{
  if (value->kind == DLC_TREE_MAP) return fail_at(r, value, "expected a value or a list of values");
  if (value->kind == DLC_TREE_TEXT) {
    dlc_str_add(out, value->text);
    return DLC_OK;
  }
  for (const dlc_tree *t = value->first; t; t = t->next) {
    if (t->kind != DLC_TREE_TEXT) return fail_at(r, t, "expected a value");
    dlc_str_addf(out, "%s%s", t == value->first ? "[" : ", ", t->text);
  }
  dlc_str_add(out, value->n ? "]" : "[]");
  return DLC_OK;
}

/* `256`, `[0.5, 1.0]`, `{size: 224, scale: [0.5, 1.0]}`, or nothing */
static dlc_status add_arguments(const reader *r, const dlc_tree *args, dlc_str *out)
{
  if (args->null) return DLC_OK;
  dlc_str_add(out, "(");
  if (args->kind != DLC_TREE_MAP) DLC_TRY(add_argument(r, args, out));
  for (const dlc_tree *t = args->kind == DLC_TREE_MAP ? args->first : NULL; t; t = t->next) {
    dlc_str_addf(out, "%s%s=", t == args->first ? "" : ", ", t->key);
    DLC_TRY(add_argument(r, t, out));
  }
  dlc_str_add(out, ")");
  return DLC_OK;
}

static dlc_status add_transform(const reader *r, const dlc_tree *t, dlc_str *out)
{
  const bool map = t->kind == DLC_TREE_MAP;
  if (map ? t->n != 1 : t->kind != DLC_TREE_TEXT) {
    const dlc_tree *second = map && t->n ? t->first->next : NULL;
    return dlc_fail(DLC_INVALID, "%s:%u:%u: expected one transform, as in `- resize: 256`", r->path,
                    second ? second->line : t->at_line, second ? second->column : t->at_column);
  }
  dlc_str_addf(out, "%s%s", out->length ? " " : "", map ? t->first->key : t->text);
  return map ? add_arguments(r, t->first, out) : DLC_OK;
}

static dlc_status read_transforms(const reader *r, const cli_option *option, const dlc_tree *list)
{
  dlc_str text = {0};
  dlc_status status = DLC_OK;
  for (const dlc_tree *t = list->first; t && status >= 0; t = t->next) status = add_transform(r, t, &text);
  if (status >= 0 && !dlc_str_ok(&text)) status = dlc_fail_nomem();
  if (status >= 0) status = set_at(r, option, list, text.length ? dlc_str_get(&text) : "none");
  dlc_str_free(&text);
  return status;
}

/* ---- the mapping ---- */

static dlc_status find_option(reader *r, const dlc_tree *entry, const cli_option **option)
{
  const char *key = entry->key;
  *option = cli_option_named(key);
  if (!*option || !((*option)->flags & CLI_SETTING)) {
    const char *near = *option ? NULL : cli_option_nearest(key, CLI_ALL, CLI_SETTING);
    return dlc_fail(DLC_INVALID, "%s:%u:%u: %s '%s'%s%s%s", r->path, entry->line, entry->column,
                    *option ? "not for a configuration file:" : "unknown option", key, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
  }
  unsigned *line = &r->line[*option - cli_table];
  if (*line) /* by another of its names */
    return dlc_fail(DLC_INVALID, "%s:%u:%u: `%s` is given twice, first in line %u", r->path, entry->line, entry->column,
                    key, *line);
  *line = entry->line;
  return DLC_OK;
}

/* `key:`, `key: ~` and `key: null` leave the option as it is. */
static dlc_status read_value(const reader *r, const cli_option *option, const dlc_tree *value)
{
  const bool list = option->type == CLI_LIST || option->type == CLI_TRANSFORMS;
  if (value->kind != DLC_TREE_TEXT)
    return fail_at(r, value, list ? "expected a value or a list of values" : "expected one value");
  return value->null ? DLC_OK : set_at(r, option, value, value->text);
}

static dlc_status read_entry(reader *r, const dlc_tree *entry)
{
  const cli_option *option = NULL;
  DLC_TRY(find_option(r, entry, &option));
  if (entry->kind != DLC_TREE_LIST) return read_value(r, option, entry);
  if (option->type == CLI_TRANSFORMS) return read_transforms(r, option, entry);
  if (option->type != CLI_LIST) return fail_at(r, entry, "expected one value");
  for (const dlc_tree *t = entry->first; t; t = t->next) DLC_TRY(read_value(r, option, t));
  return DLC_OK;
}

static dlc_status read_root(reader *r, const dlc_tree *root)
{
  if (!root || root->null) return DLC_OK; /* nothing but comments */
  if (root->kind != DLC_TREE_MAP) return fail_at(r, root, "expected options, as in `epochs: 5`");
  for (const dlc_tree *t = root->first; t; t = t->next) DLC_TRY(read_entry(r, t));
  return DLC_OK;
}

dlc_status cli_config_read(const char *path, cli_options *o)
{
  char *text = NULL;
  size_t length;
  const dlc_tree *root;
  dlc_arena arena = {0};
  DLC_TRY(dlc_read_file(path, CONFIG_BYTES_MAX, &text, &length));
  reader r = {.path = path, .options = o, .line = calloc(cli_table_size, sizeof(unsigned))};
  dlc_status status = r.line ? dlc_tree_parse(&arena, text, length, path, &root) : dlc_fail_nomem();
  if (status >= 0) status = read_root(&r, root);
  dlc_arena_free(&arena);
  free(r.line);
  free(text);
  return status;
}

/* ---- writing ---- */

static int append_text(void *out, unsigned char *bytes, size_t n)
{
  dlc_str_addn(out, (const char *)bytes, n);
  return 1;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text)
{
  yaml_event_t e;
  bool quoted = strcmp(text, "null") == 0 || strcmp(text, "~") == 0; /* a text, not the lack of one */
  return yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
                                      quoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE) &&
         yaml_emitter_emit(emitter, &e);
}

static bool emit_list(yaml_emitter_t *emitter, const cli_list *list)
{
  yaml_event_t e;
  bool ok = yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) &&
            yaml_emitter_emit(emitter, &e);
  for (uint32_t i = 0; ok && i < list->n; i++) ok = emit_scalar(emitter, list->items[i]);
  return ok && yaml_sequence_end_event_initialize(&e) && yaml_emitter_emit(emitter, &e);
}

static bool emit_options(yaml_emitter_t *emitter, const cli_options *o)
{
  bool ok = true;
  for (size_t i = 0; ok && i < cli_table_size; i++) {
    const cli_option *option = &cli_table[i];
    if (!(option->flags & CLI_RECORDED)) continue;
    const cli_list *list = option->type == CLI_LIST ? (const void *)((const char *)o + option->offset) : NULL;
    if (list && list->n == 0) continue;
    if (list) {
      ok = emit_scalar(emitter, option->name) && emit_list(emitter, list);
      continue;
    }
    dlc_str text = {0};
    if (cli_option_show(o, option, &text))
      ok = emit_scalar(emitter, option->name) && emit_scalar(emitter, dlc_str_get(&text)) && dlc_str_ok(&text);
    dlc_str_free(&text);
  }
  return ok;
}

static bool emit_all(yaml_emitter_t *emitter, const cli_options *o)
{
  yaml_event_t e;
  return yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING) && yaml_emitter_emit(emitter, &e) &&
         yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1) && yaml_emitter_emit(emitter, &e) &&
         yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) &&
         yaml_emitter_emit(emitter, &e) && emit_options(emitter, o) && yaml_mapping_end_event_initialize(&e) &&
         yaml_emitter_emit(emitter, &e) && yaml_document_end_event_initialize(&e, 1) &&
         yaml_emitter_emit(emitter, &e) && yaml_stream_end_event_initialize(&e) && yaml_emitter_emit(emitter, &e);
}

dlc_status cli_config_text(const cli_options *o, dlc_str *text)
{
  dlc_str_add(text, "# What this run was started with, by dlcore " DLCORE_VERSION ". Again: dlcore -c config.yaml\n");
  yaml_emitter_t emitter;
  bool ok = yaml_emitter_initialize(&emitter);
  if (ok) {
    yaml_emitter_set_output(&emitter, append_text, text);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    ok = emit_all(&emitter, o) && dlc_str_ok(text);
    yaml_emitter_delete(&emitter);
  }
  return ok ? DLC_OK : dlc_fail_nomem();
}

dlc_status cli_config_write(const char *path, const cli_options *o)
{
  dlc_str text = {0};
  dlc_status status = cli_config_text(o, &text);
  if (status >= 0) status = dlc_write_file(path, dlc_str_get(&text), text.length);
  dlc_str_free(&text);
  return status;
}
