/* Reads tests/golden/ops/OP.json (made by make_vectors.py, which describes it): what PyTorch computes for an op. Data
 * is in double whatever its type. Everything belongs to the vector_file. For tests only. */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H
#include "base/arena.h"
#include "base/status.h"
#include "dlcore/ops.h"
#include "graph/graph.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct vector_tensor {
  dlc_value value; /* dtype, rank, dim */
  double *data;    /* NULL: there is none */
} vector_tensor;

typedef struct vector_case {
  const char *name;
  const void *attr; /* NULL where the op has none */
  uint32_t n_in, n_out;
  vector_tensor in[DLC_MAX_IN], out[DLC_MAX_OUT];
  vector_tensor grad_output; /* r of the loss sum(r * output 0) */
  vector_tensor grad_in[DLC_MAX_IN];
} vector_case;

typedef struct vector_file {
  dlc_arena arena;
  uint32_t n;
  vector_case *cases;
} vector_file;

static inline uint32_t vector_dtype(const char *name)
{
  static const struct {
    const char *name;
    uint32_t dtype;
  } known[] = {{"f32", DLC_F32}, {"f64", DLC_F64}, {"i32", DLC_I32}, {"i64", DLC_I64}, {"u8", DLC_U8}};
  for (size_t i = 0; name && i < sizeof known / sizeof known[0]; i++)
    if (strcmp(known[i].name, name) == 0) return known[i].dtype;
  return 0;
}

static inline bool read_vector_tensor(dlc_arena *arena, const json_t *j, vector_tensor *t)
{
  const json_t *shape = json_object_get(j, "shape"), *data = json_object_get(j, "data");
  t->value = (dlc_value){.size = sizeof t->value, .name = "", .rank = (uint32_t)json_array_size(shape)};
  t->value.dtype = vector_dtype(json_string_value(json_object_get(j, "dtype")));
  if (t->value.dtype == 0 || t->value.rank > DLC_MAX_RANK) return false;
  for (uint32_t i = 0; i < t->value.rank; i++) t->value.dim[i] = json_integer_value(json_array_get(shape, i));
  const size_t n = (size_t)dlc_count(&t->value);
  if (json_array_size(data) != n) return false;
  t->data = dlc_arena_alloc(arena, n * sizeof *t->data);
  for (size_t i = 0; t->data && i < n; i++) t->data[i] = json_number_value(json_array_get(data, i));
  return t->data != NULL;
}

/* At most DLC_MAX_IN (= DLC_MAX_OUT) tensors; null leaves an entry without data. */
static inline bool read_vector_list(dlc_arena *arena, const json_t *list, vector_tensor *t, uint32_t *n)
{
  *n = (uint32_t)json_array_size(list);
  bool ok = *n <= DLC_MAX_IN;
  for (uint32_t i = 0; i < *n && ok; i++) {
    const json_t *entry = json_array_get(list, i);
    ok = json_is_null(entry) || read_vector_tensor(arena, entry, &t[i]);
  }
  return ok;
}

static inline bool read_vector_attr(dlc_arena *arena, const dlc_op *op, json_t *given, vector_case *c)
{
  const char *missing, *key;
  json_t *list;
  if (op->attr_size == 0) return true;
  void *attr = dlc_arena_alloc(arena, op->attr_size);
  if (!attr || dlc_attr_defaults(op, attr, &missing) < 0) return false;
  if (strcmp(op->name, "reshape") == 0 ||
      strcmp(op->name, "fill") == 0) { /* shape and type stand in the output alone */
    dlc_reshape *shape = attr;
    shape->rank = c->out[0].value.rank;
    memcpy(shape->dim, c->out[0].value.dim, sizeof shape->dim);
  }
  if (strcmp(op->name, "cast") == 0) ((dlc_cast *)attr)->dtype = c->out[0].value.dtype;
  json_object_foreach(given, key, list)
  {
    const char *words[4];
    const uint32_t count = (uint32_t)json_array_size(list);
    if (count > 4) return false;
    for (uint32_t i = 0; i < count; i++) words[i] = json_string_value(json_array_get(list, i));
    if (dlc_attr_set(op, attr, key, words, count) < 0) return false;
  }
  c->attr = attr;
  return true;
}

static inline bool read_vector_case(dlc_arena *arena, const dlc_op *op, const json_t *j, vector_case *c)
{
  uint32_t n_grad;
  const json_t *grad_output = json_object_get(j, "grad_output");
  c->name = dlc_arena_strdup(arena, json_string_value(json_object_get(j, "name")));
  return read_vector_list(arena, json_object_get(j, "inputs"), c->in, &c->n_in) &&
         read_vector_list(arena, json_object_get(j, "outputs"), c->out, &c->n_out) &&
         read_vector_list(arena, json_object_get(j, "grad_inputs"), c->grad_in, &n_grad) &&
         (!grad_output || read_vector_tensor(arena, grad_output, &c->grad_output)) &&
         read_vector_attr(arena, op, json_object_get(j, "attr"), c);
}

static inline void vectors_free(vector_file *f)
{
  dlc_arena_free(&f->arena);
}

static inline dlc_status vectors_read(const dlc_op *op, vector_file *f)
{
  char path[4096];
  json_error_t error;
  *f = (vector_file){.n = 0};
  snprintf(path, sizeof path, "%s/golden/ops/%s.json", TEST_SOURCE_DIR, op->name);
  json_t *root = json_load_file(path, 0, &error);
  if (!root) return dlc_fail(DLC_IO, "%s: %s", path, error.text);
  const uint32_t n = (uint32_t)json_array_size(root);
  f->cases = dlc_arena_alloc(&f->arena, n * sizeof *f->cases);
  bool ok = n > 0 && f->cases;
  for (; f->n < n && ok; f->n += ok) ok = read_vector_case(&f->arena, op, json_array_get(root, f->n), &f->cases[f->n]);
  json_decref(root);
  if (ok) return DLC_OK;
  vectors_free(f);
  return dlc_fail(DLC_INVALID, "%s: case %u is not well formed", path, f->n);
}

#endif
