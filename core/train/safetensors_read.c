/* Reading safetensors. Nothing is believed before it is checked: the checksum if there is one, lengths against the
 * file, shapes against offsets with overflow checks, offsets against each other (they must tile the data without a
 * hole). */
#include "base/arena.h"
#include "base/status.h"
#include "train/safetensors_checksum.h"
#include "train/safetensors_types.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for 150 000 tensors. The format allows 100 MB, which made of {} take 75 times as much once parsed. */
enum { HEADER_BYTES_MAX = 1 << 24 };
#define FILE_BYTES_MAX ((size_t)1 << 36)

typedef struct entry { /* a tensor of the header */
  dlc_tensor tensor;
  const dlc_file_type *type;
  uint64_t begin, end; /* in the data */
} entry;

typedef struct reader {
  const char *path;
  char *data; /* the tensors' bytes; NULL: only the header is read */
  uint64_t data_bytes;
  dlc_arena *arena;
  dlc_tensor_file *file;
  entry *entries;
  uint32_t n;
  bool names_checksum; /* in the metadata */
} reader;

typedef struct owner { /* what dlc_tensor_file.memory points to */
  dlc_arena arena;
  char *bytes;
} owner;

/* ---- the tensors of the header ---- */

static dlc_status read_type(const reader *r, json_t *json, entry *e)
{
  const char *text = json_string_value(json_object_get(json, "dtype"));
  e->type = text ? dlc_file_type_find(text) : NULL;
  if (!e->type)
    return dlc_fail(DLC_INVALID, "%s: tensor %s has dtype %s, which dlcore does not know", r->path, e->tensor.name,
                    text ? text : "missing");
  e->tensor.dtype = e->type->dtype;
  return DLC_OK;
}

static dlc_status read_shape(const reader *r, json_t *json, entry *e, uint64_t *bytes)
{
  json_t *shape = json_object_get(json, "shape");
  dlc_tensor *t = &e->tensor;
  if (!json_is_array(shape) || json_array_size(shape) > DLC_MAX_RANK)
    return dlc_fail(DLC_INVALID, "%s: tensor %s has no shape of at most %d dimensions", r->path, t->name, DLC_MAX_RANK);
  *bytes = e->type->bytes;
  t->rank = (uint32_t)json_array_size(shape);
  for (uint32_t i = 0; i < t->rank; i++) {
    json_t *dim = json_array_get(shape, i);
    t->dim[i] = json_integer_value(dim);
    if (!json_is_integer(dim) || t->dim[i] < 0 || __builtin_mul_overflow(*bytes, (uint64_t)t->dim[i], bytes))
      return dlc_fail(DLC_INVALID, "%s: tensor %s has an impossible shape", r->path, t->name);
  }
  return DLC_OK;
}

static dlc_status read_place(const reader *r, json_t *json, entry *e, uint64_t bytes)
{
  const char *name = e->tensor.name;
  json_t *offsets = json_object_get(json, "data_offsets");
  json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second))
    return dlc_fail(DLC_INVALID, "%s: tensor %s has no data_offsets [begin, end]", r->path, name);
  const json_int_t begin = json_integer_value(first), end = json_integer_value(second);
  if (begin < 0 || end < begin || (uint64_t)end > r->data_bytes)
    return dlc_fail(DLC_INVALID, "%s: tensor %s lies at [%lld, %lld), outside of the %llu bytes of data", r->path, name,
                    (long long)begin, (long long)end, (unsigned long long)r->data_bytes);
  if ((uint64_t)(end - begin) != bytes)
    return dlc_fail(DLC_INVALID, "%s: tensor %s has %lld bytes; its shape needs %llu", r->path, name,
                    (long long)(end - begin), (unsigned long long)bytes);
  e->begin = (uint64_t)begin;
  e->end = (uint64_t)end;
  return DLC_OK;
}

static dlc_status read_tensor(reader *r, const char *name, json_t *json)
{
  entry *e = &r->entries[r->n];
  uint64_t bytes = 0;
  e->tensor.name = dlc_arena_strdup(r->arena, name);
  if (!e->tensor.name) return dlc_fail_nomem();
  if (!json_is_object(json)) return dlc_fail(DLC_INVALID, "%s: tensor %s is not described by an object", r->path, name);
  DLC_TRY(read_type(r, json, e));
  DLC_TRY(read_shape(r, json, e, &bytes));
  DLC_TRY(read_place(r, json, e, bytes));
  r->n++;
  return DLC_OK;
}

