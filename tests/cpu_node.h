/* One node by itself: its shapes inferred by the op, its inputs filled, computed by the cpu plugin and by the reference
 * kernel. For tests and measurements of plugins/cpu; one thread but for the pool that a device is opened with. */
#ifndef TEST_CPU_NODE_H
#define TEST_CPU_NODE_H
#include "any_attr.h"
#include "base/arena.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"
#include "dlcore/plugin.h"
#include "ops/ops.h"
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program: nothing here can fail unless something is broken. */
static inline void need(bool ok, const char *what)
{
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, dlc_reason());
  abort();
}

/* ---- a host that has threads and random numbers, and nothing else ---- */

typedef struct tiny_host {
  dlc_host table; /* first */
  dlc_pool *pool;
} tiny_host;

static inline void host_log(const dlc_host *h, int level, const char *message)
{
  (void)h, (void)level, (void)message;
}

__attribute__((format(printf, 3, 4))) static inline dlc_status host_fail(const dlc_host *h, dlc_status code,
                                                                         const char *format, ...)
{
  (void)h;
  va_list args;
  va_start(args, format);
  dlc_vfail(code, format, args);
  va_end(args);
  return code;
}

static inline const void *host_service(const dlc_host *h, const char *name)
{
  if (strcmp(name, DLC_SERVICE_RANDOM) == 0) return dlc_random_service();
  return strcmp(name, DLC_SERVICE_THREADS) == 0 ? dlc_pool_threads(((const tiny_host *)h)->pool) : NULL;
}

/* ---- the device ---- */

typedef struct cpu_device {
  tiny_host host;
  const dlc_backend *backend;
  dlc_device *device;
} cpu_device;

static inline const dlc_plugin *cpu_plugin(const char *path)
{
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!lib) fprintf(stderr, "%s\n", dlerror());
  need(lib, path);
  void *symbol = dlsym(lib, "dlcore_plugin");
  const dlc_plugin *(*entry)(void);
  memcpy(&entry, &symbol, sizeof entry);
  need(entry, "dlcore_plugin");
  return entry();
}

/* False where this machine does not allow `isa`. */
static inline bool cpu_open(cpu_device *d, const char *path, const char *isa, const char *blas_kernels,
                            uint32_t threads)
{
  *d = (cpu_device){.host.table = {.size = sizeof(dlc_host),
                                   .abi_major = DLC_ABI_MAJOR,
                                   .log = host_log,
                                   .fail = host_fail,
                                   .service = host_service}};
  need(dlc_pool_open(threads, &d->host.pool) == DLC_OK, "pool");
  d->backend = cpu_plugin(path)->get(DLC_IFACE_BACKEND, 0);
  const dlc_option_value values[] = {{.s = isa}, {.s = blas_kernels}};
  dlc_status status = d->backend->open(d->backend, &d->host.table, values, &d->device);
  if (status == DLC_OK) return true;
  need(status == DLC_UNSUPPORTED, "open");
  dlc_pool_close(d->host.pool);
  return false;
}

static inline void cpu_close(cpu_device *d)
{
  d->backend->close(d->device);
  dlc_pool_close(d->host.pool);
}

/* ---- numbers ---- */

static uint64_t random_state = 1;

static inline uint32_t random_word(void) /* xorshift64* (Vigna 2016) */
{
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)(random_state * 0x2545F4914F6CDD1DULL >> 32);
}

static inline int64_t random_between(int64_t low, int64_t high) /* both included */
{
  return low + (int64_t)(random_word() % (uint32_t)(high - low + 1));
}

static inline float random_signed(void) /* [-1, 1) */
{
  return (float)((int32_t)random_word()) * 0x1p-31f;
}

/* ---- one node ---- */

typedef struct one_node {
  any_attr attr;
  const dlc_op *op;
  uint32_t n_in, n_out;
  dlc_value value[DLC_MAX_IN + DLC_MAX_OUT]; /* inputs, then outputs */
  void *data[DLC_MAX_IN + DLC_MAX_OUT];      /* of the graph's type; outputs as the cpu plugin computed them */
  double *exact[DLC_MAX_IN + DLC_MAX_OUT];   /* the same in double; outputs as the reference kernel computed them */
} one_node;

static inline void node_init(one_node *n, const char *op)
{
  memset(n, 0, sizeof *n);
  for (const dlc_op *const *o = dlc_core_ops; *o; o++)
    if (strcmp((*o)->name, op) == 0) n->op = *o;
  need(n->op, op);
}

/* Appends an input of zeros; returns its data. */
static inline void *node_input(one_node *n, uint32_t dtype, uint32_t rank, const int64_t *dim)
{
  dlc_value *v = &n->value[n->n_in];
  *v = (dlc_value){.size = sizeof *v, .dtype = dtype, .rank = rank, .name = "input"};
  memcpy(v->dim, dim, rank * sizeof *dim);
  void *data = n->data[n->n_in++] = dlc_alloc_tensor(dlc_bytes(v) + 1);
  need(data, "memory");
  return data;
}
#define INPUT(n, dtype, ...)                                                                                           \
  node_input(n, dtype, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]){__VA_ARGS__})

