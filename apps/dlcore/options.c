/* Options: looked up, checked against the table, stored. Four sources, of which the higher one wins. */
#include "options.h"
#include "base/names.h"
#include "base/parse.h"
#include "base/status.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const struct {
  const char *name;
  int command;
  uint32_t arguments; /* at most */
} commands[] = {{"train", CLI_TRAIN, 0},       {"summary", CLI_SUMMARY, 0},
                {"plugins", CLI_PLUGINS, 1},   {"predict", CLI_PREDICT, UINT32_MAX},
                {"eval", CLI_EVAL, 0},         {"data", CLI_DATA, 3},
                {"plot", CLI_PLOT, UINT32_MAX}};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const char *cli_command_name(int command)
{
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (commands[i].command == command) return commands[i].name;
  return "";
}

static uint32_t arguments_of(int command)
{
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (commands[i].command == command) return commands[i].arguments;
  return 0;
}

/* ---- look-up ---- */

static bool is_alias(const char *aliases, const char *name)
{
  while (aliases && *aliases) {
    size_t n = strcspn(aliases, "|");
    char one[64];
    if (n < sizeof one) {
      memcpy(one, aliases, n);
      one[n] = 0;
      if (dlc_name_equal(one, name)) return true;
    }
    aliases += n + (aliases[n] == '|');
  }
  return false;
}

const cli_option *cli_option_named(const char *name)
{
  for (size_t i = 0; i < cli_table_size; i++)
    if (dlc_name_equal(cli_table[i].name, name) || is_alias(cli_table[i].aliases, name)) return &cli_table[i];
  return NULL;
}

/* Of two options of one name the command's own. */
static const cli_option *option_of(int command, const char *name)
{
  for (size_t i = 0; i < cli_table_size; i++)
    if ((cli_table[i].commands & command) &&
        (dlc_name_equal(cli_table[i].name, name) || is_alias(cli_table[i].aliases, name)))
      return &cli_table[i];
  return cli_option_named(name);
}

static const cli_option *option_lettered(int command, char letter)
{
  const cli_option *found = NULL;
  for (size_t i = 0; i < cli_table_size; i++) {
    if (!cli_table[i].letter || cli_table[i].letter != letter) continue;
    if (cli_table[i].commands & command) return &cli_table[i];
    found = &cli_table[i];
  }
  return found;
}

bool cli_option_typed(const cli_options *o, const char *name)
{
  return o->rank[option_of(o->command, name) - cli_table] == CLI_FROM_COMMAND;
}

const char *cli_option_nearest(const char *name, int wanted, int flags)
{
  const char *names[128];
  size_t n = 0;
  for (size_t i = 0; i < cli_table_size && n < 128; i++)
    if ((cli_table[i].commands & wanted) && (cli_table[i].flags & flags) == flags) names[n++] = cli_table[i].name;
  int near = dlc_nearest(name, names, n);
  return near < 0 ? NULL : names[near];
}

/* ---- one value ---- */

static void *field(const cli_options *o, const cli_option *option)
{
  return (char *)o + option->offset;
}

static size_t field_bytes(const cli_option *option)
{
  switch (option->type) {
  case CLI_INT:
  case CLI_SIZE: return sizeof(int64_t);
  case CLI_FLOAT:
  case CLI_SPLIT: return sizeof(double);
  case CLI_BOOL: return sizeof(bool);
  case CLI_LIST: return sizeof(cli_list);
  default: return sizeof(const char *);
  }
}

static dlc_status bad_value(const char *label, const char *expected, const char *range, const char *text)
{
  return dlc_fail(DLC_INVALID, "%s: expected %s%s%s, got '%s'", label, expected, range ? " in " : "",
                  range ? range : "", text);
}

typedef union value {
  int64_t i;
  double f;
  bool b;
} value;

/* "512M", in units of 1024. */
static bool parse_size(const char *text, int64_t *bytes)
{
  static const char units[] = "KMGT";
  char number[24];
  *bytes = -1;
  if (strcmp(text, "auto") == 0) return true;
  size_t n = strlen(text);
  const char *unit = n ? strchr(units, text[n - 1]) : NULL;
  if (unit) n--;
  if (n == 0 || n >= sizeof number) return false;
  memcpy(number, text, n);
  number[n] = 0;
  const int64_t factor = unit ? (int64_t)1 << (10 * (unit - units + 1)) : 1;
  return dlc_parse_int(number, bytes) && *bytes >= 0 && !__builtin_mul_overflow(*bytes, factor, bytes);
}