static int by_place(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* By place, each tensor starts where the former ends, and the last one ends the file. */
static dlc_status check_tiling(const reader *r)
{
  uint64_t expected = 0;
  qsort(r->entries, r->n, sizeof *r->entries, by_place);
  for (uint32_t i = 0; i < r->n; i++) {
    const entry *e = &r->entries[i];
    if (e->begin != expected)
      return dlc_fail(DLC_INVALID, "%s: tensor %s begins at byte %llu of the data, where %s", r->path, e->tensor.name,
                      (unsigned long long)e->begin, e->begin < expected ? "another one lies" : "a hole ends");
    expected = e->end;
  }
  if (expected == r->data_bytes) return DLC_OK;
  return dlc_fail(DLC_INVALID, "%s: %llu bytes of data belong to no tensor", r->path,
                  (unsigned long long)(r->data_bytes - expected));
}

/* ---- metadata ---- */

static dlc_status read_metadata(reader *r, json_t *pairs)
{
  dlc_tensor_file *file = r->file;
  const char *key;
  json_t *value;
  if (!json_is_object(pairs)) return dlc_fail(DLC_INVALID, "%s: __metadata__ is no object", r->path);
  file->metadata = dlc_arena_alloc(r->arena, (2 * json_object_size(pairs) + 1) * sizeof(char *));
  if (!file->metadata) return dlc_fail_nomem();
  json_object_foreach(pairs, key, value)
  {
    if (!json_is_string(value)) return dlc_fail(DLC_INVALID, "%s: metadata `%s` is no text", r->path, key);
    if (strcmp(key, DLC_CHECKSUM_KEY) == 0) { /* true of the file only, not of what is in it */
      r->names_checksum = true;
      continue;
    }
    const char **pair = &file->metadata[2 * file->n_metadata];
    pair[0] = dlc_arena_strdup(r->arena, key);
    pair[1] = dlc_arena_strdup(r->arena, json_string_value(value));
    if (!pair[0] || !pair[1]) return dlc_fail_nomem();
    file->n_metadata++;
  }
  return DLC_OK;
}

/* A checksum that was not found at its place, and a file of dlcore's without one, are as bad as a wrong checksum. */
static dlc_status check_signed(const reader *r, bool is_signed)
{
  if (!is_signed && (r->names_checksum || dlc_metadata_find(r->file, DLC_VERSION_KEY)))
    return dlc_fail(DLC_INVALID,
                    "%s: damaged, or rewritten by another program that kept the metadata `%s` and `%s` of dlcore",
                    r->path, DLC_VERSION_KEY, DLC_CHECKSUM_KEY);
  return DLC_OK;
}

/* ---- the whole ---- */

static dlc_status read_entries(reader *r, json_t *root)
{
  const char *name;
  json_t *json;
  json_object_foreach(root, name, json)
  {
    DLC_TRY(strcmp(name, "__metadata__") == 0 ? read_metadata(r, json) : read_tensor(r, name, json));
  }
  return check_tiling(r);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const entry *)a)->tensor.name, ((const entry *)b)->tensor.name);
}

/* Where the tensor's data is: in the file's bytes, unless its elements are not aligned there, which the format does not
 * promise, or are of another type there. */
static dlc_status place_data(const reader *r, const entry *e, dlc_tensor *t)
{
  const size_t bytes = (size_t)(e->end - e->begin);
  if (!r->data) return DLC_OK;
  t->data = r->data + e->begin;
  if (e->type->widen) {
    float *wide = dlc_arena_alloc(r->arena, dlc_tensor_bytes(t));
    if (!wide) return dlc_fail_nomem();
    e->type->widen(t->data, wide, bytes / e->type->bytes);
    t->data = wide;
  } else if ((uintptr_t)t->data % e->type->bytes != 0) {
    t->data = dlc_arena_copy(r->arena, t->data, bytes);
    if (!t->data) return dlc_fail_nomem();
  }
  return DLC_OK;
}

static dlc_status hand_over(const reader *r)
{
  dlc_tensor_file *file = r->file;
  file->tensors = dlc_arena_alloc(r->arena, ((size_t)r->n + 1) * sizeof *file->tensors);
  file->types = dlc_arena_alloc(r->arena, ((size_t)r->n + 1) * sizeof *file->types);
  if (!file->tensors || !file->types) return dlc_fail_nomem();
  qsort(r->entries, r->n, sizeof *r->entries, by_name);
  for (; file->n < r->n; file->n++) {
    file->tensors[file->n] = r->entries[file->n].tensor;
    file->types[file->n] = r->entries[file->n].type->name;
    DLC_TRY(place_data(r, &r->entries[file->n], &file->tensors[file->n]));
  }
  return DLC_OK;
}

static dlc_status read_root(reader *r, json_t *root, bool is_signed)
{
  r->entries = calloc(json_object_size(root) + 1, sizeof *r->entries);
  dlc_status status = r->entries ? read_entries(r, root) : dlc_fail_nomem();
  if (status >= 0) status = check_signed(r, is_signed);
  if (status >= 0) status = hand_over(r);
  free(r->entries);
  return status;
}

