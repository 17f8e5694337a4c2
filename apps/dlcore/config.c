/* The configuration file: one YAML mapping of option names to values, read through libyaml's events and checked against
 * the table of options. Anchors, aliases and tags are refused: nobody needs them here and they hide what is meant. */
#include "base/file.h"
#include "base/status.h"
#include "options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CONFIG_BYTES_MAX = 1 << 20 };

typedef struct reader {
  yaml_parser_t parser;
  yaml_event_t event; /* the current one; freed by next() */
  const char *path;
  cli_options *options;
  unsigned *line; /* of each table entry: where it was set, 0: not yet */
} reader;

static dlc_status fail_at(const reader *r, const yaml_mark_t *mark, const char *what)
{
  return dlc_fail(DLC_INVALID, "%s:%zu:%zu: %s", r->path, mark->line + 1, mark->column + 1, what);
}

/* To the next event, which is neither an alias nor carries an anchor or a tag. */
static dlc_status next(reader *r)
{
  yaml_event_delete(&r->event);
  if (!yaml_parser_parse(&r->parser, &r->event)) {
    if (r->parser.error == YAML_MEMORY_ERROR) return dlc_fail_nomem();
    const yaml_mark_t *mark = &r->parser.problem_mark;
    return fail_at(r, mark, r->parser.problem ? r->parser.problem : "not YAML");
  }
  const yaml_event_t *e = &r->event;
  const void *anchor = NULL, *tag = NULL;
  if (e->type == YAML_ALIAS_EVENT) return fail_at(r, &e->start_mark, "aliases are not allowed here");
  if (e->type == YAML_SCALAR_EVENT) anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
  if (e->type == YAML_SEQUENCE_START_EVENT) anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
  if (e->type == YAML_MAPPING_START_EVENT) anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
  if (anchor) return fail_at(r, &e->start_mark, "anchors are not allowed here");
  if (tag) return fail_at(r, &e->start_mark, "tags are not allowed here");
  return DLC_OK;
}

/* The scalar's text, free of NUL characters. */
static dlc_status scalar(const reader *r, const char *expected, const char **text)
{
  const yaml_event_t *e = &r->event;
  if (e->type != YAML_SCALAR_EVENT) return fail_at(r, &e->start_mark, expected);
  *text = (const char *)e->data.scalar.value;
  if (strlen(*text) != e->data.scalar.length) return fail_at(r, &e->start_mark, "a NUL character");
  return DLC_OK;
}