static dlc_status read_number(const cli_option *option, const char *text, const char *label, value *v)
{
  if (option->type == CLI_INT) {
    if (!dlc_parse_int(text, &v->i) || !dlc_in_range(option->range, (double)v->i))
      return bad_value(label, "a whole number", option->range, text);
    return DLC_OK;
  }
  if (option->type == CLI_SIZE)
    return parse_size(text, &v->i) ? DLC_OK
                                   : bad_value(label, "auto or a number of bytes, as in 512M or 4G", NULL, text);
  bool ok = dlc_parse_float(text, &v->f);
  if (option->type == CLI_SPLIT) {
    if (!ok || v->f < 0 || v->f > 4294967295.0 || (v->f >= 1 && v->f != floor(v->f)))
      return bad_value(label, "a fraction below 1 or a number of images", NULL, text);
  } else if (!ok || !dlc_in_range(option->range, v->f)) {
    return bad_value(label, "a number", option->range, text);
  }
  return DLC_OK;
}

static dlc_status read_string(const cli_option *option, const char *text, const char *label)
{
  if (!*text) return dlc_fail(DLC_INVALID, "%s: expected a text, got nothing", label);
  if (!option->range || dlc_is_choice(option->range, text)) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s: expected one of %s, got '%s'", label, option->range, text);
}

/* The list keeps its first `kept` items. */
static dlc_status add_item(cli_options *o, cli_list *list, uint32_t kept, const char *text)
{
  const char **items = dlc_arena_alloc(&o->arena, (kept + 1) * sizeof *items);
  if (!items) return dlc_fail_nomem();
  if (kept) memcpy(items, list->items, kept * sizeof *items);
  items[kept] = text;
  *list = (cli_list){items, kept + 1};
  return DLC_OK;
}

static dlc_status store_string(cli_options *o, const cli_option *option, const char *text, bool append)
{
  char *copy = dlc_arena_strdup(&o->arena, text);
  if (!copy) return dlc_fail_nomem();
  if (option->type == CLI_LIST) {
    cli_list *list = field(o, option);
    return add_item(o, list, append ? list->n : 0, copy);
  }
  *(const char **)field(o, option) = copy;
  return DLC_OK;
}

dlc_status cli_option_set(cli_options *o, const cli_option *option, const char *text, int from, const char *label)
{
  value v = {0};
  switch (option->type) {
  case CLI_INT:
  case CLI_SIZE:
  case CLI_FLOAT:
  case CLI_SPLIT: DLC_TRY(read_number(option, text, label, &v)); break;
  case CLI_BOOL:
    if (!dlc_parse_bool(text, &v.b)) return bad_value(label, "true or false", NULL, text);
    break;
  default: DLC_TRY(read_string(option, text, label)); break;
  }
  unsigned char *rank = &o->rank[option - cli_table];
  if (from < *rank) return DLC_OK;
  bool append = from == *rank && from != CLI_FROM_DEFAULT;
  *rank = (unsigned char)from;
  switch (option->type) {
  case CLI_INT:
  case CLI_SIZE: *(int64_t *)field(o, option) = v.i; break;
  case CLI_FLOAT:
  case CLI_SPLIT: *(double *)field(o, option) = v.f; break;
  case CLI_BOOL: *(bool *)field(o, option) = v.b; break;
  default: return store_string(o, option, text, append);
  }
  return DLC_OK;
}

/* The shortest of %.15g and %.17g that reads back as the same number. */
static void show_number(double v, dlc_str *out)
{
  char text[32];
  snprintf(text, sizeof text, "%.15g", v);
  if (strtod(text, NULL) != v) snprintf(text, sizeof text, "%.17g", v);
  dlc_str_add(out, text);
}

bool cli_option_show(const cli_options *o, const cli_option *option, dlc_str *out)
{
  const void *at = field(o, option);
  switch (option->type) {
  case CLI_INT:
  case CLI_SIZE:
    if (*(const int64_t *)at < 0) return false;
    dlc_str_addf(out, "%lld", (long long)*(const int64_t *)at);
    return true;
  case CLI_FLOAT:
  case CLI_SPLIT:
    if (isnan(*(const double *)at)) return false;
    show_number(*(const double *)at, out);
    return true;
  case CLI_BOOL: dlc_str_add(out, *(const bool *)at ? "true" : "false"); return true;
  case CLI_STRING:
  case CLI_TRANSFORMS:
    if (!*(const char *const *)at) return false;
    dlc_str_add(out, *(const char *const *)at);
    return true;
  default: return false;
  }
}

/* ---- the four sources ---- */

static dlc_status set_default(cli_options *o, const cli_option *option)
{
  memset(field(o, option), 0, field_bytes(option));
  o->rank[option - cli_table] = CLI_FROM_DEFAULT;
  if (option->def) return cli_option_set(o, option, option->def, CLI_FROM_DEFAULT, option->name);
  if (option->type == CLI_INT || option->type == CLI_SIZE) *(int64_t *)field(o, option) = -1;
  if (option->type == CLI_FLOAT) *(double *)field(o, option) = NAN;
  return DLC_OK;
}

