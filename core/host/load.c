/* Opens one plugin file and decides whether it is taken. Every refusal is one line that does not repeat the path. */
#include "base/names.h"
#include "base/status.h"
#include "host/registry.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef const dlc_plugin *entry_function(void);

enum { MAX_OBJECTS = 4096 }; /* of one interface: more is a get() that never ends */

void dlc_refuse(dlc_registry *r, dlc_candidate *c, const char *format, ...)
{
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  for (char *p = text; *p; p++)
    if (*p == '\n' || *p == '\r') *p = ' ';
  c->file.plugin = NULL;
  c->file.reason = dlc_arena_strdup(&r->arena, text);
  if (!c->file.reason) c->file.reason = "out of memory";
}

/* ---- the file ---- */

/* The loader maps what the program headers say and dies by SIGBUS when the file is shorter than that, as a plugin is
 * that was copied in part. Anything else that is wrong with the headers it reports itself. */
static dlc_status check_length(int fd, size_t bytes)
{
  ElfW(Ehdr) head;
  if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
    return DLC_OK;
  if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) return DLC_OK;
  if (head.e_phentsize != sizeof(ElfW(Phdr))) return DLC_OK;
  for (uint32_t i = 0; i < head.e_phnum; i++) {
    ElfW(Phdr) part;
    off_t at = (off_t)(head.e_phoff + i * sizeof part);
    bool whole = pread(fd, &part, sizeof part, at) == (ssize_t)sizeof part;
    if (whole && part.p_type != PT_LOAD) continue;
    if (!whole || part.p_offset > bytes || part.p_filesz > bytes - part.p_offset)
      return dlc_fail(DLC_INVALID, "the file is cut off at %zu bytes", bytes);
  }
  return DLC_OK;
}

static dlc_status check_file(const char *path)
{
  struct stat st;
  if (stat(path, &st) != 0) {
    int error = errno;
    char target[1024];
    ssize_t n = readlink(path, target, sizeof target);
    if (error == ENOENT && n >= 0) return dlc_fail(DLC_IO, "a link to %.*s, which does not exist", (int)n, target);
    return dlc_fail(DLC_IO, "%s", strerror(error));
  }
  if (!S_ISREG(st.st_mode))
    return dlc_fail(DLC_INVALID, "%s, not a file", S_ISDIR(st.st_mode) ? "a folder" : "a device, pipe or socket");
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return dlc_fail(DLC_IO, "cannot be read: %s", strerror(errno));
  dlc_status status = check_length(fd, (size_t)st.st_size);
  close(fd);
  return status;
}

/* The loader's own words, less the path that they begin with. */
static const char *loader_error(const char *path)
{
  const char *text = dlerror();
  if (!text) return "cannot be loaded";
  size_t n = strlen(path);
  return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static dlc_status open_file(const char *path, const dlc_plugin **plugin)
{
  DLC_TRY(check_file(path));
  /* Never unloaded: closing a library that started threads (OpenMP) crashes. */
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) return dlc_fail(DLC_INVALID, "%s", loader_error(path));
  void *symbol = dlsym(handle, "dlcore_plugin");
  if (!symbol) return dlc_fail(DLC_INVALID, "exports no dlcore_plugin: not a dlcore plugin");
  entry_function *entry;
  memcpy(&entry, &symbol, sizeof entry); /* C has no cast from an object pointer to a function pointer */
  *plugin = entry();
  return *plugin ? DLC_OK : dlc_fail(DLC_INVALID, "dlcore_plugin() returned NULL");
}

/* ---- the plugin's struct ---- */

static dlc_status check_plugin(const dlc_plugin *p, const char *id)
{
  if (p->magic != DLC_MAGIC)
    return dlc_fail(DLC_INVALID, "wrong magic 0x%08x, expected 0x%08x: not a dlcore plugin", p->magic, DLC_MAGIC);
  if (p->abi_major != DLC_ABI_MAJOR)
    return dlc_fail(DLC_INVALID, "built for ABI %u, this dlcore has ABI %u: rebuild it against this SDK", p->abi_major,
                    DLC_ABI_MAJOR);
  size_t least = offsetof(dlc_plugin, get) + sizeof p->get;
  if (p->size < least)
    return dlc_fail(DLC_INVALID, "its dlc_plugin has %u bytes, at least %zu are needed", p->size, least);
  if (!p->id) return dlc_fail(DLC_INVALID, "field `id` is NULL");
  if (!p->version) return dlc_fail(DLC_INVALID, "field `version` is NULL");
  if (!p->get) return dlc_fail(DLC_INVALID, "field `get` is NULL");
  if (strcmp(p->id, id) != 0) return dlc_fail(DLC_INVALID, "its id is '%s', its file name says '%s'", p->id, id);
  return DLC_OK;
}

