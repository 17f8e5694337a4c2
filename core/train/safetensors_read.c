/* Reading safetensors. Nothing of the header is believed before it is checked: lengths against the file, shapes against
 * offsets with overflow checks, offsets against each other (they must tile the data without a hole). */
#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
#include "train/safetensors.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES_MAX = 100000000 };
#define FILE_BYTES_MAX ((size_t)1 << 36)

typedef struct reader {
  const char *path;
  char *data; /* the tensors' bytes */
  size_t data_bytes;
  dlc_arena *arena;
  dlc_tensor_file *file;
} reader;

typedef struct owner { /* what dlc_tensor_file.memory points to */
  dlc_arena arena;
  char *bytes;
} owner;

static dlc_status read_dtype(const reader *r, const char *name, json_t *entry, uint32_t *dtype)
{
  const char *text = json_string_value(json_object_get(entry, "dtype"));
  for (*dtype = DLC_F32; text && *dtype <= DLC_U8; ++*dtype)
    if (strcmp(text, dlc_safetensors_dtypes[*dtype]) == 0) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s: tensor %s has dtype %s; expected F32, F64, I32, I64 or U8", r->path, name,
                  text ? text : "missing");
}

static dlc_status read_shape(const reader *r, const char *name, json_t *entry, dlc_tensor *t, uint64_t *bytes)
{
  json_t *shape = json_object_get(entry, "shape");
  if (!json_is_array(shape) || json_array_size(shape) > DLC_MAX_RANK)
    return dlc_fail(DLC_INVALID, "%s: tensor %s has no shape of at most %d dimensions", r->path, name, DLC_MAX_RANK);
  *bytes = dlc_dtype_bytes(t->dtype);
  t->rank = (uint32_t)json_array_size(shape);
  for (uint32_t i = 0; i < t->rank; i++) {
    json_t *dim = json_array_get(shape, i);
    t->dim[i] = json_integer_value(dim);
    if (!json_is_integer(dim) || t->dim[i] < 0 || __builtin_mul_overflow(*bytes, (uint64_t)t->dim[i], bytes))
      return dlc_fail(DLC_INVALID, "%s: tensor %s has an impossible shape", r->path, name);
  }
  return DLC_OK;
}

static dlc_status read_tensor(reader *r, const char *name, json_t *entry)
{
  dlc_tensor *t = &r->file->tensors[r->file->n];
  uint64_t bytes = 0;
  *t = (dlc_tensor){.name = dlc_arena_strdup(r->arena, name)};
  if (!t->name) return dlc_fail_nomem();
  if (!json_is_object(entry))
    return dlc_fail(DLC_INVALID, "%s: tensor %s is not described by an object", r->path, name);
  DLC_TRY(read_dtype(r, name, entry, &t->dtype));
  DLC_TRY(read_shape(r, name, entry, t, &bytes));
  json_t *offsets = json_object_get(entry, "data_offsets");
  json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second))
    return dlc_fail(DLC_INVALID, "%s: tensor %s has no data_offsets [begin, end]", r->path, name);
  const json_int_t begin = json_integer_value(first), end = json_integer_value(second);
  if (begin < 0 || end < begin || (uint64_t)end > r->data_bytes)
    return dlc_fail(DLC_INVALID, "%s: tensor %s lies at [%lld, %lld), outside of the %zu bytes of data", r->path, name,
                    (long long)begin, (long long)end, r->data_bytes);
  if ((uint64_t)(end - begin) != bytes)
    return dlc_fail(DLC_INVALID, "%s: tensor %s has %lld bytes; its shape needs %llu", r->path, name,
                    (long long)(end - begin), (unsigned long long)bytes);
  t->data = r->data + begin;
  r->file->n++;
  return DLC_OK;
}

static int by_place(const void *a, const void *b)
{
  const dlc_tensor *x = a, *y = b;
  if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
  return dlc_tensor_bytes(x) < dlc_tensor_bytes(y) ? -1 : dlc_tensor_bytes(x) > dlc_tensor_bytes(y);
}

/* By place, each tensor starts where the former ends, and the last one ends the file. */
static dlc_status check_tiling(const reader *r)
{
  const char *expected = r->data;
  uint32_t fits = 0;
  qsort(r->file->tensors, r->file->n, sizeof(dlc_tensor), by_place);
  for (; fits < r->file->n && r->file->tensors[fits].data == expected; fits++)
    expected += dlc_tensor_bytes(&r->file->tensors[fits]);
  if (fits == r->file->n && expected == r->data + r->data_bytes) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s: its tensors overlap or leave a hole at byte %td of the data", r->path,
                  expected - r->data);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const dlc_tensor *)a)->name, ((const dlc_tensor *)b)->name);
}

