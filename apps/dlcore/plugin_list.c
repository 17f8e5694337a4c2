/* Collecting what is known of plugins, see plugin_list.h. */
#include "plugin_list.h"
#include "base/file.h"
#include "base/names.h"
#include "base/status.h"
#include "json_text.h"
#include <stdlib.h>
#include <string.h>

typedef struct kind {
  const char *iface, *word;
} kind;
static const kind kinds[] = {{DLC_IFACE_BACKEND, "backend"}, {DLC_IFACE_DATASET, "dataset"},
                             {DLC_IFACE_LOGGER, "logger"},   {DLC_IFACE_OP, "op"},
                             {DLC_IFACE_SOURCE, "source"},   {DLC_IFACE_TRANSFORM, "transform"}};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static void set_text(json_t *object, const char *key, const char *text)
{
  json_object_set_new(object, key, text ? cli_json_text(text) : json_null());
}

/* ---- options ---- */

static json_t *option_json(const char *name, const char *type, const char *def, const char *range, const char *help)
{
  json_t *o = json_object();
  set_text(o, "name", name);
  set_text(o, "type", type);
  set_text(o, "default", def);
  set_text(o, "range", range);
  set_text(o, "help", help);
  return o;
}

static json_t *options_json(const dlc_option *options, uint32_t n)
{
  static const char *const types[] = {"", "int", "float", "bool", "string"};
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) {
    const dlc_option *o = dlc_option_at(options, i);
    json_array_append_new(
        list, option_json(o->name, o->type <= DLC_OPTION_STRING ? types[o->type] : "", o->def, o->range, o->help));
  }
  return list;
}

static json_t *attributes_json(const dlc_attr *attrs, uint32_t n)
{
  static const char *const types[] = {"",      "int",     "float", "bool",  "pair", "padding",
                                      "range", "numbers", "word",  "shape", "list"};
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++) {
    const dlc_attr *a = dlc_attr_entry(attrs, i);
    json_array_append_new(list, option_json(a->name, a->type <= DLC_ATTR_LIST ? types[a->type] : "", a->def,
                                            DLC_HAS(a, choices) ? a->choices : NULL, a->help));
  }
  return list;
}

/* ---- objects ---- */

static const char *object_name(const kind *k, const void *object)
{
  if (k == &kinds[0]) return ((const dlc_backend *)object)->name;
  if (k == &kinds[1]) return ((const dlc_dataset *)object)->name;
  if (k == &kinds[2]) return ((const dlc_logger *)object)->name;
  if (k == &kinds[4]) return ((const dlc_source_type *)object)->name;
  if (k == &kinds[5]) return ((const dlc_transform *)object)->name;
  return ((const dlc_op *)object)->name;
}

/* Opens the backend with its defaults and keeps what it says of this machine. */
static void describe_backend(cli_job *job, const dlc_backend *backend, json_t *o)
{
  const void *object = NULL;
  const dlc_host *host = NULL;
  dlc_machine *machine = NULL;
  dlc_status status = dlc_registry_find(job->registry, DLC_IFACE_BACKEND, backend->name, &object, &host);
  dlc_machine_config config = {object, host, NULL, &job->sink};
  if (status >= 0) status = dlc_machine_open(&config, &machine);
  set_text(o, status < 0 ? "error" : "describe", status < 0 ? dlc_reason() : dlc_machine_describe(machine));
  if (machine) dlc_machine_close(machine);
}

static json_t *object_json(const kind *k, const void *object)
{
  json_t *o = json_object();
  set_text(o, "kind", k->word);
  set_text(o, "name", object_name(k, object));
  if (k == &kinds[0]) {
    const dlc_backend *b = object;
    set_text(o, "help", b->help);
    json_object_set_new(o, "options", options_json(b->options, b->n_options));
  } else if (k == &kinds[1]) {
    const dlc_dataset *d = object;
    set_text(o, "help", d->help);
    json_object_set_new(o, "options", options_json(d->options, d->n_options));
  } else if (k == &kinds[2]) {
    const dlc_logger *l = object;
    set_text(o, "help", l->help);
    json_object_set_new(o, "options", options_json(l->options, l->n_options));
  } else if (k == &kinds[4]) {
    set_text(o, "help", ((const dlc_source_type *)object)->help);
    json_object_set_new(o, "options", json_array());
  } else if (k == &kinds[5]) {
    const dlc_transform *t = object;
    set_text(o, "help", t->help);
    json_object_set_new(o, "options", attributes_json(t->attrs, t->n_attrs));
  } else {
    const dlc_op *op = object;
    set_text(o, "help", op->help);
    json_object_set_new(o, "version", json_integer(op->version));
    json_object_set_new(o, "options", attributes_json(op->attrs, op->n_attrs));
  }
  return o;
}

/* Whether the registry gives this object, or another one of its name. */
static bool is_used(cli_job *job, const kind *k, const void *object)
{
  const void *found = NULL;
  return dlc_registry_find(job->registry, k->iface, object_name(k, object), &found, NULL) >= 0 && found == object;
}

static json_t *own_json(const char *word, const char *name, const char *help, const dlc_attr *attrs, uint32_t n)
{
  json_t *o = json_object();
  set_text(o, "kind", word);
  set_text(o, "name", name);
  set_text(o, "help", help);
  json_object_set_new(o, "options", attributes_json(attrs, n));
  return o;
}

