/* Which file provides a name. The answer depends on the folders and their content alone, never on what was opened
 * before: dlcore's own objects, then the file called after the name, then after its vendor, then all in search order.
 */
#include "host/registry.h"
#include "base/names.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

dlc_status dlc_registry_open(const dlc_registry_config *config, dlc_registry **registry)
{
  dlc_registry *r = calloc(1, sizeof *r);
  if (!r) return dlc_fail_nomem();
  r->sink = config->sink;
  r->pool = config->pool;
  r->context = (dlc_host_context){.sink = r->sink, .pool = r->pool, .registry = r};
  dlc_host_fill(&r->host, &r->context);
  dlc_status status = dlc_search(r, config);
  if (status != DLC_OK) {
    dlc_registry_close(r);
    return status;
  }
  *registry = r;
  return DLC_OK;
}

void dlc_registry_close(dlc_registry *r)
{
  if (!r) return;
  dlc_arena_free(&r->arena);
  free(r->files);
  free(r->own);
  free(r);
}

dlc_status dlc_registry_add(dlc_registry *r, const char *iface, const void *object)
{
  const dlc_iface *known = dlc_iface_find(iface);
  if (!known) return dlc_fail(DLC_INVALID, "no interface is called '%s'", iface);
  dlc_status status = dlc_object_check(known, object);
  if (status != DLC_OK) return dlc_fail_in(status, "dlcore's own %s %u", known->word, r->n_own);
  if (r->n_own == r->own_capacity) {
    uint32_t capacity = r->own_capacity ? 2 * r->own_capacity : 64;
    dlc_object *own = realloc(r->own, capacity * sizeof *own);
    if (!own) return dlc_fail_nomem();
    r->own = own;
    r->own_capacity = capacity;
  }
  r->own[r->n_own++] = (dlc_object){known, object};
  return DLC_OK;
}

dlc_status dlc_registry_add_service(dlc_registry *r, const char *name, const void *table)
{
  if (r->n_services == DLC_MAX_SERVICES)
    return dlc_fail(DLC_INTERNAL, "service '%s': there are %d already", name, DLC_MAX_SERVICES);
  r->services[r->n_services++] = (dlc_service){name, table};
  return DLC_OK;
}

/* ---- order ---- */

size_t dlc_vendor_length(const char *name)
{
  const char *dot = strchr(name, '.');
  return dot && dot[1] ? (size_t)(dot - name) : 0;
}

/* 0: the file is called after the name; 1: after its vendor; 2: neither. */
static int rank(const dlc_candidate *c, const char *name)
{
  if (dlc_name_equal(c->id, name)) return 0;
  size_t n = dlc_vendor_length(name);
  return n && strlen(c->id) == n && strncmp(c->id, name, n) == 0 ? 1 : 2;
}

static const void *object_of(const dlc_candidate *c, const dlc_iface *iface, const char *name)
{
  if (!c->file.plugin) return NULL;
  for (uint32_t i = 0; i < c->n_objects; i++)
    if (c->objects[i].iface == iface && dlc_name_equal(dlc_object_name(iface, c->objects[i].object), name))
      return c->objects[i].object;
  return NULL;
}

/* The open file whose object of that name is used before the one of `c`; NULL: none. */
static const dlc_candidate *preferred(const dlc_registry *r, const dlc_candidate *c, const dlc_iface *iface,
                                      const char *name)
{
  for (uint32_t i = 0; i < r->n_files; i++) {
    const dlc_candidate *other = &r->files[i];
    if (other == c || !object_of(other, iface, name)) continue;
    int a = rank(other, name), b = rank(c, name);
    if (a < b || (a == b && other < c)) return other;
  }
  return NULL;
}

/* ---- opening ---- */

static bool better(const dlc_candidate *a, const dlc_candidate *b)
{
  return a->file.score != b->file.score ? a->file.score > b->file.score : a < b;
}