static dlc_status set_defaults(cli_options *o)
{
  for (size_t i = 0; i < cli_table_size; i++) DLC_TRY(set_default(o, &cli_table[i]));
  return DLC_OK;
}

dlc_status cli_options_forget_file(cli_options *o)
{
  for (size_t i = 0; i < cli_table_size; i++)
    if (o->rank[i] == CLI_FROM_FILE) DLC_TRY(set_default(o, &cli_table[i]));
  return DLC_OK;
}

/* DLCORE_BATCH_SIZE is --batch-size. A list takes one item. DLCORE_PLUGIN_PATH is the registry's: its folders come
 * after those of --plugin-path instead of being replaced by them. */
static dlc_status read_environment(cli_options *o, const char **warning)
{
  for (char **e = environ; *e; e++) {
    if (strncmp(*e, "DLCORE_", 7) || strncmp(*e, "DLCORE_PLUGIN_PATH=", 19) == 0) continue;
    const char *equal = strchr(*e, '=');
    char name[64], label[80];
    size_t n = equal ? (size_t)(equal - *e) - 7 : sizeof name;
    if (n >= sizeof name) continue;
    for (size_t i = 0; i < n; i++) name[i] = (*e)[7 + i] >= 'A' && (*e)[7 + i] <= 'Z' ? (*e)[7 + i] + 32 : (*e)[7 + i];
    name[n] = 0;
    snprintf(label, sizeof label, "DLCORE_%.*s", (int)n, *e + 7);
    const cli_option *option = cli_option_named(name);
    if (option && (option->flags & CLI_SETTING)) {
      DLC_TRY(cli_option_set(o, option, equal + 1, CLI_FROM_ENVIRONMENT, label));
    } else if (!option) {
      const char *near = cli_option_nearest(name, CLI_ALL, CLI_SETTING);
      if (near)
        *warning = dlc_arena_printf(&o->arena, "%s in the environment is not an option; did you mean %s?", label, near);
    }
  }
  return DLC_OK;
}

static dlc_status unknown_option(const cli_options *o, const char *typed, const char *name)
{
  const char *no = "", *near = cli_option_nearest(name, o->command, 0);
  if (!near && strncmp(name, "no-", 3) == 0) {
    near = cli_option_nearest(name + 3, o->command, 0);
    if (near && cli_option_named(near)->type == CLI_BOOL) no = "no-";
  }
  if (!near) return dlc_fail(DLC_INVALID, "unknown option %s; see dlcore --help", typed);
  return dlc_fail(DLC_INVALID, "unknown option %s; did you mean --%s%s?", typed, no, near);
}

typedef struct arguments {
  char **argv;
  int argc, next;
} arguments;

/* The value that follows an option. What looks like another option is taken for one that was forgotten. */
static dlc_status following_value(arguments *a, const char *label, const cli_option *option, const char **text)
{
  const char *given = a->next < a->argc ? a->argv[a->next] : NULL;
  if (!given || (given[0] == '-' && given[1] == '-'))
    return dlc_fail(DLC_INVALID, "%s needs a value: %s", label, option->value);
  a->next++;
  *text = given;
  return DLC_OK;
}

static dlc_status check_command(const cli_options *o, const cli_option *option, const char *label)
{
  if (option->commands & o->command) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s is not an option of dlcore %s", label, cli_command_name(o->command));
}

/* --name value, --name=value, --name and --no-name. */
static dlc_status read_long(cli_options *o, const char *argument, arguments *a)
{
  char label[80];
  const char *equal = strchr(argument, '=');
  size_t n = equal ? (size_t)(equal - argument) : strlen(argument);
  snprintf(label, sizeof label, "%.*s", (int)(n < 79 ? n : 79), argument);
  const char *name = label + 2;
  const cli_option *option = option_of(o->command, name);
  if (!option && (strncmp(name, "no-", 3) == 0 || strncmp(name, "no_", 3) == 0)) {
    option = cli_option_named(name + 3);
    if (!option || option->type != CLI_BOOL) return unknown_option(o, label, option ? name + 3 : name);
    DLC_TRY(check_command(o, option, label));
    if (equal) return dlc_fail(DLC_INVALID, "%s takes no value", label);
    return cli_option_set(o, option, "false", CLI_FROM_COMMAND, label);
  }
  if (!option) return unknown_option(o, label, name);
  DLC_TRY(check_command(o, option, label));
  const char *text = equal ? equal + 1 : "true";
  if (!equal && option->type != CLI_BOOL) DLC_TRY(following_value(a, label, option, &text));
  return cli_option_set(o, option, text, CLI_FROM_COMMAND, label);
}

