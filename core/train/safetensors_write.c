/* Writing safetensors: u64 header length, JSON header padded with spaces to a multiple of 8, data in header order. */
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"
#include "train/safetensors.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char *const dlc_safetensors_dtypes[] = {"?", "F32", "F64", "I32", "I64", "U8"};

/* Larger elements first, so that each is aligned; then by name. */
static int file_order(const void *a, const void *b)
{
  const dlc_tensor *x = *(const dlc_tensor *const *)a, *y = *(const dlc_tensor *const *)b;
  const size_t x_bytes = dlc_dtype_bytes(x->dtype), y_bytes = dlc_dtype_bytes(y->dtype);
  if (x_bytes != y_bytes) return x_bytes < y_bytes ? 1 : -1;
  return strcmp(x->name, y->name);
}

static void add_string(dlc_str *s, const char *text)
{
  json_t *value = json_string(text);
  char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
  if (quoted) dlc_str_add(s, quoted);
  else s->failed = true;
  free(quoted);
  json_decref(value);
}

static dlc_status make_header(const dlc_tensor *const *tensors, uint32_t n, const char *const *metadata,
                              uint32_t n_metadata, dlc_str *s)
{
  size_t offset = 0;
  dlc_str_add(s, "{\"__metadata__\":{");
  for (uint32_t i = 0; i < 2 * n_metadata; i++) {
    if (i) dlc_str_add(s, i % 2 ? ":" : ",");
    add_string(s, metadata[i]);
  }
  dlc_str_add(s, "}");
  for (uint32_t i = 0; i < n; i++) {
    const dlc_tensor *t = tensors[i];
    dlc_str_add(s, ",");
    add_string(s, t->name);
    dlc_str_addf(s, ":{\"dtype\":\"%s\",\"shape\":[", dlc_safetensors_dtypes[t->dtype]);
    for (uint32_t k = 0; k < t->rank; k++) dlc_str_addf(s, k ? ",%lld" : "%lld", (long long)t->dim[k]);
    dlc_str_addf(s, "],\"data_offsets\":[%zu,%zu]}", offset, offset + dlc_tensor_bytes(t));
    offset += dlc_tensor_bytes(t);
  }
  dlc_str_add(s, "}");
  while (dlc_str_ok(s) && s->length % 8) dlc_str_add(s, " ");
  return dlc_str_ok(s) ? DLC_OK : dlc_fail_nomem();
}

static dlc_status write_all(dlc_atomic_file *f, const dlc_str *header, const dlc_tensor *const *tensors, uint32_t n)
{
  uint8_t length[8];
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(header->length >> (8 * i));
  DLC_TRY(dlc_atomic_write(f, length, sizeof length));
  DLC_TRY(dlc_atomic_write(f, header->text, header->length));
  for (uint32_t i = 0; i < n; i++) DLC_TRY(dlc_atomic_write(f, tensors[i]->data, dlc_tensor_bytes(tensors[i])));
  return dlc_atomic_commit(f);
}

dlc_status dlc_safetensors_write(const char *path, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                                 uint32_t n_metadata)
{
  dlc_str header = {0};
  dlc_atomic_file f;
  const dlc_tensor **order = malloc((n + 1) * sizeof *order);
  if (!order) return dlc_fail_nomem();
  for (uint32_t i = 0; i < n; i++) order[i] = &tensors[i];
  qsort(order, n, sizeof *order, file_order);
  dlc_status status = make_header(order, n, metadata, n_metadata, &header);
  if (status >= 0) status = dlc_atomic_open(&f, path);
  if (status >= 0) {
    status = write_all(&f, &header, order, n);
    if (status < 0) dlc_atomic_abort(&f);
  }
  free(order);
  dlc_str_free(&header);
  return status;
}
