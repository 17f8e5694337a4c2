/* What the files of this folder share. A registry owns everything here; loaded plugins own what they point to.
 *
 *   search.c    folders and candidate files, in order; opens nothing
 *   load.c      opens one file and decides whether it is taken
 *   check.c     whether an object that a plugin provides is fit to be used
 *   registry.c  which file provides a name
 *   reason.c    why nothing does
 *   services.c  the host table that a plugin gets
 *   options.c   "steps=10,name=x" against a table */
#ifndef DLC_HOST_REGISTRY_H
#define DLC_HOST_REGISTRY_H
#include "base/arena.h"
#include "host/host.h"
#include <stdbool.h>

/* An interface that this dlcore knows. */
typedef struct dlc_iface {
  const char *id;   /* "dlcore.dataset/1" */
  const char *word; /* "dataset", for reasons */
  size_t name;      /* offset of the object's name */
} dlc_iface;
enum { DLC_N_IFACES = 6 };
extern const dlc_iface dlc_ifaces[DLC_N_IFACES];
const dlc_iface *dlc_iface_find(const char *id); /* NULL: not known */
const char *dlc_object_name(const dlc_iface *iface, const void *object);

typedef struct dlc_object {
  const dlc_iface *iface;
  const void *object;
} dlc_object;

/* A service that a later folder of the core provides. */
typedef struct dlc_service {
  const char *name;
  const void *table;
} dlc_service;
enum { DLC_MAX_SERVICES = 8 };

/* The ctx of a host table. */
typedef struct dlc_host_context {
  const dlc_sink *sink;
  dlc_pool *pool;
  const dlc_registry *registry;
  const char *id; /* the plugin's; NULL: dlcore's own objects */
} dlc_host_context;

/* A candidate file. `file.plugin` is set only while it is taken. */
typedef struct dlc_candidate {
  dlc_plugin_file file;
  const char *id; /* from the file name */
  bool opened;    /* looked at; then it is taken or has a reason */
  bool initialised;
  bool superseded; /* another file with its id is taken */
  dlc_host host;
  dlc_host_context context;
  dlc_object *objects; /* in the arena */
  uint32_t n_objects;
} dlc_candidate;

struct dlc_registry {
  dlc_arena arena; /* paths, reasons, object lists */
  const dlc_sink *sink;
  dlc_pool *pool;
  const char **folders;
  uint32_t n_folders;
  dlc_candidate *files; /* an array whose elements never move: plugins keep their host table */
  uint32_t n_files;
  dlc_object *own; /* dlcore's own objects */
  uint32_t n_own, own_capacity;
  dlc_service services[DLC_MAX_SERVICES];
  uint32_t n_services;
  dlc_host host;
  dlc_host_context context;
};

/* Fills folders and files. */
dlc_status dlc_search(dlc_registry *r, const dlc_registry_config *config);

/* Opens the file; sets file.plugin, file.score and the objects, or file.reason. */
void dlc_plugin_load(dlc_registry *r, dlc_candidate *c);
/* Keeps why a file is not taken (printf format). */
void dlc_refuse(dlc_registry *r, dlc_candidate *c, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether the object can be used: size, mandatory fields, tables. DLC_INVALID with one line. */
dlc_status dlc_object_check(const dlc_iface *iface, const void *object);

/* DLC_NOT_FOUND with the nearest name and the files that might have provided it. Everything has been opened. */
dlc_status dlc_fail_unknown(const dlc_registry *r, const dlc_iface *iface, const char *name);
/* Length of "vendor" in "vendor.name"; 0 without a dot. */
size_t dlc_vendor_length(const char *name);

void dlc_host_fill(dlc_host *host, dlc_host_context *context);

#endif