/* -b 64, -b64, -qv */
static dlc_status read_letters(cli_options *o, const char *argument, arguments *a)
{
  for (const char *p = argument + 1; *p; p++) {
    const char label[] = {'-', *p, 0};
    const cli_option *option = option_lettered(o->command, *p);
    if (!option) return unknown_option(o, label, label + 1);
    DLC_TRY(check_command(o, option, label));
    if (option->type == CLI_BOOL) {
      DLC_TRY(cli_option_set(o, option, "true", CLI_FROM_COMMAND, label));
      continue;
    }
    const char *text = p + 1 + (p[1] == '=');
    if (!p[1]) DLC_TRY(following_value(a, label, option, &text));
    return cli_option_set(o, option, text, CLI_FROM_COMMAND, label);
  }
  return DLC_OK;
}

static dlc_status read_command(cli_options *o, arguments *a)
{
  o->command = CLI_TRAIN;
  if (a->argc < 2 || a->argv[1][0] == '-') return DLC_OK;
  const char *names[N_COMMANDS];
  for (size_t i = 0; i < N_COMMANDS; i++) {
    names[i] = commands[i].name;
    if (strcmp(a->argv[1], names[i])) continue;
    o->command = commands[i].command;
    a->next++;
    return DLC_OK;
  }
  int near = dlc_nearest(a->argv[1], names, N_COMMANDS);
  return dlc_fail(DLC_INVALID, "unknown command '%s'%s%s%s", a->argv[1],
                  near < 0 ? "; see dlcore --help" : "; did you mean '", near < 0 ? "" : names[near],
                  near < 0 ? "" : "'?");
}

static dlc_status read_command_line(cli_options *o, int argc, char **argv)
{
  arguments a = {argv, argc, 1};
  DLC_TRY(read_command(o, &a));
  while (a.next < a.argc) {
    const char *argument = a.argv[a.next++];
    if (argument[0] == '-' && argument[1] == '-' && argument[2]) {
      DLC_TRY(read_long(o, argument, &a));
    } else if (argument[0] == '-' && argument[1]) {
      DLC_TRY(read_letters(o, argument, &a));
    } else if (o->arguments.n < arguments_of(o->command)) {
      DLC_TRY(add_item(o, &o->arguments, o->arguments.n, argument));
    } else {
      return dlc_fail(DLC_INVALID, "unexpected argument '%s'; see dlcore --help", argument);
    }
  }
  return DLC_OK;
}

static int read_config(cli_options *o)
{
  char *path;
  int code = cli_find_file(CLI_RECIPE_FILE, o->config, &path);
  if (code == CLI_OK && cli_config_read(path, o) < 0) code = CLI_USAGE;
  free(path);
  return code;
}

int cli_options_parse(int argc, char **argv, cli_options *o, const char **warning)
{
  *o = (cli_options){0};
  *warning = NULL;
  o->rank = calloc(cli_table_size, 1);
  if (!o->rank) {
    dlc_fail_nomem();
    return CLI_USAGE;
  }
  if (set_defaults(o) < 0 || read_command_line(o, argc, argv) < 0) return CLI_USAGE;
  if (o->help || o->version) return CLI_OK;
  if (read_environment(o, warning) < 0) return CLI_USAGE;
  const int code = o->config ? read_config(o) : CLI_OK;
  if (code != CLI_OK || !o->resume) return code;
  return cli_resume_find(o) == CLI_OK ? CLI_OK : CLI_USAGE;
}

/* ---- what a run was started with ---- */

static int read_recorded(const char *run, cli_options *recorded)
{
  char *path;
  if (!recorded->rank || asprintf(&path, "%s/config.yaml", run) < 0) {
    dlc_fail_nomem();
    return CLI_FAILED;
  }
  const bool ok = set_defaults(recorded) >= 0 && cli_config_read(path, recorded) >= 0;
  free(path);
  return ok ? CLI_OK : CLI_FAILED;
}

int cli_options_of_run(cli_options *o, const char *run, const char *const *names, size_t n)
{
  /* Texts that are read go where o's are. */
  cli_options recorded = {.rank = calloc(cli_table_size, 1), .arena = o->arena};
  int code = read_recorded(run, &recorded);
  for (size_t i = 0; i < n && code == CLI_OK; i++) {
    const cli_option *option = cli_option_named(names[i]);
    if (cli_option_typed(o, names[i])) continue;
    memcpy(field(o, option), field(&recorded, option), field_bytes(option));
    o->rank[option - cli_table] = recorded.rank[option - cli_table];
  }
  o->arena = recorded.arena;
  free(recorded.rank);
  return code;
}

void cli_options_free(cli_options *o)
{
  free(o->rank);
  dlc_arena_free(&o->arena);
}
