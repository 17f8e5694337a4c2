/* Filling, loading and saving the parameters. */
#include "train/parameters.h"
#include "base/random.h"
#include "base/shape.h"
#include "base/status.h"
#include "base/str.h"
#include "train/update_graph.h"
#include <stdlib.h>
#include <string.h>

static bool is_real(uint32_t dtype)
{
  return dtype == DLC_F32 || dtype == DLC_F64;
}

/* Appends a tensor called prefix + the value's name. */
static dlc_status append(dlc_parameters *p, const dlc_value *v, const char *prefix, dlc_parameter **out)
{
  dlc_str name = {0};
  dlc_str_addf(&name, "%s%s", prefix ? prefix : "", v->name);
  dlc_parameter *q = *out = &p->list[p->n];
  *q = (dlc_parameter){.prefix = prefix ? strlen(prefix) : 0};
  q->tensor =
      (dlc_tensor){.name = dlc_str_ok(&name) ? strdup(dlc_str_get(&name)) : NULL, .dtype = v->dtype, .rank = v->rank};
  memcpy(q->tensor.dim, v->dim, sizeof v->dim);
  dlc_str_free(&name);
  if (!q->tensor.name) return dlc_fail_nomem();
  p->n++;
  return DLC_OK;
}

dlc_status dlc_parameters_describe(const dlc_graph *g, const dlc_model_graph *m, const char *prefix, dlc_parameters *p)
{
  *p = (dlc_parameters){.list = calloc((size_t)m->n_params + 1, sizeof *p->list)};
  dlc_status status = p->list ? DLC_OK : dlc_fail_nomem();
  for (uint32_t i = 0; i < m->n_params && status >= 0; i++) {
    const dlc_value *v = dlc_value_at(g, m->params[i].value);
    dlc_parameter *q;
    if (prefix && !is_real(v->dtype)) continue;
    status = append(p, v, prefix, &q);
    if (status < 0) break;
    q->trained = v->role == DLC_ROLE_PARAMETER;
    q->init = m->params[i].init;
    if (q->trained) p->count += dlc_count(v);
  }
  if (status < 0) dlc_parameters_free(p);
  return status;
}

static bool is_state(const dlc_value *v)
{
  return v->role == DLC_ROLE_STATE && (strncmp(v->name, DLC_PREFIX_OPTIMIZER, strlen(DLC_PREFIX_OPTIMIZER)) == 0 ||
                                       strncmp(v->name, DLC_PREFIX_EMA, strlen(DLC_PREFIX_EMA)) == 0);
}

/* An update's output is another value of the same name. */
static bool is_listed(const dlc_parameters *p, const char *name)
{
  for (uint32_t i = 0; i < p->n; i++)
    if (strcmp(p->list[i].tensor.name, name) == 0) return true;
  return false;
}

dlc_status dlc_parameters_states(const dlc_graph *g, dlc_parameters *p)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->n_values; i++) n += is_state(dlc_value_at(g, i));
  *p = (dlc_parameters){.list = calloc((size_t)n + 1, sizeof *p->list)};
  dlc_status status = p->list ? DLC_OK : dlc_fail_nomem();
  for (uint32_t i = 0; i < g->n_values && status >= 0; i++) {
    const dlc_value *v = dlc_value_at(g, i);
    dlc_parameter *q;
    if (is_state(v) && !is_listed(p, v->name)) status = append(p, v, NULL, &q);
  }
  if (status < 0) dlc_parameters_free(p);
  return status;
}

void dlc_parameters_free(dlc_parameters *p)
{
  for (uint32_t i = 0; i < p->n; i++) free((char *)p->list[i].tensor.name);
  free(p->list);
  *p = (dlc_parameters){0};
}

dlc_status dlc_parameters_find(dlc_parameters *p, const dlc_machine *machine)
{
  for (uint32_t k = 0; k < p->n; k++) {
    dlc_tensor *t = &p->list[k].tensor;
    t->data = dlc_machine_memory(machine, t->name, NULL);
    if (!t->data) return dlc_fail(DLC_INTERNAL, "`%s` has no memory", t->name);
  }
  return DLC_OK;
}

static void widen(const float *from, double *to, size_t n)
{
  for (size_t i = 0; i < n; i++) to[i] = (double)from[i];
}

/* Doubles begin with the same numbers as floats. */
static dlc_status draw(const dlc_parameter *q, uint64_t seed, uint32_t k, size_t n)
{
  const bool wide = q->tensor.dtype == DLC_F64;
  float *floats = wide ? malloc((n + 1) * sizeof *floats) : q->tensor.data;
  if (!floats) return dlc_fail_nomem();
  dlc_init_fill(&q->init, seed, k, floats, n);
  if (wide) {
    widen(floats, q->tensor.data, n);
    free(floats);
  }
  return DLC_OK;
}

dlc_status dlc_parameters_init(dlc_parameters *p, const dlc_machine *machine, uint64_t seed)
{
  DLC_TRY(dlc_parameters_find(p, machine));
  for (uint32_t k = 0; k < p->n; k++) {
    dlc_parameter *q = &p->list[k];
    const size_t n = dlc_tensor_bytes(&q->tensor) / dlc_dtype_bytes(q->tensor.dtype);
    if (q->tensor.dtype == DLC_I64 && !q->trained && q->init.kind == DLC_INIT_CONSTANT) {
      for (size_t i = 0; i < n; i++) ((int64_t *)q->tensor.data)[i] = (int64_t)q->init.a;
      continue;
    }
    if (!is_real(q->tensor.dtype))
      return dlc_fail(DLC_INVALID, "parameter %s is %s: only floats can be trained", q->tensor.name,
                      dlc_dtype_name(q->tensor.dtype));
    DLC_TRY(draw(q, seed, k, n));
  }
  return DLC_OK;
}

