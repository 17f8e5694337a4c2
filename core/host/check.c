/* Whether an object that a plugin provides is fit to be used: what every later call relies on is tested here, once. */
#include "base/status.h"
#include "host/registry.h"
#include <stdlib.h>
#include <string.h>

#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define MANDATORY(type, field)                                                                                         \
  {                                                                                                                    \
#field, offsetof(type, field)                                                                                      \
  }

const dlc_iface dlc_ifaces[DLC_N_IFACES] = {
    {DLC_IFACE_BACKEND, "backend", offsetof(dlc_backend, name)},
    {DLC_IFACE_OP, "op", offsetof(dlc_op, name)},
    {DLC_IFACE_DATASET, "dataset", offsetof(dlc_dataset, name)},
    {DLC_IFACE_LOGGER, "logger", offsetof(dlc_logger, name)},
    {DLC_IFACE_SOURCE, "source", offsetof(dlc_source_type, name)},
    {DLC_IFACE_TRANSFORM, "transform", offsetof(dlc_transform, name)},
};

const dlc_iface *dlc_iface_find(const char *id)
{
  for (int k = 0; k < DLC_N_IFACES; k++)
    if (strcmp(dlc_ifaces[k].id, id) == 0) return &dlc_ifaces[k];
  return NULL;
}

static const void *pointer_at(const void *object, size_t offset)
{
  const void *p;
  memcpy(&p, (const char *)object + offset, sizeof p);
  return p;
}

const char *dlc_object_name(const dlc_iface *iface, const void *object)
{
  return pointer_at(object, iface->name);
}

typedef struct field {
  const char *name;
  size_t offset; /* of a pointer */
} field;

/* The object's size, then its mandatory pointers; `name` comes first and must not be empty. */
static dlc_status check_fields(const void *object, size_t least, const field *fields, size_t n)
{
  uint32_t size;
  memcpy(&size, object, sizeof size);
  if (size < least) return dlc_fail(DLC_INVALID, "its struct has %u bytes, at least %zu are needed", size, least);
  for (size_t i = 0; i < n; i++)
    if (!pointer_at(object, fields[i].offset)) return dlc_fail(DLC_INVALID, "field `%s` is NULL", fields[i].name);
  const char *name = pointer_at(object, fields[0].offset);
  return *name ? DLC_OK : dlc_fail(DLC_INVALID, "field `name` is empty");
}

/* The table itself, then its defaults: a default that is not valid is the author's mistake, not the user's. */
static dlc_status check_options(const char *owner, const dlc_option *options, uint32_t n)
{
  if (n == 0) return DLC_OK;
  if (!options) return dlc_fail(DLC_INVALID, "field `options` is NULL, `n_options` is %u", n);
  size_t least = END_OF(dlc_option, help);
  if (options->size < least)
    return dlc_fail(DLC_INVALID, "option 0: its struct has %u bytes, at least %zu are needed", options->size, least);
  for (uint32_t i = 0; i < n; i++) {
    const dlc_option *o = dlc_option_at(options, i);
    if (!o->name || !*o->name) return dlc_fail(DLC_INVALID, "option %u: field `name` is NULL or empty", i);
    if (o->type < DLC_OPTION_INT || o->type > DLC_OPTION_STRING)
      return dlc_fail(DLC_INVALID, "option '%s': unknown type %u", o->name, o->type);
    if (!o->def && o->type != DLC_OPTION_STRING)
      return dlc_fail(DLC_INVALID, "option '%s': field `def` is NULL", o->name);
  }
  dlc_option_value *values = NULL;
  DLC_TRY(dlc_options_read(owner, options, n, NULL, &values));
  free(values);
  return DLC_OK;
}

static size_t attr_bytes(uint32_t type)
{
  static const size_t bytes[] = {[DLC_ATTR_INT] = 8,
                                 [DLC_ATTR_FLOAT] = 8,
                                 [DLC_ATTR_BOOL] = 8,
                                 [DLC_ATTR_PAIR] = 16,
                                 [DLC_ATTR_RANGE] = 16,
                                 [DLC_ATTR_NUMBERS] = sizeof(dlc_numbers),
                                 [DLC_ATTR_PADDING] = 32,
                                 [DLC_ATTR_CHOICE] = 8,
                                 [DLC_ATTR_SHAPE] = 8 * (1 + DLC_MAX_RANK),
                                 [DLC_ATTR_LIST] = sizeof(dlc_list)};
  return type < sizeof bytes / sizeof bytes[0] ? bytes[type] : 0;
}

