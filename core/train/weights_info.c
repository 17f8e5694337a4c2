/* Metadata of weights: as pairs of texts, and back. */
#include "train/weights_info.h"
#include "base/arena.h"
#include "base/status.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHANNELS = 4, MAX_SIDE = 1 << 16 };

/* ---- writing ---- */

static void add_text(dlc_info_pairs *p, const char *key, const char *value)
{
  p->text[2 * p->n] = key;
  p->text[2 * p->n++ + 1] = value;
}

/* Takes the list over. */
static dlc_status add_list(dlc_info_pairs *p, const char *key, json_t *list)
{
  char *text = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(list);
  if (!text) return dlc_fail_nomem();
  p->owned[p->n] = text;
  add_text(p, key, text);
  return DLC_OK;
}

/* A class may be called by bytes that are no UTF-8: those become '?'. */
static json_t *text_json(const char *text)
{
  json_t *s = json_string(text);
  char *plain = s ? NULL : strdup(text);
  for (char *c = plain; c && *c; c++)
    if (*c & 0x80) *c = '?';
  if (plain) s = json_string(plain);
  free(plain);
  return s;
}

static json_t *numbers_json(const float *numbers, int64_t n)
{
  json_t *list = json_array();
  for (int64_t i = 0; i < n; i++) json_array_append_new(list, json_real((double)numbers[i]));
  return list;
}

static dlc_status add_pairs(const dlc_weights_info *info, dlc_info_pairs *p)
{
  json_t *classes = json_array(), *shape = json_array();
  for (uint32_t i = 0; i < info->n_classes; i++) json_array_append_new(classes, text_json(info->classes[i]));
  for (int i = 0; i < 3; i++) json_array_append_new(shape, json_integer(info->shape[i]));
  add_text(p, "format", "pt");
  add_text(p, "model", info->model);
  if (info->eval_transforms) add_text(p, "eval_transforms", info->eval_transforms);
  dlc_status status = add_list(p, "classes", classes);
  if (status < 0) {
    json_decref(shape);
    return status;
  }
  DLC_TRY(add_list(p, "input_shape", shape));
  if (info->criterion) add_text(p, "criterion", info->criterion);
  if (info->class_weights) DLC_TRY(add_list(p, "class_weights", numbers_json(info->class_weights, info->n_classes)));
  if (!info->bytes) return DLC_OK;
  DLC_TRY(add_list(p, "mean", numbers_json(info->mean, info->shape[0])));
  return add_list(p, "std", numbers_json(info->std, info->shape[0]));
}

dlc_status dlc_info_pairs_make(const dlc_weights_info *info, dlc_info_pairs *pairs)
{
  *pairs = (dlc_info_pairs){.n = 0};
  return add_pairs(info, pairs);
}

void dlc_info_pairs_free(dlc_info_pairs *pairs)
{
  for (uint32_t i = 0; i < DLC_INFO_PAIRS; i++) free(pairs->owned[i]);
  *pairs = (dlc_info_pairs){.n = 0};
}

dlc_status dlc_weights_write(const char *path, const dlc_tensor *tensors, uint32_t n, const dlc_weights_info *info)
{
  dlc_info_pairs p;
  dlc_status status = dlc_info_pairs_make(info, &p);
  if (status >= 0) status = dlc_safetensors_write(path, tensors, n, p.text, p.n);
  dlc_info_pairs_free(&p);
  return status;
}

/* ---- reading ---- */

typedef struct reader {
  const char *path;
  const dlc_tensor_file *file;
  dlc_arena *arena;
} reader;

static dlc_status bad(const reader *r, const char *key, const char *expected)
{
  return dlc_fail(DLC_INVALID, "%s: metadata `%s` is no list of %s", r->path, key, expected);
}

/* The list under `key`, the caller's to decref; DLC_NOT_FOUND without it. */
static dlc_status find_list(const reader *r, const char *key, json_t **list)
{
  const char *text = dlc_metadata_find(r->file, key);
  *list = NULL;
  if (!text) return dlc_fail(DLC_NOT_FOUND, "%s does not say its %s", r->path, key);
  *list = json_loads(text, 0, NULL);
  if (json_is_array(*list)) return DLC_OK;
  json_decref(*list);
  return bad(r, key, "JSON values");
}