/* Of the files with one id at most one stays taken. */
static void settle(dlc_registry *r, const char *id)
{
  dlc_candidate *best = NULL;
  for (uint32_t i = 0; i < r->n_files; i++) {
    dlc_candidate *c = &r->files[i];
    if (c->file.plugin && strcmp(c->id, id) == 0 && (!best || better(c, best))) best = c;
  }
  for (uint32_t i = 0; i < r->n_files; i++) {
    dlc_candidate *c = &r->files[i];
    if (c == best || !c->file.plugin || strcmp(c->id, id) != 0) continue;
    c->superseded = true;
    if (c->file.score == best->file.score)
      dlc_refuse(r, c, "%s has the same id and score %d, and comes first", best->file.path, best->file.score);
    else
      dlc_refuse(r, c, "%s has the same id and score %d, this one %d", best->file.path, best->file.score,
                 c->file.score);
    dlc_say(r->sink, DLC_LOG_INFO, "%s is not taken: %s", c->file.path, c->file.reason);
  }
}

static void warn_of_clashes(const dlc_registry *r, const dlc_candidate *fresh)
{
  for (uint32_t k = 0; fresh->file.plugin && k < fresh->n_objects; k++) {
    const dlc_iface *iface = fresh->objects[k].iface;
    const char *name = dlc_object_name(iface, fresh->objects[k].object);
    for (uint32_t i = 0; i < r->n_files; i++) {
      const dlc_candidate *other = &r->files[i];
      if (other == fresh || !object_of(other, iface, name)) continue;
      bool hidden = preferred(r, fresh, iface, name) == other;
      const dlc_candidate *used = hidden ? other : fresh, *lost = hidden ? fresh : other;
      dlc_say(r->sink, DLC_LOG_WARN, "%s '%s' of %s is used, not that of %s", iface->word, name, used->file.path,
              lost->file.path);
    }
  }
}

/* Opens the file and all others with its id, because their scores decide among them. */
static void open_id(dlc_registry *r, dlc_candidate *c)
{
  if (c->opened) return;
  for (uint32_t i = 0; i < r->n_files; i++)
    if (!r->files[i].opened && strcmp(r->files[i].id, c->id) == 0) dlc_plugin_load(r, &r->files[i]);
  settle(r, c->id);
  for (uint32_t i = 0; i < r->n_files; i++)
    if (strcmp(r->files[i].id, c->id) == 0) warn_of_clashes(r, &r->files[i]);
}

/* Once, before the first use of what the plugin provides. False: it refused, and is no longer taken. */
static bool initialise(dlc_registry *r, dlc_candidate *c)
{
  const dlc_plugin *p = c->file.plugin;
  if (!p || c->initialised) return p != NULL;
  c->initialised = true;
  if (!DLC_HAS(p, init)) return true;
  dlc_fail(DLC_INTERNAL, "no reason was given");
  dlc_status status = p->init(&c->host);
  if (status >= 0) return true;
  dlc_refuse(r, c, "its init failed (%d): %s", (int)status, dlc_reason());
  return false;
}

/* ---- looking up ---- */

static const void *find_own(const dlc_registry *r, const dlc_iface *iface, const char *name)
{
  for (uint32_t i = 0; i < r->n_own; i++)
    if (r->own[i].iface == iface && dlc_name_equal(dlc_object_name(iface, r->own[i].object), name))
      return r->own[i].object;
  return NULL;
}

static const void *find_in_files(dlc_registry *r, const dlc_iface *iface, const char *name, const dlc_host **host)
{
  for (int wanted = 0; wanted <= 2; wanted++) {
    for (uint32_t i = 0; i < r->n_files; i++) {
      dlc_candidate *c = &r->files[i];
      if (rank(c, name) != wanted) continue;
      open_id(r, c);
      const void *object = object_of(c, iface, name);
      if (!object || !initialise(r, c)) continue;
      if (host) *host = &c->host;
      return object;
    }
  }
  return NULL;
}