/* Appends an f32 input of random numbers in [-scale, scale). */
static inline float *node_random(one_node *n, float scale, uint32_t rank, const int64_t *dim)
{
  float *data = node_input(n, DLC_F32, rank, dim);
  const int64_t count = dlc_count(&n->value[n->n_in - 1]);
  for (int64_t i = 0; i < count; i++) data[i] = scale * random_signed();
  return data;
}
#define RANDOM(n, scale, ...)                                                                                          \
  node_random(n, scale, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]){__VA_ARGS__})

/* Infers the outputs and gives them memory; an updated output is the input's. */
static inline dlc_status node_infer(one_node *n)
{
  const dlc_value *in[DLC_MAX_IN];
  for (uint32_t i = 0; i < n->n_in; i++) in[i] = &n->value[i];
  dlc_value *out = n->value + n->n_in;
  dlc_status status = n->op->infer(NULL, &n->attr, n->n_in, in, &n->n_out, out);
  if (status < 0) return status;
  for (uint32_t i = 0; i < n->n_out; i++) {
    out[i].size = sizeof *out;
    out[i].name = "output";
    n->data[n->n_in + i] = n->op->flags & DLC_OP_UPDATE ? n->data[i] : dlc_alloc_tensor(dlc_bytes(&out[i]) + 1);
    need(n->data[n->n_in + i], "memory");
  }
  return DLC_OK;
}

static inline double number_at(const dlc_value *v, const void *data, int64_t i)
{
  switch (v->dtype) {
  case DLC_F32: return ((const float *)data)[i];
  case DLC_F64: return ((const double *)data)[i];
  case DLC_I32: return ((const int32_t *)data)[i];
  case DLC_I64: return (double)((const int64_t *)data)[i];
  default: return ((const uint8_t *)data)[i];
  }
}

/* Before node_compute(), which overwrites what is updated. */
static inline void node_reference(one_node *n)
{
  const dlc_value *values[DLC_MAX_IN + DLC_MAX_OUT];
  for (uint32_t i = 0; i < n->n_in + n->n_out; i++) {
    values[i] = &n->value[i];
    const int64_t count = dlc_count(values[i]);
    free(n->exact[i]);
    n->exact[i] = malloc(((size_t)count + 1) * sizeof(double));
    need(n->exact[i], "memory");
    for (int64_t j = 0; i < n->n_in && j < count; j++) n->exact[i][j] = number_at(values[i], n->data[i], j);
  }
  const dlc_call call = {.size = sizeof call,
                         .n_in = n->n_in,
                         .n_out = n->n_out,
                         .attr = &n->attr,
                         .iv = values,
                         .in = (const double *const *)n->exact,
                         .ov = values + n->n_in,
                         .out = n->exact + n->n_in};
  need(n->op->reference(&call) == DLC_OK, n->op->name);
}

/* The graph of this node alone; `ids`: 0, 1, 2, ... */
typedef struct node_graph {
  uint32_t ids[DLC_MAX_IN + DLC_MAX_OUT];
  dlc_node node;
  dlc_graph graph;
} node_graph;

static inline void node_view(const one_node *n, node_graph *g)
{
  for (uint32_t i = 0; i < DLC_MAX_IN + DLC_MAX_OUT; i++) g->ids[i] = i;
  g->node = (dlc_node){.size = sizeof g->node,
                       .n_in = n->n_in,
                       .n_out = n->n_out,
                       .op = n->op,
                       .attr = &n->attr,
                       .in = g->ids,
                       .out = g->ids + n->n_in,
                       .name = n->op->name};
  g->graph =
      (dlc_graph){sizeof g->graph, 1, n->n_in + n->n_out, sizeof g->node, sizeof n->value[0], &g->node, n->value};
}

/* A prepared kernel and its workspace, filled with NaN. */
typedef struct ready {
  node_graph view;
  dlc_kernel kernel;
  void *workspace;
} ready;

static inline dlc_status node_prepare(const one_node *n, const cpu_device *d, ready *r)
{
  memset(r, 0, sizeof *r);
  r->kernel.size = sizeof r->kernel;
  node_view(n, &r->view);
  dlc_status status = d->backend->kernel(d->device, &r->view.graph, 0, &r->kernel);
  if (status < 0) return status;
  if (r->kernel.workspace > 0) {
    r->workspace = dlc_alloc_tensor(r->kernel.workspace);
    need(r->workspace, "workspace");
    memset(r->workspace, 0xff, r->kernel.workspace);
  }
  return DLC_OK;
}

static inline dlc_status node_launch(const one_node *n, ready *r)
{
  return r->kernel.launch(r->kernel.state, (const void *const *)n->data, n->data + n->n_in, r->workspace);
}

static inline void ready_free(ready *r)
{
  if (r->kernel.release) r->kernel.release(r->kernel.state);
  free(r->workspace);
}

static inline dlc_status node_compute(const one_node *n, const cpu_device *d)
{
  ready r;
  dlc_status status = node_prepare(n, d, &r);
  if (status < 0) return status;
  status = node_launch(n, &r);
  ready_free(&r);
  return status;
}

static inline void node_free(one_node *n)
{
  for (uint32_t i = 0; i < n->n_in + n->n_out; i++) {
    if (i < n->n_in || !(n->op->flags & DLC_OP_UPDATE)) free(n->data[i]);
    free(n->exact[i]);
  }
}

#endif