/* What --sched and --init take; plugins bring none. */
static void add_own(json_t *list, const char *name)
{
  for (const dlc_schedule_kind *const *s = dlc_schedule_kinds; *s; s++)
    if (!name || dlc_name_equal((*s)->name, name))
      json_array_append_new(list, own_json("schedule", (*s)->name, (*s)->help, (*s)->attrs, (*s)->n_attrs));
  const dlc_init_function *f;
  for (uint32_t i = 0; (f = dlc_init_function_at(i)); i++)
    if (!name || dlc_name_equal(f->name, name))
      json_array_append_new(list, own_json("initialisation", f->name, f->help, f->attrs, f->n_attrs));
}

static json_t *built_in_json(cli_job *job, const char *name)
{
  json_t *list = json_array();
  const dlc_host *own = dlc_registry_host(job->registry);
  for (const kind *k = kinds; k < kinds + N_KINDS; k++) {
    const dlc_host *host = NULL;
    const void *object;
    for (uint32_t i = 0; (object = dlc_registry_object(job->registry, k->iface, i, &host)); i++)
      if (host == own && (!name || dlc_name_equal(object_name(k, object), name)))
        json_array_append_new(list, object_json(k, object));
  }
  add_own(list, name);
  return list;
}

/* ---- files ---- */

/* "cpu" of ".../dlcore-cpu.so"; owned by the caller. */
static char *id_of_file(const char *path)
{
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  size_t n = strlen(base);
  return n > 10 ? strndup(base + 7, n - 10) : strdup(base);
}

static json_t *provides_json(cli_job *job, const dlc_plugin *p, const char *name)
{
  json_t *list = json_array();
  for (const kind *k = kinds; k < kinds + N_KINDS; k++) {
    const void *object;
    for (uint32_t i = 0; (object = p->get(k->iface, i)); i++) {
      if (name && !dlc_name_equal(p->id, name) && !dlc_name_equal(object_name(k, object), name)) continue;
      json_t *o = object_json(k, object);
      if (!is_used(job, k, object)) json_object_set_new(o, "used", json_false());
      else if (name && k == &kinds[0]) describe_backend(job, object, o);
      json_array_append_new(list, o);
    }
  }
  return list;
}

/* NULL when the file has nothing to do with `name`. */
static json_t *file_json(cli_job *job, const dlc_plugin_file *file, const char *name)
{
  json_t *f = json_object();
  set_text(f, "path", file->path);
  const dlc_plugin *p = file->plugin;
  json_t *provides = p ? provides_json(job, p, name) : NULL;
  p = file->plugin; /* an init that failed took it back */
  json_object_set_new(f, "taken", json_boolean(p != NULL));
  if (p) {
    set_text(f, "id", p->id);
    set_text(f, "version", p->version);
    set_text(f, "license", p->license);
    json_object_set_new(f, "score", json_integer(file->score));
    json_object_set(f, "provides", provides);
  } else {
    set_text(f, "reason", file->reason);
  }
  char *id = id_of_file(file->path);
  bool wanted = !name || (id && dlc_name_equal(id, name)) || (p && json_array_size(provides) > 0);
  free(id);
  json_decref(provides);
  if (wanted) return f;
  json_decref(f);
  return NULL;
}

json_t *cli_plugin_list(cli_job *job, const char *name)
{
  char abi[16];
  snprintf(abi, sizeof abi, "%d.%d", DLC_ABI_MAJOR, DLC_ABI_MINOR);
  json_t *root = json_object(), *folders = json_array(), *files = json_array();
  set_text(root, "version", DLCORE_VERSION);
  set_text(root, "abi", abi);
  const char *path;
  for (uint32_t i = 0; (path = dlc_registry_folder(job->registry, i)); i++) {
    json_t *folder = json_object();
    set_text(folder, "path", path);
    json_object_set_new(folder, "exists", json_boolean(dlc_path_is_dir(path)));
    json_array_append_new(folders, folder);
  }
  json_object_set_new(root, "folders", folders);
  json_object_set_new(root, "built_in", built_in_json(job, name));
  const dlc_plugin_file *file;
  for (uint32_t i = 0; (file = dlc_registry_file(job->registry, i)); i++) {
    json_t *f = file_json(job, file, name);
    if (f) json_array_append_new(files, f);
  }
  json_object_set_new(root, "files", files);
  return root;
}

/* ---- the nearest name ---- */

enum { NAMES_MAX = 1024 };

char *cli_plugin_nearest(cli_job *job, const char *name)
{
  const char *names[NAMES_MAX];
  size_t n = 0;
  const dlc_plugin_file *file;
  for (uint32_t i = 0; n < NAMES_MAX && (file = dlc_registry_file(job->registry, i)); i++)
    if (file->plugin) names[n++] = file->plugin->id;
  for (const kind *k = kinds; k < kinds + N_KINDS; k++) {
    const void *object;
    for (uint32_t i = 0; n < NAMES_MAX && (object = dlc_registry_object(job->registry, k->iface, i, NULL)); i++)
      names[n++] = object_name(k, object);
  }
  for (const dlc_schedule_kind *const *s = dlc_schedule_kinds; *s && n < NAMES_MAX; s++) names[n++] = (*s)->name;
  const dlc_init_function *f;
  for (uint32_t i = 0; n < NAMES_MAX && (f = dlc_init_function_at(i)); i++) names[n++] = f->name;
  int near = dlc_nearest(name, names, n);
  return near < 0 ? NULL : strdup(names[near]);
}
