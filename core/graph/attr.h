/* Attributes by their table, for whoever has one: ops and transforms. `attr` is the owner's struct. [any] */
#ifndef DLC_GRAPH_ATTR_H
#define DLC_GRAPH_ATTR_H
#include "base/str.h"
#include "dlcore/attr.h"
#include "dlcore/base.h"

typedef struct dlc_attr_table {
  const char *owner; /* its name, for reasons */
  const dlc_attr *attrs;
  uint32_t n;
} dlc_attr_table;

/* Fills a zeroed struct with the defaults. *missing: the first attribute that must be given, or NULL. */
dlc_status dlc_attrs_defaults(const dlc_attr_table *table, void *attr, const char **missing);
/* Sets one attribute from text as written in a model file; `words` gives the values, already split: "5", or "3", "5"
 * for [3, 5]. */
dlc_status dlc_attrs_set(const dlc_attr_table *table, void *attr, const char *name, const char *const *words,
                         uint32_t count);
/* Defaults first, then "beta1=0.8,milestones=[30,60]" ("": nothing), as it is typed behind a name; what must be given
 * must be there. */
dlc_status dlc_attrs_read(const dlc_attr_table *table, void *attr, const char *text);
/* The same onto what `attr` holds already. */
dlc_status dlc_attrs_change(const dlc_attr_table *table, void *attr, const char *text);
/* "stride: [1, 1]" */
void dlc_attr_dump(const dlc_attr *a, const void *attr, dlc_str *out);

#endif