/* Values are written to the attribute struct by this table, so no entry may reach outside of it. */
static dlc_status check_attrs(const dlc_attr *attrs, uint32_t n, uint32_t attr_size)
{
  if (n == 0) return DLC_OK;
  if (!attrs) return dlc_fail(DLC_INVALID, "field `attrs` is NULL, `n_attrs` is %u", n);
  size_t least = END_OF(dlc_attr, help);
  if (attrs->size < least)
    return dlc_fail(DLC_INVALID, "attribute 0: its struct has %u bytes, at least %zu are needed", attrs->size, least);
  for (uint32_t i = 0; i < n; i++) {
    const dlc_attr *a = dlc_attr_entry(attrs, i);
    if (!a->name || !*a->name) return dlc_fail(DLC_INVALID, "attribute %u: field `name` is NULL or empty", i);
    size_t bytes = attr_bytes(a->type);
    if (bytes == 0) return dlc_fail(DLC_INVALID, "attribute '%s': unknown type %u", a->name, a->type);
    if (a->type == DLC_ATTR_CHOICE && !DLC_HAS(a, choices))
      return dlc_fail(DLC_INVALID, "attribute '%s': field `choices` is NULL", a->name);
    if (a->offset % 8 != 0 || a->offset > attr_size || bytes > attr_size - a->offset)
      return dlc_fail(DLC_INVALID, "attribute '%s': %zu bytes at offset %u do not fit the %u bytes of `attr_size`",
                      a->name, bytes, a->offset, attr_size);
  }
  return DLC_OK;
}

static dlc_status check_op(const dlc_op *op)
{
  static const field view[] = {MANDATORY(dlc_op, name), MANDATORY(dlc_op, infer)};
  static const field computed[] = {MANDATORY(dlc_op, name), MANDATORY(dlc_op, infer), MANDATORY(dlc_op, reference)};
  const bool composed = DLC_HAS(op, build) && !op->infer && !op->reference;
  DLC_TRY(check_fields(op, END_OF(dlc_op, infer), view, composed ? 1 : 2));
  if (!composed && !(op->flags & DLC_OP_VIEW)) DLC_TRY(check_fields(op, END_OF(dlc_op, reference), computed, 3));
  if (op->kind > DLC_OP_OPTIMIZER) return dlc_fail(DLC_INVALID, "'%s': unknown kind %u", op->name, op->kind);
  if (op->kind == DLC_OP_OPTIMIZER && !(op->flags & DLC_OP_UPDATE))
    return dlc_fail(DLC_INVALID, "'%s': an optimizer must have the flag DLC_OP_UPDATE", op->name);
  return check_attrs(op->attrs, op->n_attrs, op->attr_size);
}

static dlc_status check_backend(const dlc_backend *b)
{
  static const field fields[] = {MANDATORY(dlc_backend, name), MANDATORY(dlc_backend, open),
                                 MANDATORY(dlc_backend, close), MANDATORY(dlc_backend, kernel)};
  DLC_TRY(check_fields(b, END_OF(dlc_backend, kernel), fields, 4));
  return check_options(b->name, b->options, b->n_options);
}

static dlc_status check_dataset(const dlc_dataset *d)
{
  static const field fields[] = {MANDATORY(dlc_dataset, name), MANDATORY(dlc_dataset, open),
                                 MANDATORY(dlc_dataset, close), MANDATORY(dlc_dataset, info)};
  DLC_TRY(check_fields(d, END_OF(dlc_dataset, info), fields, 4));
  return check_options(d->name, d->options, d->n_options);
}

static dlc_status check_logger(const dlc_logger *l)
{
  static const field fields[] = {MANDATORY(dlc_logger, name), MANDATORY(dlc_logger, open), MANDATORY(dlc_logger, write),
                                 MANDATORY(dlc_logger, close)};
  DLC_TRY(check_fields(l, END_OF(dlc_logger, close), fields, 4));
  return check_options(l->name, l->options, l->n_options);
}

static dlc_status check_source_type(const dlc_source_type *t)
{
  static const field fields[] = {MANDATORY(dlc_source_type, name), MANDATORY(dlc_source_type, match),
                                 MANDATORY(dlc_source_type, open)};
  return check_fields(t, END_OF(dlc_source_type, open), fields, 3);
}

static dlc_status check_transform(const dlc_transform *t)
{
  static const field fields[] = {MANDATORY(dlc_transform, name), MANDATORY(dlc_transform, shape),
                                 MANDATORY(dlc_transform, apply)};
  DLC_TRY(check_fields(t, END_OF(dlc_transform, apply), fields, 3));
  return check_attrs(t->attrs, t->n_attrs, t->attr_size);
}

dlc_status dlc_object_check(const dlc_iface *iface, const void *object)
{
  if (strcmp(iface->id, DLC_IFACE_OP) == 0) return check_op(object);
  if (strcmp(iface->id, DLC_IFACE_BACKEND) == 0) return check_backend(object);
  if (strcmp(iface->id, DLC_IFACE_DATASET) == 0) return check_dataset(object);
  if (strcmp(iface->id, DLC_IFACE_SOURCE) == 0) return check_source_type(object);
  if (strcmp(iface->id, DLC_IFACE_TRANSFORM) == 0) return check_transform(object);
  return check_logger(object);
}
