/* Why a name is not to be had: the nearest name, and the files that might have provided it. */
#include "base/names.h"
#include "base/status.h"
#include "base/str.h"
#include "host/registry.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES_NAMED = 3, MAX_NAMES = 12 };

/* Adds what this list knows of the interface; `names` may be NULL to count. */
static size_t collect(const dlc_object *objects, uint32_t n, const dlc_iface *iface, const char **names)
{
  size_t count = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (objects[i].iface != iface) continue;
    if (names) names[count] = dlc_object_name(iface, objects[i].object);
    count++;
  }
  return count;
}

static size_t collect_all(const dlc_registry *r, const dlc_iface *iface, const char **names)
{
  size_t n = collect(r->own, r->n_own, iface, names);
  for (uint32_t i = 0; i < r->n_files; i++)
    if (r->files[i].file.plugin)
      n += collect(r->files[i].objects, r->files[i].n_objects, iface, names ? names + n : NULL);
  return n;
}

/* The nearest name or, when none is near, a short list of them all. True: the text ends in a question. */
static bool add_names(const dlc_registry *r, const dlc_iface *iface, const char *name, dlc_str *s)
{
  size_t n = collect_all(r, iface, NULL);
  const char **names = malloc((n + 1) * sizeof *names);
  if (!names) return false;
  collect_all(r, iface, names);
  int nearest = dlc_nearest(name, names, n);
  if (nearest >= 0) dlc_str_addf(s, "; did you mean '%s'?", names[nearest]);
  else if (n > 0 && n <= MAX_NAMES)
    for (size_t i = 0; i < n; i++) dlc_str_addf(s, "%s%s", i ? ", " : "; there is ", names[i]);
  free(names);
  return nearest >= 0;
}

/* Refused files, those called after the name or its vendor first and, when there are such, alone. */
static void add_refused(const dlc_registry *r, const char *name, const char *lead, dlc_str *s)
{
  size_t vendor = dlc_vendor_length(name);
  bool named = false;
  for (int pass = 0; pass < 2 && !named; pass++) {
    uint32_t listed = 0, left_out = 0;
    for (uint32_t i = 0; i < r->n_files; i++) {
      const dlc_candidate *c = &r->files[i];
      bool own = dlc_name_equal(c->id, name) || (vendor && strlen(c->id) == vendor && !strncmp(c->id, name, vendor));
      if (c->file.plugin || !c->file.reason || c->superseded || (pass == 0 && !own)) continue;
      if (listed == MAX_FILES_NAMED) left_out++;
      else dlc_str_addf(s, "%s%s: %s", listed++ ? "; " : lead, c->file.path, c->file.reason);
    }
    if (left_out) dlc_str_addf(s, "; and %u more, see `dlcore plugins`", left_out);
    named = listed > 0;
  }
}

static void add_folders(const dlc_registry *r, dlc_str *s)
{
  dlc_str_add(s, "; no plugin was found in");
  for (uint32_t i = 0; i < r->n_folders; i++) dlc_str_addf(s, "%s %s", i ? "," : "", r->folders[i]);
}

dlc_status dlc_fail_unknown(const dlc_registry *r, const dlc_iface *iface, const char *name)
{
  dlc_str s = {0};
  dlc_str_addf(&s, "no %s is called '%s'", iface->word, name);
  bool question = add_names(r, iface, name, &s);
  add_refused(r, name, question ? " Not taken: " : "; not taken: ", &s);
  if (r->n_files == 0) add_folders(r, &s);
  dlc_fail(DLC_NOT_FOUND, "%s", dlc_str_get(&s));
  dlc_str_free(&s);
  return DLC_NOT_FOUND;
}