dlc_status dlc_registry_find(dlc_registry *r, const char *iface, const char *name, const void **object,
                             const dlc_host **host)
{
  const dlc_iface *known = dlc_iface_find(iface);
  if (!known) return dlc_fail(DLC_NOT_FOUND, "no interface is called '%s'", iface);
  *object = find_own(r, known, name);
  if (*object) {
    if (host) *host = &r->host;
    return DLC_OK;
  }
  *object = find_in_files(r, known, name, host);
  return *object ? DLC_OK : dlc_fail_unknown(r, known, name);
}

void dlc_registry_load_all(dlc_registry *r)
{
  for (uint32_t i = 0; i < r->n_files; i++) open_id(r, &r->files[i]);
}

/* The next object of `iface` at or after *file, *k that is used under its name and whose plugin starts. */
static const void *next_in_files(dlc_registry *r, const dlc_iface *iface, uint32_t *file, uint32_t *k)
{
  for (; *file < r->n_files; ++*file, *k = 0) {
    dlc_candidate *c = &r->files[*file];
    for (; c->file.plugin && *k < c->n_objects; ++*k) {
      const dlc_object *o = &c->objects[*k];
      if (o->iface != iface || preferred(r, c, iface, dlc_object_name(iface, o->object))) continue;
      if (!initialise(r, c)) break;
      ++*k;
      return o->object;
    }
  }
  return NULL;
}

const void *dlc_registry_object(dlc_registry *r, const char *iface, uint32_t i, const dlc_host **host)
{
  const dlc_iface *known = dlc_iface_find(iface);
  if (!known) return NULL;
  for (uint32_t k = 0; k < r->n_own; k++) {
    if (r->own[k].iface != known || i-- > 0) continue;
    if (host) *host = &r->host;
    return r->own[k].object;
  }
  uint32_t file = 0, k = 0;
  const void *object;
  while ((object = next_in_files(r, known, &file, &k)) && i > 0) i--;
  if (object && host) *host = &r->files[file].host;
  return object;
}

const void *dlc_registry_object_of(dlc_registry *r, const char *id, const char *iface, uint32_t i,
                                   const dlc_host **host)
{
  const dlc_iface *known = dlc_iface_find(iface);
  for (uint32_t file = 0; file < r->n_files; file++) {
    dlc_candidate *c = &r->files[file];
    if (strcmp(c->id, id) != 0) continue;
    open_id(r, c);
    for (uint32_t k = 0; c->file.plugin && k < c->n_objects; k++) {
      if (c->objects[k].iface != known || i-- > 0) continue;
      if (!initialise(r, c)) break;
      if (host) *host = &c->host;
      return c->objects[k].object;
    }
  }
  return NULL;
}

const dlc_backend *dlc_registry_best_backend(dlc_registry *r, const dlc_backend *after, const dlc_host **host)
{
  dlc_registry_load_all(r);
  const dlc_iface *iface = dlc_iface_find(DLC_IFACE_BACKEND);
  const dlc_backend *best = NULL;
  int best_score = 0, after_score = 0;
  uint32_t file = 0, k = 0;
  const void *object;
  while (after && (object = next_in_files(r, iface, &file, &k)) && object != after) {
  }
  if (after) after_score = r->files[file].file.score;
  file = k = 0;
  for (bool passed = after == NULL; (object = next_in_files(r, iface, &file, &k));) {
    const int score = r->files[file].file.score;
    passed |= object == after;
    /* Among equals those that come later in search order; nobody before `after` is asked twice. */
    if (object == after || (after && (score > after_score || (score == after_score && !passed)))) continue;
    if (best && score <= best_score) continue;
    best = object;
    best_score = score;
    if (host) *host = &r->files[file].host;
  }
  return best;
}

const dlc_plugin_file *dlc_registry_file(dlc_registry *r, uint32_t i)
{
  return i < r->n_files ? &r->files[i].file : NULL;
}

const char *dlc_registry_folder(dlc_registry *r, uint32_t i)
{
  return i < r->n_folders ? r->folders[i] : NULL;
}

const dlc_host *dlc_registry_host(dlc_registry *r)
{
  return &r->host;
}

const dlc_sink *dlc_registry_sink(const dlc_registry *r)
{
  return r->sink;
}
