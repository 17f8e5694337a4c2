/* What a pickle must mean to be a batch of CIFAR pictures or their class names. [any] */
#include "cifar.h"
#include "pickle.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

dlc_status cifar_fail(cifar_reason *why, dlc_status code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(why->text, sizeof why->text, format, args);
  va_end(args);
  return code;
}

/* What the dictionary at the root holds under `key`, which must be of `type`. */
static dlc_status member(const pickle *p, const char *key, uint32_t type, const pickle_value **value, cifar_reason *why)
{
  const pickle_value expected = {.type = type};
  if (p->root.type != PICKLE_DICT)
    return cifar_fail(why, DLC_INVALID, "the pickle holds %s, expected a dictionary", pickle_type_name(&p->root));
  *value = pickle_get(&p->root, key);
  if (!*value) return cifar_fail(why, DLC_INVALID, "the key '%s' is missing", key);
  if ((*value)->type != type)
    return cifar_fail(why, DLC_INVALID, "'%s' is %s, expected %s", key, pickle_type_name(*value),
                      pickle_type_name(&expected));
  return DLC_OK;
}

/* Bytes, two-dimensional, row by row, as many as the shape says. */
static dlc_status check_array(const pickle_object *array, int64_t *rows, cifar_reason *why)
{
  if (array->shape.type == PICKLE_UNSET) return cifar_fail(why, DLC_INVALID, "'data' is an array without a state");
  if (array->dtype.n != 2 || memcmp(array->dtype.as.bytes, "u1", 2) != 0)
    return cifar_fail(why, DLC_INVALID, "'data' has another type of numbers than bytes (u1)");
  if (array->fortran.as.number)
    return cifar_fail(why, DLC_INVALID, "'data' lies column by column, expected row by row");
  const pickle_values *shape = &array->shape.as.object->elements;
  if (shape->n != 2) return cifar_fail(why, DLC_INVALID, "'data' has %u dimensions, expected 2", shape->n);
  *rows = shape->at[0].as.number;
  int64_t columns = shape->at[1].as.number;
  if (columns != CIFAR_PIXELS)
    return cifar_fail(why, DLC_INVALID, "'data' has rows of %lld bytes, expected %d", (long long)columns, CIFAR_PIXELS);
  if (*rows < 1 || *rows > CIFAR_MAX_BYTES / CIFAR_PIXELS || (uint64_t)*rows * CIFAR_PIXELS != array->data.n)
    return cifar_fail(why, DLC_INVALID, "'data' holds %u bytes, which is not %lld pictures of %d", array->data.n,
                      (long long)*rows, CIFAR_PIXELS);
  return DLC_OK;
}

static dlc_status take_labels(const pickle_values *list, const cifar_labels *labels, int32_t **out, cifar_reason *why)
{
  int32_t *to = malloc(list->n * sizeof *to);
  if (!to) return cifar_fail(why, DLC_NOMEM, "out of memory: %u labels", list->n);
  for (uint32_t i = 0; i < list->n; i++) {
    const pickle_value *v = &list->at[i];
    dlc_status status = DLC_OK;
    if (v->type != PICKLE_INT)
      status = cifar_fail(why, DLC_INVALID, "label %u is %s, expected an integer", i, pickle_type_name(v));
    else if (v->as.number < 0 || v->as.number >= (int64_t)labels->n_classes)
      status = cifar_fail(why, DLC_INVALID, "label %lld at index %u, expected 0..%u", (long long)v->as.number, i,
                          labels->n_classes - 1);
    if (status != DLC_OK) {
      free(to);
      return status;
    }
    to[i] = (int32_t)v->as.number;
  }
  *out = to;
  return DLC_OK;
}

static dlc_status understand(const pickle *p, const cifar_labels *labels, cifar_batch *batch, cifar_reason *why)
{
  const pickle_value *data = NULL, *list = NULL;
  int64_t rows = 0;
  dlc_status status = member(p, "data", PICKLE_ARRAY, &data, why);
  if (status == DLC_OK) status = member(p, labels->key, PICKLE_LIST, &list, why);
  if (status == DLC_OK) status = check_array(data->as.object, &rows, why);
  if (status != DLC_OK) return status;
  const pickle_values *values = &list->as.object->elements;
  if (values->n != rows) return cifar_fail(why, DLC_INVALID, "%u labels for %lld pictures", values->n, (long long)rows);
  batch->count = rows;
  batch->pixels = data->as.object->data.as.bytes;
  batch->stride = CIFAR_PIXELS;
  return take_labels(values, labels, &batch->labels, why);
}

dlc_status cifar_read_batch(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_batch *batch,
                            cifar_reason *why)
{
  pickle p;
  memset(batch, 0, sizeof *batch);
  dlc_status status = pickle_read(&p, bytes, n);
  if (status == DLC_OK) status = understand(&p, labels, batch, why);
  else cifar_fail(why, status, "%s", p.why);
  pickle_free(&p);
  if (status != DLC_OK) memset(batch, 0, sizeof *batch);
  return status;
}

dlc_status cifar_take_name(cifar_names *names, uint32_t k, const uint8_t *bytes, size_t n, cifar_reason *why)
{
  if (n == 0 || n >= sizeof names->name[k])
    return cifar_fail(why, DLC_INVALID, "the name of class %u has %zu characters, expected 1 to %zu", k, n,
                      sizeof names->name[k] - 1);
  for (size_t i = 0; i < n; i++)
    if (bytes[i] < 32 || bytes[i] > 126)
      return cifar_fail(why, DLC_INVALID, "the name of class %u holds the byte 0x%02x, expected plain text", k,
                        bytes[i]);
  memcpy(names->name[k], bytes, n);
  names->name[k][n] = 0;
  return DLC_OK;
}

static dlc_status take_names(const pickle *p, const cifar_labels *labels, cifar_names *names, cifar_reason *why)
{
  const pickle_value *list = NULL;
  dlc_status status = member(p, labels->names_key, PICKLE_LIST, &list, why);
  if (status != DLC_OK) return status;
  const pickle_values *values = &list->as.object->elements;
  if (values->n != labels->n_classes)
    return cifar_fail(why, DLC_INVALID, "%u class names, expected %u", values->n, labels->n_classes);
  for (uint32_t i = 0; i < values->n && status == DLC_OK; i++) {
    const pickle_value *v = &values->at[i];
    if (v->type == PICKLE_BYTES || v->type == PICKLE_TEXT) status = cifar_take_name(names, i, v->as.bytes, v->n, why);
    else status = cifar_fail(why, DLC_INVALID, "the name of class %u is %s, expected a string", i, pickle_type_name(v));
  }
  return status;
}

dlc_status cifar_read_meta(const uint8_t *bytes, size_t n, const cifar_labels *labels, cifar_names *names,
                           cifar_reason *why)
{
  pickle p;
  dlc_status status = pickle_read(&p, bytes, n);
  if (status == DLC_OK) status = take_names(&p, labels, names, why);
  else cifar_fail(why, status, "%s", p.why);
  pickle_free(&p);
  return status;
}