/* `key:`, `key: ~` and `key: null` leave the option as it is. */
static bool is_null(const yaml_event_t *e)
{
  const char *text = (const char *)e->data.scalar.value;
  return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

static dlc_status set_at(reader *r, const cli_option *option, const yaml_mark_t *mark, const char *text)
{
  char label[512];
  snprintf(label, sizeof label, "%s:%zu:%zu: %s", r->path, mark->line + 1, mark->column + 1, option->name);
  return cli_option_set(r->options, option, text, CLI_FROM_FILE, label);
}

static dlc_status read_value(reader *r, const cli_option *option)
{
  const char *text = NULL;
  const bool list = option->type == CLI_LIST || option->type == CLI_TRANSFORMS;
  DLC_TRY(scalar(r, list ? "expected a value or a list of values" : "expected one value", &text));
  return is_null(&r->event) ? DLC_OK : set_at(r, option, &r->event.start_mark, text);
}

/* ---- lists of transforms, which become what would be typed on the command line ---- */

/* `256`, or `[0.5, 1.0]` */
static dlc_status add_argument(reader *r, dlc_str *out)
{
  const char *text = NULL;
  if (r->event.type != YAML_SEQUENCE_START_EVENT) {
    DLC_TRY(scalar(r, "expected a value or a list of values", &text));
    dlc_str_add(out, text);
    return DLC_OK;
  }
  dlc_str_add(out, "[");
  DLC_TRY(next(r));
  for (bool first = true; r->event.type != YAML_SEQUENCE_END_EVENT; first = false) {
    DLC_TRY(scalar(r, "expected a value", &text));
    dlc_str_addf(out, "%s%s", first ? "" : ", ", text);
    DLC_TRY(next(r));
  }
  dlc_str_add(out, "]");
  return DLC_OK;
}

/* `256`, `[0.5, 1.0]`, `{size: 224, scale: [0.5, 1.0]}`, or nothing */
static dlc_status add_arguments(reader *r, dlc_str *out)
{
  if (r->event.type == YAML_SCALAR_EVENT && is_null(&r->event)) return DLC_OK;
  dlc_str_add(out, "(");
  if (r->event.type != YAML_MAPPING_START_EVENT) {
    DLC_TRY(add_argument(r, out));
  } else {
    DLC_TRY(next(r));
    for (bool first = true; r->event.type != YAML_MAPPING_END_EVENT; first = false) {
      const char *name = NULL;
      DLC_TRY(scalar(r, "expected the name of an argument", &name));
      dlc_str_addf(out, "%s%s=", first ? "" : ", ", name);
      DLC_TRY(next(r));
      DLC_TRY(add_argument(r, out));
      DLC_TRY(next(r));
    }
  }
  dlc_str_add(out, ")");
  return DLC_OK;
}

static dlc_status add_transform(reader *r, dlc_str *out)
{
  static const char expected[] = "expected one transform, as in `- resize: 256`";
  const char *name = NULL;
  const bool map = r->event.type == YAML_MAPPING_START_EVENT;
  if (map) DLC_TRY(next(r));
  DLC_TRY(scalar(r, expected, &name));
  dlc_str_addf(out, "%s%s", out->length ? " " : "", name);
  if (!map) return DLC_OK;
  DLC_TRY(next(r));
  DLC_TRY(add_arguments(r, out));
  DLC_TRY(next(r));
  return r->event.type == YAML_MAPPING_END_EVENT ? DLC_OK : fail_at(r, &r->event.start_mark, expected);
}

static dlc_status read_transforms(reader *r, const cli_option *option)
{
  const yaml_mark_t mark = r->event.start_mark;
  dlc_str text = {0};
  dlc_status status = next(r);
  while (status >= 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
    status = add_transform(r, &text);
    if (status >= 0) status = next(r);
  }
  if (status >= 0 && !dlc_str_ok(&text)) status = dlc_fail_nomem();
  if (status >= 0) status = set_at(r, option, &mark, text.length ? dlc_str_get(&text) : "none");
  dlc_str_free(&text);
  return status;
}

/* ---- the mapping ---- */

static dlc_status read_key(reader *r, const cli_option **option)
{
  const yaml_event_t *e = &r->event;
  const char *key = NULL;
  DLC_TRY(scalar(r, "expected the name of an option", &key));
  *option = cli_option_named(key);
  if (!*option || !((*option)->flags & CLI_SETTING)) {
    const char *near = *option ? NULL : cli_option_nearest(key, CLI_ALL, CLI_SETTING);
    return dlc_fail(DLC_INVALID, "%s:%zu:%zu: %s '%s'%s%s%s", r->path, e->start_mark.line + 1, e->start_mark.column + 1,
                    *option ? "not for a configuration file:" : "unknown option", key, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
  }
  unsigned *line = &r->line[*option - cli_table];
  if (*line)
    return dlc_fail(DLC_INVALID, "%s:%zu:%zu: '%s' is set twice, first in line %u", r->path, e->start_mark.line + 1,
                    e->start_mark.column + 1, key, *line);
  *line = (unsigned)e->start_mark.line + 1;
  return DLC_OK;
}

static dlc_status read_pairs(reader *r)
{
  for (;;) {
    DLC_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return DLC_OK;
    const cli_option *option = NULL;
    DLC_TRY(read_key(r, &option));
    DLC_TRY(next(r));
    if (r->event.type == YAML_SEQUENCE_START_EVENT && option->type == CLI_TRANSFORMS) {
      DLC_TRY(read_transforms(r, option));
      continue;
    }
    bool list = r->event.type == YAML_SEQUENCE_START_EVENT && option->type == CLI_LIST;
    if (list) DLC_TRY(next(r));
    while (!list || r->event.type != YAML_SEQUENCE_END_EVENT) {
      DLC_TRY(read_value(r, option));
      if (!list) break;
      DLC_TRY(next(r));
    }
  }
}

static dlc_status read_stream(reader *r)
{
  DLC_TRY(next(r)); /* stream start */
  DLC_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return DLC_OK; /* nothing but comments */
  DLC_TRY(next(r));
  if (r->event.type == YAML_SCALAR_EVENT && is_null(&r->event)) return DLC_OK;
  if (r->event.type != YAML_MAPPING_START_EVENT)
    return fail_at(r, &r->event.start_mark, "expected options, as in `epochs: 5`");
  DLC_TRY(read_pairs(r));
  DLC_TRY(next(r)); /* document end */
  DLC_TRY(next(r));
  if (r->event.type != YAML_STREAM_END_EVENT) return fail_at(r, &r->event.start_mark, "expected one document only");
  return DLC_OK;
}

dlc_status cli_config_read(const char *path, cli_options *o)
{
  char *text = NULL;
  size_t length;
  DLC_TRY(dlc_read_file(path, CONFIG_BYTES_MAX, &text, &length));
  reader r = {.path = path, .options = o, .line = calloc(cli_table_size, sizeof(unsigned))};
  dlc_status status;
  if (!r.line || !yaml_parser_initialize(&r.parser)) {
    status = dlc_fail_nomem();
  } else {
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    status = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
  }
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
