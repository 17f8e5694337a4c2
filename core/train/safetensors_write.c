/* Writing safetensors: u64 header length, JSON header padded with spaces so that the data begins at a multiple of 8,
 * data in header order. */
#include "base/status.h"
#include "base/str.h"
#include "train/safetensors_checksum.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const dtypes[] = {"", "F32", "F64", "I32", "I64", "U8"};

static int by_name(const void *a, const void *b)
{
  const dlc_tensor *x = *(const dlc_tensor *const *)a, *y = *(const dlc_tensor *const *)b;
  return strcmp(x->name, y->name);
}

/* Larger elements first, so that each is aligned; then by name. */
static int file_order(const void *a, const void *b)
{
  const dlc_tensor *x = *(const dlc_tensor *const *)a, *y = *(const dlc_tensor *const *)b;
  const size_t x_bytes = dlc_dtype_bytes(x->dtype), y_bytes = dlc_dtype_bytes(y->dtype);
  if (x_bytes != y_bytes) return x_bytes < y_bytes ? 1 : -1;
  return strcmp(x->name, y->name);
}

/* What would make a file that no reader takes. */
static dlc_status put_in_order(const dlc_tensor **tensors, uint32_t n)
{
  qsort(tensors, n, sizeof *tensors, by_name);
  for (uint32_t i = 0; i < n; i++) {
    const char *name = tensors[i]->name;
    if (tensors[i]->dtype < DLC_F32 || tensors[i]->dtype > DLC_U8)
      return dlc_fail(DLC_INVALID, "tensor %s has no type that can be written", name);
    if (strcmp(name, "__metadata__") == 0 || (i > 0 && strcmp(name, tensors[i - 1]->name) == 0))
      return dlc_fail(DLC_INVALID, "more than one thing to be written is called %s", name);
  }
  qsort(tensors, n, sizeof *tensors, file_order);
  return DLC_OK;
}

static dlc_status add_string(dlc_str *s, const char *text)
{
  json_t *value = json_string(text);
  char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
  dlc_status status = DLC_OK;
  if (quoted) dlc_str_add(s, quoted);
  else {
    bool ascii = true;
    for (const char *c = text; *c; c++) ascii = ascii && (unsigned char)*c < 0x80;
    status = ascii || value ? dlc_fail_nomem() : dlc_fail(DLC_INVALID, "'%s' cannot be written: it is not UTF-8", text);
  }
  free(quoted);
  json_decref(value);
  return status;
}

static bool is_ours(const char *key)
{
  return strcmp(key, DLC_CHECKSUM_KEY) == 0 || strcmp(key, DLC_VERSION_KEY) == 0;
}

static dlc_status add_metadata(dlc_str *s, const char *const *metadata, uint32_t n)
{
  dlc_str_addf(s, "%s%0*d\",\"%s\":\"%s\"", DLC_SIGNED_START, DLC_DIGITS, 0, DLC_VERSION_KEY, DLCORE_VERSION);
  for (uint32_t i = 0; i < n; i++) {
    const char *key = metadata[2 * i];
    if (is_ours(key)) continue; /* of the file that this was read from */
    for (uint32_t k = 0; k < i; k++)
      if (strcmp(metadata[2 * k], key) == 0) return dlc_fail(DLC_INVALID, "metadata `%s` is given twice", key);
    dlc_str_add(s, ",");
    DLC_TRY(add_string(s, key));
    dlc_str_add(s, ":");
    DLC_TRY(add_string(s, metadata[2 * i + 1]));
  }
  dlc_str_add(s, "}");
  return DLC_OK;
}

static dlc_status add_tensor(dlc_str *s, const dlc_tensor *t, size_t offset)
{
  dlc_str_add(s, ",");
  DLC_TRY(add_string(s, t->name));
  dlc_str_addf(s, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[t->dtype]);
  for (uint32_t k = 0; k < t->rank; k++) dlc_str_addf(s, k ? ",%lld" : "%lld", (long long)t->dim[k]);
  dlc_str_addf(s, "],\"data_offsets\":[%zu,%zu]}", offset, offset + dlc_tensor_bytes(t));
  return DLC_OK;
}

/* The length and the header; the caller frees it in any case. */
static dlc_status make_head(const dlc_tensor *const *tensors, uint32_t n, const char *const *metadata,
                            uint32_t n_metadata, dlc_str *s)
{
  size_t offset = 0;
  dlc_str_addn(s, "\0\0\0\0\0\0\0\0", 8);
  DLC_TRY(add_metadata(s, metadata, n_metadata));
  for (uint32_t i = 0; i < n; i++) {
    DLC_TRY(add_tensor(s, tensors[i], offset));
    offset += dlc_tensor_bytes(tensors[i]);
  }
  dlc_str_add(s, "}");
  while (dlc_str_ok(s) && s->length % 8) dlc_str_add(s, " ");
  if (!dlc_str_ok(s)) return dlc_fail_nomem();
  for (int i = 0; i < 8; i++) s->text[i] = (char)(uint8_t)((s->length - 8) >> (8 * i));
  dlc_safetensors_sign(s->text, s->length, tensors, n);
  return DLC_OK;
}

dlc_status dlc_safetensors_put(dlc_atomic_file *f, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                               uint32_t n_metadata)
{
  dlc_str head = {0};
  const dlc_tensor **order = malloc(((size_t)n + 1) * sizeof *order);
  if (!order) return dlc_fail_nomem();
  for (uint32_t i = 0; i < n; i++) order[i] = &tensors[i];
  dlc_status status = put_in_order(order, n);
  if (status >= 0) status = make_head(order, n, metadata, n_metadata, &head);
  if (status >= 0) status = dlc_atomic_write(f, head.text, head.length);
  for (uint32_t i = 0; i < n && status >= 0; i++)
    status = dlc_atomic_write(f, order[i]->data, dlc_tensor_bytes(order[i]));
  free(order);
  dlc_str_free(&head);
  return status;
}

dlc_status dlc_safetensors_write(const char *path, const dlc_tensor *tensors, uint32_t n, const char *const *metadata,
                                 uint32_t n_metadata)
{
  dlc_atomic_file f;
  DLC_TRY(dlc_atomic_open(&f, path));
  dlc_status status = dlc_safetensors_put(&f, tensors, n, metadata, n_metadata);
  if (status >= 0) return dlc_atomic_commit(&f);
  dlc_atomic_abort(&f);
  return status;
}