static dlc_status read_classes(const reader *r, dlc_weights_info *info)
{
  json_t *list;
  DLC_TRY(find_list(r, "classes", &list));
  const size_t n = json_array_size(list);
  const char **names = dlc_arena_alloc(r->arena, (n + 1) * sizeof *names);
  dlc_status status = n > 0 && n <= INT32_MAX ? DLC_OK : bad(r, "classes", "names");
  for (size_t i = 0; status >= 0 && names && i < n; i++) {
    const char *name = json_string_value(json_array_get(list, i));
    if (!name) status = bad(r, "classes", "names");
    else if (!(names[i] = dlc_arena_strdup(r->arena, name))) status = dlc_fail_nomem();
  }
  json_decref(list);
  if (status >= 0 && !names) status = dlc_fail_nomem();
  info->n_classes = (uint32_t)n;
  info->classes = names;
  return status;
}

static dlc_status read_shape(const reader *r, dlc_weights_info *info)
{
  json_t *list;
  DLC_TRY(find_list(r, "input_shape", &list));
  dlc_status status = json_array_size(list) == 3 ? DLC_OK : bad(r, "input_shape", "channels, height and width");
  for (size_t i = 0; i < 3; i++) {
    info->shape[i] = json_integer_value(json_array_get(list, i));
    if (status >= 0 && (info->shape[i] < 1 || info->shape[i] > (i ? MAX_SIDE : MAX_CHANNELS)))
      status = bad(r, "input_shape", "channels, height and width");
  }
  json_decref(list);
  return status;
}

static dlc_status read_numbers(const reader *r, const char *key, const char *expected, int64_t n, float *out)
{
  json_t *list;
  DLC_TRY(find_list(r, key, &list));
  dlc_status status = json_array_size(list) == (size_t)n ? DLC_OK : bad(r, key, expected);
  for (size_t i = 0; status >= 0 && i < (size_t)n; i++) {
    const json_t *number = json_array_get(list, i);
    out[i] = (float)json_number_value(number);
    if (!json_is_number(number) || !isfinite(out[i])) status = bad(r, key, expected);
  }
  json_decref(list);
  return status;
}

static dlc_status read_class_weights(const reader *r, dlc_weights_info *info)
{
  if (!dlc_metadata_find(r->file, "class_weights")) return DLC_OK;
  float *weights = dlc_arena_alloc(r->arena, info->n_classes * sizeof *weights);
  if (!weights) return dlc_fail_nomem();
  DLC_TRY(read_numbers(r, "class_weights", "one number a class", info->n_classes, weights));
  for (uint32_t i = 0; i < info->n_classes; i++)
    if (weights[i] < 0) return bad(r, "class_weights", "numbers of 0 or more");
  info->class_weights = weights;
  return DLC_OK;
}

static dlc_status copy_text(const reader *r, const char *key, const char **text)
{
  const char *found = dlc_metadata_find(r->file, key);
  *text = found ? dlc_arena_strdup(r->arena, found) : NULL;
  return found && !*text ? dlc_fail_nomem() : DLC_OK;
}

static dlc_status read_info(const reader *r, dlc_weights_info *info)
{
  DLC_TRY(copy_text(r, "model", &info->model));
  if (!info->model)
    return dlc_fail(DLC_NOT_FOUND, "%s does not say its model, so dlcore did not write it; --init-from trains from it",
                    r->path);
  DLC_TRY(copy_text(r, "eval_transforms", &info->eval_transforms));
  DLC_TRY(copy_text(r, "criterion", &info->criterion));
  DLC_TRY(read_classes(r, info));
  DLC_TRY(read_class_weights(r, info));
  DLC_TRY(read_shape(r, info));
  info->bytes = dlc_metadata_find(r->file, "mean") != NULL;
  if (!info->bytes) return DLC_OK;
  DLC_TRY(read_numbers(r, "mean", "one number a channel", info->shape[0], info->mean));
  DLC_TRY(read_numbers(r, "std", "one number a channel", info->shape[0], info->std));
  for (int64_t c = 0; c < info->shape[0]; c++)
    if (!(info->std[c] > 0)) return bad(r, "std", "numbers above 0");
  return DLC_OK;
}

dlc_status dlc_weights_info_read(const char *path, dlc_weights_info *info)
{
  dlc_tensor_file file;
  *info = (dlc_weights_info){0};
  DLC_TRY(dlc_safetensors_read_header(path, &file));
  dlc_arena *arena = calloc(1, sizeof *arena);
  const reader r = {path, &file, arena};
  info->memory = arena;
  dlc_status status = arena ? read_info(&r, info) : dlc_fail_nomem();
  dlc_safetensors_free(&file);
  if (status < 0) dlc_weights_info_free(info);
  return status;
}

void dlc_weights_info_free(dlc_weights_info *info)
{
  if (info->memory) dlc_arena_free(info->memory);
  free(info->memory);
  *info = (dlc_weights_info){0};
}
