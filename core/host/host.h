/* Plugins: where they are looked for, which are taken and why others are not, and what they provide.
 * All [main]. One registry a process, owned by the application. A plugin is opened when something it may provide is
 * named, or when plugins are listed; it is never unloaded. */
#ifndef DLC_HOST_HOST_H
#define DLC_HOST_HOST_H
#include "base/log.h"
#include "base/pool.h"
#include "dlcore/plugin.h"

typedef struct dlc_registry dlc_registry;

typedef struct dlc_registry_config {
  const char *plugin_path; /* --plugin-path: folders separated by ':', or NULL */
  const char *program;     /* path of the executable, for <program>/../lib/dlcore; NULL: /proc/self/exe */
  dlc_pool *pool;          /* not owned; outlives the registry */
  const dlc_sink *sink;    /* not owned */
} dlc_registry_config;

/* Lists the candidate files; opens none. */
dlc_status dlc_registry_open(const dlc_registry_config *config, dlc_registry **registry);
void dlc_registry_close(dlc_registry *registry);

/* dlcore's own objects, added before anything is looked up ("dlcore.op/1" for every core op). `object` stays owned by
 * the caller and outlives the registry. */
dlc_status dlc_registry_add(dlc_registry *r, const char *iface, const void *object);

/* A service beside those of core/base, for host->service() of every plugin. Added before any plugin is used; name and
 * table stay owned by the caller and outlive the registry's last use. */
dlc_status dlc_registry_add_service(dlc_registry *r, const char *name, const void *table);

/* The object of `iface` called `name`. Looks at dlcore's own, then at dlcore-NAME.so (and dlcore-VENDOR.so for
 * "vendor.name"), then at every other file in search order, so the answer never depends on what was opened before.
 * DLC_NOT_FOUND: the reason gives the nearest name, and each file that could not be taken and might have provided it.
 * *host (optional): the host table of the plugin that owns the object. */
dlc_status dlc_registry_find(dlc_registry *r, const char *iface, const char *name, const void **object,
                             const dlc_host **host);

/* Opens everything. Then the i-th object of an interface; NULL past the last. */
void dlc_registry_load_all(dlc_registry *r);
const void *dlc_registry_object(dlc_registry *r, const char *iface, uint32_t i, const dlc_host **host);
/* Opens dlcore-ID.so. Then its i-th object of an interface; NULL past the last, or when no such file is taken. */
const void *dlc_registry_object_of(dlc_registry *r, const char *id, const char *iface, uint32_t i,
                                   const dlc_host **host);
/* Opens everything. Of all backends that can start here, the one whose plugin has the highest score, the first in
 * search order among equals; with `after`, the one that comes next after it in this order. NULL: none. */
const dlc_backend *dlc_registry_best_backend(dlc_registry *r, const dlc_backend *after, const dlc_host **host);

/* One file that was looked at, in search order. */
typedef struct dlc_plugin_file {
  const char *path;
  const dlc_plugin *plugin; /* NULL: not taken */
  int score;
  const char *reason; /* why not taken; NULL: taken */
} dlc_plugin_file;
/* The i-th file, or NULL past the last. Meaningful after dlc_registry_load_all(). */
const dlc_plugin_file *dlc_registry_file(dlc_registry *r, uint32_t i);
/* The folders that were searched, in order; NULL past the last. */
const char *dlc_registry_folder(dlc_registry *r, uint32_t i);

/* The host table for dlcore's own objects (ops built into the core). */
const dlc_host *dlc_registry_host(dlc_registry *r);
/* Where the registry's own lines go; NULL: nowhere. */
const dlc_sink *dlc_registry_sink(const dlc_registry *r);

/* Reads "steps=10,name=x" (NULL: all defaults) against an option table. *values: n_options entries in the table's
 * order, with the strings they point to in one block; the caller frees it with free(). `owner` names the plugin object
 * in the reason: unknown option (with the nearest), a value that is not a number, out of range or not among the
 * choices. */
dlc_status dlc_options_read(const char *owner, const dlc_option *options, uint32_t n_options, const char *text,
                            dlc_option_value **values);

#endif