static bool same_shape(const dlc_tensor *a, const dlc_tensor *b)
{
  return a->rank == b->rank && memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

static bool load_one(const dlc_tensor *to, const dlc_tensor_file *file, const char *path, const dlc_sink *sink)
{
  const dlc_tensor *from = dlc_tensor_find(file, to->name);
  const size_t n = dlc_tensor_bytes(to) / dlc_dtype_bytes(to->dtype);
  if (!from) {
    dlc_say(sink, DLC_LOG_WARN, "%s: no `%s`; it keeps its random start", path, to->name);
    return false;
  }
  const bool fits = is_real(to->dtype) ? is_real(from->dtype) : from->dtype == to->dtype;
  if (!same_shape(to, from) || !fits) {
    dlc_say(sink, DLC_LOG_WARN, "%s: `%s` is %s%s, the model's is %s%s; it keeps its random start", path, to->name,
            file->types[from - file->tensors], dlc_name_shape(from->rank, from->dim).text, dlc_dtype_name(to->dtype),
            dlc_name_shape(to->rank, to->dim).text);
    return false;
  }
  if (from->dtype == to->dtype) memcpy(to->data, from->data, dlc_tensor_bytes(to));
  else if (to->dtype == DLC_F64) widen(from->data, to->data, n);
  else
    for (size_t i = 0; i < n; i++) ((float *)to->data)[i] = (float)((const double *)from->data)[i];
  return true;
}

/* What a checkpoint holds beside the weights. */
static bool is_weight(const char *name)
{
  return strncmp(name, "__", 2) != 0;
}

static void report_unused(const dlc_parameters *p, const dlc_tensor_file *file, const char *path, const dlc_sink *sink)
{
  for (uint32_t i = 0; i < file->n; i++) {
    bool known = false;
    for (uint32_t k = 0; k < p->n; k++) known |= strcmp(p->list[k].tensor.name, file->tensors[i].name) == 0;
    if (!known && is_weight(file->tensors[i].name))
      dlc_say(sink, DLC_LOG_WARN, "%s: `%s` is not in this model; left out", path, file->tensors[i].name);
  }
}

/* From a checkpoint of a run with an average that is what is taken, as in weights. */
static dlc_status load_average(const dlc_tensor *to, const dlc_tensor_file *file, const char *path, bool *loaded)
{
  dlc_str name = {0};
  dlc_tensor average = *to;
  dlc_str_addf(&name, DLC_PREFIX_EMA "%s", to->name);
  average.name = dlc_str_get(&name);
  const dlc_status status = dlc_str_ok(&name) ? DLC_OK : dlc_fail_nomem();
  *loaded = status >= 0 && dlc_tensor_find(file, average.name) && load_one(&average, file, path, NULL);
  dlc_str_free(&name);
  return status;
}

static dlc_status load_all(dlc_parameters *p, const dlc_tensor_file *file, const char *path)
{
  for (uint32_t k = 0; k < p->n; k++) {
    const dlc_tensor *to = &p->list[k].tensor;
    bool loaded;
    DLC_TRY(load_average(to, file, path, &loaded));
    if (loaded || load_one(to, file, path, NULL)) continue;
    return dlc_fail(DLC_INVALID, "%s has no `%s` of shape %s: it is not of this model", path, to->name,
                    dlc_name_shape(to->rank, to->dim).text);
  }
  return DLC_OK;
}

static dlc_status load_some(dlc_parameters *p, const dlc_tensor_file *file, const char *path, const dlc_sink *sink)
{
  uint32_t loaded = 0;
  for (uint32_t k = 0; k < p->n; k++) {
    const dlc_tensor *to = &p->list[k].tensor;
    loaded += load_one(to, file, path, sink);
  }
  report_unused(p, file, path, sink);
  if (loaded == 0) return dlc_fail(DLC_INVALID, "%s: none of its tensors fits this model", path);
  dlc_say(sink, DLC_LOG_INFO, "%s: loaded %u of %u tensors", path, loaded, p->n);
  return DLC_OK;
}

dlc_status dlc_parameters_load(dlc_parameters *p, const char *path, bool all, const dlc_sink *sink)
{
  dlc_tensor_file file;
  DLC_TRY(dlc_safetensors_read(path, &file));
  dlc_status status = all ? load_all(p, &file, path) : load_some(p, &file, path, sink);
  dlc_safetensors_free(&file);
  return status;
}

static const dlc_tensor *tensor_of(const dlc_parameters *p, const char *name)
{
  for (uint32_t i = 0; i < p->n; i++)
    if (strcmp(p->list[i].tensor.name + p->list[i].prefix, name) == 0) return &p->list[i].tensor;
  return NULL;
}

void dlc_parameters_copy(dlc_parameters *to, const dlc_parameters *from)
{
  for (uint32_t i = 0; i < to->n; i++) {
    const dlc_parameter *q = &to->list[i];
    const dlc_tensor *source = tensor_of(from, q->tensor.name + q->prefix);
    if (source) memcpy(q->tensor.data, source->data, dlc_tensor_bytes(&q->tensor));
  }
}

dlc_status dlc_parameters_save(const dlc_parameters *p, const dlc_parameters *averages, const dlc_weights_info *info,
                               const char *path)
{
  dlc_tensor *tensors = malloc((p->n + 1) * sizeof *tensors);
  if (!tensors) return dlc_fail_nomem();
  for (uint32_t i = 0; i < p->n; i++) {
    tensors[i] = p->list[i].tensor;
    const dlc_tensor *average = averages ? tensor_of(averages, tensors[i].name) : NULL;
    if (average) tensors[i].data = average->data;
  }
  dlc_status status = dlc_weights_write(path, tensors, p->n, info);
  free(tensors);
  return status;
}