static dlc_status probe(dlc_candidate *c, const dlc_plugin *p)
{
  c->file.score = 1;
  if (!DLC_HAS(p, probe)) return DLC_OK;
  char why[512] = "";
  c->file.score = p->probe(&c->host, why, sizeof why);
  why[sizeof why - 1] = '\0';
  if (c->file.score > 0) return DLC_OK;
  if (!why[0]) return dlc_fail(DLC_UNSUPPORTED, "its probe gave score %d and no reason", c->file.score);
  return dlc_fail(DLC_UNSUPPORTED, "not on this machine: %s", why);
}

/* ---- what it provides ---- */

/* Names without a dot are dlcore's, so that a model file and a list of transforms mean the same wherever they are read.
 */
static dlc_status check_name(const dlc_candidate *c, const dlc_object *o)
{
  const char *name = dlc_object_name(o->iface, o->object);
  const char *id = o->iface->id;
  if ((strcmp(id, DLC_IFACE_OP) == 0 || strcmp(id, DLC_IFACE_TRANSFORM) == 0) && dlc_vendor_length(name) == 0)
    return dlc_fail(DLC_INVALID, "the name '%s' is not VENDOR.NAME: names without a dot belong to dlcore", name);
  for (uint32_t i = 0; i < c->n_objects; i++)
    if (c->objects[i].iface == o->iface && dlc_name_equal(dlc_object_name(o->iface, c->objects[i].object), name))
      return dlc_fail(DLC_INVALID, "the name '%s' is given twice", name);
  return DLC_OK;
}

static dlc_status count_objects(const dlc_plugin *p, const dlc_iface *iface, uint32_t *n)
{
  const void *previous = NULL;
  for (*n = 0; *n < MAX_OBJECTS; ++*n) {
    const void *object = p->get(iface->id, *n);
    if (!object) return DLC_OK;
    if (object == previous)
      return dlc_fail(DLC_INVALID, "get() returns the same %s for %u and %u: past the last it must return NULL",
                      iface->word, *n - 1, *n);
    previous = object;
  }
  return dlc_fail(DLC_INVALID, "get() returns more than %d objects of %s", MAX_OBJECTS, iface->id);
}

static dlc_status take_objects(dlc_registry *r, dlc_candidate *c, const dlc_plugin *p)
{
  uint32_t counts[DLC_N_IFACES], total = 0;
  for (int k = 0; k < DLC_N_IFACES; k++) {
    DLC_TRY(count_objects(p, &dlc_ifaces[k], &counts[k]));
    total += counts[k];
  }
  if (total == 0) return dlc_fail(DLC_INVALID, "provides nothing that this dlcore knows");
  c->objects = dlc_arena_alloc(&r->arena, total * sizeof *c->objects);
  if (!c->objects) return dlc_fail_nomem();
  for (int k = 0; k < DLC_N_IFACES; k++) {
    for (uint32_t i = 0; i < counts[k]; i++) {
      dlc_object o = {&dlc_ifaces[k], p->get(dlc_ifaces[k].id, i)};
      dlc_status status = dlc_object_check(o.iface, o.object);
      if (status == DLC_OK) status = check_name(c, &o);
      if (status != DLC_OK) return dlc_fail_in(status, "%s %u", o.iface->word, i);
      c->objects[c->n_objects++] = o;
    }
  }
  return DLC_OK;
}

void dlc_plugin_load(dlc_registry *r, dlc_candidate *c)
{
  c->opened = true;
  c->context = (dlc_host_context){.sink = r->sink, .pool = r->pool, .registry = r, .id = c->id};
  dlc_host_fill(&c->host, &c->context);
  const dlc_plugin *p = NULL;
  dlc_status status = open_file(c->file.path, &p);
  if (status == DLC_OK) status = check_plugin(p, c->id);
  if (status == DLC_OK) status = probe(c, p);
  if (status == DLC_OK) status = take_objects(r, c, p);
  if (status == DLC_OK) c->file.plugin = p;
  else dlc_refuse(r, c, "%s", dlc_reason());
}