/* Values that are no texts, which the format does not allow, are passed over. */
static dlc_status read_metadata(reader *r, json_t *pairs)
{
  const char *key;
  json_t *value;
  r->file->metadata = dlc_arena_alloc(r->arena, (2 * json_object_size(pairs) + 1) * sizeof(char *));
  if (!r->file->metadata) return dlc_fail_nomem();
  json_object_foreach(pairs, key, value)
  {
    if (!json_is_string(value)) continue;
    const char **pair = &r->file->metadata[2 * r->file->n_metadata];
    pair[0] = dlc_arena_strdup(r->arena, key);
    pair[1] = dlc_arena_strdup(r->arena, json_string_value(value));
    if (!pair[0] || !pair[1]) return dlc_fail_nomem();
    r->file->n_metadata++;
  }
  return DLC_OK;
}

static dlc_status read_tensors(reader *r, json_t *root)
{
  const char *name;
  json_t *entry;
  size_t n = json_object_size(root);
  r->file->tensors = dlc_arena_alloc(r->arena, (n + 1) * sizeof(dlc_tensor));
  if (!r->file->tensors) return dlc_fail_nomem();
  json_object_foreach(root, name, entry)
  {
    DLC_TRY(strcmp(name, "__metadata__") == 0 ? read_metadata(r, entry) : read_tensor(r, name, entry));
  }
  DLC_TRY(check_tiling(r));
  qsort(r->file->tensors, r->file->n, sizeof(dlc_tensor), by_name);
  return DLC_OK;
}

static dlc_status parse(reader *r, char *bytes, size_t length)
{
  uint64_t header = 0;
  if (length < 8) return dlc_fail(DLC_INVALID, "%s: %zu bytes are too few for safetensors", r->path, length);
  for (int i = 0; i < 8; i++) header |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
  if (header > HEADER_BYTES_MAX || header > length - 8)
    return dlc_fail(DLC_INVALID, "%s: not safetensors, or cut: its header should have %llu bytes, the file has %zu",
                    r->path, (unsigned long long)header, length);
  if (header == 0 || bytes[8] != '{') return dlc_fail(DLC_INVALID, "%s: not safetensors: no JSON header", r->path);
  json_error_t error;
  json_t *root = json_loadb(bytes + 8, header, JSON_REJECT_DUPLICATES, &error);
  if (!root && !*error.text) return dlc_fail_nomem();
  if (!root) return dlc_fail(DLC_INVALID, "%s: header, byte %d: %s", r->path, error.position, error.text);
  r->data = bytes + 8 + header;
  r->data_bytes = length - 8 - header;
  dlc_status status = read_tensors(r, root);
  json_decref(root);
  return status;
}

/* The data must be aligned for its elements, which the format does not promise: moved if need be. */
static dlc_status align_tensors(dlc_tensor_file *file, dlc_arena *arena)
{
  for (uint32_t i = 0; i < file->n; i++) {
    dlc_tensor *t = &file->tensors[i];
    if ((uintptr_t)t->data % dlc_dtype_bytes(t->dtype) == 0) continue;
    t->data = dlc_arena_copy(arena, t->data, dlc_tensor_bytes(t));
    if (!t->data) return dlc_fail_nomem();
  }
  return DLC_OK;
}

dlc_status dlc_safetensors_read(const char *path, dlc_tensor_file *file)
{
  *file = (dlc_tensor_file){0};
  owner *o = calloc(1, sizeof *o);
  if (!o) return dlc_fail_nomem();
  file->memory = o;
  size_t length;
  reader r = {.path = path, .arena = &o->arena, .file = file};
  dlc_status status = dlc_read_file(path, FILE_BYTES_MAX, &o->bytes, &length);
  if (status >= 0) status = parse(&r, o->bytes, length);
  if (status >= 0) status = align_tensors(file, &o->arena);
  if (status < 0) dlc_safetensors_free(file);
  return status;
}

void dlc_safetensors_free(dlc_tensor_file *file)
{
  owner *o = file->memory;
  if (o) {
    dlc_arena_free(&o->arena);
    free(o->bytes);
    free(o);
  }
  *file = (dlc_tensor_file){0};
}