static dlc_status read_length(const char *path, const char *bytes, uint64_t file_bytes, uint64_t *header)
{
  *header = 0;
  if (file_bytes < 8)
    return dlc_fail(DLC_INVALID, "%s: %llu bytes are too few for safetensors", path, (unsigned long long)file_bytes);
  for (int i = 0; i < 8; i++) *header |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
  if (*header > file_bytes - 8 && memcmp(bytes, "PK\3\4", 4) == 0)
    return dlc_fail(DLC_INVALID,
                    "%s: not safetensors, but a zip file, as torch.save() writes; in Python, "
                    "safetensors.torch.save_file(state_dict, FILE) writes safetensors",
                    path);
  if (*header > file_bytes - 8)
    return dlc_fail(DLC_INVALID, "%s: not safetensors, or cut: its header should have %llu bytes, the file has %llu",
                    path, (unsigned long long)*header, (unsigned long long)file_bytes);
  if (*header > HEADER_BYTES_MAX)
    return dlc_fail(DLC_INVALID, "%s: its header has %llu bytes, at most %d are allowed", path,
                    (unsigned long long)*header, HEADER_BYTES_MAX);
  return DLC_OK;
}

static dlc_status read_header(reader *r, const char *header, size_t n, bool is_signed)
{
  if (n == 0 || header[0] != '{') return dlc_fail(DLC_INVALID, "%s: not safetensors: no JSON header", r->path);
  json_error_t error;
  json_t *root = json_loadb(header, n, JSON_REJECT_DUPLICATES, &error);
  if (!root && !*error.text) return dlc_fail_nomem();
  if (!root) return dlc_fail(DLC_INVALID, "%s: header, byte %d: %s", r->path, error.position, error.text);
  dlc_status status = read_root(r, root, is_signed);
  json_decref(root);
  return status;
}

static dlc_status read_bytes(reader *r, char *bytes, size_t length)
{
  uint64_t header;
  bool is_signed;
  DLC_TRY(read_length(r->path, bytes, length, &header));
  DLC_TRY(dlc_safetensors_verify(r->path, bytes, length, &is_signed));
  r->data = bytes + 8 + header;
  r->data_bytes = length - 8 - header;
  return read_header(r, bytes + 8, (size_t)header, is_signed);
}

static dlc_status open_owner(const char *path, dlc_tensor_file *file, reader *r)
{
  owner *o = calloc(1, sizeof *o);
  *file = (dlc_tensor_file){.memory = o};
  *r = (reader){.path = path, .arena = o ? &o->arena : NULL, .file = file};
  return o ? DLC_OK : dlc_fail_nomem();
}

dlc_status dlc_safetensors_parse(const char *path, char *bytes, size_t length, dlc_tensor_file *file)
{
  reader r;
  dlc_status status = open_owner(path, file, &r);
  if (status < 0) {
    free(bytes);
    return status;
  }
  ((owner *)file->memory)->bytes = bytes;
  status = read_bytes(&r, bytes, length);
  if (status < 0) dlc_safetensors_free(file);
  return status;
}

dlc_status dlc_safetensors_read(const char *path, dlc_tensor_file *file)
{
  char *bytes;
  size_t length;
  *file = (dlc_tensor_file){0};
  DLC_TRY(dlc_read_file(path, FILE_BYTES_MAX, &bytes, &length));
  return dlc_safetensors_parse(path, bytes, length, file);
}

/* ---- the header alone ---- */

static dlc_status read_some(int fd, const char *path, char *bytes, size_t n)
{
  while (n > 0) {
    const ssize_t more = read(fd, bytes, n);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, more ? strerror(errno) : "it was cut meanwhile");
    bytes += more;
    n -= (size_t)more;
  }
  return DLC_OK;
}

static dlc_status read_header_of(reader *r, int fd)
{
  char start[8] = {0};
  uint64_t header;
  struct stat st;
  if (fstat(fd, &st) != 0) return dlc_fail(DLC_IO, "cannot read %s: %s", r->path, strerror(errno));
  const uint64_t length = (uint64_t)st.st_size;
  if (length >= sizeof start) DLC_TRY(read_some(fd, r->path, start, sizeof start));
  DLC_TRY(read_length(r->path, start, length, &header));
  char *text = malloc((size_t)header + 1);
  if (!text) return dlc_fail_nomem();
  r->data_bytes = length - 8 - header;
  dlc_status status = read_some(fd, r->path, text, (size_t)header);
  if (status >= 0) status = read_header(r, text, (size_t)header, true);
  free(text);
  return status;
}

dlc_status dlc_safetensors_read_header(const char *path, dlc_tensor_file *file)
{
  reader r;
  *file = (dlc_tensor_file){0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return dlc_fail(DLC_IO, "cannot read %s: %s", path, strerror(errno));
  dlc_status status = open_owner(path, file, &r);
  if (status >= 0) status = read_header_of(&r, fd);
  if (status < 0) dlc_safetensors_free(file);
  close(fd);
  return status;
}

/* ---- what was read ---- */

static int name_of(const void *name, const void *tensor)
{
  return strcmp(name, ((const dlc_tensor *)tensor)->name);
}

const dlc_tensor *dlc_tensor_find(const dlc_tensor_file *file, const char *name)
{
  return file->n ? bsearch(name, file->tensors, file->n, sizeof *file->tensors, name_of) : NULL;
}

const char *dlc_metadata_find(const dlc_tensor_file *file, const char *key)
{
  for (uint32_t i = 0; i < file->n_metadata; i++)
    if (strcmp(file->metadata[2 * i], key) == 0) return file->metadata[2 * i + 1];
  return NULL;
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
