/* dlcore plugins: every file that was looked at, and what it provides or why it was not taken. */
#include "base/status.h"
#include "commands.h"
#include "plugin_list.h"
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void print_option(const json_t *o)
{
  const char *def = json_string_value(json_object_get(o, "default"));
  const char *range = json_string_value(json_object_get(o, "range"));
  char left[80];
  snprintf(left, sizeof left, "%s (%s)", text_of(o, "name"), text_of(o, "type"));
  printf("      %-24s %s", left, text_of(o, "help"));
  if (def) printf(" (default: %s)", def);
  if (range) printf(" [%s]", range);
  putchar('\n');
}

static void print_object(const json_t *object)
{
  size_t i;
  json_t *option;
  printf("    %s %s: %s%s\n", text_of(object, "kind"), text_of(object, "name"), text_of(object, "help"),
         json_is_false(json_object_get(object, "used")) ? " (not used: another plugin of this name comes first)" : "");
  json_array_foreach(json_object_get(object, "options"), i, option) print_option(option);
  if (json_object_get(object, "describe")) printf("      here: %s\n", text_of(object, "describe"));
  if (json_object_get(object, "error")) printf("      does not start here: %s\n", text_of(object, "error"));
}

static void print_objects(const json_t *list)
{
  size_t i;
  json_t *object;
  json_array_foreach(list, i, object) print_object(object);
}

static void print_file(const json_t *file)
{
  printf("  %s\n", text_of(file, "path"));
  if (json_is_false(json_object_get(file, "taken"))) {
    printf("    not taken: %s\n", text_of(file, "reason"));
    return;
  }
  const char *license = text_of(file, "license");
  printf("    %s %s%s%s, score %lld\n", text_of(file, "id"), text_of(file, "version"), *license ? ", " : "", license,
         (long long)json_integer_value(json_object_get(file, "score")));
  print_objects(json_object_get(file, "provides"));
}

static void print_folders(const json_t *folders)
{
  size_t i;
  json_t *folder;
  puts("folders, in the order they are searched");
  json_array_foreach(folders, i, folder) printf("  %s%s\n", text_of(folder, "path"),
                                                json_is_true(json_object_get(folder, "exists")) ? "" : " (not there)");
}

/* All of dlcore's own objects of one kind in few lines; `plugins NAME` shows one in full. */
static void print_names(const json_t *objects, const char *kind, const char *title)
{
  size_t i;
  json_t *object;
  int column = printf("    %s:", title);
  bool first = true;
  json_array_foreach(objects, i, object)
  {
    const char *name = text_of(object, "name");
    if (strcmp(text_of(object, "kind"), kind)) continue;
    if (!first) column += printf(",");
    if (column + strlen(name) > 94) column = printf("\n   ") - 1;
    column += printf(" %s", name);
    first = false;
  }
  putchar('\n');
}

static void print_text(const json_t *root, const char *name)
{
  const json_t *files = json_object_get(root, "files"), *own = json_object_get(root, "built_in");
  size_t i;
  json_t *file;
  if (!name) {
    print_folders(json_object_get(root, "folders"));
    printf("\nbuilt in\n    dlcore %s, plugin ABI %s\n", text_of(root, "version"), text_of(root, "abi"));
    print_names(own, "op", "ops");
    print_names(own, "transform", "transforms");
    print_names(own, "schedule", "schedules");
    print_names(own, "initialisation", "initialisations");
    puts(json_array_size(files) ? "\nfiles, in the order they are looked at" : "\nno plugin files");
  } else {
    print_objects(own);
  }
  json_array_foreach(files, i, file) print_file(file);
}

static int print_list(cli_job *job, const json_t *root)
{
  const cli_options *o = job->options;
  const char *name = o->arguments.n ? o->arguments.items[0] : NULL;
  bool empty = !json_array_size(json_object_get(root, "files")) && !json_array_size(json_object_get(root, "built_in"));
  if (name && empty) {
    char *near = cli_plugin_nearest(job, name);
    dlc_fail(DLC_NOT_FOUND, "no plugin is called '%s' or provides it%s%s%s", name, near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
    free(near);
    return CLI_USAGE;
  }
  if (o->json) {
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
  } else {
    print_text(root, name);
  }
  return CLI_OK;
}

/* Lines of the registry stay off the terminal: what they say is in the list. */
int cli_plugins(cli_options *o, cli_console *c)
{
  cli_job job;
  if (c->shown < DLC_LOG_ERROR && !o->verbose) c->shown = DLC_LOG_ERROR;
  int code = cli_job_open(&job, o, c);
  if (code == CLI_OK) {
    dlc_registry_load_all(job.registry);
    json_t *root = cli_plugin_list(&job, o->arguments.n ? o->arguments.items[0] : NULL);
    code = print_list(&job, root);
    json_decref(root);
  }
  cli_report(c, code);
  cli_job_close(&job);
  return code;
}
